"""Ask for one item of each cluster: its middle, or its most typical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.base import Ranking, Strategy, unit
from strategies.geometry import as_embedding, is_sparse, k_means, nearest, squared_distances, squared_norms, stack
from strategies.pool import FloatArray, IntArray, Matrix, Pool

# More clusters than this cost more than they tell.
_MOST = 500


@dataclass(frozen=True)
class TypiClust(Strategy):
    """Ask for the most typical item of each cluster that holds nothing labeled.

    As many clusters as there are labels and questions (at most 500). Clusters with fewer labels go first,
    then larger ones; within a cluster the item whose `neighbours` nearest are nearest. Made for the start,
    when a model's uncertainty says little.

    Attributes
    ----------
    neighbours
        Items of the same cluster whose mean distance counts as typicality.

    References
    ----------
    Hacohen, Dekel and Weinshall (2022). Active learning on a budget: opposite strategies suit high and
    low budgets. ICML.

    Examples
    --------
    Two clusters, one of them with a label:

    >>> X = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    >>> pool = Pool(embedding=X, labeled_embedding=np.array([[0.1]]), labels=[0])
    >>> [pick.index for pick in TypiClust().select(pool, 1, np.random.default_rng(0))]
    [4]
    """

    neighbours: int = 20

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]: the best of the cluster to ask next scores highest."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """A cluster steps back when an item of it is taken."""
        clusters = _Clusters(pool, rng, n)
        return _OneEach(clusters, clusters.typicality(self.neighbours))


@dataclass(frozen=True)
class KMeans(Strategy):
    """Ask for the item nearest to the middle of each cluster that holds nothing labeled.

    As many clusters as there are labels and questions (at most 500); those with fewer labels go first,
    then larger ones.

    References
    ----------
    Bodó, Minier and Csató (2011). Active learning with clustering. JMLR Workshop 16.

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    >>> sorted(pick.index for pick in KMeans().select(Pool(embedding=X), 2, np.random.default_rng(0)))
    [1, 4]
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]: the middle of the cluster to ask next scores highest."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """A cluster steps back when an item of it is taken."""
        clusters = _Clusters(pool, rng, n)
        return _OneEach(clusters, clusters.centrality())


class _Clusters:
    """The pool and what is known, clustered together in the order of the keys."""

    def __init__(self, pool: Pool, rng: np.random.Generator | None, n: int) -> None:
        generator = np.random.default_rng(0) if rng is None else rng
        self.X = as_embedding(pool.embedding)
        known = stack([pool.labeled_embedding, pool.open_embedding])
        self.norms = squared_norms(self.X)
        count = 0 if known is None else known.shape[0]
        self.k = max(1, min(count + n, _MOST, len(pool)))
        # The middle of an empty pool is nowhere: any center will do.
        centers = np.zeros((1, self.X.shape[1]), dtype=np.float32)
        if len(pool):
            centers = k_means(self.X[np.argsort(pool.rank)], self.k, generator)
        self.distance, self.label = nearest(self.X, self.norms, centers)
        self.size = np.bincount(self.label, minlength=self.k)
        self.known = np.zeros(self.k, dtype=np.int64)
        if known is not None:
            known = as_embedding(known)
            self.known += np.bincount(nearest(known, squared_norms(known), centers)[1], minlength=self.k)

    def centrality(self) -> FloatArray:
        """(n,) in [0, 1]: 1 in the middle of its cluster, falling with the distance."""
        return 1.0 / (1.0 + np.sqrt(self.distance))

    def typicality(self, neighbours: int) -> FloatArray:
        """(n,) 1 / (mean distance to the nearest of the same cluster), bounded."""
        typical = np.zeros(len(self.label))
        order = np.argsort(self.label, kind="stable")
        for rows in np.split(order, np.cumsum(self.size)[:-1]):
            if len(rows):
                typical[rows] = 1.0 / (1e-3 + _mean_distance(self.X[rows], self.norms[rows], neighbours))
        return typical


def _mean_distance(X: Matrix, norms: FloatArray, neighbours: int, block: int = 2_048) -> FloatArray:
    """(n,) mean distance to the nearest `neighbours` rows.

    In large clusters to the nearest among `block` evenly spaced rows, so that the cost stays n * block.
    """
    n = X.shape[0]
    if n == 1:
        # Alone in its cluster: as far from typical as can be.
        return np.full(1, 1e3)
    chosen = np.arange(n) if n <= block else np.linspace(0, n - 1, block).astype(np.int64)
    others = X[chosen].toarray() if is_sparse(X) else X[chosen]
    k = min(neighbours, len(chosen) - 1)
    mean = np.empty(n)
    for top in range(0, n, block):
        rows = slice(top, top + block)
        distances = squared_distances(X[rows], norms[rows], others)
        # One nearest more than asked for: an item is its own nearest.
        near = np.partition(distances, k, axis=1)[:, : k + 1]
        mean[rows] = np.sqrt(near).sum(axis=1) / k
    return mean


class _OneEach(Ranking):
    """Fewest known first, then the larger cluster, then the item's own value."""

    fixed = False

    def __init__(self, clusters: _Clusters, value: FloatArray) -> None:
        self._label: IntArray = clusters.label
        self._known = clusters.known.copy()
        self._priority = 0.5 + 0.5 * clusters.size / max(int(clusters.size.max()), 1)
        best = np.zeros(len(clusters.size))
        np.maximum.at(best, self._label, value)
        self._within = value / np.maximum(best[self._label], 1e-12) if len(value) else value

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1].

        A power of two a label keeps every cluster with fewer before every cluster with more.
        """
        return unit((self._priority * 2.0 ** -self._known.clip(max=50))[self._label] * self._within)

    def add(self, index: int) -> None:
        """Its cluster holds one more."""
        self._known[self._label[index]] += 1
