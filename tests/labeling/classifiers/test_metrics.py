import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from labeling.classifiers.metrics import accuracy, calibration_error, confusion, evaluate, f1_macro, interval


def test_confusion_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    np.testing.assert_array_equal(confusion(truth, said, 4), confusion_matrix(truth, said, labels=range(4)))


def test_abstains_are_in_no_cell_but_cost_accuracy_and_recall():
    assert confusion([0, 1], [-1, 1], 2).sum() == 1
    assert accuracy([0, 1], [-1, 1]) == 0.5
    scores = evaluate([0, 0, 1], [-1, 0, 1], labels=["a", "b"])
    assert scores.classes[0].recall == 0.5
    assert scores.classes[0].precision == 1.0


def test_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    assert f1_macro(truth, said) == pytest.approx(f1_score(truth, said, average="macro"))


def test_a_class_that_does_not_occur_leaves_macro_f1_alone():
    proba = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    scores = evaluate([0, 1], proba=proba, labels=["a", "b", "never"])
    assert scores.f1_macro == 1.0
    assert scores.classes[2].average_precision is None
    assert scores.classes[2].support == 0
    assert scores.average_precision == 1.0


def test_a_rare_class_nobody_finds_shows_in_macro_f1_not_in_accuracy():
    truth = np.r_[np.zeros(95, dtype=int), np.ones(5, dtype=int)]
    scores = evaluate(truth, np.zeros(100, dtype=int))
    assert scores.accuracy == 0.95
    assert scores.f1_macro < 0.5
    assert scores.classes[1].recall == 0.0


def test_calibration_error_worked_by_hand():
    # Two at .8, one of them right; two at .6, both right: (2 * .3 + 2 * .4) / 4.
    proba = np.array([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error([0, 1, 0, 0], proba) == pytest.approx(0.35)


def test_no_calibration_error_for_probabilities_that_are_drawn_from():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    truth = (rng.random(20_000) > p).astype(int)
    assert calibration_error(truth, np.column_stack([p, 1 - p])) < 0.02


def test_nothing_to_score_is_an_error():
    for score in (accuracy, f1_macro):
        with pytest.raises(ValueError, match="no items to score"):
            score([], [])
    with pytest.raises(ValueError, match="no items to score"):
        calibration_error([], np.empty((0, 2)))


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        accuracy([0, 1], [0])


def test_positions_beyond_the_classes_are_refused():
    with pytest.raises(ValueError, match="below 2, got 5"):
        confusion([0, 5], [0, 5], 2)


def test_an_interval_narrows_with_the_items_and_stays_between_0_and_1():
    few, many = interval(9, 10), interval(900, 1000)
    assert few[0] < many[0] < 0.9 < many[1] < few[1]
    assert interval(0, 5)[0] == pytest.approx(0.0)
    assert interval(5, 5)[1] == pytest.approx(1.0)
