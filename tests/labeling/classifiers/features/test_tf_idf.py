"""Words are counted as scikit-learn counts them, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from labeling.classifiers.features.text import SHORT, TfIdf

WORDS = ["good", "day", "It's", "Straße", "İ", "日本", "x1", "_u", "foo-bar", "1.5", "\n", ""] + [
    f"w{n}" for n in range(40)
]


def oracle(rows, ngrams, min_count, max_features):
    """scikit-learn's, fitted; None where it finds no word."""
    made = TfidfVectorizer(
        ngram_range=ngrams,
        min_df=min_count,
        max_features=max_features,
        sublinear_tf=True,
        dtype=np.float32,
        token_pattern=r"(?u)\b\w+\b",
    )
    try:
        return made.fit(rows) if len(rows) >= min_count else None
    except ValueError:
        return None


def assert_alike(rows, asked, *settings):
    known, own = oracle(rows, *settings), TfIdf.learn(rows, *settings)
    assert (known is None) == (own is None)
    if known is None:
        return
    assert own.vocabulary_ == known.vocabulary_
    np.testing.assert_array_equal(own.idf_, known.idf_, strict=True)
    X, Y = own.transform(asked), known.transform(asked)
    assert X.shape == Y.shape
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(X, part), getattr(Y, part), strict=True)


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2), (2, 3), (1, 4)])
@pytest.mark.parametrize("min_count", [1, 2])
@pytest.mark.parametrize("max_features", [None, 7, 100_000])
@pytest.mark.parametrize("rows", [0, 1, 2, 60])
def test_words_weigh_what_they_weigh_in_scikit_learn(ngrams, min_count, max_features, rows):
    rng = np.random.default_rng(rows)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(80))) for _ in range(rows)]
    assert rows < 60 or min(map(len, texts)) <= SHORT < max(map(len, texts))
    assert_alike(texts, [*texts[:20], "unheard", "", "good good day"], ngrams, min_count, max_features)


@given(st.lists(st.text(), max_size=8), st.lists(st.text(), min_size=1, max_size=4), st.sampled_from([1, 2]))
def test_any_text_is_split_as_scikit_learn_splits_it(rows, asked, min_count):
    assert_alike(rows, asked + rows, (1, 2), min_count, 100_000)


def test_no_rows_give_no_rows():
    X = TfIdf.learn(["good day"], (1, 1), 1, None).transform([])
    assert (X.shape, X.dtype) == ((0, 2), np.float32)
