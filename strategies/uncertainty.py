"""Ask where the model is least sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.base import Strategy, unit
from strategies.pool import FloatArray, Pool


@dataclass(frozen=True)
class LeastConfidence(Strategy):
    """Ask where the likeliest class is least likely.

    Scores (1 - max p) * k / (k - 1): 1 where all k classes are equally likely, 0 where one is certain.

    References
    ----------
    Lewis and Gale (1994). A sequential algorithm for training text classifiers. SIGIR.

    Examples
    --------
    >>> LeastConfidence().score(Pool(proba=np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]])))
    array([1. , 0.5, 0. ])
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"proba"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        proba = pool.proba
        k = proba.shape[1]
        if k < 2:
            return np.zeros(len(pool))
        return unit((1.0 - proba.max(axis=1)) * (k / (k - 1)))


@dataclass(frozen=True)
class Margin(Strategy):
    """Ask where the two likeliest classes are closest.

    Scores 1 - (p1 - p2): a perfect tie scores 1, certainty 0.

    References
    ----------
    Scheffer, Decomain and Wrobel (2001). Active hidden Markov models for
    information extraction. IDA.

    Examples
    --------
    >>> Margin().score(Pool(proba=np.array([[0.5, 0.4, 0.1], [0.9, 0.1, 0.0]]))).round(3)
    array([0.9, 0.2])
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"proba"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        proba = pool.proba
        if proba.shape[1] < 2:
            return np.zeros(len(pool))
        second, first = np.partition(proba, -2, axis=1)[:, -2:].T
        return unit(1.0 - (first - second))


@dataclass(frozen=True)
class Entropy(Strategy):
    """Ask where the probabilities say least.

    Scores the Shannon entropy divided by log k: 1 where all k classes are equally likely.

    References
    ----------
    Settles (2009). Active learning literature survey. University of Wisconsin-Madison.

    Examples
    --------
    >>> Entropy().score(Pool(proba=np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])))
    array([1. , 0.5, 0. ])
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"proba"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return normalised_entropy(pool.proba)


def entropy(proba: FloatArray) -> FloatArray:
    """Shannon entropy in nats along the last axis; 0 log 0 is 0."""
    # The floor keeps log finite; times p = 0 it vanishes.
    logs = np.maximum(proba, np.finfo(proba.dtype).tiny)
    np.log(logs, out=logs)
    summed: FloatArray = np.einsum("...k,...k->...", proba, logs)
    return -summed


def normalised_entropy(proba: FloatArray) -> FloatArray:
    """Entropy along the last axis divided by log k, in [0, 1]."""
    k = proba.shape[-1]
    if k < 2:
        return np.zeros(proba.shape[:-1])
    return unit(entropy(proba) / np.log(k))
