"""What budgets for streams share: the state, the decision, the draws.

A budget is a function: the state so far, a score and a chance draw go in; the decision and the state after
it come out. The state is plain data, so that a consumer that is killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class BudgetState:
    """What a budget remembers: plain numbers.

    Attributes
    ----------
    offered
        Records seen.
    asked
        Records asked about.
    allowance
        Questions saved up; every record adds the share promised, every question takes 1.
    threshold
        The width of uncertainty a variable threshold has come to, in (0, 1].
    window
        The latest scores, oldest first, for those that compare with them.

    Examples
    --------
    >>> from strategies import VariableUncertainty
    >>> state = VariableUncertainty(0.1).start()
    >>> BudgetState.from_dict(state.to_dict()) == state
    True
    """

    offered: int = 0
    asked: int = 0
    allowance: float = 1.0
    threshold: float = 1.0
    window: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return asdict(self) | {"window": list(self.window)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BudgetState:
        """Back from JSON."""
        return cls(**{**values, "window": tuple(values.get("window", ()))})

    @property
    def share(self) -> float:
        """Asked of offered; 0 before the first."""
        return self.asked / self.offered if self.offered else 0.0


@dataclass(frozen=True)
class BudgetDecision:
    """Whether to ask, and what decided it.

    Attributes
    ----------
    asked
        Ask about this record.
    threshold
        The score from which on a record was wanted, in [0, 1].
    probability
        Chance of being asked, where chance decided; else 1 or 0.
    wanted
        The score was high enough; without `asked`, the budget was not.
    """

    asked: bool
    threshold: float
    probability: float
    wanted: bool


@dataclass(frozen=True)
class Budget:
    """Decides record by record; subclasses are frozen dataclasses.

    Scores lie in [0, 1], 1 the most worth asking. What every budget with a share promises, whatever
    the scores: among any L records in a row at most share * L + burst are asked about.
    """

    burst: ClassVar[float] = 1.0

    def start(self) -> BudgetState:
        """The state before the first record."""
        return BudgetState()

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Decide about one record.

        Parameters
        ----------
        state
            From `start`, or from the decision before.
        score
            In [0, 1].
        draw
            Uniform in [0, 1), for those that leave something to chance: see `draws`.
        boost
            Times the share promised, for a while, as after a drift.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no decide().")

    def decide_many(
        self, state: BudgetState, scores: Iterable[float], draws: Iterable[float] | None = None, *, boost: float = 1.0
    ) -> tuple[list[BudgetDecision], BudgetState]:
        """Decide about records in a row: the same as one by one."""
        values = [float(score) for score in scores]
        chances = [0.5] * len(values) if draws is None else [float(draw) for draw in draws]
        decisions = []
        for score, draw in zip(values, chances, strict=True):
            decision, state = self.decide(state, score, draw, boost=boost)
            decisions.append(decision)
        return decisions, state

    def warning(self, state: BudgetState, records: int | None = None) -> str | None:
        """What the share so far means for `records` to come, where nothing holds it; else None."""
        return None


def draws(seed: int, start: int, count: int) -> npt.NDArray[np.float64]:
    """(count,) uniform draws for records start, start + 1, …: the same one by one or in batches.

    A hash of seed and place (SplitMix64), so that no generator has to be kept.

    References
    ----------
    Steele, Lea and Flood (2014). Fast splittable pseudorandom number generators. OOPSLA.

    Examples
    --------
    >>> bool((draws(7, 0, 10)[4:] == draws(7, 4, 6)).all())
    True
    """
    mask = (1 << 64) - 1
    base = np.uint64((seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) & mask)
    place = np.arange(start + 1, start + 1 + count, dtype=np.uint64)
    mixed = base + place * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
