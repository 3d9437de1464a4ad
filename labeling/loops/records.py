"""What the public API hands out and raises: small frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labeling.people.assignments import Assigned


class QueueEmpty(LookupError):
    """There is nothing left to ask this annotator right now; the message says why."""


@dataclass(frozen=True)
class LoopInfo:
    """A loop as a list shows it; a `blind` one checks labels, and suggests nothing to those who answer."""

    name: str
    kind: str
    strategy: str
    created_at: datetime
    answered: int
    budget: int | None
    blind: bool = False


@dataclass(frozen=True)
class LoopProgress:
    """Where a loop stands.

    `answered` counts answers, unsure and discards (they cost a person's time); `alike` answers taken over for
    near-duplicates, and `screened` items discarded as a group, which cost none; `pace` is answers a minute of
    the annotator, None before there are five whose time was measured; `left` is how many answers can still be given:
    what is left of the budget, or of the pool where that is less; `assigned` is what the annotator is to do here.
    """

    answered: int
    unsure: int
    discarded: int
    skipped: int
    open: int
    budget: int | None
    round: int
    due: int
    pace: float | None
    alike: int = 0
    screened: int = 0
    left: int | None = None
    assigned: Assigned | None = None


@dataclass(frozen=True)
class Near:
    """A labeled item near one that is asked: cosine similarity of their features, and its label at that time."""

    item_id: int
    similarity: float
    label: str


@dataclass(frozen=True)
class Why:
    """Why an item was asked, as things stood when it was ranked.

    Attributes
    ----------
    strategy, score, parts
        Who chose it, its score in [0, 1], and what that was made of.
    predicted, probabilities
        What the model said, its likeliest classes; None and empty before there was one.
    votes
        Labeling functions that voted on it, and for what; those that abstained are left out.
    nearest
        The labeled items nearest to it, at most three, the nearest first.
    alike
        Its near-duplicates that were open, item and similarity, at most 50; what `PoolLoop.alike` offers.
    """

    strategy: str
    score: float
    parts: Mapping[str, float]
    predicted: str | None
    probabilities: Mapping[str, float]
    votes: Mapping[str, str]
    nearest: tuple[Near, ...]
    alike: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Query:
    """A question put to an annotator: the item, and why it is asked.

    `why` says more than `score` and `parts`: what the rules voted, which labeled items are near; None for
    what was asked before that was kept. `answer` is the label, or the kind of answer, that was given so far; it is
    looked up by `PoolLoop.query`.
    """

    id: int
    uuid: str
    loop: str
    annotator: str
    item_id: int
    item: Mapping[str, Any] = field(repr=False)
    score: float
    parts: Mapping[str, float]
    strategy: str
    round: int
    rank: int
    predicted: str | None
    probabilities: Mapping[str, float]
    answer: str | None = None
    why: Why | None = field(default=None, repr=False)

    @property
    def answered(self) -> bool:
        """Whether an answer was given that stands."""
        return self.answer is not None


@dataclass(frozen=True)
class Alike:
    """A near-duplicate: how similar it is, in [0, 1], and what it holds."""

    item_id: int
    similarity: float
    item: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class HeldGroup:
    """Items that a loop keeps to the end because they resemble nothing else.

    Attributes
    ----------
    id
        What `discard_group` and `welcome_group` take: the round of the refit and a number.
    kind
        "empty" (no word, no number, nothing to learn from), "unlike the rest" (each alone) or
        "cluster apart" (like each other and like nothing else, as another language).
    size
        How many of them are still open.
    items
        Some of them, as many as a page shows.
    """

    id: str
    kind: str
    size: int
    items: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(frozen=True)
class Refit:
    """A refit of a loop: what it learned from and how well it scores."""

    round: int
    labels: int
    strategy: str
    metrics: Mapping[str, Any]
    notes: tuple[str, ...]
    seconds: float
    at: datetime
