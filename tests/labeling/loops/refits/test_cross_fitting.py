from dataclasses import dataclass, field

import numpy as np
import pytest

from labeling import TableClassifier
from labeling.classifiers.base import Classifier
from labeling.loops.refits.cross_fitting import FOLDS, fold_of, out_of_fold
from labeling.loops.rounds.learning import Learning

N = 40


@dataclass(frozen=True)
class Remembering(Classifier):
    """A classifier that notes which rows, given as their only feature, it was trained on."""

    seen: list = field(default_factory=list, compare=False)
    fails: bool = False

    def fit(self, X, targets, weights=None, *, seed=0):
        if self.fails:
            raise ValueError("not with so few rows")
        self.seen.append((X[:, 0].astype(int).tolist(), targets, weights))
        return self

    def predict_proba(self, X):
        return np.tile([0.7, 0.3], (len(X), 1))


def learning_of(classifier, labeled, round_=0, weak=None):
    human = np.zeros((N, 2))
    human[labeled, np.array(labeled) % 2] = 1.0
    return Learning(
        classifier=classifier,
        ids=np.arange(N),
        human=human,
        held=np.zeros(N, dtype=bool),
        features=lambda: np.arange(N, dtype=float)[:, None],
        embedding=lambda: np.zeros((N, 1)),
        round=round_,
        weak=weak,
    )


def nothing(rows):
    return np.full((len(rows), 2), np.nan)


def test_no_answer_is_told_by_a_classifier_that_learned_it_or_one_of_its_group():
    group = np.arange(N) // 2
    labeled = list(range(20))
    for turn in range(FOLDS):
        classifier = Remembering()
        known = out_of_fold(learning_of(classifier, labeled, turn), group, nothing)
        (rows, _, _), inside = classifier.seen[-1], fold_of(group[known.rows], 0) == turn
        assert {group[row] for row in rows}.isdisjoint(group[known.rows[inside]])
        assert np.isfinite(known.proba[inside]).all()
        assert np.isnan(known.proba[~inside]).all()


def test_a_linear_classifier_of_few_rows_is_trained_on_all_folds():
    known = out_of_fold(learning_of(TableClassifier(), list(range(30))), np.arange(N), nothing)
    assert known.proba.shape == (30, 2)
    assert np.allclose(known.proba.sum(axis=1), 1)
    assert known.note is None


def test_others_are_trained_on_one_fold_a_round_and_the_rest_stands_from_the_round_before():
    said = lambda rows: np.tile([0.9, 0.1], (len(rows), 1))  # noqa: E731
    classifier = Remembering()
    known = out_of_fold(learning_of(classifier, list(range(30)), 7), np.arange(N), said)
    assert len(classifier.seen) == 1
    new = fold_of(known.rows, 0) == 7 % FOLDS
    assert known.proba[new].tolist() == [[0.7, 0.3]] * int(new.sum())
    assert known.proba[~new].tolist() == [[0.9, 0.1]] * int((~new).sum())


def test_items_of_a_fold_keep_their_weak_labels_as_those_nobody_answered_do():
    weak = np.tile([0.2, 0.8], (N, 1)), np.ones(N)
    classifier = Remembering()
    known = out_of_fold(learning_of(classifier, list(range(20)), weak=weak), np.arange(N), nothing)
    rows, targets, _ = classifier.seen[-1]
    inside = known.rows[fold_of(known.rows, 0) == 0]
    assert sorted(rows) == list(range(N))
    for row, target in zip(rows, targets, strict=True):
        if row in inside:
            assert target.tolist() == [0.2, 0.8]
        elif row < 20:
            assert target.tolist() == [1 - row % 2, row % 2]


def test_weak_rows_of_a_fold_are_bounded_and_weigh_together_what_all_do(monkeypatch):
    monkeypatch.setattr("labeling.loops.refits.cross_fitting.WEAK_ROWS", 10)
    weak = np.tile([0.2, 0.8], (N, 1)), np.ones(N)
    few = Remembering()
    learning = learning_of(Remembering(), list(range(20)), weak=weak)
    total = learning.training[2][20:].mean() * N
    out_of_fold(learning_of(few, list(range(20)), weak=weak), np.arange(N), nothing)
    rows, _, weights = few.seen[-1]
    own = int((fold_of(np.arange(20), 0) == 0).sum())
    answered = 20 - own
    assert len(rows) - answered == 10
    assert weights[answered:].sum() == pytest.approx(total * (20 + own) / N)


def test_a_fold_that_cannot_be_trained_is_left_out_and_said():
    known = out_of_fold(learning_of(Remembering(fails=True), list(range(20))), np.arange(N), nothing)
    assert np.isnan(known.proba).all()
    assert "not with so few rows" in known.note


def test_one_answer_has_nothing_to_be_checked_by():
    known = out_of_fold(learning_of(TableClassifier(), [3]), np.arange(N), nothing)
    assert np.isnan(known.proba).all()
