"""What a loop's refits were, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from labeling import serialization
from labeling.loops.records import Refit
from labeling.store.label_set import LabelSet
from storage.records import LoopChange, RefitRecord

SCORES = ("accuracy", "accuracy_low", "accuracy_high", "f1_macro", "average_precision", "calibration_error")
"""Measured on the hold-out, null without one."""

BY_CLASS = ("precision", "recall", "average_precision")
"""Measured on the hold-out for each class."""


def trained(refits: Sequence[RefitRecord]) -> list[RefitRecord]:
    """Return the refits that trained a classifier."""
    return [record for record in refits if record.metrics["trained"]]


def noted(refits: Sequence[RefitRecord], changes: Sequence[LoopChange]) -> list[RefitRecord]:
    """Return the refits, each with notes of where the loop went on after the refit before it; the last has the rest."""
    whole = []
    for place, refit in enumerate(refits):
        after = refits[place - 1].seq if place else 0
        until = None if place + 1 == len(refits) else refit.seq
        here = [change for change in changes if change.seq > after and (until is None or change.seq < until)]
        whole.append(replace(refit, notes=(*refit.notes, *map(_note, here))))
    return whole


def _note(change: LoopChange) -> str:
    rules = serialization.describe(change.details["stop"])
    why = " ".join(change.details["reasons"]) or "Other rules were set."
    who = f" by {change.annotator}" if change.annotator else ""
    return f"Went on{who} after {change.details['answers']:,} answers, to stop by {rules}. {why}"


def refit_of(record: RefitRecord) -> Refit:
    """Return a refit as scripts see it."""
    metrics = record.metrics
    return Refit(
        record.round, metrics["labels"], record.strategy, metrics, record.notes, record.seconds, record.created_at
    )


def history_row(record: RefitRecord, labels: LabelSet) -> dict[str, Any]:
    """Return one refit as `PoolLoop.history` shows it."""
    metrics = record.metrics
    by_class = metrics.get("classes", {})
    return {
        "round": record.round,
        "labels": metrics["labels"],
        "alike": metrics.get("alike", 0),
        "weak_labels": metrics["weak_labels"],
        "strategy": record.strategy,
        **{name: metrics.get(name) for name in SCORES},
        "judged": metrics.get("judged", 0),
        "agreement": metrics.get("agreement"),
        "uncertainty": metrics.get("uncertainty"),
        "seconds": record.seconds,
        **{f"asked_{c.name}": metrics["asked"].get(str(c.id), 0) for c in labels.classes},
        **{f"{name}_{c.name}": by_class.get(str(c.id), {}).get(name) for name in BY_CLASS for c in labels.classes},
        "shares": [{"strategy": name, "share": share} for name, share in metrics.get("shares", {}).items()],
        "notes": list(record.notes),
        "at": record.created_at,
    }


def history_frame(refits: Sequence[RefitRecord], labels: LabelSet) -> pl.DataFrame:
    """Return a row a refit that trained a classifier, or says why it could not, oldest first."""
    schema: dict[str, Any] = {
        "round": pl.Int64(),
        "labels": pl.Int64(),
        "alike": pl.Int64(),
        "weak_labels": pl.Int64(),
        "strategy": pl.String(),
        **dict.fromkeys(SCORES, pl.Float64()),
        "judged": pl.Int64(),
        "agreement": pl.Float64(),
        "uncertainty": pl.Float64(),
        "seconds": pl.Float64(),
    }
    schema |= {f"asked_{name}": pl.Int64() for name in labels.names}
    schema |= {f"{score}_{name}": pl.Float64() for score in BY_CLASS for name in labels.names}
    schema |= {
        "shares": pl.List(pl.Struct({"strategy": pl.String(), "share": pl.Float64()})),
        "notes": pl.List(pl.String()),
        "at": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(
        [history_row(record, labels) for record in refits if record.metrics["trained"] or record.metrics.get("failed")],
        schema=schema,
    )
