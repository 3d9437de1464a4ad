"""What the ledger hands out: frozen records, one a kind of fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ProjectRecord:
    """A project's row: its name and where its ledger stands."""

    id: int
    uuid: str
    name: str
    description: str
    created_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True)
class LabelSetRecord:
    """One version of the classes; `classes` are plain dictionaries in order."""

    version: int
    change: Json
    classes: tuple[Json, ...]


@dataclass(frozen=True)
class ImportRecord:
    """A completed import: where it came from, how columns were mapped, what happened.

    `kind` is "items", "gold" or "stream". One that was taken back is `in_use` while another import has some of
    the items that it brought.
    """

    id: int
    seq: int
    name: str
    mapping: Json
    columns: tuple[Json, ...]
    report: Json
    completed_at: datetime
    kind: str = "items"
    taken_back: bool = False
    in_use: bool = True


@dataclass(frozen=True)
class Withdrawal:
    """What goes with an import: items that no other import has, answers on them, known truths.

    `brought` counts all items that the import brought, those that stay among them.
    """

    items: frozenset[int]
    brought: int
    answers: int
    gold: int


@dataclass(frozen=True)
class ItemRows:
    """Rows of items to write, one entry an item in each column.

    `keys` are over all columns of the row as it was read; None where there was no such row.
    """

    item_ids: Sequence[int]
    rows: Sequence[int]
    external_ids: Sequence[str | None]
    groups: Sequence[str | None]
    hashes: Sequence[bytes]
    data: Sequence[str]
    private: Sequence[str | None]
    images: Sequence[bytes | None]
    keys: Sequence[bytes | None] | None = None


@dataclass(frozen=True)
class HoldoutRecord:
    """Which gold items score classifiers and are never asked."""

    fraction: float
    seed: int
    item_ids: bytes


@dataclass(frozen=True)
class FunctionRecord:
    """The newest version of a labeling function."""

    version_id: int
    name: str
    version: int
    active: bool
    kind: str
    expert: str | None
    fingerprint: str | None
    spec: Json
    created_at: datetime


@dataclass(frozen=True)
class VoteBlock:
    """Votes of one function version on one block of items, up to item `through`."""

    function_version_id: int
    block: int
    through: int
    votes: bytes
    faults: Json
    seconds: float


@dataclass(frozen=True)
class WeakBlock:
    """One block of a weak run's result, as compressed arrays."""

    block: int
    item_ids: bytes
    labels: bytes
    weights: bytes
    probabilities: bytes


@dataclass(frozen=True)
class WeakRunRecord:
    """A weak run: what went in, and a summary of what came out."""

    id: int
    uuid: str
    number: int
    seq: int
    saw: int
    label_model: Json
    function_versions: tuple[str, ...]
    label_ids: tuple[int, ...]
    n_items: int
    summary: Json
    created_at: datetime


@dataclass(frozen=True)
class LoopRecord:
    """A loop and its settings, as they were given when it was made."""

    id: int
    uuid: str
    name: str
    kind: str
    settings: Json
    created_at: datetime


@dataclass(frozen=True)
class RefitRecord:
    """A refit: what it saw, what it scored, and the ranking it committed."""

    id: int
    uuid: str
    round: int
    seq: int
    saw: int
    weak_run_id: int | None
    label_ids: tuple[int, ...]
    strategy: str
    metrics: Json
    notes: tuple[str, ...]
    seconds: float
    created_at: datetime


@dataclass(frozen=True)
class RefitBlock:
    """Class distributions of items that a refit predicted, as compressed arrays.

    `kind` is "model" for what the trained classifier says of every item, "folds" for what classifiers say of
    answered items that they were not trained on.
    """

    kind: str
    block: int
    item_ids: bytes
    probabilities: bytes


