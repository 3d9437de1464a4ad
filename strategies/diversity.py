"""Ask for items unlike those known: far from them, typical of their surroundings, or both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from strategies.base import Ranking, Strategy, unit
from strategies.geometry import (
    as_embedding,
    dense_rows,
    is_sparse,
    nearest_distance,
    squared_distances,
    squared_norms,
    stack,
)
from strategies.pool import FloatArray, IntArray, Matrix, Pool
from strategies.uncertainty import Margin


@dataclass(frozen=True)
class KCenter(Strategy):
    """Ask what lies farthest from everything labeled, asked or in the batch (core-set).

    Scores the distance to the nearest of these, divided by the largest such distance; 1 for all where
    nothing is labeled yet.

    References
    ----------
    Sener and Savarese (2018). Active learning for convolutional neural networks: a core-set approach. ICLR.

    Examples
    --------
    >>> pool = Pool(embedding=np.array([[0.0], [1.0], [4.0]]), labeled_embedding=np.array([[0.0]]))
    >>> KCenter().score(pool).tolist()
    [0.0, 0.25, 1.0]
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """Distances that shrink as the batch grows."""
        return Farthest(pool)


class Farthest(Ranking):
    """Distance to the nearest of what is labeled, open or taken, divided by the largest at the start.

    Distances only shrink as items are taken, so old ones are upper bounds (lazy greedy): as long as one of the
    front runners lies farther than anything behind them may, they alone are brought up to date.
    """

    fixed = False

    def __init__(self, pool: Pool) -> None:
        X = as_embedding(pool.embedding)
        known = stack([pool.labeled_embedding, pool.open_embedding])
        if not is_sparse(X) and len(X):
            # Squared distances lose digits far from the origin: move it to the middle of the pool.
            middle = X.mean(axis=0)
            X = X - middle
            known = None if known is None else np.asarray(known, dtype=np.float32) - middle
        self._X = X
        self._norms = squared_norms(X)
        self._bounds = None if known is None else nearest_distance(X, self._norms, as_embedding(known))
        self._scale = self._farthest()
        self._taken: list[int] = []
        # How many of the taken the distances of all rows know of.
        self._seen = 0
        self._front: _Front | None = None
        self._size = 1024

    def _farthest(self) -> float:
        if self._bounds is None or not len(self._bounds):
            return 0.0
        return float(np.sqrt(self._bounds.max()))

    def _refresh(self) -> None:
        """Bring the distances of all rows up to date."""
        pending = self._taken[self._seen :]
        if pending and self._bounds is not None:
            found = nearest_distance(self._X, self._norms, dense_rows(self._X, pending))
            np.minimum(self._bounds, found, out=self._bounds)
            # What rounding leaves of the distance to oneself would be taken again.
            self._bounds[pending] = 0.0
        self._seen = len(self._taken)

    @property
    def distances(self) -> FloatArray:
        """(n,) not divided; infinite where nothing is known."""
        if self._bounds is None:
            return np.full(self._X.shape[0], np.inf)
        self._refresh()
        return np.sqrt(self._bounds)

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]."""
        if self._bounds is None:
            return np.ones(self._X.shape[0])
        if self._scale == 0.0:
            return np.zeros(self._X.shape[0])
        return unit(self.distances / self._scale)

    def top(self, taken: list[int], tie: IntArray) -> tuple[int, float]:
        """The farthest."""
        if self._bounds is None or self._scale == 0.0:
            return super().top(taken, tie)
        front = self._leading(self._bounds)
        farthest = front.bounds.max()
        if farthest <= 0.0:
            return super().top(taken, tie)
        best = front.rows[front.bounds == farthest]
        return int(best[np.argmin(tie[best])]), min(float(np.sqrt(farthest)) / self._scale, 1.0)

    def _leading(self, bounds: FloatArray) -> _Front:
        """Return front runners, the farthest of all among them."""
        front = self._front
        if front is not None:
            front.follow(self._X, self._taken)
            if front.bounds.max() > front.limit:
                return front
            # One that is overtaken soon was too small, one that leads for long is larger than it need be.
            led = len(self._taken) - front.start
            self._size = max(256, min(2 * self._size if led < 32 else self._size // 2 if led > 512 else self._size,
                                      len(bounds)))  # fmt: skip
        self._refresh()
        self._front = _Front.of(self._X, self._norms, bounds, self._size, len(self._taken))
        return self._front

    def add(self, index: int) -> None:
        """One more to be far from."""
        self._taken.append(index)
        if self._bounds is None:
            added = squared_distances(self._X, self._norms, dense_rows(self._X, index))[:, 0]
            added[index] = 0.0
            self._bounds = added
            self._seen = 1
            self._scale = self._farthest()


@dataclass
class _Front:
    """Rows that were farthest when so many were taken, and how far anything else may be."""

    rows: IntArray
    X: Matrix
    norms: FloatArray
    bounds: FloatArray
    limit: float
    start: int
    seen: int

    @classmethod
    def of(cls, X: Matrix, norms: FloatArray, bounds: FloatArray, size: int, taken: int) -> _Front:
        """Return the farthest rows, about `size` of them: all that are equally far are in it, or none."""
        n = len(bounds)
        least = bounds.min() if size >= n else np.partition(bounds, n - size)[n - size]
        rows = np.flatnonzero(bounds >= least)
        limit = float(bounds[bounds < least].max(initial=-1.0))
        return cls(rows, X[rows], norms[rows], bounds[rows], limit, taken, taken)

    def follow(self, X: Matrix, taken: list[int]) -> None:
        """Bring the distances up to date."""
        pending = taken[self.seen :]
        if not pending:
            return
        np.minimum(self.bounds, nearest_distance(self.X, self.norms, dense_rows(X, pending)), out=self.bounds)
        self.bounds[np.isin(self.rows, pending)] = 0.0
        self.seen = len(taken)


@dataclass(frozen=True)
class Density(Strategy):
    """Weigh a strategy by how much an item resembles the others (information density).

    Scores the strategy's score times the mean cosine similarity to the pool, brought to [0, 1], to the
    power of `beta`.

    References
    ----------
    Settles and Craven (2008). An analysis of active learning strategies for sequence labeling. EMNLP.

    Examples
    --------
    The third item resembles nothing:

    >>> pool = Pool(proba=np.full((3, 2), 0.5), embedding=np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]))
    >>> Density().score(pool).round(3).tolist()
    [1.0, 1.0, 0.5]
    """

    strategy: Strategy = field(default_factory=Margin)
    beta: float = 1.0

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    @property
    def name(self) -> str:
        """With what it weighs."""
        return f"Density({self.strategy.name})"

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """The strategy's own ranking, weighed."""
        density = mean_similarity(pool.embedding)
        top = density.max(initial=0.0)
        weight = (density / top if top > 0 else np.ones_like(density)) ** self.beta
        return Weighed(self.strategy.ranking(pool, rng, n), weight, self.strategy.name, "density")


