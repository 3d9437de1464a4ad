"""Analysis by hand, and against scikit-learn, scipy and Snorkel's votes where they define the answer."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.votes.analysis import (
    coverage_accuracy,
    examples,
    expert_conflicts,
    function_accuracy,
    function_agreement,
    krippendorff_alpha,
    uncovered,
    wilson,
)
from labeling.votes.matrix import LabelMatrix

LABELS = ("a", "b")


@given(total=st.integers(1, 200), data=st.data())
@settings(deadline=None)
def test_the_interval_is_scipys(total, data):
    from scipy.stats import binomtest

    correct = data.draw(st.integers(0, total))
    theirs = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    low, high = wilson(np.array([correct]), np.array([total]))
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_nothing_observed_leaves_everything_possible():
    assert [bound.tolist() for bound in wilson(np.array([0]), np.array([0]))] == [[0.0], [1.0]]


def test_accuracy_is_measured_on_gold_and_estimated_by_the_weak_labels():
    matrix = LabelMatrix.from_votes([[0, -1], [0, -1], [1, -1], [-1, -1]], LABELS, gold=[0, 1, -1, 0])
    proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    first, second = function_accuracy(matrix, proba).to_dicts()
    assert (first["votes"], first["judged"], first["accuracy"]) == (3, 2, 0.5)
    assert first["estimated"] == pytest.approx((0.9 + 0.6 + 0.8) / 3)
    assert first["low"] < 0.5 < first["high"]
    assert (second["votes"], second["accuracy"], second["estimated"]) == (0, None, None)


def test_functions_that_repeat_one_another_are_redundant():
    votes = np.array([[0, 0, 0], [1, 1, 0], [-1, -1, 1]] * 4)
    pairs = function_agreement(LabelMatrix.from_votes(votes, LABELS, names=["x", "y", "z"]))
    assert pairs.row(0, named=True) == {
        "first": "x", "second": "y", "both": 8, "agreement": 1.0, "overlap": 1.0, "redundant": True,
    }  # fmt: skip
    others = pairs.filter(~pl.col("redundant"))
    assert others.select("first", "second", "both", "agreement").rows() == [("x", "z", 8, 0.5), ("y", "z", 8, 0.5)]


def test_experts_conflict_by_what_their_rule_sets_say():
    votes = [[0, 0, 1], [1, -1, 1], [0, 1, 1], [0, -1, -1]]
    matrix = LabelMatrix.from_votes(votes, LABELS, experts=["ann", "ann", "bob"])
    assert expert_conflicts(matrix).rows() == [("ann", "bob", 2, 1, 0.5)]


def test_examples_are_right_or_wrong_as_gold_tells():
    matrix = LabelMatrix.from_votes([[0], [0], [1], [-1], [1]], LABELS, item_ids=list("vwxyz"), gold=[0, 1, 1, 0, -1])
    assert examples(matrix, "function_1", right=True).rows() == [("v", "a", "a"), ("x", "b", "b")]
    assert examples(matrix, "function_1", right=False).rows() == [("w", "a", "b")]
    assert examples(matrix, "function_1", right=True, n=1).height == 1
    with pytest.raises(KeyError, match="No function 'f'"):
        examples(matrix, "f", right=True)


def test_a_higher_threshold_keeps_fewer_and_better_labels():
    proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.6, 0.4]])
    curve = coverage_accuracy(proba, np.array([0, 1, 1, -1]))
    assert curve.select("threshold", "coverage", "judged", "accuracy").rows() == [
        (0.6, 1.0, 3, 2 / 3),
        (0.8, 0.5, 2, 1.0),
        (0.9, 0.25, 1, 1.0),
    ]


def test_items_without_a_label_are_never_kept():
    curve = coverage_accuracy(np.full((2, 2), 0.5), np.array([0, 0]), covered=np.array([True, False]))
    assert curve["coverage"].to_list() == [0.5]
    assert coverage_accuracy(np.full((1, 2), 0.5), np.array([0]), covered=np.array([False])).height == 0


def test_what_no_rule_covers_is_grouped_by_what_it_shares():
    texts = ["cat food", "cat bed", "cat", "dog food", "dog", "bird one", "bird two", None]
    votes = [[-1], [-1], [-1], [-1], [-1], [0], [0], [-1]]
    matrix = LabelMatrix.from_votes(votes, LABELS, item_ids=[10, 11, 12, 13, 14, 15, 16, 17])
    groups = uncovered(matrix, texts)
    assert groups.select("word", "items", "example").rows() == [("cat", 3, "10"), ("dog", 2, "13")]
    assert groups["share"].to_list() == [0.5, 2 / 6]


def test_alpha_is_krippendorffs():
    # The nominal example of Krippendorff (2011): alpha = 0.743.
    answers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    votes = np.array(answers).T - 1
    assert krippendorff_alpha(LabelMatrix.from_votes(votes, list("abcde"))) == pytest.approx(0.743, abs=0.001)


def test_alpha_is_undefined_without_shared_items():
    assert np.isnan(krippendorff_alpha(LabelMatrix.from_votes([[0, -1], [-1, 1]], LABELS)))
    assert krippendorff_alpha(LabelMatrix.from_votes([[0, 0]], LABELS)) == 1.0
