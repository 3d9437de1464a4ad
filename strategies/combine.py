"""Strategies made of strategies: sequences, mixtures, a little chance."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field, replace

import numpy as np

from strategies.base import Pick, Ranking, Strategy, Weighted, as_strategies, batch_size, unit
from strategies.baseline import Random
from strategies.clusters import TypiClust
from strategies.diversity import KCenter
from strategies.pool import FloatArray, Pool
from strategies.uncertainty import Entropy, Margin


@dataclass(frozen=True)
class Sequence(Strategy):
    """One strategy after another, as labels come in: diverse first, uncertain later.

    Attributes
    ----------
    strategies
        In this order.
    until
        Number of labels at which each but the last hands over.
    per_class
        Whether these count labels a class (labels divided by k).

    Examples
    --------
    >>> from strategies import Entropy, KCenter
    >>> plan = Sequence([KCenter(), Entropy()], until=[100])
    >>> plan.active(Pool(key=range(5), labels=np.zeros(99, dtype=int), classes=2)).name
    'KCenter'
    """

    strategies: tuple[Strategy, ...]
    until: tuple[int, ...]
    per_class: bool = False

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """Two in turn."""
        return (cls((KCenter(), Entropy()), until=(20,)),)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", as_strategies(self.strategies, "Sequence"))
        object.__setattr__(self, "until", tuple(self.until))
        if len(self.until) != len(self.strategies) - 1 or list(self.until) != sorted(self.until):
            raise ValueError(
                f"{len(self.strategies)} strategies need {len(self.strategies) - 1} rising numbers of labels "
                f"in until=, got {self.until}."
            )

    @property
    def name(self) -> str:
        """With its parts."""
        return " then ".join(part.name for part in self.strategies)

    def active(self, pool: Pool) -> Strategy:
        """The one whose turn it is."""
        count = len(pool.labels) / (max(pool.classes, 1) if self.per_class else 1)
        return self.strategies[sum(count >= limit for limit in self.until)]

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1] of the one whose turn it is."""
        return self.active(pool).score(pool, rng)

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """That of the one whose turn it is."""
        return self.active(pool).ranking(pool, rng, n)

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """The picks of the one whose turn it is, under its name."""
        return self.active(pool).select(pool, n, rng)


def mixed_picks(
    arms: SequenceOf[Strategy],
    chances: FloatArray,
    pool: Pool,
    n: int,
    rng: np.random.Generator,
) -> list[Pick]:
    """Each of n picks is made by an arm drawn with these chances; distinct; the chance is the pick's probability."""
    drawn = rng.choice(len(arms), size=n, p=chances)
    # An arm may find its best taken by others: n candidates are always enough.
    queues = {int(arm): iter(arms[arm].select(pool, n, rng)) for arm in np.unique(drawn)}
    taken: set[int] = set()
    picks: list[Pick] = []
    for arm in drawn.tolist():
        pick = next(pick for pick in queues[arm] if pick.index not in taken)
        taken.add(pick.index)
        picks.append(replace(pick, strategy=arms[arm].name, probability=float(chances[arm])))
    return picks


@dataclass(frozen=True)
class Explore(Strategy):
    """Follow a strategy, but now and then another one (epsilon-greedy).

    Attributes
    ----------
    strategy
        Followed with chance 1 - epsilon.
    epsilon
        Chance, for each pick, of the other one.
    other
        By default anything at random, which also gives unbiased estimates.

    Examples
    --------
    >>> from strategies import Entropy
    >>> pool = Pool(proba=np.full((50, 2), 0.5))
    >>> picks = Explore(Entropy(), epsilon=0.5).select(pool, 20, np.random.default_rng(0))
    >>> sorted({pick.strategy for pick in picks})
    ['Entropy', 'Random']
    """

    strategy: Strategy
    epsilon: float = 0.1
    other: Strategy = field(default_factory=Random)

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """A strategy that is left often."""
        return (cls(Entropy(), epsilon=0.3),)

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise ValueError(f"epsilon must lie in [0, 1], got {self.epsilon}.")

    @property
    def name(self) -> str:
        """With what it follows."""
        return f"Explore({self.strategy.name})"

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) the mean of both, by their chances."""
        own, other = self.strategy.score(pool, rng), self.other.score(pool, rng)
        return unit((1.0 - self.epsilon) * own + self.epsilon * other)

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """Distinct picks, under the name of the one that made them."""
        generator = np.random.default_rng(0) if rng is None else rng
        chances = np.array([1.0 - self.epsilon, self.epsilon])
        return mixed_picks([self.strategy, self.other], chances, pool, batch_size(pool, n), generator)


def _later() -> Strategy:
    return Weighted((Margin(), KCenter(), TypiClust()), (0.7, 0.15, 0.15))


@dataclass(frozen=True)
class Auto(Strategy):
    """The default: typical and diverse items first, then narrow margins that are typical and diverse too.

    Area under the accuracy curve on digits, tweets, snips and banking77 (two or three seeds): the mixture
    .902, .828, .953, .493; Margin alone .888, .812, .948, .478; TypiClust alone .892, .812, .929, .478; one
    followed by the other at 100 labels .898, .828, .945, .470; Random .850, .805, .928, .428. The mixture and
    its weights were chosen on these very runs, so the figures flatter it; a data set of one's own is judged by
    `labeling.simulate`.

    Attributes
    ----------
    start
        Asked while there are fewer than `until` labels, and no rules to start from.
    later
        Asked afterwards; where rules exist, from the first question on, since the weak posterior says
        where they are unsure.
    until
        Labels at which `later` takes over.

    References
    ----------
    Hacohen, Dekel and Weinshall (2022). Active learning on a budget: opposite strategies suit high and
    low budgets. ICML.

    Examples
    --------
    >>> Auto().active(Pool(key=range(9), classes=2)).name
    'TypiClust'
    >>> Auto().active(Pool(key=range(9), classes=2, labels=np.zeros(25, dtype=int))).name
    '0.7 * Margin + 0.15 * KCenter + 0.15 * TypiClust'
    """

    start: Strategy = field(default_factory=TypiClust)
    later: Strategy = field(default_factory=_later)
    until: int = 25

    def active(self, pool: Pool) -> Strategy:
        """The one whose turn it is."""
        if pool.has("votes") and pool.votes.shape[1] > 0:
            return self.later
        return self.start if len(pool.labels) < self.until else self.later

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1] of the one whose turn it is."""
        return self.active(pool).score(pool, rng)

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """That of the one whose turn it is."""
        return self.active(pool).ranking(pool, rng, n)

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """The picks of the one whose turn it is, under its name."""
        return self.active(pool).select(pool, n, rng)
