"""One label an item, from everything that anyone said: human before weak before model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.blocks import to_positions, unpack
from labeling.label_set import LabelSet
from labeling.matrix import LabelMatrix
from labeling.votes import holdout_ids
from labeling.weak import WeakRun

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AnnotationRecord, RefitRecord

SOURCES = ("human", "weak", "model", "gold")

SHARED_ITEMS = 20
"""So many items need answers of several people before people are weighed."""

SCHEMA: dict[str, pl.DataType] = {
    "item_id": pl.Int64(),
    "label": pl.String(),
    "source": pl.String(),
    "confidence": pl.Float64(),
    "annotators": pl.List(pl.String()),
    "labeled_at": pl.Datetime("us", "UTC"),
}

PREDICTIONS = np.dtype([("item", "<i8"), ("label", "<i2"), ("confidence", "<f4")])
PACKED = f"V{PREDICTIONS.itemsize}"


def human_labels(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item that people answered: the label most of them gave, a tie goes to the newest answer.

    `confidence` is the share of the answers that agree. Where enough items have
    answers of several people to tell who is right how often, those items go by
    the weighed answers instead (Dawid and Skene), and `confidence` is their
    posterior. Unsure, skipped and discarded are no labels.
    """
    answers: dict[int, list[AnnotationRecord]] = {}
    for record in ledger.annotations.current():
        if record.kind == "answer":
            answers.setdefault(record.item_id, []).append(record)
    known = set(labels.ids)
    rows = []
    for item_id, records in answers.items():
        given = [
            (record.label_ids[0], record) for record in records if record.label_ids and record.label_ids[0] in known
        ]
        if not given:
            continue
        counts = Counter(label for label, _ in given)
        newest = {label: record.id for label, record in given}
        label = max(counts, key=lambda each: (counts[each], newest[each]))
        rows.append(
            (
                item_id,
                labels.name_of(label),
                "human",
                counts[label] / len(given),
                sorted({record.annotator or "erased" for _, record in given}),
                max(record.created_at for _, record in given),
            )
        )
    weighed = _weighed(answers, labels)
    return _frame(
        [
            (row[0], weighed[row[0]][0], row[2], weighed[row[0]][1], *row[4:]) if row[0] in weighed else row
            for row in rows
        ]
    )


def _weighed(answers: dict[int, list[AnnotationRecord]], labels: LabelSet) -> dict[int, tuple[str, float]]:
    """Return label and confidence of the items that several people answered, each weighed by what they are worth."""
    from labeling.dawid_skene import DawidSkene

    names = dict(zip(labels.ids, labels.names, strict=True))
    given = [
        (item, str(record.annotator), names[record.label_ids[0]])
        for item, records in answers.items()
        for record in records
        if record.label_ids and record.label_ids[0] in names
    ]
    counts = Counter(item for item, _, _ in given)
    shared = {item for item, count in counts.items() if count > 1}
    if len(shared) < SHARED_ITEMS:
        return {}
    matrix = LabelMatrix.from_answers(
        [item for item, _, _ in given], [who for _, who, _ in given], [said for _, _, said in given], labels.names
    )
    result = DawidSkene().fit(matrix).label(matrix)
    return {
        int(item): (labels.names[position], float(result.proba[row, position]))
        for row, (item, position) in enumerate(zip(matrix.item_ids, result.positions.tolist(), strict=True))
        if int(item) in shared and position >= 0
    }


def weak_labels(run: WeakRun) -> pl.DataFrame:
    """Return one row an item that the weak run gives a label."""
    frame = run.frame().filter(pl.col("label").is_not_null()).select("item_id", "label", "confidence")
    return _with_source(frame, "weak", run.created_at)


def model_labels(ledger: Ledger, refit: RefitRecord, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item with what the classifier of a refit predicts."""
    table = unpack(ledger.loops.ranking(refit.id)[1], PACKED).view(PREDICTIONS)
    positions = to_positions(table["label"].astype(np.int64), labels.positions())
    names = np.array([*labels.names, None], dtype=object)
    frame = pl.DataFrame(
        {
            "item_id": pl.Series(table["item"], dtype=pl.Int64()),
            "label": pl.Series(names[positions].tolist(), dtype=pl.String()),
            "confidence": pl.Series(table["confidence"].astype(np.float64)),
        }
    ).filter(pl.col("label").is_not_null())
    return _with_source(frame, "model", refit.created_at)


def gold_labels(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item whose truth is known; `role` is development or holdout."""
    held = holdout_ids(ledger)
    known = dict(zip(labels.ids, labels.names, strict=True))
    rows = [(item, known[label], item in held) for item, label in ledger.items.gold() if label in known]
    frame = pl.DataFrame(
        rows, schema={"item_id": pl.Int64(), "label": pl.String(), "held": pl.Boolean()}, orient="row"
    ).with_columns(pl.lit(1.0).alias("confidence"))
    role = pl.when(frame["held"]).then(pl.lit("holdout")).otherwise(pl.lit("development"))
    return _with_source(frame.drop("held"), "gold", None).with_columns(role.alias("role")).sort("item_id")


def resolve(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return one row an item: that of the first part that has one."""
    whole = pl.concat([_frame([]), *parts], how="vertical")
    return whole.unique("item_id", keep="first", maintain_order=True).sort("item_id")


def discarded(ledger: Ledger) -> set[int]:
    """Return the items that somebody said do not belong."""
    return {record.item_id for record in ledger.annotations.current() if record.kind == "discard"}


def annotation_frame(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return every annotation as it was made, oldest first, with whether it was taken back."""
    records = ledger.annotations.everything()
    undone = {record.undoes for record in records}
    loops = {loop.id: loop.name for loop in ledger.loops.all()}
    known = dict(zip(labels.ids, labels.names, strict=True))
    rows = [
        {
            "annotation_id": record.id,
            "uuid": record.uuid,
            "item_id": record.item_id,
            "annotator": record.annotator,
            "kind": record.kind,
            "label": known.get(record.label_ids[0]) if record.label_ids else None,
            "seconds": record.seconds,
            "loop": loops.get(record.loop_id or -1),
            "origin": record.origin,
            "from_query": record.from_query_id,
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
            "undone": pl.Boolean(),
            "undoes": pl.Int64(),
            "created_at": pl.Datetime("us", "UTC"),
        },
    )


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _with_source(frame: pl.DataFrame, source: str, at: datetime | None) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(source).alias("source"),
        pl.lit([], dtype=pl.List(pl.String())).alias("annotators"),
        pl.lit(at, dtype=pl.Datetime("us", "UTC")).alias("labeled_at"),
    ).select([*SCHEMA])
