import numpy as np
import pytest
import scipy.optimize

from labeling.classifiers.linear import fit_linear


def data(k, n=120):
    rng = np.random.default_rng(0)
    y = rng.integers(0, k, size=n)
    return (rng.normal(size=(n, 6)) + 1.5 * np.eye(6)[y]).astype(np.float32), np.eye(k)[y]


@pytest.fixture
def iterations(monkeypatch):
    """How many iterations each fit took."""
    counts = []
    minimize = scipy.optimize.minimize

    def counted(*args, **settings):
        found = minimize(*args, **settings)
        counts.append(found.nit)
        return found

    monkeypatch.setattr(scipy.optimize, "minimize", counted)
    return counts


@pytest.mark.parametrize("k", [2, 4])
def test_a_start_leads_to_the_same_optimum(k):
    X, targets = data(k)
    before = fit_linear(X[:60], targets[:60])
    cold, warm = fit_linear(X, targets), fit_linear(X, targets, start=before)
    np.testing.assert_allclose(warm.predict_proba(X), cold.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("k", [2, 4])
def test_from_the_optimum_it_takes_few_iterations(k, iterations):
    X, targets = data(k)
    fit_linear(X, targets, start=fit_linear(X, targets))
    assert iterations[1] < iterations[0] / 2


@pytest.mark.parametrize("other", ["features", "classes"])
def test_a_start_that_does_not_fit_is_left_aside(other):
    X, targets = data(4)
    start = fit_linear(X[:, :5], targets) if other == "features" else fit_linear(*data(3))
    np.testing.assert_array_equal(fit_linear(X, targets, start=start).coef, fit_linear(X, targets).coef)
