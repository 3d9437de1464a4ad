"""What every strategy shares: its picks, the ranking behind them, the greedy batch, sums and products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from strategies.pool import BoolArray, FloatArray, IntArray, Pool


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

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """Settings to try it with: whatever holds for every strategy is tried with each of these.

        One that cannot be made without arguments, or has several ways to work, names its own.
        """
        return (cls(),)

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
        return Product((self, other)) if isinstance(other, Strategy) else Weighted((self,), (float(other),))

    def __rmul__(self, other: float) -> Weighted:
        return Weighted((self,), (float(other),))

    def __add__(self, other: Strategy) -> Weighted:
        return Weighted((self, other), (1.0, 1.0))


def as_strategies(strategies: Any, owner: str) -> tuple[Strategy, ...]:
    """A tuple of at least one strategy.

    Raises
    ------
    ValueError
        Where there is none.
    TypeError
        Where one is not a strategy.
    """
    parts = tuple(strategies)
    if not parts:
        raise ValueError(f"{owner} needs at least one strategy. Pass for example [Entropy(), KCenter()].")
    for part in parts:
        if not isinstance(part, Strategy):
            raise TypeError(f"{owner} combines strategies, got {part!r}. Pass instances, such as Entropy().")
    return parts


@dataclass(frozen=True)
class Weighted(Strategy):
    """The weighted mean of scores; written ``0.7 * Entropy() + 0.3 * KCenter()``.

    Parts that follow the batch (KCenter) do so here too.

    Examples
    --------
    >>> from strategies import Entropy, LeastConfidence
    >>> mixed = 0.75 * Entropy() + 0.25 * LeastConfidence()
    >>> mixed.name
    '0.75 * Entropy + 0.25 * LeastConfidence'
    >>> mixed.score(Pool(proba=np.array([[0.5, 0.5], [0.75, 0.25]]))).round(3).tolist()
    [1.0, 0.733]
    """

    strategies: tuple[Strategy, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", as_strategies(self.strategies, "Weighted"))
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        if len(self.strategies) != len(self.weights):
            raise ValueError(f"Weighted got {len(self.strategies)} strategies and {len(self.weights)} weights.")
        if min(self.weights) < 0 or sum(self.weights) <= 0 or not np.isfinite(self.weights).all():
            raise ValueError(f"Weights must be finite, at least 0 and not all 0, got {self.weights}.")

    @property
    def name(self) -> str:
        """The sum as it is written."""
        terms = zip(self.weights, self.strategies, strict=True)
        return " + ".join(f"{weight:g} * {strategy.name}" for weight, strategy in terms)

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """The mean of the rankings of the parts."""
        total = sum(self.weights)
        shares = [weight / total for weight in self.weights]
        return _Mean([part.ranking(pool, rng, n) for part in self.strategies], shares, _names(self.strategies))

    def __add__(self, other: Strategy) -> Weighted:
        terms = other if isinstance(other, Weighted) else Weighted((other,), (1.0,))
        return Weighted(self.strategies + terms.strategies, self.weights + terms.weights)

    def __mul__(self, other: float | Strategy) -> Weighted | Product:
        if isinstance(other, Strategy):
            return super().__mul__(other)
        return Weighted(self.strategies, tuple(weight * float(other) for weight in self.weights))

    def __rmul__(self, other: float) -> Weighted:
        return Weighted(self.strategies, tuple(weight * float(other) for weight in self.weights))


def _names(strategies: Sequence[Strategy]) -> list[str]:
    """Distinct names: a repeated one gets a number."""
    names: list[str] = []
    for strategy in strategies:
        repeats = sum(name == strategy.name or name.startswith(f"{strategy.name} #") for name in names)
        names.append(f"{strategy.name} #{repeats + 1}" if repeats else strategy.name)
    return names


class _Mean(Ranking):
    def __init__(self, rankings: list[Ranking], shares: list[float], names: list[str]) -> None:
        self._rankings = rankings
        self._shares = shares
        self._names = names
        self.fixed = all(ranking.fixed for ranking in rankings)

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]."""
        terms = zip(self._shares, self._rankings, strict=True)
        return unit(np.sum([share * ranking.scores for share, ranking in terms], axis=0))

    def add(self, index: int) -> None:
        """Pass it on."""
        for ranking in self._rankings:
            ranking.add(index)

    def parts(self, index: int) -> dict[str, float]:
        """The score of each part."""
        terms = zip(self._names, self._rankings, strict=True)
        return {name: float(ranking.scores[index]) for name, ranking in terms}


@dataclass(frozen=True)
class Product(Strategy):
    """The product of scores: high only where all are; written ``Entropy() * Density()``.

    Examples
    --------
    >>> from strategies import LeastConfidence, Region
    >>> pool = Pool(proba=np.array([[0.5, 0.5], [0.5, 0.5]]), mask=np.array([True, False]))
    >>> (LeastConfidence() * Region()).score(pool).tolist()
    [1.0, 0.0]
    """

    strategies: tuple[Strategy, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", as_strategies(self.strategies, "Product"))

    @property
    def name(self) -> str:
        """The product as it is written."""
        return " * ".join(f"({part.name})" if isinstance(part, Weighted) else part.name for part in self.strategies)

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """The product of the rankings of the parts."""
        return _Times([part.ranking(pool, rng, n) for part in self.strategies], _names(self.strategies))


class _Times(_Mean):
    def __init__(self, rankings: list[Ranking], names: list[str]) -> None:
        super().__init__(rankings, [1.0] * len(rankings), names)

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]."""
        return unit(np.prod([ranking.scores for ranking in self._rankings], axis=0))


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
