"""Majority vote: Snorkel's where both define it, thresholds and ties by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labeling.votes.label_models import MajorityVote
from labeling.votes.label_models import majority_vote as label_models
from labeling.votes.label_models.majority_vote import expert_votes
from labeling.votes.matrix import LabelMatrix

LABELS = ("a", "b", "c")
VOTES = hnp.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2))


@settings(deadline=None)
@given(votes=VOTES)
def test_majority_vote_equals_snorkels(votes):
    from snorkel.labeling.model import MajorityLabelVoter

    matrix = LabelMatrix.from_votes(votes, LABELS)
    proba, oracle = MajorityVote().predict_proba(matrix), MajorityLabelVoter(3).predict_proba(votes.astype(int))
    predicted = MajorityLabelVoter(3).predict(votes.astype(int), tie_break_policy="abstain")
    assert np.array_equal(MajorityVote().predict(matrix), predicted)
    assert np.array_equal(proba >= proba.max(axis=1, keepdims=True), oracle > 0)
    assert np.allclose(proba.sum(axis=1), 1)


@settings(deadline=None)
@given(votes=VOTES, order=st.randoms(use_true_random=False))
def test_random_ties_follow_the_item_and_not_its_place(votes, order):
    ids = np.array([f"item {i}" for i in range(len(votes))])
    rows = list(range(len(votes)))
    order.shuffle(rows)
    matrix = LabelMatrix.from_votes(votes, LABELS, item_ids=ids)
    model = MajorityVote(ties="random", seed=3)
    assert np.array_equal(model.predict(matrix)[rows], model.predict(matrix.take(rows)))


def test_random_ties_are_fair_and_depend_on_the_seed():
    matrix = LabelMatrix.from_votes(np.tile([0, 2], (3000, 1)), LABELS)
    one, other = (MajorityVote(ties="random", seed=seed).predict(matrix) for seed in (0, 1))
    assert set(one) == {0, 2}
    assert abs((one == 0).mean() - 0.5) < 0.05
    assert 0.4 < (one == other).mean() < 0.6


def test_ties_go_to_the_class_with_more_votes_overall():
    matrix = LabelMatrix.from_votes([[0, 1], [1, 1], [-1, -1]], LABELS)
    assert MajorityVote(ties="prior").fit(matrix).predict(matrix).tolist() == [1, 1, -1]
    with pytest.raises(ValueError, match="not fitted"):
        MajorityVote(ties="prior").predict(matrix)


#                          2 of 4     1 of 4        tie          silent
BY_HAND = np.array([[0, 0, -1, -1], [1, -1, -1, -1], [0, 1, -1, -1], [-1, -1, -1, -1]])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [0, 1, -1, -1]),
        ({"threshold": 0.5}, [0, -1, -1, -1]),
        ({"threshold": 0.25}, [0, 1, -1, -1]),
        ({"threshold": 0.5, "of": "voting"}, [0, 1, -1, -1]),
        ({"threshold": 0.51, "of": "voting", "ties": "random"}, [0, 1, -1, -1]),
        ({"threshold": 0.5, "otherwise": "c"}, [0, 2, 2, 2]),
        ({"otherwise": "c"}, [0, 1, 2, 2]),
        ({"threshold": 0}, [0, 1, -1, -1]),
    ],
)
def test_thresholds_by_hand(parameters, expected):
    assert MajorityVote(**parameters).predict(LabelMatrix.from_votes(BY_HAND, LABELS)).tolist() == expected


def test_three_of_ten_are_thirty_percent():
    votes = [[0] * 3 + [-1] * 7]
    assert MajorityVote(threshold=0.3).predict(LabelMatrix.from_votes(votes, LABELS)).tolist() == [0]


def test_what_otherwise_fills_has_a_stated_probability_and_no_weight():
    model = MajorityVote(threshold=0.5, otherwise="c", otherwise_probability=0.8)
    weak = model.label(LabelMatrix.from_votes(BY_HAND, LABELS))
    assert weak.proba[0].tolist() == [1, 0, 0]
    assert np.allclose(weak.proba[1:], [0.1, 0.1, 0.8])
    assert weak.weight.tolist() == [1, 0, 0, 0]


def test_an_expert_votes_with_the_majority_of_its_functions():
    #        ann         bob     none
    votes = [[0, 0, 1, 1, -1, 1], [0, 1, -1, 1, 1, -1], [-1, -1, -1, 2, 2, 0]]
    matrix = LabelMatrix.from_votes(votes, LABELS, experts=["ann", "ann", "ann", "bob", "bob", None])
    assert expert_votes(matrix).tolist() == [[0, 1, 1], [-1, 1, -1], [-1, 2, 0]]
    assert MajorityVote(by="expert").predict(matrix).tolist() == [1, 1, -1]
    assert MajorityVote(by="expert", threshold=0.5).predict(matrix).tolist() == [1, -1, -1]


def test_large_matrices_are_labeled_in_blocks(monkeypatch):
    matrix = LabelMatrix.from_votes(BY_HAND, LABELS)
    whole = MajorityVote(otherwise="a").label(matrix)
    monkeypatch.setattr(label_models, "AT_ONCE", 2)
    parts = MajorityVote(otherwise="a").label(matrix)
    assert np.array_equal(parts.proba, whole.proba)
    assert np.array_equal(parts.positions, whole.positions)


def test_many_classes_and_many_sources_are_counted():
    votes = np.full((2, 300), -1)
    votes[0, :299] = 19
    votes[1, 7] = 3
    assert MajorityVote().predict(LabelMatrix.from_votes(votes, [str(i) for i in range(20)])).tolist() == [19, 3]
    many = np.zeros((1, 300), int)
    assert MajorityVote().predict(LabelMatrix.from_votes(many, ["a", "b"])).tolist() == [0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"by": "person"}, "by is one of function, expert"),
        ({"threshold": 30}, "For 30 %, write 0.3"),
        ({"ties": "coin"}, "ties is one of"),
        ({"otherwise_probability": 0}, r"lies in \(0, 1\]"),
    ],
)
def test_wrong_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        MajorityVote(**parameters)


def test_otherwise_must_be_a_class():
    with pytest.raises(ValueError, match="otherwise='d' is not a class"):
        MajorityVote(otherwise="d").predict(LabelMatrix.from_votes(BY_HAND, LABELS))


def test_a_model_fitted_on_other_sources_says_so():
    fitted = MajorityVote().fit(LabelMatrix.from_votes(BY_HAND, LABELS))
    with pytest.raises(ValueError, match="fitted on 4 sources and 3 classes, got 1 and 3"):
        fitted.predict(LabelMatrix.from_votes([[0]], LABELS))


def test_parameters_rebuild_the_model():
    model = MajorityVote(by="expert", threshold=0.3, otherwise="a", ties="random", seed=4)
    assert MajorityVote(**model.parameters) == model
