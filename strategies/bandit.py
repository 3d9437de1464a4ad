"""Let experience decide between strategies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from strategies.base import Pick, Strategy, as_strategies, batch_size, unit
from strategies.baseline import Random
from strategies.combine import mixed_picks
from strategies.diversity import KCenter
from strategies.pool import FloatArray, Pool
from strategies.uncertainty import Entropy


@dataclass(frozen=True)
class Outcome:
    """What became of a pick, once it was answered.

    Attributes
    ----------
    strategy
        `Pick.strategy`: the arm that made it.
    probability
        `Pick.probability`: the chance the arm had.
    proba
        (k,) what the model said of the item when it was asked.
    label
        Class position answered.
    gain
        Change of the held-out score in that round, where one is measured.
    """

    strategy: str
    probability: float
    proba: tuple[float, ...] = ()
    label: int = -1
    gain: float | None = None


@dataclass(frozen=True)
class Bandit(Strategy):
    """Share the questions between strategies by how well each one's did.

    It keeps nothing: the weights are folded anew from `pool.rewards`, the outcomes on record, so that they
    survive a restart and are the same in every process.

    The reward of an answer lies in [0, 1]. "surprise": one minus the probability that the model gave to the
    answer, times k / (k - 1), at most 1: an answer the model knew teaches it nothing. "error": 1 where the
    likeliest class was not the answer. "gain": 1/2 plus 5 times the change of the held-out score (a rise by
    .1 counts 1). Another one: override `reward_of`.

    Attributes
    ----------
    strategies
        The arms; their names must differ.
    policy
        "exp3": weights grow by exp(epsilon / arms * reward / probability). "thompson": the arm whose draw from
        its Beta posterior is highest, older outcomes counting less (times `memory` an outcome).
    epsilon
        Share of the questions that all arms have alike, whatever their weight.
    reward
        "surprise", "error" or "gain".
    memory
        In (0, 1]: how much an outcome counts after the next one. 1: nothing is forgotten.

    References
    ----------
    Auer et al. (2002). The nonstochastic multiarmed bandit problem. SIAM J. Comput. 32.
    Hsu and Lin (2015). Active learning by learning. AAAI.

    Examples
    --------
    >>> from strategies import Entropy, Random
    >>> bandit = Bandit([Entropy(), Random()])
    >>> bandit.chances([], np.random.default_rng(0)).tolist()
    [0.5, 0.5]
    >>> surprising = [Outcome("Random", 0.5, (0.9, 0.1), 1)] * 20
    >>> bandit.chances(surprising, np.random.default_rng(0)).round(2).tolist()
    [0.18, 0.82]
    """

    strategies: tuple[Strategy, ...]
    policy: Literal["exp3", "thompson"] = "exp3"
    epsilon: float = 0.1
    reward: Literal["surprise", "error", "gain"] = "surprise"
    memory: float = 0.99

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """One of each policy."""
        return cls((Entropy(), KCenter(), Random())), cls((Entropy(), Random()), policy="thompson")

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", as_strategies(self.strategies, "Bandit"))
        names = [arm.name for arm in self.strategies]
        if len(set(names)) < len(names):
            raise ValueError(f"The arms of a Bandit need different names, got {', '.join(names)}.")
        if self.policy not in ("exp3", "thompson"):
            raise ValueError(f"Unknown policy {self.policy!r}. Choose 'exp3' or 'thompson'.")
        if self.reward not in ("surprise", "error", "gain"):
            raise ValueError(f"Unknown reward {self.reward!r}. Choose 'surprise', 'error' or 'gain'.")
        if not 0.0 <= self.epsilon <= 1.0:
            raise ValueError(f"epsilon must lie in [0, 1], got {self.epsilon}.")
        if not 0.0 < self.memory <= 1.0:
            raise ValueError(f"memory must lie in (0, 1], got {self.memory}.")

    @property
    def name(self) -> str:
        """With its arms."""
        return f"Bandit({', '.join(arm.name for arm in self.strategies)})"

    def reward_of(self, outcome: Outcome) -> float | None:
        """In [0, 1]; None where the outcome does not say."""
        if self.reward == "gain":
            return None if outcome.gain is None else float(np.clip(0.5 + 5.0 * outcome.gain, 0.0, 1.0))
        k = len(outcome.proba)
        if k < 2 or not 0 <= outcome.label < k:
            return None
        if self.reward == "error":
            return float(outcome.label != int(np.argmax(outcome.proba)))
        return float(np.clip((1.0 - outcome.proba[outcome.label]) * k / (k - 1), 0.0, 1.0))

    def chances(self, outcomes: Iterable[Outcome], rng: np.random.Generator) -> FloatArray:
        """(arms,) the chance of each arm to make the next pick; outcomes oldest first."""
        arms = {arm.name: place for place, arm in enumerate(self.strategies)}
        rewarded = [
            (arms[outcome.strategy], outcome.probability, reward)
            for outcome in outcomes
            if outcome.strategy in arms and (reward := self.reward_of(outcome)) is not None
        ]
        shares = self._exp3(rewarded) if self.policy == "exp3" else self._thompson(rewarded, rng)
        even = 1.0 / len(shares)
        chances: FloatArray = (1.0 - self.epsilon) * shares + self.epsilon * even
        chances /= chances.sum()
        return chances

    def _exp3(self, rewarded: list[tuple[int, float, float]]) -> FloatArray:
        logs = np.zeros(len(self.strategies))
        # With no exploration there would be no learning either.
        rate = max(self.epsilon, 0.05) / len(logs)
        floor = rate
        for arm, probability, reward in rewarded:
            logs *= self.memory
            logs[arm] += rate * reward / max(probability, floor)
        weights = np.exp(logs - logs.max())
        shares: FloatArray = weights / weights.sum()
        return shares

    def _thompson(self, rewarded: list[tuple[int, float, float]], rng: np.random.Generator) -> FloatArray:
        won, lost = np.ones(len(self.strategies)), np.ones(len(self.strategies))
        for arm, _, reward in rewarded:
            won, lost = 1.0 + self.memory * (won - 1.0), 1.0 + self.memory * (lost - 1.0)
            won[arm] += reward
            lost[arm] += 1.0 - reward
        winners = rng.beta(won, lost, size=(512, len(won))).argmax(axis=1)
        return np.bincount(winners, minlength=len(won)) / 512

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) the mean of the arms' scores, by their chances."""
        generator = np.random.default_rng(0) if rng is None else rng
        chances = self.chances(pool.rewards, generator)
        arms = zip(chances, self.strategies, strict=True)
        return unit(np.sum([chance * arm.score(pool, generator) for chance, arm in arms], axis=0))

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """Distinct picks, each by an arm drawn by its chance, which becomes the pick's probability."""
        n = batch_size(pool, n)
        if n == 0:
            return []
        generator = np.random.default_rng(0) if rng is None else rng
        return mixed_picks(self.strategies, self.chances(pool.rewards, generator), pool, n, generator)
