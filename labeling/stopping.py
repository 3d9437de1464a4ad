"""When a loop is done: each rule looks at what the ledger holds and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCORES = ("accuracy", "f1_macro")


class StopRule:
    """Decides whether a loop is done.

    `reason` gets the number of answers so far and one mapping a refit (what
    `history()` shows, oldest first); it returns a sentence when the loop is done,
    None when it goes on.
    """

    needs_holdout: bool = False

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:
        """Return why the loop is done, None if it is not."""
        raise NotImplementedError


@dataclass(frozen=True)
class LabelBudget(StopRule):
    """Stop after `labels` answers; skips and undone answers do not count.

    Examples
    --------
    >>> LabelBudget(500).reason(500, [])
    'The budget of 500 labels is used.'
    """

    labels: int

    def __post_init__(self) -> None:
        if isinstance(self.labels, bool) or not isinstance(self.labels, int) or self.labels < 1:
            raise ValueError(f"LabelBudget needs a whole number of at least 1, got {self.labels!r}.")

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: ARG002
        """Return why the loop is done, None if it is not."""
        return f"The budget of {self.labels:,} labels is used." if answered >= self.labels else None


@dataclass(frozen=True)
class TargetScore(StopRule):
    """Stop when a score on the hold-out reaches `value`, in (0, 1].

    Examples
    --------
    >>> TargetScore("f1_macro", 0.9).reason(120, [{"f1_macro": 0.91}])
    'f1_macro on the hold-out reached 0.910, the target is 0.900.'
    """

    metric: str
    value: float
    needs_holdout = True

    def __post_init__(self) -> None:
        if self.metric not in SCORES:
            raise ValueError(f"TargetScore knows {', '.join(map(repr, SCORES))}, got {self.metric!r}.")
        if not 0 < self.value <= 1:
            raise ValueError(f"The target of {self.metric} must lie above 0 and be at most 1, got {self.value!r}.")

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: ARG002
        """Return why the loop is done, None if it is not."""
        score = history[-1].get(self.metric) if history else None
        if score is None or score < self.value:
            return None
        return f"{self.metric} on the hold-out reached {score:.3f}, the target is {self.value:.3f}."
