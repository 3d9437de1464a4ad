"""How a stream learns: what a user chooses, and what is known between two answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arguments import whole_number
from labeling.arrays import FloatArray
from labeling.classifiers.base import Model
from labeling.classifiers.features.text import Features

if TYPE_CHECKING:
    from storage.records import StreamEvent

Given = tuple[tuple[int, int, int], ...]
"""(annotation, item, label id) of answers, oldest first."""

HALF_LIVES = (2.0, 8.0, 32.0)
"""Of the memories of a stream of numbers and choices, in answers."""

LARGEST_GAP = 50
"""At most so many answers are waited for before learning again."""

REACH = 10
"""Answers older than so many half-lives weigh less than a thousandth and are left out."""

FADING = 0.9
"""What a loss counts for an answer later."""

RATE = 2.0
"""How much a loss takes from what a model has to say."""

SPREAD = 0.01
"""The share of the say that is always split evenly."""

SMALLEST = 0.01
"""Probabilities are held to be no smaller when they are judged."""


@dataclass(frozen=True)
class StreamLearning:
    """How a stream learns from answers: `Refits` or `Online`."""

    def gap(self, answers: int) -> int:
        """Return how many new answers it takes to learn again."""
        raise NotImplementedError(f"{type(self).__name__} defines no gap().")


@dataclass(frozen=True)
class Refits(StreamLearning):
    """Train the classifier anew, several times over: with long and with short memory, blended by how right each is.

    Each memory weighs an answer by half for every so many answers that came since; one more remembers all answers since
    the last drift. Before a model learns from an answer it is judged by it, and the blend follows those that were
    right of late. A stream that stands still is learned from all answers, one that moves from the newest.

    Attributes
    ----------
    half_lives
        In answers, shortest first. Empty: all answers count the same. Default: 2, 8 and 32 where numbers and choices
        tell the classes apart, none where a text does, whose words take many answers to learn.
    every
        Learn after so many answers; default after each, then after each hundredth part of what was answered.

    References
    ----------
    Herbster and Warmuth (1998). Tracking the best expert. Machine Learning 32.

    Examples
    --------
    >>> [Refits().gap(answers) for answers in (0, 10, 150, 1000, 100_000)]
    [1, 1, 1, 10, 50]
    """

    half_lives: tuple[float, ...] | None = None
    every: int | None = None

    def __post_init__(self) -> None:
        lives = tuple(float(life) for life in self.half_lives or ())
        object.__setattr__(self, "half_lives", None if self.half_lives is None else lives)
        if any(not 0.0 < life < float("inf") for life in lives) or len(lives) > 20:
            raise ValueError(f"half_lives are at most 20 numbers above 0, got {self.half_lives!r}.")
        if self.every is not None:
            object.__setattr__(self, "every", whole_number("every", self.every, 1))

    def lives(self, text: bool) -> tuple[float, ...]:
        """Return the half-lives for records with or without a text."""
        if self.half_lives is not None:
            return self.half_lives
        return () if text else HALF_LIVES

    def gap(self, answers: int) -> int:
        """Return how many new answers it takes to learn again."""
        return self.every or min(max(1, answers // 100), LARGEST_GAP)


@dataclass(frozen=True)
class Online(StreamLearning):
    """Learn from each answer once, by `partial_fit` of a scikit-learn estimator.

    Vocabulary and scales are learned anew, and the newest answers gone through again, whenever the answers have
    doubled, later after every `replay` of them. That also bounds what a killed consumer has to go through again.

    Attributes
    ----------
    replay
        So many of the newest answers at least, and twice as many at most, make the model.
    """

    replay: int = 500

    def __post_init__(self) -> None:
        object.__setattr__(self, "replay", whole_number("replay", self.replay, 1))

    def gap(self, answers: int) -> int:
        """Return 1: every answer is learned from at once."""
        return 1


@dataclass(frozen=True)
class Anchor:
    """Where online learning begins again after a kill.

    Attributes
    ----------
    position
        Vocabulary and scales are those of the records before it.
    annotation
        The first answer that is gone through.
    answers
        How many there were then.
    """

    position: int
    annotation: int
    answers: int


@dataclass(frozen=True)
class Lesson:
    """Which part of the ledger a refit learns from.

    Attributes
    ----------
    saw
        Answers as they stood after this write.
    position
        Records up to this place were seen: vocabulary and scales are learned from the newest of them too.
    since
        Answers of a lower annotation id are left out: what they say was before a drift.
    label_ids
        The classes.
    losses
        Of each model so far, empty for none.
    anchor
        Where online learning begins again; None: here.
    """

    saw: int
    position: int
    since: int
    label_ids: tuple[int, ...]
    losses: tuple[float, ...] = ()
    anchor: Anchor | None = None

    @classmethod
    def of(cls, refit: StreamEvent) -> Lesson:
        """Return the lesson of a refit, from the ledger."""
        details = refit.details
        anchor = details.get("anchor")
        return cls(
            refit.saw,
            refit.position,
            details["since"],
            tuple(details["ids"]),
            tuple(details.get("losses", ())),
            None if anchor is None else Anchor(*anchor),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what the ledger keeps beside the write and the position."""
        anchor = None if self.anchor is None else list(astuple(self.anchor))
        return {"ids": list(self.label_ids), "since": self.since, "losses": list(self.losses), "anchor": anchor}


