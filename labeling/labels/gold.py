"""Known answers as labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, to_positions
from labeling.store.holdout import holdout_ids
from labeling.store.items import known_truths
from labeling.store.label_set import LabelSet
from labeling.tasks.label_frame import label_frame

if TYPE_CHECKING:
    from storage.ledger import Ledger


def gold_labels(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item whose truth is known; `role` is development or holdout."""
    items, label_ids = known_truths(ledger)
    positions = to_positions(label_ids, labels.positions())
    items, positions = items[positions != NO_VOTE], positions[positions != NO_VOTE]
    frame = label_frame(
        items,
        positions,
        "gold",
        np.ones(len(items)),
        labels.names,
        np.eye(len(labels.classes))[positions],
        None,
        None,
        None,
    )
    held = pl.col("item_id").is_in(sorted(holdout_ids(ledger)))
    return frame.with_columns(pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("development")).alias("role"))
