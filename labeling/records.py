"""What the public API hands out and raises: small frozen records."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

if TYPE_CHECKING:
    from labeling.formats.offers import Offer
    from labeling.io import Mapping as ColumnMapping
    from labeling.io import Rejected, Table


LabelSource = Literal["human", "weak", "model", "gold"]
"""Where a label comes from."""


class Answer(enum.Enum):
    """An answer that names no class."""

    UNSURE = "unsure"

    def __repr__(self) -> str:
        return self.name


UNSURE: Final = Answer.UNSURE
"""Seen, cannot be decided: not trained on, kept for review."""


class QueueEmpty(LookupError):
    """There is nothing left to ask this annotator right now; the message says why."""


class FunctionNotLoaded(LookupError):
    """A labeling function's code is not in this process, and its votes are not all cached."""


@dataclass(frozen=True)
class LabelClass:
    """A class: a permanent id, and the name, shortcut key and definition it has now."""

    id: int
    name: str
    key: str | None = None
    definition: str = ""
    former_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectInfo:
    """A project as a list shows it."""

    name: str
    description: str
    created_at: datetime
    items: int
    labeled: int
    archived: bool = False


@dataclass(frozen=True)
class ProjectStatus:
    """Where a project stands, in counts."""

    items: int
    gold: int
    holdout: int
    functions: int
    weak_runs: int
    loops: int
    human: int
    weak: int
    model: int
    version: int


@dataclass(frozen=True)
class ImportPreview:
    """What an import would read: the table, how its columns map, the first 20 rows.

    `rejected` is what of the first `looked_at` rows would be left out, and why. `offers` are ways to read columns
    that are taken only where `add_items` is told to.
    """

    table: Table
    mapping: ColumnMapping
    rows: pl.DataFrame
    rejected: tuple[Rejected, ...] = ()
    looked_at: int = 0
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    `rows` were read: `added` became items, `duplicates` are exact copies kept as
    source rows of one item, `known` were in the project already (by id or by
    content), `rejected` could not be read. `changed` of the known rows have an id
    that is stored with another content; what is stored was kept. `remapped` of them were
    known under another mapping. `returned` brought back items that had gone with an import
    that was taken back. `import_id` is what `Project.undo_import` takes.
    """

    rows: int
    added: int
    duplicates: int
    known: int
    changed: int
    gold: int
    rejected: tuple[Rejected, ...]
    renamed: Mapping[str, str]
    notes: tuple[str, ...]
    seconds: float
    returned: int = 0
    remapped: int = 0
    import_id: int = 0

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows: {self.added:,} added"]
        if self.returned:
            parts.append(f"{self.returned:,} brought back")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} exact duplicates")
        if self.known:
            parts.append(f"{self.known:,} known already")
        if self.changed:
            parts.append(f"{self.changed:,} with a known id but other content, not taken")
        if self.gold:
            parts.append(f"{self.gold:,} with gold")
        if self.rejected:
            parts.append(f"{len(self.rejected):,} rejected")
        return ", ".join(parts) + f" ({self.seconds:.1f} s)"

    def _repr_html_(self) -> str:
        import html

        rejected = "".join(f"<li>line {r.line}: {html.escape(r.reason)}</li>" for r in self.rejected[:10])
        return f"<p>{html.escape(str(self))}</p>" + (f"<ul>{rejected}</ul>" if rejected else "")


@dataclass(frozen=True)
class UndoneImport:
    """What went with an import that was taken back, or would go.

    `items` are there no longer, with `answers` of people on them; `kept` of those that it brought are in another
    import too; `gold` known answers came with it.
    """

    import_id: int
    name: str
    items: int
    kept: int
    answers: int
    gold: int

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.items:,} items"]
        if self.answers:
            parts.append(f"{self.answers:,} answers on them, which stay on record")
        if self.gold:
            parts.append(f"{self.gold:,} known answers")
        if self.kept:
            parts.append(f"{self.kept:,} items stay, as another import has them too")
        return ", ".join(parts)


@dataclass(frozen=True)
class FunctionInfo:
    """A labeling function as the project knows it; `loaded` tells whether it can run here."""

    name: str
    expert: str | None
    kind: str
    label: str | None
    version: int
    spec: Mapping[str, Any]
    loaded: bool
    created_at: datetime


@dataclass(frozen=True)
class FunctionsReport:
    """Which functions `add_functions` added, changed (a new version), or found unchanged."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True)
class FunctionPreview:
    """What a labeling function would do, before it is saved.

    Coverage, overlaps and conflicts are shares of all items; `accuracy` is over
    the `gold_matches` matched items whose development gold is known.
    """

    matches: int
    coverage: float
    overlaps: float
    conflicts: float
    accuracy: float | None
    gold_matches: int
    faults: int
    first_fault: str | None
    examples: pl.DataFrame


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
    what is left of the budget, or of the pool where that is less.
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
class Annotation:
    """Something a person did: kind is answer, unsure, skip, discard, welcome or undo.

    `origin` is "alike" for an answer that was taken over from a near-duplicate, "group" for what was said of
    a whole group; `together` counts what was taken back along with it.
    """

    id: int
    uuid: str
    item_id: int
    annotator: str
    kind: str
    label: str | None
    query_id: int | None
    created_at: datetime
    origin: str | None = None
    together: int = 1


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


@dataclass(frozen=True)
class ExportPreview:
    """What an export would hold.

    Attributes
    ----------
    rows, items
        How many rows, and how many items they are of: duplicates are rows of one item.
    counts
        label, source, split, rows: how many rows of each; label and source are null where there is no label.
    columns
        The columns of the items that leave, in their order; `private` are those of them that are private.
    first
        The first rows, without pictures and votes.
    """

    rows: int
    items: int
    counts: pl.DataFrame = field(repr=False)
    columns: tuple[str, ...]
    private: tuple[str, ...]
    first: pl.DataFrame = field(repr=False)


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote."""

    rows: int
    path: str
    sha256: str | None
    sources: Mapping[str, int]
