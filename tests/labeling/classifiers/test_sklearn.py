import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from labeling.classifiers.default import default_classifier
from labeling.classifiers.features.columns import ColumnFeatures
from labeling.classifiers.linear import fit_linear
from labeling.classifiers.networks.perceptron import NetworkClassifier
from labeling.classifiers.sklearn import SklearnClassifier, committee
from labeling.classifiers.text_and_tables import TableClassifier, TextClassifier
from strategies import Entropy, MCDropout

ESTIMATORS = [
    LogisticRegression(),
    RandomForestClassifier(20),
    LinearSVC(),
    Perceptron(),
    KNeighborsClassifier(),
    GaussianNB(),
]


def blobs(n=120, k=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, size=n)
    return rng.normal(size=(n, 4)) + 3 * np.eye(4)[y], y


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("k", [2, 3])
def test_any_estimator_learns_from_soft_targets(estimator, k):
    X, y = blobs(k=k)
    soft = 0.9 * np.eye(k)[y] + 0.1 / k
    model = SklearnClassifier(estimator).fit(X, soft, np.linspace(0.1, 1, len(y)), seed=1)
    proba = model.predict_proba(X)
    assert proba.shape == (120, k)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba.argmax(axis=1) == y).mean() > 0.75


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_one_class_only_and_a_class_never_seen_are_defined(estimator):
    X, y = blobs(k=2)
    one = SklearnClassifier(estimator).fit(X[:3], np.tile([0.0, 1.0, 0.0], (3, 1))).predict_proba(X)
    np.testing.assert_allclose(one, np.tile([1 / 6, 4 / 6, 1 / 6], (120, 1)))
    two = SklearnClassifier(estimator).fit(X, np.eye(3)[y]).predict_proba(X)
    np.testing.assert_allclose(two[:, 2], 1 / 123)
    np.testing.assert_allclose(two.sum(axis=1), 1)


def test_soft_targets_and_weights_are_those_of_the_linear_model():
    X, y = blobs(k=2)
    soft = 0.8 * np.eye(2)[y] + 0.1
    weights = np.random.default_rng(1).random(120)
    theirs = SklearnClassifier(LogisticRegression(C=2.0, tol=1e-8)).fit(X, soft, weights).predict_proba(X)
    np.testing.assert_allclose(fit_linear(X, soft, weights, C=2.0).predict_proba(X), theirs, atol=2e-3)


def test_the_same_seed_gives_the_same_forest_and_the_estimator_stays_unfitted():
    X, y = blobs()
    forest = RandomForestClassifier(5)
    first, again = (SklearnClassifier(forest).fit(X, np.eye(3)[y], seed=4).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not hasattr(forest, "classes_")


def test_sparse_features_are_made_dense_where_asked():
    X, y = blobs()
    model = SklearnClassifier(GaussianNB(), dense=True).fit(csr_matrix(X), np.eye(3)[y])
    assert model.predict_proba(csr_matrix(X)).shape == (120, 3)


def test_what_is_no_classifier_is_refused():
    with pytest.raises(TypeError, match="scikit-learn estimator"):
        SklearnClassifier(7)


def test_a_committee_is_seeded_and_differs_among_itself():
    X, y = blobs()
    first, again = (
        [model.predict_proba(X) for model in committee(TableClassifier(), X, np.eye(3)[y], None, members=3, seed=2)]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[0] - first[1]).max() > 1e-3


TABLE = pl.DataFrame(
    {
        "text": ["good day", "bad day", "good food", None],
        "length": [1, 3, None, 100],
        "kind": ["a", "b", "a", None],
        "vector": [[0.0, 1.0], [1.0, 0.0], None, [0.5, 0.5]],
        "seen": [True, False, None, True],
        "id": ["w", "x", "y", "z"],
    }
)


def test_columns_become_blocks_of_finite_features():
    features = ColumnFeatures.learn(TABLE, text="text", learn_from=np.array([True, True, True, False]))
    assert features.used == ("text", "length", "kind", "vector", "seen")
    X = features.transform(TABLE)
    assert hasattr(X, "tocsr")
    assert np.isfinite(X.toarray()).all()


def test_scales_come_from_the_rows_to_learn_from_alone():
    features = ColumnFeatures.learn(TABLE, learn_from=np.array([True, True, False, False]), columns=("length",))
    np.testing.assert_allclose(features.transform(TABLE)[:, 0], [-1, 1, 0, 10])


def test_embeddings_stay_as_they_are_and_a_missing_one_is_zero():
    X = ColumnFeatures.learn(TABLE, columns=("vector",)).transform(TABLE)
    np.testing.assert_allclose(X, [[0, 1], [1, 0], [0, 0], [0.5, 0.5]])


def test_arrays_of_fixed_width_are_embeddings_too():
    frame = pl.DataFrame({"vector": pl.Series([[0.0, 1.0], [1.0, 0.0]], dtype=pl.Array(pl.Float32, 2))})
    assert ColumnFeatures.learn(frame).transform(frame).tolist() == [[0, 1], [1, 0]]


def test_columns_that_cannot_be_learned_from_are_named():
    with pytest.raises(ValueError, match=r"id \(String\)"):
        ColumnFeatures.learn(TABLE.select("id"))
    with pytest.raises(ValueError, match=r"'size'.*length"):
        ColumnFeatures.learn(TABLE, columns=("size",))


def test_the_default_follows_the_columns_and_the_strategy():
    schema = {"text": pl.String(), "x": pl.Float64()}
    assert default_classifier(schema, Entropy(), text="text") == TextClassifier()
    assert default_classifier({"x": pl.Float64()}) == TableClassifier()
    assert default_classifier(schema, 0.5 * Entropy() + 0.5 * MCDropout("bald"), text="text") == NetworkClassifier(
        columns=("text",)
    )
    with pytest.raises(ValueError, match="classifier="):
        default_classifier({"name": pl.String()})
