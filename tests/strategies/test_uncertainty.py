import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from strategies import Entropy, LeastConfidence, Margin, Pool

PROBA = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3], [0.4, 0.4, 0.2]])

probabilities = arrays(
    float, st.tuples(st.integers(1, 20), st.integers(2, 6)), elements=st.floats(0, 1) | st.just(0.0)
).map(lambda raw: (raw + 1e-9) / (raw + 1e-9).sum(axis=1, keepdims=True))


def test_least_confidence_worked_by_hand():
    np.testing.assert_allclose(LeastConfidence().score(Pool(proba=PROBA)), [0.75, 0, 1, 0.9])


def test_margin_worked_by_hand():
    np.testing.assert_allclose(Margin().score(Pool(proba=PROBA)), [0.8, 0, 1, 1])


def test_entropy_worked_by_hand():
    expected = -(0.5 * np.log(0.5) + 0.3 * np.log(0.3) + 0.2 * np.log(0.2)) / np.log(3)
    np.testing.assert_allclose(Entropy().score(Pool(proba=PROBA))[:3], [expected, 0, 1])


@given(probabilities)
def test_entropy_is_that_of_scipy(proba):
    expected = scipy.stats.entropy(proba, axis=1) / np.log(proba.shape[1])
    np.testing.assert_allclose(Entropy().score(Pool(proba=proba)), expected, atol=1e-9)


@pytest.mark.parametrize("name", ["least_confident", "margin_sampling", "entropy"])
@pytest.mark.parametrize("k", [2, 3, 7])
def test_scores_are_those_of_scikit_activeml(name, k):
    pool = pytest.importorskip("skactiveml.pool")
    proba = np.random.default_rng(k).dirichlet(np.full(k, 0.3), size=300)
    ours = {"least_confident": LeastConfidence(), "margin_sampling": Margin(), "entropy": Entropy()}[name]
    scale = {"least_confident": k / (k - 1), "margin_sampling": 1.0, "entropy": 1 / np.log(k)}[name]
    theirs = pool.uncertainty_scores(proba, method=name) * scale
    np.testing.assert_allclose(ours.score(Pool(proba=proba)), theirs, atol=1e-6)


def test_float32_probabilities_are_welcome():
    scores = Entropy().score(Pool(proba=PROBA.astype(np.float32)))
    assert scores.max() <= 1
    np.testing.assert_allclose(scores, Entropy().score(Pool(proba=PROBA)), atol=1e-6)
