"""Hold back what is unlike anything else: another language, garbage, empty items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from strategies.base import Pick, Ranking, Strategy, batch_size
from strategies.diversity import Weighed
from strategies.geometry import as_embedding, is_sparse, k_means, nearest, squared_norms
from strategies.gradients import Badge
from strategies.pool import BoolArray, FloatArray, IntArray, Matrix, Pool
from strategies.uncertainty import Entropy

_ROWS = 4_096
_REFERENCE = 4_000


@dataclass(frozen=True)
class OutlierGuard(Strategy):
    """Ask a strategy, but keep items that resemble nothing else to the end.

    Low confidence has several causes, and an item that does not belong is one of them. Held back are
    items without features; clusters that point away from the rest of the pool (another language); and the
    loneliest `share` of the rest, by their mean similarity to their nearest neighbours. What a person
    welcomed (`Pool.welcome`), and clusters in which two items are labeled, are not held back. `groups` is what
    to show a person, to discard or to welcome in one step.

    Attributes
    ----------
    strategy
        Chooses among the others; among those held back, when nothing else is left.
    share
        Of the pool, held back at most for being alone; 0 turns that off.
    neighbours
        How many similar items make an item belong.
    clusters
        How finely the pool is cut to find groups.
    distance
        How far a cluster must point away from the pool, in robust standard deviations of all clusters.

    Examples
    --------
    >>> from strategies import Entropy
    >>> proba = np.array([[0.6, 0.4]] * 9 + [[0.5, 0.5]])
    >>> pool = Pool(proba=proba, embedding=np.array([[1.0, 0.0]] * 9 + [[0.0, 0.0]]))
    >>> OutlierGuard(Entropy()).groups(pool).tolist()
    [-1, -1, -1, -1, -1, -1, -1, -1, -1, 0]
    >>> 9 in [pick.index for pick in OutlierGuard(Entropy()).select(pool, 9)]
    False
    """

    strategy: Strategy
    share: float = 0.25
    neighbours: int = 5
    clusters: int = 20
    distance: float = 4.0

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding"})

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """Over one that scores, and one that follows the batch."""
        return cls(Entropy()), cls(Badge())

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < 1.0:
            raise ValueError(f"share must lie in [0, 1), got {self.share}.")
        if self.neighbours < 1 or self.clusters < 1:
            raise ValueError(f"neighbours and clusters must be at least 1, got {self.neighbours} and {self.clusters}.")

    @property
    def name(self) -> str:
        """With what it guards."""
        return f"OutlierGuard({self.strategy.name})"

    def groups(self, pool: Pool) -> IntArray:
        """(n,) -1 for what may be asked; 0 for empty items, 1 for lonely ones, 2 and up for clusters apart."""
        group: IntArray = pool.kept(f"held back by {self!r}", lambda: self._groups(pool))
        return group

    def _groups(self, pool: Pool) -> IntArray:
        n = len(pool)
        group = np.full(n, -1, dtype=np.int64)
        if n == 0:
            return group
        by_key = np.argsort(pool.rank)
        apart = self._apart(pool, by_key)
        group[apart >= 0] = apart[apart >= 0] + 2
        features = as_embedding(pool.features)
        full = squared_norms(features) > 0
        if self.share > 0 and full.sum() > self.neighbours + 1:
            group[self._lonely(features, by_key, full & (group < 0))] = 1
        group[~full] = 0
        group[np.asarray(pool.welcome, dtype=bool)] = -1
        return group

    def held_back(self, pool: Pool) -> BoolArray:
        """(n,) true for what is kept to the end."""
        held: BoolArray = self.groups(pool) >= 0
        return held

    def _apart(self, pool: Pool, by_key: IntArray) -> IntArray:
        """(n,) number of the cluster apart, -1 for the others."""
        X = unit_rows(as_embedding(pool.embedding))
        none = np.full(len(pool), -1, dtype=np.int64)
        if len(pool) < 10 * self.clusters:
            # Clusters of a handful say nothing about groups.
            return none
        mean = np.asarray(X.mean(axis=0), dtype=np.float32).ravel()
        centers = k_means(X[by_key], self.clusters, np.random.default_rng(0))
        label = nearest(X, squared_norms(X), centers)[1]
        lengths = np.linalg.norm(centers, axis=1) * np.linalg.norm(mean)
        cosine = np.divide(centers @ mean, lengths, out=np.zeros(len(centers), np.float32), where=lengths > 0)
        middle = float(np.median(cosine))
        spread = max(1.4826 * float(np.median(np.abs(cosine - middle))), 0.05)
        apart = cosine < middle - self.distance * spread
        apart &= np.bincount(label, minlength=len(centers)) <= 0.2 * len(pool)
        number = joined(centers, cosine, apart)
        if pool.labeled_embedding is not None and pool.labeled_embedding.shape[0]:
            labeled = unit_rows(as_embedding(pool.labeled_embedding))
            groups = number[nearest(labeled, squared_norms(labeled), centers)[1]]
            known = np.bincount(groups[groups >= 0], minlength=len(centers))
            number = np.where((number >= 0) & (known[number] < 2), number, -1)
        return np.asarray(number[label], dtype=np.int64)

    def _lonely(self, features: Matrix, by_key: IntArray, candidates: BoolArray) -> IntArray:
        """Rows of the least similar to their nearest neighbours, `share` of the pool at most."""
        similarity = neighbour_similarity(unit_rows(features), self.neighbours, by_key)
        rows = by_key[candidates[by_key]]
        count = int(self.share * len(by_key))
        order = np.argsort(similarity[rows], kind="stable")[:count]
        # Where all are alike, nobody is lonely.
        return rows[order[similarity[rows[order]] < np.median(similarity[rows]) - 1e-6]] if count else rows[:0]

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) the strategy's scores, 0 for what is held back."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """The strategy's ranking, 0 for what is held back."""
        weight = np.where(self.held_back(pool), 0.0, 1.0)
        return Weighed(self.strategy.ranking(pool, rng, n), weight, self.strategy.name, "belongs")

    def select(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """The strategy's picks among what belongs; only then, with score 0, what is held back.

        What belongs is judged among all items, near-duplicates too.
        """
        n = batch_size(pool, n)
        held = self.held_back(pool)
        picks: list[Pick] = []
        for rows, belongs in ((np.flatnonzero(~held), True), (np.flatnonzero(held), False)):
            if len(rows) and len(picks) < n:
                for pick in self.strategy.select(pool.take(rows), n - len(picks), rng):
                    parts = {**pick.parts, "belongs": float(belongs)}
                    score = pick.score if belongs else 0.0
                    picks.append(replace(pick, index=int(rows[pick.index]), score=score, parts=parts))
        return picks


def joined(centers: FloatArray, cosine: FloatArray, apart: BoolArray) -> IntArray:
    """(clusters,) number of the group of each cluster apart, -1 for the others.

    Clusters belong together where they point more to each other than to the pool.
    """
    unit = unit_rows(centers)
    number = np.full(len(centers), -1, dtype=np.int64)
    count = 0
    for cluster in np.flatnonzero(apart):
        alike = apart & (unit @ unit[cluster] > max(2.0 * float(cosine[cluster]), 0.2))
        numbers = np.unique(number[alike & (number >= 0)])
        # A cluster like several groups makes one of them.
        chosen = int(numbers[0]) if len(numbers) else count
        count += not len(numbers)
        number[np.isin(number, numbers) & (number >= 0)] = chosen
        number[cluster] = chosen
    return number


def unit_rows(X: Matrix) -> Matrix:
    """Rows scaled to length 1; rows of zeros stay."""
    norms = np.sqrt(squared_norms(X))
    inverse = np.divide(1.0, norms, out=np.zeros(len(norms), dtype=np.float32), where=norms > 0)
    return X.multiply(inverse[:, None]).tocsr() if is_sparse(X) else X * inverse[:, None]


def neighbour_similarity(X: Matrix, neighbours: int, by_key: IntArray) -> FloatArray:
    """(n,) mean cosine similarity to the nearest rows other than itself.

    Compared with at most 4,000 rows, drawn with a fixed seed in the order of the keys.
    """
    n = X.shape[0]
    chosen = by_key
    if n > _REFERENCE:
        chosen = by_key[np.sort(np.random.default_rng(0).choice(n, _REFERENCE, replace=False))]
    place = np.full(n, -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    others = X[chosen].T.tocsr() if is_sparse(X) else np.ascontiguousarray(X[chosen].T)
    k = min(neighbours, len(chosen) - 1)
    similarity = np.zeros(n)
    for top in range(0, n, _ROWS):
        rows = np.arange(top, min(top + _ROWS, n))
        block = X[rows] @ others
        block = np.asarray(block.toarray() if is_sparse(block) else block, dtype=np.float32)
        own = place[rows]
        block[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
        similarity[rows] = np.partition(block, -k, axis=1)[:, -k:].mean(axis=1)
    return similarity
