import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from labeling.store import near_duplicates as module
from labeling.store.near_duplicates import SIMILAR, near_duplicates
from labeling.store.texts import words

WORDS = [f"word{number}" for number in range(60)]


def tokens(text):
    words = re.findall(r"\w+", re.sub(r"https?://\S+", "url", text.lower()))
    return {*words, *itertools.pairwise(words)}


def jaccard(one, two):
    a, b = tokens(one), tokens(two)
    return len(a & b) / len(a | b) if a | b else 0.0


def groups_by_force(texts, similar):
    """The connected components of all pairs that are similar enough, each pair looked at."""
    group = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            if jaccard(texts[i], texts[j]) >= similar - 1e-9 and group[i] != group[j]:
                low, high = sorted((group[i], group[j]))
                group = [low if g == high else g for g in group]
    return [g if group.count(g) > 1 else -1 for g in group]


def variations(rng, n):
    """Texts of 1 to 25 words, two thirds of them made from an earlier one by changing a word or two."""
    texts = []
    for _ in range(n):
        words = [WORDS[i] for i in rng.integers(0, len(WORDS), rng.integers(1, 26))]
        if texts and rng.random() < 0.67:
            words = texts[rng.integers(len(texts))].split()
            for _ in range(rng.integers(0, 3)):
                words.insert(int(rng.integers(len(words) + 1)), WORDS[rng.integers(len(WORDS))])
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("similar", [0.6, SIMILAR, 0.9])
def test_groups_are_those_of_comparing_every_pair(seed, similar):
    texts = variations(np.random.default_rng(seed), 120)
    found = near_duplicates(pl.Series(texts), similar).group.tolist()
    assert found == groups_by_force(texts, similar)
    assert max(found) >= 0


def test_similarity_is_the_share_of_words_and_pairs():
    texts = ["see you at the office tomorrow", "see you at the office tomorrow then", "something else altogether"]
    ((other, similarity),) = near_duplicates(pl.Series(texts)).alike(0)
    assert (other, similarity) == (1, pytest.approx(11 / 13))
    assert jaccard(texts[0], texts[1]) == pytest.approx(11 / 13)


def test_case_punctuation_and_addresses_do_not_count():
    texts = ["Look at this: https://t.co/abc !", "look at THIS http://t.co/xyz", "look away from this"]
    found = near_duplicates(pl.Series(texts))
    assert found.group.tolist() == [0, 0, -1]
    assert found.alike(1) == [(0, 1.0)]


@pytest.mark.parametrize("most", [0, 1, 3, 100])
def test_the_most_similar_few_are_the_first_of_all(most):
    generator = np.random.default_rng(0)
    texts = [f"please call us back about the parcel number {n % 5} we hold {'x' * (n % 3)}" for n in range(60)]
    found, rows = near_duplicates(pl.Series([*texts, "alone"])), generator.permutation(61)
    among = generator.random(61) < 0.7
    every = found.alike_each(rows, among)
    assert max(map(len, every)) > 3
    assert found.alike_each(rows, among, most=most) == [likes[:most] for likes in every]


@pytest.mark.parametrize("texts", [["", "", None], ["?!", "...", "?!"], []], ids=["empty", "no words", "none at all"])
def test_texts_without_words_are_alike_to_nothing(texts):
    assert near_duplicates(pl.Series(texts, dtype=pl.String)).group.tolist() == [-1] * len(texts)


def test_numbered_short_texts_are_no_near_duplicates():
    assert (near_duplicates(pl.Series([f"good morning {n}" for n in range(50)])).group == -1).all()


def test_signs_of_scripts_without_blanks_are_words():
    texts = ["今天天气很好我们去公园吧", "今天天气很好我们去公园", "明天见"]
    assert near_duplicates(pl.Series(texts)).group.tolist() == [0, 0, -1]


def test_a_campaign_of_thousands_is_one_group_and_takes_few_comparisons(monkeypatch):
    compared = []
    similarity = module.similarity
    monkeypatch.setattr(module, "similarity", lambda *given: compared.append(len(given[1])) or similarity(*given))
    words = " ".join(WORDS[:20])
    texts = pl.Series([f"{words} number{n}" for n in range(3000)] + ["by the way"])
    assert near_duplicates(texts).group.tolist() == [0] * 3000 + [-1]
    assert sum(compared) < 3000 * 40


def test_groups_do_not_depend_on_how_texts_are_cut_into_parts(monkeypatch):
    texts = pl.Series(variations(np.random.default_rng(9), 300))
    whole = near_duplicates(texts).group
    for name, value in (("_ROWS", 7), ("_PAIRS", 5)):
        monkeypatch.setattr(module, name, value)
    np.testing.assert_array_equal(near_duplicates(texts).group, whole)


@pytest.mark.parametrize("similar", [0.5, 1.1])
def test_an_impossible_similarity_is_refused(similar):
    with pytest.raises(ValueError, match=r"above 0\.5"):
        near_duplicates(pl.Series(["a"]), similar)


@pytest.mark.parametrize("executor", ["threads", "processes", "dask"])
def test_every_executor_finds_the_same_groups(executor, monkeypatch, request):
    monkeypatch.setattr(words, "ROWS", 40)
    engine = request.getfixturevalue("dask_executor") if executor == "dask" else executor
    texts = pl.Series([*variations(np.random.default_rng(3), 200), None, "Guten Morgen", "GUTEN morgen!"])
    here, there = near_duplicates(texts), near_duplicates(texts, executor=engine)
    assert there.group.tolist() == here.group.tolist()
    assert (here.group >= 0).any()
    assert np.array_equal(there.tokens.words, here.tokens.words)
    assert np.array_equal(there.tokens.starts, here.tokens.starts)


def test_a_worker_that_hashes_otherwise_is_refused(monkeypatch):
    monkeypatch.setattr(words, "ROWS", 1)
    with ThreadPoolExecutor(1) as pool:
        signs = iter(range(3))
        monkeypatch.setattr(words, "_sign", lambda: next(signs))
        with pytest.raises(ValueError, match=f"equal words would differ. Give the workers Polars {pl.__version__}"):
            near_duplicates(pl.Series(["a b", "c d"]), executor=pool)
