"""What people said: annotations as they were made, and as a frame."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from labeling.store.label_set import LabelSet
from labeling.tasks import single

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AnnotationRecord


class Answer(enum.Enum):
    """An answer that names no class."""

    UNSURE = "unsure"

    def __repr__(self) -> str:
        return self.name


UNSURE: Final = Answer.UNSURE
"""Seen, cannot be decided: not trained on, kept for review."""


@dataclass(frozen=True)
class Annotation:
    """Something a person did: kind is answer, unsure, skip, discard, welcome or undo.

    `origin` is "alike" for an answer that was taken over from a near-duplicate, "group" for what was said of
    a whole group; `together` counts what was taken back along with it; `guidelines` is the version in force then.
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
    guidelines: int | None = None


def discarded(ledger: Ledger) -> set[int]:
    """Return the items that somebody said do not belong."""
    return {record.item_id for record in ledger.annotations.current() if record.kind == "discard"}


def counted(records: Sequence[AnnotationRecord], wanted: int = 1) -> list[AnnotationRecord]:
    """Return which of the answers of several people to one item count.

    Late ones do where there are no others, or where more than one is wanted.
    """
    in_time = [record for record in records if not record.late]
    return in_time if in_time and wanted == 1 else list(records)


def annotation_frame(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return every annotation as it was made, oldest first, with whether it was taken back."""
    records = ledger.annotations.everything()
    undone = {record.undoes for record in records}
    loops = {loop.id: loop.name for loop in ledger.loops.all()}
    known = {label.id: labels.name_of(label.id) for label in (*labels.classes, *labels.former)}
    rows = [
        {
            "annotation_id": record.id,
            "uuid": record.uuid,
            "item_id": record.item_id,
            "annotator": record.annotator,
            "kind": record.kind,
            "label": single.name_of(record, known),
            "seconds": record.seconds,
            "loop": loops.get(record.loop_id or -1),
            "origin": record.origin,
            "from_query": record.from_query_id,
            "late": record.late,
            "guidelines": record.guidelines,
            "undone": record.id in undone,
            "undoes": record.undoes,
            "created_at": record.created_at,
        }
        for record in records
    ]
    return pl.DataFrame(
        rows,
        schema={
            "annotation_id": pl.Int64(),
            "uuid": pl.String(),
            "item_id": pl.Int64(),
            "annotator": pl.String(),
            "kind": pl.String(),
            "label": pl.String(),
            "seconds": pl.Float64(),
            "loop": pl.String(),
            "origin": pl.String(),
            "from_query": pl.Int64(),
            "late": pl.Boolean(),
            "guidelines": pl.Int64(),
            "undone": pl.Boolean(),
            "undoes": pl.Int64(),
            "created_at": pl.Datetime("us", "UTC"),
        },
    )
