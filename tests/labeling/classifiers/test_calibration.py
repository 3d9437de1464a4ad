import numpy as np
import pytest

from labeling.classifiers.calibration import Calibrated, CalibratedModel, out_of_fold, stratified_folds, temperature
from labeling.classifiers.linear import softmax
from labeling.classifiers.metrics import calibration_error
from labeling.classifiers.text_and_tables import TableClassifier


def noisy(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 40))
    y = (X[:, 0] + rng.normal(size=n) > 0).astype(int)
    return X, y


def test_the_temperature_of_sharpened_probabilities_undoes_the_sharpening():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3))
    truth = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert temperature(softmax(3.0 * logits), np.eye(3)[truth]) == pytest.approx(3.0, rel=0.05)
    assert temperature(softmax(logits), np.eye(3)[truth]) == pytest.approx(1.0, rel=0.05)


def test_calibration_lowers_the_error_and_changes_no_class():
    X, y = noisy(300)
    test, truth = noisy(2000, seed=1)
    plain = TableClassifier(C=100.0)
    before = plain.fit(X, np.eye(2)[y]).predict_proba(test)
    after = Calibrated(plain).fit(X, np.eye(2)[y]).predict_proba(test)
    assert calibration_error(truth, after) < 0.7 * calibration_error(truth, before)
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_few_rows_are_left_as_they_are():
    X, y = noisy(20)
    assert Calibrated(TableClassifier()).fit(X, np.eye(2)[y]).temperature == 1.0


def test_no_row_is_predicted_by_a_model_that_saw_it():
    class Remembers(TableClassifier):
        def fit(self, X, targets, weights=None, *, seed=0):
            known = {row.tobytes() for row in X}

            class Model:
                def predict_proba(self, Z):
                    return np.array([[float(row.tobytes() in known), 0.0] for row in Z])

            return Model()

    X, y = noisy(50)
    assert out_of_fold(Remembers(), X, np.eye(2)[y])[:, 0].sum() == 0


def test_folds_spread_every_class():
    labels = np.repeat([0, 1, 2], [50, 20, 5])
    folds = stratified_folds(labels, 5, seed=1)
    for label, count in ((0, 10), (1, 4), (2, 1)):
        assert np.bincount(folds[labels == label], minlength=5).tolist() == [count] * 5


def test_one_row_cannot_be_cross_validated():
    with pytest.raises(ValueError, match="at least 2"):
        out_of_fold(TableClassifier(), np.ones((1, 1)), np.array([[1.0, 0.0]]))


def test_a_model_without_passes_says_so():
    X, y = noisy(20)
    model = CalibratedModel(TableClassifier().fit(X, np.eye(2)[y]), 2.0)
    with pytest.raises(TypeError, match="NetworkClassifier"):
        model.mc_proba(X)