@dataclass(frozen=True)
class QueryRecord:
    """A question put to an annotator, with why it was asked."""

    id: int
    uuid: str
    loop_id: int
    refit_id: int
    round: int
    annotator: str | None
    annotator_id: int
    item_id: int
    rank: int
    score: float
    parts: Json
    probability: float | None
    strategy: str
    predicted: int | None
    probabilities: Json
    why: Json | None
    created_at: datetime


@dataclass(frozen=True)
class LoopChange:
    """A loop that went on after its end: when, by whom, and how it stops from then on."""

    seq: int
    kind: str
    annotator: str | None
    details: Json
    created_at: datetime


@dataclass(frozen=True)
class FilterRecord:
    """A saved filter: a rule as data, by its name."""

    name: str
    spec: Json
    created_at: datetime


@dataclass(frozen=True)
class AnnotationRecord:
    """One thing a person did: an answer, unsure, a skip, a discard, a welcome, an undo.

    `origin` tells what was not asked item by item: "alike" where the answer to `from_query_id` was taken
    over, "group" where a whole group was judged, "import" where it was given elsewhere. What was done in one step
    shares its `step`. A `late` answer came after its item had gone to somebody else. `guidelines` is the version that
    was in force; None where there was none, and for what was said elsewhere. `annotator` is how the person is called:
    since a merge of two people it may be another name than that of the row `annotator_id`.
    """

    id: int
    project_id: int
    uuid: str
    seq: int
    item_id: int
    annotator: str | None
    kind: str
    label_ids: tuple[int, ...]
    query_id: int | None
    loop_id: int | None
    undoes: int | None
    seconds: float | None
    created_at: datetime
    origin: str | None = None
    from_query_id: int | None = None
    step: str | None = None
    late: bool = False
    guidelines: int | None = None
    annotator_id: int = 0


@dataclass(frozen=True)
class Holder:
    """Who is given items: a person, or of several that ask for one person the one of that name; and for how long."""

    annotator: str
    name: str | None
    seconds: float


@dataclass(frozen=True)
class RemarkRecord:
    """A note or a flag on an item, or a comment on the annotation of that UUID."""

    item_id: int
    kind: str
    text: str
    who: str | None
    annotation: str | None
    created_at: datetime


@dataclass(frozen=True)
class DocumentRecord:
    """A version of a text about a project, and who wrote it; None where nobody was named."""

    version: int
    text: str
    who: str | None
    created_at: datetime


@dataclass(frozen=True)
class PersonRecord:
    """A person of the database; the name is None where it was erased, the account where there is none."""

    id: int
    uuid: str
    name: str | None
    account: str | None
    created_at: datetime


@dataclass(frozen=True)
class AssignmentRecord:
    """What a person is to work on: up to so many answers to a loop's questions from then on, and until when."""

    id: int
    uuid: str
    seq: int
    loop_id: int
    person_id: int
    items: int | None
    until: datetime | None
    active: bool
    by_id: int | None
    created_at: datetime


@dataclass(frozen=True)
class QuestionRecord:
    """What was asked, of a pool or of a stream: about which item, in which loop; streams have no `query_id`."""

    query_id: int | None
    loop_id: int
    item_id: int


@dataclass(frozen=True)
class WorkRecord:
    """When a person answered, and how long it took."""

    annotator_id: int
    seconds: float
    created_at: datetime


@dataclass(frozen=True)
class DecisionRecord:
    """What a stream decided about one record, and why."""

    id: int
    uuid: str
    position: int
    item_id: int
    key: str | None
    asked: bool
    score: float
    threshold: float
    probability: float
    boost: float
    round: int
    predicted: int | None
    confidence: float | None
    probabilities: Json | None


@dataclass(frozen=True)
class StreamEvent:
    """What a stream learned (refit) or noticed (drift) before the record at `position`."""

    number: int
    kind: str
    position: int
    saw: int
    details: Json
    seconds: float
    created_at: datetime


@dataclass(frozen=True)
class StreamAnswer:
    """An answer to a stream's question, beside what the model had said."""

    annotation_id: int
    item_id: int
    label_id: int
    position: int
    predicted: int | None
