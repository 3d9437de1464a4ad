"""What every strategy shares: the picks it returns, the ranking behind them, the greedy batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from strategies.pool import BoolArray, FloatArray, IntArray, Pool

if TYPE_CHECKING:
    from strategies.combine import Product, Weighted


@dataclass(frozen=True)
class Pick:
    """One item chosen, and why.

    Attributes
    ----------
    index
        Its row in the pool.
    score
        In [0, 1], when it was chosen.
    strategy
        Name of the strategy, or of the part of it, that chose it.
    probability
        Chance of being chosen, where chance decided; else 1.
    parts
        What the score was made of, by name.
    """

    index: int
    score: float
    strategy: str
    probability: float = 1.0
    parts: Mapping[str, float] = field(default_factory=dict)


class Ranking:
    """Scores while a batch is being chosen: `add` tells what was taken.

    `fixed` says that `add` changes nothing, so that the best n can be taken at once.
    """

    fixed: bool = True

    def __init__(self, scores: FloatArray) -> None:
        self._scores = scores

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1], given what was taken so far."""
        return self._scores

    def top(self, taken: list[int], tie: IntArray) -> tuple[int, float]:
        """Row and score of the best item not taken; of equals the one that comes first in `tie`."""
        scores = self.scores
        # -1 lies below every score, so that nothing is taken twice.
        open_scores = scores.copy()
        open_scores[taken] = -1.0
        best = np.flatnonzero(open_scores == open_scores.max())
        index = int(best[np.argmin(tie[best])])
        return index, float(scores[index])

    def add(self, index: int) -> None:
        """Take one item."""

    def parts(self, index: int) -> dict[str, float]:
        """What the score of one item is made of, by name."""
        return {}


@dataclass(frozen=True)
class Strategy:
    """What to ask next: a score for every item of a pool, and a batch of distinct items.

    Subclasses are frozen dataclasses whose fields are plain values, strategies or tuples of them.
    They keep no state: chance comes in as a generator, history in the pool.
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset()

    @property
    def name(self) -> str:
        """What history and picks call it."""
        return type(self).__name__

    def reads(self) -> frozenset[str]:
        """Names of the arrays of a pool that this strategy, or a part of it, cannot do without."""
        return self.reads_arrays.union(*(part.reads() for part in self.parts()))

    def parts(self) -> tuple[Strategy, ...]:
        """The strategies it is made of."""
        values = [getattr(self, each.name) for each in fields(self)]
        single = [value for value in values if isinstance(value, Strategy)]
        nested = [part for value in values if isinstance(value, tuple) for part in value if isinstance(part, Strategy)]
        return tuple(single + nested)

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]; the highest is the one to ask."""
        raise NotImplementedError(f"{self.name} defines no score().")

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """Scores that follow what the batch of `n` holds already; by default they do not."""
        return Ranking(self.score(pool, rng))

    def select(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """A batch of n distinct items, best first; fewer where the pool holds fewer.

        Of near-duplicates (`Pool.group`) only one is in it, that with the lowest key, and none whose like is
        asked already (`Pool.open_group`); the others come when nothing else is left. Override `choose`.
        """
        n = batch_size(pool, n)
        alone = first_of_group(pool)
        if alone is None:
            return self.choose(pool, n, rng)
        picks: list[Pick] = []
        for rows in (np.flatnonzero(alone), np.flatnonzero(~alone)):
            if len(rows) and len(picks) < n:
                part = self.choose(pool.take(rows), min(n - len(picks), len(rows)), rng)
                picks += [replace(pick, index=int(rows[pick.index])) for pick in part]
        return picks

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """The n best, distinct, best first, whatever they resemble; `select` calls it.

        Exact ties are broken by a shuffle of the keys, seeded by `rng`; without one, by the keys.
        """
        n = batch_size(pool, n)
        if n == 0:
            return []
        tie = tie_order(pool, rng)
        ranking = self.ranking(pool, rng, n)
        taken = best(ranking, tie, n) if ranking.fixed else greedy(ranking, tie, n)
        return [Pick(index, score, self.name, parts=parts) for index, score, parts in taken]

    def __mul__(self, other: float | Strategy) -> Weighted | Product:
        from strategies.combine import Product, Weighted

        return Product((self, other)) if isinstance(other, Strategy) else Weighted((self,), (float(other),))

    def __rmul__(self, other: float) -> Weighted:
        from strategies.combine import Weighted

        return Weighted((self,), (float(other),))

    def __add__(self, other: Strategy) -> Weighted:
        from strategies.combine import Weighted

        return Weighted((self, other), (1.0, 1.0))


def batch_size(pool: Pool, n: int) -> int:
    """N, or as many as the pool holds."""
    if n < 0:
        raise ValueError(f"Cannot select {n} items. Pass n >= 0.")
    return min(n, len(pool))


def first_of_group(pool: Pool) -> BoolArray | None:
    """(n,) false for near-duplicates of an item with a lower key or of one that is asked; None where there are none."""
    group = pool.group
    if group is None:
        return None
    rows = np.flatnonzero(group >= 0)
    rows = rows[np.lexsort((pool.rank[rows], group[rows]))]
    again = rows[1:][group[rows[1:]] == group[rows[:-1]]]
    asked = rows[np.isin(group[rows], pool.open_group)]
    if not len(again) and not len(asked):
        return None
    first = np.ones(len(pool), dtype=bool)
    first[again] = first[asked] = False
    return first


def tie_order(pool: Pool, rng: np.random.Generator | None) -> IntArray:
    """(n,) distinct integers: of items with equal scores the lowest goes first."""
    return pool.rank if rng is None else rng.permutation(len(pool))[pool.rank]


def by_key(pool: Pool, values: FloatArray) -> FloatArray:
    """Values drawn in the order of the keys, in the order of the rows."""
    return values[pool.rank]


def best(ranking: Ranking, tie: IntArray, n: int) -> Iterator[tuple[int, float, dict[str, float]]]:
    """The n highest of a fixed ranking: row, score and its parts, best first."""
    scores = ranking.scores
    candidates = np.arange(len(scores))
    if n < len(scores):
        candidates = np.flatnonzero(scores >= np.partition(scores, len(scores) - n)[len(scores) - n])
    for index in candidates[np.lexsort((tie[candidates], -scores[candidates]))][:n].tolist():
        yield index, float(scores[index]), ranking.parts(index)


def greedy(ranking: Ranking, tie: IntArray, n: int) -> Iterator[tuple[int, float, dict[str, float]]]:
    """Take the best, tell the ranking, take the next best: row, score and its parts when taken."""
    taken: list[int] = []
    while len(taken) < n:
        index, score = ranking.top(taken, tie)
        yield index, score, ranking.parts(index)
        taken.append(index)
        if len(taken) < n:
            ranking.add(index)


def unit(scores: npt.ArrayLike) -> FloatArray:
    """Scores as floats, rounding errors beyond 0 and 1 cut off."""
    clipped: FloatArray = np.clip(np.asarray(scores), 0.0, 1.0)
    # Adding 0 turns -0 into 0.
    return clipped + 0.0
