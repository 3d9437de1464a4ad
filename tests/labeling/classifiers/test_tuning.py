import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from labeling import SklearnClassifier, TableClassifier, Tuned, serialization
from labeling.classifiers.linear import fit_linear
from labeling.classifiers.networks.perceptron import NetworkClassifier


def clear(n, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 5))
    return X, np.eye(2)[(X[:, 0] > 0).astype(int)]


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 30)), np.eye(2)[rng.integers(2, size=n)]


def test_clear_classes_want_little_regularisation_and_noise_wants_much():
    tuned = Tuned(TableClassifier(), values=(0.001, 1.0, 100.0))
    assert tuned.fit(*clear(100)).value == 100.0
    assert tuned.fit(*noise(100)).value == 0.001


def test_what_is_chosen_is_trained_on_all_rows():
    X, targets = clear(60)
    model = Tuned(TableClassifier(class_weight=None), values=(0.1, 10.0)).fit(X, targets)
    alone = fit_linear(X, targets, C=model.value)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X))


def test_below_the_least_number_of_rows_the_setting_stays_and_nothing_is_noted():
    X, targets = clear(19)
    model = Tuned(TableClassifier(C=7.0)).fit(X, targets)
    assert model.value is None
    assert model.note is None
    np.testing.assert_allclose(model.predict_proba(X), TableClassifier(C=7.0).fit(X, targets).predict_proba(X))


def test_rows_without_weight_have_no_say():
    X, targets = clear(80)
    wrong = np.vstack([targets[:40], targets[40:, ::-1]])
    weights = np.repeat([1.0, 0.0], 40)
    tuned = Tuned(TableClassifier(), values=(0.001, 100.0))
    assert tuned.fit(X, wrong, weights).value == tuned.fit(X[:40], targets[:40]).value == 100.0


def test_cross_validation_sees_at_most_so_many_rows(monkeypatch):
    seen = []
    fit = TableClassifier.fit

    def spy(self, X, *args, **kwargs):
        seen.append(X.shape[0])
        return fit(self, X, *args, **kwargs)

    monkeypatch.setattr(TableClassifier, "fit", spy)
    Tuned(TableClassifier(), values=(0.1, 1.0), folds=2, rows=100).fit(*clear(300))
    assert seen == [50, 50, 50, 50, 300]


def test_sparse_features_stay_sparse():
    X, targets = clear(60)
    dense = Tuned(TableClassifier()).fit(X, targets)
    sparse = Tuned(TableClassifier()).fit(csr_matrix(X), targets)
    assert sparse.value == dense.value
    np.testing.assert_allclose(sparse.predict_proba(csr_matrix(X)), dense.predict_proba(X), atol=1e-3)


def test_a_parameter_inside_a_scikit_learn_pipeline_is_tuned():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    tuned = Tuned(SklearnClassifier(pipeline), values=(1e-4, 100.0), parameter="logisticregression__C")
    assert tuned.fit(*clear(100)).value == 100.0
    assert pipeline.get_params()["logisticregression__C"] == 1.0


def test_a_network_is_tuned_and_keeps_its_passes():
    X, targets = clear(40)
    network = NetworkClassifier(hidden=(8,), epochs=5)
    model = Tuned(network, values=(0.0, 0.5), parameter="dropout", folds=2).fit(X, targets)
    assert model.mc_proba(X, samples=3).shape == (3, 40, 2)
    assert model.note == f"dropout = {model.value} by cross-validation"


def test_passes_of_a_model_without_dropout_are_refused():
    with pytest.raises(TypeError, match="LinearModel has no stochastic passes"):
        Tuned(TableClassifier()).fit(*clear(30)).mc_proba(np.zeros((1, 5)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"parameter": "D"}, "TableClassifier has no setting 'D'. It has: C,"),
        ({"values": ()}, "values names nothing to try for C"),
        ({"folds": 1}, "folds must be at least 2"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Tuned(TableClassifier(), **settings)


def test_an_estimator_without_the_parameter_is_refused_by_name():
    with pytest.raises(ValueError, match="LogisticRegression has no setting 'depth'"):
        Tuned(SklearnClassifier(LogisticRegression()), parameter="depth")


def test_it_is_stored_as_text_and_found_again():
    tuned = Tuned(TableClassifier(C=3.0), values=(1.0, 2.0))
    assert serialization.load(serialization.dump(tuned)) == tuned
