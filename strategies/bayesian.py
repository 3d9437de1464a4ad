"""Ask where a model with dropout kept on disagrees with itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.base import Ranking, Strategy, unit
from strategies.pool import FloatArray, IntArray, Pool
from strategies.uncertainty import entropy, normalised_entropy

Acquisition = Literal["entropy", "bald", "variation_ratio", "mean_std", "batchbald"]

_ACQUISITIONS = ("entropy", "bald", "variation_ratio", "mean_std", "batchbald")


@dataclass(frozen=True)
class MCDropout(Strategy):
    """Score stochastic passes of a network, dropout kept on (Monte Carlo dropout).

    Attributes
    ----------
    acquisition
        "entropy": of the mean of the passes, divided by log k.
        "bald": how much an answer would tell about the weights, in nats, divided by log k.
        "variation_ratio": share of passes that do not vote for the commonest class, times k / (k - 1).
        "mean_std": standard deviation over the passes, mean over the classes, times 2.
        "batchbald": "bald" of the whole batch at once, so that its items do not repeat each other.
    samples
        Number of passes. They bound what "batchbald" can tell apart: log(samples) nats in all.

    References
    ----------
    Gal and Ghahramani (2016). Dropout as a Bayesian approximation. ICML.
    Houlsby et al. (2011). Bayesian active learning for classification and preference learning.
    Kirsch, van Amersfoort and Gal (2019). BatchBALD. NeurIPS.

    Examples
    --------
    Two passes agree on the first item and contradict each other on the second:

    >>> passes = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]])
    >>> MCDropout("entropy").score(Pool(mc_proba=passes))
    array([1., 1.])
    >>> MCDropout("bald").score(Pool(mc_proba=passes))
    array([0., 1.])
    """

    acquisition: Acquisition = "entropy"
    samples: int = 20

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"mc_proba"})

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """One of each acquisition."""
        return tuple(map(cls, _ACQUISITIONS))

    def __post_init__(self) -> None:
        if self.acquisition not in _ACQUISITIONS:
            raise ValueError(f"Unknown acquisition {self.acquisition!r}. Choose one of {', '.join(_ACQUISITIONS)}.")
        if self.samples < 1:
            raise ValueError(f"MCDropout needs samples of at least 1, got {self.samples}.")

    @property
    def name(self) -> str:
        """With the acquisition."""
        return f"MCDropout({self.acquisition})"

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        passes = _passes(pool, self.samples)
        k = passes.shape[2]
        if k < 2:
            return np.zeros(passes.shape[1])
        if self.acquisition == "entropy":
            return normalised_entropy(passes.mean(axis=0))
        if self.acquisition == "variation_ratio":
            return variation_ratio(passes)
        if self.acquisition == "mean_std":
            return unit(2.0 * passes.std(axis=0).mean(axis=1))
        return unit(mutual_information(passes) / np.log(k))

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """Scores that, for "batchbald", follow what the batch holds already."""
        passes = _passes(pool, self.samples)
        if self.acquisition == "batchbald" and n > 1 and passes.shape[2] > 1:
            return _JointInformation(passes)
        return Ranking(self.score(pool, rng))


def _passes(pool: Pool, samples: int) -> FloatArray:
    passes = pool.mc(samples)
    if passes.ndim != 3 or passes.shape[1] != len(pool):
        raise ValueError(f"pool.mc_proba must be (passes, {len(pool)} items, k classes), got shape {passes.shape}.")
    return passes


def mutual_information(passes: FloatArray) -> FloatArray:
    """(n,) nats that an answer would tell about which pass is right; (s, n, k) passes.

    Entropy of the mean less the mean of the entropies: also the mean Kullback-Leibler divergence of
    the passes from their mean.
    """
    return np.maximum(entropy(passes.mean(axis=0)) - mean_entropy(passes), 0.0)


def mean_entropy(passes: FloatArray) -> FloatArray:
    """(n,) mean entropy of the passes, one pass in memory at a time."""
    total = np.zeros(passes.shape[1])
    for one in passes:
        total += entropy(one)
    return total / len(passes)


def variation_ratio(passes: FloatArray) -> FloatArray:
    """(n,) share of passes outside the commonest class, times k / (k - 1)."""
    s, n, k = passes.shape
    votes = passes.argmax(axis=2)
    counts = np.bincount((votes + k * np.arange(n)).ravel(), minlength=n * k).reshape(n, k)
    return unit((1.0 - counts.max(axis=1) / s) * (k / (k - 1)))


class _JointInformation(Ranking):
    """What an answer would tell, given the answers to what was taken.

    The answers taken so far are summed over as weighted particles, each a posterior over the passes:
    exact while they are at most `limit`, then resampled at even spacing. An item's gain can only fall as
    others are taken, so gains of earlier steps are upper bounds and only the front runners are computed
    again (lazy greedy).
    """

    fixed = False
    limit = 256
    slice = 64

    def __init__(self, passes: FloatArray) -> None:
        s, _, k = passes.shape
        self._passes = passes
        self._scale = 1.0 / np.log(k)
        self._entropies = np.stack([entropy(one) for one in passes])
        self._bounds = mutual_information(passes)
        self._fresh = np.ones(passes.shape[1], dtype=bool)
        self._taken = np.zeros(passes.shape[1], dtype=bool)
        self._posterior = np.full((1, s), 1.0 / s)
        self._weight = np.ones(1)

    @property
    def scores(self) -> FloatArray:
        """(n,) upper bounds, exact for the best."""
        while True:
            open_bounds = np.where(self._taken, -1.0, self._bounds)
            if self._fresh[open_bounds.argmax()]:
                return unit(self._bounds * self._scale)
            count = min(self.slice, len(open_bounds))
            front = np.argpartition(-open_bounds, count - 1)[:count]
            self._refresh(front[~self._fresh[front]])

    def _refresh(self, items: IntArray) -> None:
        s, _, k = self._passes.shape
        outcome = self._posterior @ self._passes[:, items].reshape(s, -1).astype(np.float64)
        uncertain = entropy(outcome.reshape(len(self._weight), len(items), k))
        gain = self._weight @ uncertain - self._weight @ self._posterior @ self._entropies[:, items]
        self._bounds[items] = np.clip(gain, 0.0, self._bounds[items])
        self._fresh[items] = True

    def add(self, index: int) -> None:
        """Split every particle by the answers to this item: (particles, passes, answers)."""
        self._taken[index] = True
        self._fresh[:] = False
        joint = self._posterior[:, :, None] * self._passes[None, :, index, :]
        chance = joint.sum(axis=1)
        weight = (self._weight[:, None] * chance).ravel()
        posterior = joint.transpose(0, 2, 1).reshape(len(weight), -1)
        alive = weight > 1e-12
        weight, posterior = weight[alive], posterior[alive]
        posterior /= posterior.sum(axis=1, keepdims=True)
        weight /= weight.sum()
        if len(weight) > self.limit:
            marks = (np.arange(self.limit) + 0.5) / self.limit
            drawn = np.minimum(np.searchsorted(np.cumsum(weight), marks), len(weight) - 1)
            weight, posterior = np.full(self.limit, 1.0 / self.limit), posterior[drawn]
        self._weight, self._posterior = weight, posterior
