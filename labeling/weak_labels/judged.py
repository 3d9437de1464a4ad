"""The label matrix with all that label models may know: development gold, and what people say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.people.consensus import human_labels
from labeling.store.holdout import holdout_ids
from labeling.votes.matrix import LabelMatrix

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.project_store import ProjectStore


def judged_matrix(store: ProjectStore, executor: Engine = None) -> LabelMatrix:
    """Return what every labeling function votes on every item, with what is known of them."""
    return _judged(store, store.functions.matrix(store.label_set, progress=True, executor=executor))


def voted(store: ProjectStore, versions: Sequence[str]) -> LabelMatrix:
    """Return what functions voted as they were: `versions` are texts such as "politics@2"."""
    return _judged(store, store.functions.matrix_of(versions, store.label_set))


def _judged(store: ProjectStore, matrix: LabelMatrix) -> LabelMatrix:
    held = holdout_ids(store.ledger)
    human = human_labels(store.ledger, store.label_set).filter(~pl.col("item_id").is_in(list(held)))
    if human.is_empty() or matrix.gold is None:
        return matrix
    known = dict(human.select("item_id", "label").iter_rows())
    rows = np.flatnonzero(np.isin(matrix.item_ids, list(known)))
    gold = matrix.gold.copy()
    # What people say now outranks what came with the import.
    gold[rows] = [matrix.labels.index(known[int(item)]) for item in matrix.item_ids[rows]]
    return matrix.with_gold(gold)
