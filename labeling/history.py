"""What a loop's refits were, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from labeling.label_set import LabelSet
from labeling.records import Refit
from storage.records import RefitRecord


def trained(refits: Sequence[RefitRecord]) -> list[RefitRecord]:
    """Return the refits that trained a classifier."""
    return [record for record in refits if record.metrics["trained"]]


def refit_of(record: RefitRecord) -> Refit:
    """Return a refit as scripts see it."""
    metrics = record.metrics
    return Refit(record.round, metrics["labels"], record.strategy, metrics, record.notes, record.seconds)


def history_row(record: RefitRecord, labels: LabelSet) -> dict[str, Any]:
    """Return one refit as `PoolLoop.history` shows it."""
    metrics = record.metrics
    asked = {f"asked_{c.name}": metrics["asked"].get(str(c.id), 0) for c in labels.classes}
    return {
        "round": record.round,
        "labels": metrics["labels"],
        "weak_labels": metrics["weak_labels"],
        "strategy": record.strategy,
        "accuracy": metrics.get("accuracy"),
        "f1_macro": metrics.get("f1_macro"),
        "judged": metrics.get("judged", 0),
        "seconds": record.seconds,
        **asked,
        "notes": list(record.notes),
        "at": record.created_at,
    }


def history_frame(refits: Sequence[RefitRecord], labels: LabelSet) -> pl.DataFrame:
    """Return a row a refit that trained a classifier, oldest first."""
    schema: dict[str, Any] = {
        "round": pl.Int64(),
        "labels": pl.Int64(),
        "weak_labels": pl.Int64(),
        "strategy": pl.String(),
        "accuracy": pl.Float64(),
        "f1_macro": pl.Float64(),
        "judged": pl.Int64(),
        "seconds": pl.Float64(),
    }
    schema |= {f"asked_{name}": pl.Int64() for name in labels.names}
    schema |= {"notes": pl.List(pl.String()), "at": pl.Datetime("us", "UTC")}
    return pl.DataFrame([history_row(record, labels) for record in trained(refits)], schema=schema)