@dataclass(frozen=True)
class Learned:
    """Trained classifiers, how much each has to say, and which ids their classes have.

    `models` is empty while nothing is answered, or while `note` says why none could be trained; the last of them
    remembers longest.
    """

    features: Features | None
    models: tuple[Model, ...]
    label_ids: tuple[int, ...]
    answers: int
    losses: tuple[float, ...] = ()
    given: Given = ()
    anchor: Anchor | None = None
    note: str | None = None

    def goes_on(self, lesson: Lesson, given: Given) -> bool:
        """Tell whether a lesson continues what was learned: the same beginning, classes and answers, and more."""
        same = self.anchor == lesson.anchor and self.label_ids == lesson.label_ids
        return bool(self.models) and same and given[: len(self.given)] == self.given

    def predict(self, frame: pl.DataFrame) -> FloatArray:
        """(n, k) probabilities of records; uniform without a model."""
        k = len(self.label_ids)
        if self.features is None or not self.models:
            return np.full((frame.height, k), 1.0 / k)
        return np.asarray(np.tensordot(says(self.losses), self.apart(frame), axes=1))

    def apart(self, frame: pl.DataFrame) -> FloatArray:
        """(models, n, k) probabilities of each model."""
        if self.features is None:
            return np.zeros((0, frame.height, len(self.label_ids)))
        X = self.features.transform(frame)
        return np.stack([np.asarray(model.predict_proba(X), dtype=np.float64) for model in self.models])


def says(losses: Sequence[float]) -> FloatArray:
    """(models,) how much each has to say after its losses; sums to 1.

    Examples
    --------
    >>> says((0.0, 0.0)).tolist()
    [0.5, 0.5]
    >>> says((0.0, 20.0)).round(3).tolist()
    [0.995, 0.005]
    """
    values = np.asarray(losses, dtype=np.float64)
    shares = np.exp(RATE * (values.min() - values))
    total: FloatArray = (1.0 - SPREAD) * shares / shares.sum() + SPREAD / len(values)
    return total


def judged(losses: Sequence[float], right: FloatArray) -> tuple[float, ...]:
    """Return losses after one more answer, to which the models gave the probabilities `right`.

    Examples
    --------
    >>> judged((1.0, 0.0), np.array([1.0, 0.5]))
    (0.9, 0.6931)
    """
    values = FADING * np.asarray(losses, dtype=np.float64) - np.log(np.clip(right, SMALLEST, 1.0))
    # Products of matrices differ in their last bits from machine to machine.
    return tuple(values.round(4).tolist())
