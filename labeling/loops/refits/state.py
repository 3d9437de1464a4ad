"""What the ledger held when a refit began, as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.arrays import BoolArray, FloatArray, IntArray, to_positions
from labeling.people.annotations import counted
from labeling.store.holdout import holdout_ids
from labeling.store.items import Items
from labeling.store.label_set import LabelSet
from labeling.store.overlap import Overlap, overlap_of
from labeling.tasks import single
from labeling.weak_labels.run import WeakRun
from storage import ANSWERS

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AnnotationRecord, RefitRecord


@dataclass(frozen=True)
class State:
    """The ledger as a refit sees it: arrays over all items, in item order.

    `human` (n, k) holds the shares of people's answers, zero where there are none;
    `asked` are the rows that somebody holds and nobody answered;
    `busy` counts items that are held or were skipped: a ranking reaches so much further;
    `welcome` marks those that a person said belong here; `alike` counts answers taken over for near-duplicates.
    """

    ids: IntArray
    human: FloatArray
    open: BoolArray
    held: BoolArray
    gold: IntArray
    saw: int
    asked: IntArray
    busy: int
    welcome: BoolArray
    alike: int
    inputs: Mapping[str, Any]


def read_state(ledger: Ledger, items: Items, labels: LabelSet, weak: WeakRun | None) -> State:
    """Read everything a refit depends on, as of one write."""
    saw = ledger.version()
    ids = items.frame()["item_id"].to_numpy()
    positions = labels.positions()
    human = np.zeros((len(ids), len(labels.classes)))
    still_open = np.ones(len(ids), dtype=bool)
    leased = ledger.leases.items()
    newest, busy, alike = 0, len(leased), 0
    records = _counted(ledger.annotations.current(until=saw), overlap_of(ledger))
    rows = rows_of(np.array([record.item_id for record in records], dtype=np.int64), ids)
    for record, row in zip(records, rows.tolist(), strict=True):
        newest = max(newest, record.seq)
        if row < 0 or record.kind == "skip":
            busy += record.kind == "skip"
            continue
        still_open[row] = False
        alike += record.kind == "answer" and record.origin == "alike"
        said = single.position(record, positions)
        if said is not None:
            human[row, said] += 1
    human /= np.maximum(human.sum(axis=1, keepdims=True), 1)
    held_ids = holdout_ids(ledger)
    held = np.zeros(len(ids), dtype=bool)
    there = rows_of(np.fromiter(held_ids, dtype=np.int64, count=len(held_ids)), ids)
    held[there[there >= 0]] = True
    inputs = {
        "annotations": [newest, int((~still_open).sum())],
        "items": items.version,
        "weak_run": None if weak is None else weak.number,
        "label_set": labels.version,
        "holdout": len(held_ids),
    }
    welcome, belongs = np.zeros(len(ids), dtype=bool), ledger.annotations.welcome()
    if filters := ledger.functions.filters():
        inputs["filters"] = [[record.name, record.created_at.isoformat()] for record in filters]
    if belongs:
        there = rows_of(np.fromiter(sorted(belongs), dtype=np.int64, count=len(belongs)), ids)
        welcome[there[there >= 0]] = True
        inputs["welcome"] = [len(belongs), sum(belongs)]
    still_open &= ~held
    asked = rows_of(np.array(sorted(leased), dtype=np.int64), ids)
    asked = asked[asked >= 0]
    asked = asked[still_open[asked]]
    gold = to_positions(items.gold(ids), positions)
    return State(ids, human, still_open, held, gold, saw, asked, busy, welcome, alike, inputs)


def _counted(records: Sequence[AnnotationRecord], overlap: Overlap) -> list[AnnotationRecord]:
    """Return the annotations, in item order, without answers that came late where others count."""
    if not any(record.late for record in records):
        return list(records)
    found = []
    for item, each in groupby(records, key=lambda record: record.item_id):
        same = list(each)
        found += [record for record in same if record.kind not in ANSWERS]
        found += counted([record for record in same if record.kind in ANSWERS], overlap.wanted(item))
    return found


def rows_of(items: IntArray, ids: IntArray) -> IntArray:
    """Return the place of each item among the sorted ids, -1 where it is not among them.

    Examples
    --------
    >>> rows_of(np.array([7, 4, 5]), np.array([4, 7]))
    array([ 1,  0, -1])
    """
    if not len(ids):
        return np.full(len(items), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, items), len(ids) - 1)
    return np.where(ids[place] == items, place, -1)


def unchanged(refit: RefitRecord, state: State) -> bool:
    """Tell whether a refit saw all that `state` holds."""
    return bool(refit.metrics.get("inputs") == json.loads(json.dumps(dict(state.inputs))))
