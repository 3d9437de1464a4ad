"""Suggested rules: precise, new, and nothing where nothing is known."""

import numpy as np
import polars as pl
import pytest

from labeling.votes.running import run_functions
from labeling.votes.suggestions import suggest_functions

LABELS = ("ham", "spam")
TEXTS = ["win a prize", "prize inside", "prize draw", "free prize", "a prize"] * 4 + ["tea today", "today then"] * 10
GOLD = np.array([1] * 20 + [0] * 20)


def test_words_that_tell_a_class_are_suggested_with_what_they_add():
    found = suggest_functions(TEXTS, GOLD, LABELS)
    assert [(s.function.name, s.label, s.matches, s.added) for s in found] == [
        ('has "prize"', "spam", 20, 0.5),
        ('has "today"', "ham", 20, 0.5),
    ]
    assert found[0].precision == 1.0
    assert 0.8 < found[0].low < found[0].high == 1.0


def test_a_suggestion_is_a_rule_that_does_what_it_says():
    best = suggest_functions(TEXTS, GOLD, LABELS)[0]
    votes = run_functions([best.function], pl.DataFrame({"text": TEXTS}), LABELS).values[:, 0]
    assert ((votes != -1).mean(), (votes == 1).sum()) == (best.coverage, best.matches)


def test_what_rules_at_hand_cover_is_not_suggested_again():
    assert [s.label for s in suggest_functions(TEXTS, GOLD, LABELS, covered=GOLD == 1)] == ["ham"]


def test_a_name_in_use_is_not_taken_again():
    names = [s.function.name for s in suggest_functions(TEXTS, GOLD, LABELS, taken=['has "prize"'])]
    assert 'has "prize"' not in names


def test_chance_is_no_rule():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["red", "green", "blue", "gray"], 2)) for _ in range(200)]
    assert len(suggest_functions(texts, rng.integers(0, 2, 200), LABELS, longest=1)) <= 1


def test_unknown_items_count_for_coverage_only():
    gold = GOLD.copy()
    gold[10:20] = -1
    best = next(s for s in suggest_functions(TEXTS, gold, LABELS) if s.label == "spam")
    assert (best.matches, best.coverage) == (10, 0.5)


def test_nothing_known_suggests_nothing():
    assert suggest_functions(TEXTS, np.full(40, -1), LABELS) == []
    with pytest.raises(ValueError, match="gold has 3 entries for 40 texts"):
        suggest_functions(TEXTS, GOLD[:3], LABELS)


def test_words_that_hold_a_sentence_together_are_no_rules():
    texts = ["she is rude", "these rude words", "her rude friend"] * 10 + ["a fine day", "the day is fine"] * 15
    found = suggest_functions(texts, np.array([1] * 30 + [0] * 30), LABELS)
    assert {s.function.name for s in found} == {'has "rude"', 'has "day"'}
    only = suggest_functions(["she her these"] * 20 + ["fine"] * 20, GOLD, LABELS)
    assert {s.function.name for s in only} == {'has "fine"'}


def test_a_word_is_judged_by_what_it_adds_to_the_rules_before_it():
    # "table" stands beside "prize" 40 times and is spam there; alone it is as often ham as spam.
    texts = ["prize"] * 30 + ["prize table"] * 40 + ["table"] * 10 + ["tea"] * 30
    gold = np.array([1] * 70 + [0, 1] * 5 + [0] * 30)
    assert [s.function.name for s in suggest_functions(texts, gold, LABELS)] == ['has "prize"', 'has "tea"']


def test_a_suggestion_shows_where_it_is_wrong_and_what_it_adds():
    texts = ["free prize"] * 38 + ["the prize is ours", "a prize"] + ["tea"] * 40
    gold = np.array([1] * 38 + [0, -1] + [0] * 40)
    (best,) = [s for s in suggest_functions(texts, gold, LABELS) if s.label == "spam"]
    assert best.examples == (("the prize is ours", "ham"), ("free prize", "spam"), ("free prize", "spam"))