class Weighed(Ranking):
    """A ranking times (n,) weights in [0, 1]."""

    def __init__(self, inner: Ranking, weight: FloatArray, name: str, weight_name: str) -> None:
        self._inner = inner
        self._weight = weight
        self._names = name, weight_name
        self.fixed = inner.fixed

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]."""
        return unit(self._inner.scores * self._weight)

    def add(self, index: int) -> None:
        """Pass it on."""
        self._inner.add(index)

    def parts(self, index: int) -> dict[str, float]:
        """The score and the weight."""
        score, weight = self._names
        return {score: float(self._inner.scores[index]), weight: float(self._weight[index])}


def mean_similarity(embedding: Matrix) -> FloatArray:
    """(n,) mean cosine similarity to all rows, (1 + cos) / 2; in one pass, since the mean of products is one product.

    Rows of zeros resemble nothing: 0.
    """
    X = as_embedding(embedding)
    if not X.shape[0]:
        return np.zeros(0)
    norms = squared_norms(X)
    inverse = np.divide(1.0, np.sqrt(norms), out=np.zeros(len(norms), dtype=np.float32), where=norms > 0)
    mean = np.asarray(X.T @ inverse).ravel() / len(norms)
    cosine = np.asarray(X @ mean).ravel() * inverse
    return np.where(norms > 0, unit((1.0 + cosine) / 2.0), 0.0)


@dataclass(frozen=True)
class RankedBatch(Strategy):
    """Balance uncertainty against novelty, more novelty while little is labeled.

    Scores alpha * (1 - 1 / (1 + d)) + (1 - alpha) * score, d the distance to the nearest item labeled,
    open or in the batch, alpha = n / (n + labeled) unless given.

    References
    ----------
    Cardoso et al. (2017). Ranked batch-mode active learning. Information Sciences 379.

    Examples
    --------
    >>> pool = Pool(proba=np.array([[0.5, 0.5], [1.0, 0.0]]), embedding=np.array([[0.0], [1.0]]),
    ...             labeled_embedding=np.array([[0.0]]))
    >>> RankedBatch(alpha=0.5).score(pool).tolist()
    [0.5, 0.25]
    """

    strategy: Strategy = field(default_factory=Margin)
    alpha: float | None = None

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    @property
    def name(self) -> str:
        """With what it ranks."""
        return f"RankedBatch({self.strategy.name})"

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """Novelty follows what the batch holds."""
        alpha = len(pool) / max(len(pool) + len(pool.labels), 1) if self.alpha is None else self.alpha
        return _Novel(Farthest(pool), self.strategy.ranking(pool, rng, n), alpha, self.strategy.name)


class _Novel(Ranking):
    fixed = False

    def __init__(self, far: Farthest, inner: Ranking, alpha: float, name: str) -> None:
        self._far = far
        self._inner = inner
        self._alpha = alpha
        self._name = name

    def _novelty(self) -> FloatArray:
        return 1.0 - 1.0 / (1.0 + self._far.distances)

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]."""
        return unit(self._alpha * self._novelty() + (1.0 - self._alpha) * self._inner.scores)

    def add(self, index: int) -> None:
        """One more to be novel against."""
        self._far.add(index)
        self._inner.add(index)

    def parts(self, index: int) -> dict[str, float]:
        """Novelty and the strategy's score, as they were when the item was taken last."""
        return {"novelty": float(self._novelty()[index]), self._name: float(self._inner.scores[index])}
