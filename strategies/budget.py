"""Which records of a stream to ask about, at a share that is promised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, ClassVar

from strategies.budget_state import Budget, BudgetDecision, BudgetState

_NORMAL = NormalDist()


@dataclass(frozen=True)
class FixedThreshold(Budget):
    """Ask whenever the score reaches a threshold, whatever it costs.

    The classical trap: a model sure of itself asks about nothing, an unsure one about everything.
    `warning` says which.

    References
    ----------
    Žliobaitė et al. (2014). Active learning with drifting streaming data. IEEE TNNLS 25(1).

    Examples
    --------
    >>> budget = FixedThreshold(0.4)
    >>> decisions, state = budget.decide_many(budget.start(), [0.3, 0.4, 0.9])
    >>> [decision.asked for decision in decisions]
    [False, True, True]
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold must lie in [0, 1], got {self.threshold}.")

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask where the score is high enough."""
        asked = score >= self.threshold
        after = replace(state, offered=state.offered + 1, asked=state.asked + asked)
        return BudgetDecision(asked, self.threshold, float(asked), asked), after

    def warning(self, state: BudgetState, records: int | None = None) -> str | None:
        """The projected cost, once 20 records were seen."""
        if state.offered < 20:
            return None
        said = f"threshold {self.threshold:g} asked about {state.asked} of {state.offered} records ({state.share:.0%})"
        if records:
            said += f": about {round(state.share * records):,} of {records:,}"
        if state.share > 0.5:
            return f"A fixed {said}. Raise it, or use VariableUncertainty, which keeps to a share."
        if state.share < 0.005:
            return f"A fixed {said}. Lower it, or use VariableUncertainty, which keeps to a share."
        return f"A fixed {said}; nothing keeps it there. VariableUncertainty keeps to a share."


@dataclass(frozen=True)
class _Shared(Budget):
    """A budget that promises a share of the records."""

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must lie in (0, 1], got {self.share}: 0.1 asks about one record in ten.")

    def _settle(self, state: BudgetState, wanted: bool, boost: float, **changes: Any) -> tuple[bool, BudgetState]:
        """Ask if wanted and saved for; the allowance never exceeds the burst."""
        # Sums of shares fall short of whole numbers by rounding.
        asked = wanted and state.allowance >= 1.0 - 1e-9
        allowance = min(state.allowance - asked + self.share * boost, max(self.burst, 1.0))
        after = replace(state, offered=state.offered + 1, asked=state.asked + asked, allowance=allowance, **changes)
        return asked, after


@dataclass(frozen=True)
class FixedBudget(_Shared):
    """Ask about a random share of the records, whatever their score: the baseline.

    References
    ----------
    Žliobaitė et al. (2014), strategy "random".

    Examples
    --------
    >>> from strategies.budget_state import draws
    >>> budget = FixedBudget(0.2)
    >>> _, state = budget.decide_many(budget.start(), [0.5] * 1000, draws(1, 0, 1000))
    >>> 0.15 < state.share < 0.21
    True
    """

    burst: ClassVar[float] = 5.0

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask by chance."""
        chance = min(self.share * boost, 1.0)
        wanted = draw < chance
        asked, after = self._settle(state, wanted, boost)
        return BudgetDecision(asked, 0.0, chance, wanted), after


