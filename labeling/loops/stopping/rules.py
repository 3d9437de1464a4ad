"""When a loop is done: each rule looks at what the ledger holds and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from labeling.arguments import whole_number

SCORES = {"accuracy": "accuracy", "f1_macro": "macro F1", "average_precision": "average precision"}
"""Scores that rules look at, and what people call them."""


@dataclass(frozen=True)
class Setting:
    """A number of a stop rule as a form asks for it.

    Attributes
    ----------
    name
        The parameter.
    asks
        What the form calls it.
    default, least, most, step
        Of the number that is asked for; `most` None: the label budget.
    percent
        Whether a hundredth of the number is the parameter.
    help
        More about it.
    """

    name: str
    asks: str
    default: float
    least: float
    most: float | None
    step: float = 1
    percent: bool = False
    help: str | None = None


class StopRule:
    """Decides whether a loop is done.

    `reason` gets the number of answers so far and one mapping a refit (what
    `history()` shows, oldest first); it returns a sentence when the loop is done,
    None when it goes on.

    Attributes
    ----------
    needs_holdout
        Whether it looks at a score that is measured on the hold-out.
    offer
        What a form says to switch it on.
    settings
        Numbers that a form asks for; a parameter `metric` is asked for besides, among `SCORES`.
    """

    needs_holdout: bool = False
    offer: ClassVar[str] = ""
    settings: ClassVar[tuple[Setting, ...]] = ()

    @property
    def meaning(self) -> str:
        """When it ends a loop, to follow "done"."""
        return f"by {type(self).__name__}"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:
        """Return why the loop is done, None if it is not."""
        raise NotImplementedError


@dataclass(frozen=True)
class LabelBudget(StopRule):
    """Stop after `labels` answers; skips and undone answers do not count.

    Examples
    --------
    >>> LabelBudget(1500).meaning, LabelBudget(1500).reason(1500, [])
    ('after 1,500 answers', 'The budget of 1,500 labels is used.')
    """

    labels: int

    settings = (
        Setting(
            "labels", "Budget of answers", 500, 1, 10_000_000, 50,
            help="The loop is done when so many answers are given.",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", whole_number("The labels of a LabelBudget", self.labels, 1))

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"after {self.labels:,} answers"

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
    offer = "Stop early at a target score"
    settings = (Setting("value", "Target", 90, 50, 99, percent=True),)

    def __post_init__(self) -> None:
        if self.metric not in SCORES:
            raise ValueError(f"TargetScore knows {', '.join(map(repr, SCORES))}, got {self.metric!r}.")
        if not 0 < self.value <= 1:
            raise ValueError(f"The target of {self.metric} must lie above 0 and be at most 1, got {self.value!r}.")

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"when {SCORES[self.metric]} on the hold-out reaches {self.value * 100:g} %"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: ARG002
        """Return why the loop is done, None if it is not."""
        score = history[-1].get(self.metric) if history else None
        if score is None or score < self.value:
            return None
        return f"{self.metric} on the hold-out reached {score:.3f}, the target is {self.value:.3f}."


@dataclass(frozen=True)
class Stability(StopRule):
    """Stop when more labels no longer change what the model predicts.

    Looks at Cohen's kappa between the predictions of each round and the one before, over the pool: done
    when its mean over the last `rounds` reaches `kappa`. Needs no hold-out. Say how many labels at least,
    where the start may be deceptive.

    Attributes
    ----------
    kappa
        In (0, 1].
    rounds
        Over so many rounds.
    labels
        Never before so many answers.

    References
    ----------
    Bloodgood and Vijay-Shanker (2009). A method for stopping active learning based on stabilizing
    predictions and the need for user-adjustable stopping. CoNLL.

    Examples
    --------
    >>> Stability(rounds=2).reason(80, [{"agreement": 0.99}, {"agreement": 1.0}])
    'The predictions are stable: over the last 2 rounds kappa was 0.995 on average, the bound is 0.990.'
    """

    kappa: float = 0.99
    rounds: int = 3
    labels: int = 0

    offer = "Stop early when answers no longer change the predictions"
    settings = (
        Setting(
            "rounds", "Rounds in a row that agree", 3, 1, 20,
            help="Two rounds agree where Cohen's kappa of their predictions is 0.99 or more.",
        ),
        Setting("labels", "Never before so many answers", 100, 0, None, 10),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not 0 < self.kappa <= 1:
            raise ValueError(f"kappa must lie above 0 and be at most 1, got {self.kappa!r}.")
        object.__setattr__(self, "rounds", whole_number("The rounds of Stability", self.rounds, 1))
        object.__setattr__(self, "labels", whole_number("The labels of Stability", self.labels, 0))

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"when more answers no longer change what the model predicts ({self.rounds} rounds in a row)"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:
        """Return why the loop is done, None if it is not."""
        values = [row.get("agreement") for row in history[-self.rounds :]]
        known = [value for value in values if value is not None]
        if answered < self.labels or len(known) < self.rounds:
            return None
        mean = sum(known) / len(known)
        if mean < self.kappa:
            return None
        return (
            f"The predictions are stable: over the last {self.rounds} rounds kappa was {mean:.3f} on average, "
            f"the bound is {self.kappa:.3f}."
        )


@dataclass(frozen=True)
class OverallUncertainty(StopRule):
    """Stop when the model is sure of what is left in the pool.

    Done when the mean entropy of the items not asked yet, divided by log k, falls below `below`, and at
    least two classes have answers. Confidence that is not calibrated stops too early: see `Calibrated`.

    References
    ----------
    Zhu, Wang, Hovy and Ma (2010). Confidence-based stopping criteria for active learning for data
    annotation. ACM TSLP 6.

    Examples
    --------
    >>> history = [{"uncertainty": 0.04, "asked_ok": 60, "asked_spam": 20}]
    >>> OverallUncertainty(0.05).reason(80, history)
    'The model is sure of what is left: the mean uncertainty is 0.040, the bound is 0.050.'
    """

    below: float

    offer = "Stop early when the model is sure of what is left"
    settings = (
        Setting(
            "below", "Mean uncertainty below", 5, 1, 50, percent=True,
            help="0 % is sure of every item, 100 % is blind guessing.",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not 0 < self.below < 1:
            raise ValueError(f"The bound of the uncertainty must lie between 0 and 1, got {self.below!r}.")

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"when the model is sure of what is left (mean uncertainty below {self.below * 100:g} %)"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: ARG002
        """Return why the loop is done, None if it is not."""
        newest = history[-1] if history else {}
        value = newest.get("uncertainty")
        # A model that knows one class is sure of everything.
        classes = sum(1 for name, count in newest.items() if name.startswith("asked_") and count)
        if value is None or value >= self.below or classes < 2:
            return None
        return f"The model is sure of what is left: the mean uncertainty is {value:.3f}, the bound is {self.below:.3f}."


@dataclass(frozen=True)
class Plateau(StopRule):
    """Stop when a score on the hold-out no longer rises.

    Done when the best score of the last `rounds` is less than `least` above the best one before them.

    Examples
    --------
    >>> history = [{"f1_macro": score} for score in (0.5, 0.81, 0.8, 0.811)]
    >>> Plateau(rounds=2, least=0.01).reason(80, history)
    'f1_macro on the hold-out rose by 0.001 over the last 2 rounds, the least to go on is 0.010.'
    """

    metric: str = "f1_macro"
    rounds: int = 5
    least: float = 0.005

    needs_holdout = True
    offer = "Stop early when the score no longer rises"
    settings = (
        Setting("rounds", "Rounds to look at", 5, 1, 50),
        Setting("least", "Points it has to rise", 0.5, 0.1, 20.0, 0.1, percent=True),
    )

    def __post_init__(self) -> None:
        if self.metric not in SCORES:
            raise ValueError(f"Plateau knows {', '.join(map(repr, SCORES))}, got {self.metric!r}.")
        if not 0 <= self.least < 1:
            raise ValueError(f"The least rise must lie in [0, 1), got {self.least!r}.")
        object.__setattr__(self, "rounds", whole_number("The rounds of Plateau", self.rounds, 1))

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"when {SCORES[self.metric]} rises by less than {self.least * 100:g} points over {self.rounds} rounds"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:  # noqa: ARG002
        """Return why the loop is done, None if it is not."""
        known = [value for row in history if (value := row.get(self.metric)) is not None]
        if len(known) <= self.rounds:
            return None
        rise = max(known[-self.rounds :]) - max(known[: -self.rounds])
        if rise >= self.least:
            return None
        verb = "rose" if rise >= 0 else "fell"
        return (
            f"{self.metric} on the hold-out {verb} by {abs(rise):.3f} over the last {self.rounds} rounds, "
            f"the least to go on is {self.least:.3f}."
        )


STOP_RULES: tuple[type[StopRule], ...] = (LabelBudget, TargetScore, Plateau, Stability, OverallUncertainty)
"""Stop rules in the order of forms; the first has no switch."""


@dataclass(frozen=True)
class After(StopRule):
    """Look at a rule only after so many answers: what a loop that went on makes of a rule that had fired.

    Examples
    --------
    >>> rule = After(TargetScore("accuracy", 0.9), answers=200)
    >>> rule.reason(199, [{"accuracy": 0.95}]) is None
    True
    >>> rule.reason(200, [{"accuracy": 0.95}])
    'accuracy on the hold-out reached 0.950, the target is 0.900.'
    """

    rule: StopRule
    answers: int

    def __post_init__(self) -> None:
        if not isinstance(self.rule, StopRule):
            raise TypeError(f"After takes a rule such as TargetScore('f1_macro', 0.9), got {self.rule!r}.")
        object.__setattr__(self, "answers", whole_number("The answers of After", self.answers, 0))

    @property
    def needs_holdout(self) -> bool:  # type: ignore[override]
        """Whether the rule does."""
        return self.rule.needs_holdout

    @property
    def meaning(self) -> str:
        """When it ends a loop."""
        return f"{self.rule.meaning}, looked at again after {self.answers:,} answers"

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:
        """Return the rule's reason, None before there are so many answers."""
        return None if answered < self.answers else self.rule.reason(answered, history)


def extended(rule: StopRule, answers: int) -> StopRule:
    """Return a rule that lets a loop go on to so many answers.

    Examples
    --------
    >>> extended(LabelBudget(500), 700)
    LabelBudget(labels=700)
    >>> extended(Stability(), 700).answers
    700
    """
    if isinstance(rule, LabelBudget):
        return LabelBudget(max(rule.labels, answers))
    return After(rule.rule if isinstance(rule, After) else rule, answers)