@dataclass(frozen=True)
class VariableUncertainty(_Shared):
    """Ask below a confidence that adapts: narrower after a question, wider after none.

    Records are wanted where 1 - score lies under the width; asking multiplies the width by 1 - step, not
    asking by 1 + step (by more where the share is above a third, so that enough is wanted). While the
    allowance is used up nothing changes.

    Attributes
    ----------
    share
        Of the records, asked about.
    step
        How fast the width adapts.

    References
    ----------
    Žliobaitė et al. (2014). Active learning with drifting streaming data. IEEE TNNLS 25(1).

    Examples
    --------
    >>> budget = VariableUncertainty(0.5, step=0.1)
    >>> decision, state = budget.decide(budget.start(), 0.3)
    >>> decision.asked, state.threshold
    (True, 0.9)
    """

    step: float = 0.01

    burst: ClassVar[float] = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.step < 1.0:
            raise ValueError(f"step must lie in (0, 1), got {self.step}.")

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask where the score reaches 1 - width."""
        return self._within(state, score, state.threshold, boost)

    def _within(
        self, state: BudgetState, score: float, width: float, boost: float
    ) -> tuple[BudgetDecision, BudgetState]:
        wanted = 1.0 - score <= width
        affordable = state.allowance >= 1.0 - 1e-9
        adapted = state.threshold
        if affordable:
            # In balance, 1 in 1 + 1 / growth records is wanted: that must be more than the share.
            growth = min(max(2.0 * self.share / max(1.0 - self.share, 0.01), 1.0), 100.0)
            adapted *= 1.0 - self.step if wanted else 1.0 + self.step * growth
        # A width near 0 would need thousands of records to recover.
        asked, after = self._settle(state, wanted, boost, threshold=min(max(adapted, 0.01), 1.0))
        return BudgetDecision(asked, max(1.0 - width, 0.0), float(asked), wanted), after


@dataclass(frozen=True)
class RandomVariableUncertainty(VariableUncertainty):
    """VariableUncertainty with a width blurred by chance, so that a drift far from the boundary is seen too.

    Attributes
    ----------
    spread
        Standard deviation of the factor, whose mean is 1.

    References
    ----------
    Žliobaitė et al. (2014), strategy "randomised variable uncertainty".

    Examples
    --------
    >>> budget = RandomVariableUncertainty(0.5, spread=0.5)
    >>> budget.decide(budget.start(), 0.1, draw=0.1)[0].asked, budget.decide(budget.start(), 0.1, draw=0.9)[0].asked
    (False, True)
    """

    spread: float = 1.0

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask where the score reaches 1 - blurred width."""
        factor = 1.0 + self.spread * _NORMAL.inv_cdf(min(max(draw, 1e-12), 1.0 - 1e-12))
        return self._within(state, score, min(max(state.threshold * factor, 0.0), 1.0), boost)


@dataclass(frozen=True)
class Split(VariableUncertainty):
    """A part of the stream is asked at random, the rest by VariableUncertainty.

    The random part is an honest sample: it shows drift, and scores the model without bias.

    Attributes
    ----------
    random
        Share of the records that chance decides about.

    References
    ----------
    Žliobaitė et al. (2014), strategy "split".

    Examples
    --------
    >>> budget = Split(0.1, random=0.5)
    >>> decision, _ = budget.decide(budget.start(), 0.0, draw=0.01)
    >>> decision.asked, round(decision.probability, 3)
    (True, 0.05)
    """

    random: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.random <= 1.0:
            raise ValueError(f"random must lie in [0, 1], got {self.random}.")

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask by chance in the random part, by the score in the other."""
        if draw >= self.random:
            return self._within(state, score, state.threshold, boost)
        chance = self.random * min(self.share * boost, 1.0)
        wanted = draw < chance
        asked, after = self._settle(state, wanted, boost)
        return BudgetDecision(asked, 0.0, chance, wanted), after


@dataclass(frozen=True)
class BalancedIncrementalQuantileFilter(_Shared):
    """Ask about the highest scores of late, more eagerly while behind the share promised.

    The threshold is the (1 - share) quantile of the last `window` scores, lowered by the range of these
    times questions behind / `tolerance`.

    Attributes
    ----------
    share
        Of the records, asked about.
    window
        Scores compared with.
    tolerance
        Questions behind that lower the threshold to the lowest score; also the most that is saved up.

    References
    ----------
    Kottke, Krempl and Spiliopoulou (2015). Probabilistic active learning in datastreams. IDA.

    Examples
    --------
    >>> from strategies.budget_state import draws
    >>> budget = BalancedIncrementalQuantileFilter(0.1)
    >>> _, state = budget.decide_many(budget.start(), draws(3, 0, 2000))
    >>> 0.095 < state.share < 0.105
    True
    """

    window: int = 100
    tolerance: int = 50

    burst: ClassVar[float] = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window < 1 or self.tolerance < 1:
            raise ValueError(f"window and tolerance must be at least 1, got {self.window} and {self.tolerance}.")

    def decide(
        self, state: BudgetState, score: float, draw: float = 0.5, *, boost: float = 1.0
    ) -> tuple[BudgetDecision, BudgetState]:
        """Ask where the score reaches the balanced quantile."""
        window = (*state.window, float(score))[-self.window :]
        ordered = sorted(window)
        behind = self.share * boost * (state.offered + 1) - state.asked
        threshold = _quantile(ordered, 1.0 - min(self.share * boost, 1.0))
        threshold -= (ordered[-1] - ordered[0]) * behind / self.tolerance
        wanted = score >= threshold
        asked, after = self._settle(state, wanted, boost, window=window)
        return BudgetDecision(asked, min(max(threshold, 0.0), 1.0), float(asked), wanted), after


def _quantile(ordered: list[float], q: float) -> float:
    """Of sorted values, between neighbours in a straight line."""
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
