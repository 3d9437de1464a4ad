"""What the newest weak run and the newest classifier say of items, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray, to_positions, unpack
from labeling.labels.tempering import led_by
from labeling.loops.refits.predictions import PACKED, PREDICTIONS
from labeling.loops.rounds import distributions

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from labeling.store.label_set import LabelSet
    from labeling.weak_labels.run import WeakRun
    from storage.ledger import Ledger


@dataclass(frozen=True)
class Told:
    """Labels of one source.

    Attributes
    ----------
    ids
        (n,) items with a label, ascending.
    positions
        (n,) class positions.
    proba
        (n, k) distributions, the label ahead in each; None where only the label's own probability is known.
    stated
        (n,) what the source gives its label.
    filled
        (n,) labels that no vote decided: a class that fills silence.
    at
        When it was computed.
    """

    ids: IntArray
    positions: IntArray
    proba: FloatArray | None
    stated: FloatArray
    filled: BoolArray
    at: datetime


@dataclass(frozen=True)
class Predictions:
    """Labels of a classifier, and what it said without knowing the answers.

    Attributes
    ----------
    now
        The labels.
    folds
        Items and (f, k) distributions by classifiers that had not seen their answers, nan where there is none
        yet; None where the refit kept none. All other items the classifier had no answer of.
    """

    now: Told
    folds: tuple[IntArray, FloatArray] | None


def weak_told(run: WeakRun, gone: Collection[int] = ()) -> Told:
    """Return what a weak run says of the items that it gives a label, without those that are `gone`."""
    ids, weak = run.arrays()
    rows = weak_rows(run, gone)
    positions = weak.positions[rows].astype(np.int64)
    total = weak.proba[rows].sum(axis=1, keepdims=True)
    proba = led_by(weak.proba[rows] / np.where(total > 0, total, 1.0), positions)
    stated = proba[np.arange(len(rows)), positions]
    return Told(ids[rows], positions, proba, stated, weak.weight[rows] == 0, run.created_at)


def weak_rows(run: WeakRun, gone: Collection[int] = ()) -> IntArray:
    """Return where in a weak run the items stand that it gives a label, without those that are `gone`."""
    ids, weak = run.arrays()
    return np.flatnonzero((weak.positions != NO_VOTE) & ~among(ids, gone))


def model_count(ledger: Ledger, labels: LabelSet) -> int:
    """Return how many items the classifier of the newest refit gives a label; its distributions stay unread."""
    found = ledger.loops.last_predictions(distributions=False)
    return 0 if found is None else len(_known_rows(found[1], ledger, labels)[2])


def _known_rows(packed: bytes, ledger: Ledger, labels: LabelSet) -> tuple[npt.NDArray[np.void], IntArray, IntArray]:
    """Return the predictions of a refit, class positions (n,), and which rows name a class and an item that stay."""
    table = unpack(packed, PACKED).view(PREDICTIONS)
    positions = to_positions(table["label"].astype(np.int64), labels.positions())
    gone = among(table["item"].astype(np.int64), ledger.items.withdrawn())
    return table, positions, np.flatnonzero((positions >= 0) & ~gone)


def model_told(ledger: Ledger, labels: LabelSet) -> Predictions | None:
    """Return what the classifier of the newest refit says, in one read; None where none was trained."""
    found = ledger.loops.last_predictions()
    if found is None:
        return None
    refit, packed, blocks = found
    known, k = labels.positions(), len(labels.classes)
    table, positions, rows = _known_rows(packed, ledger, labels)
    positions, ids = positions[rows], table["item"][rows].astype(np.int64)
    stated = table["confidence"][rows].astype(np.float64)
    kept = distributions.read(blocks, distributions.MODEL, refit.label_ids, known, k)
    proba = None
    if kept is not None:
        proba = led_by(kept[1][rows], positions)
    elif len(refit.label_ids) == 2 and set(refit.label_ids) <= set(known):
        proba = led_by(_of_two(positions, stated, [known[label] for label in refit.label_ids], k), positions)
    if proba is not None:
        stated = proba[np.arange(len(rows)), positions]
    told = Told(ids, positions, proba, stated, np.zeros(len(rows), dtype=bool), refit.created_at)
    folds = distributions.read(blocks, distributions.FOLDS, refit.label_ids, known, k)
    if folds is None and kept is not None:
        folds = np.zeros(0, dtype=np.int64), np.zeros((0, k))
    return Predictions(told, folds)


def among(ids: IntArray, items: Collection[int]) -> BoolArray:
    """(n,) which of the ids are among the items."""
    if not items:
        return np.zeros(len(ids), dtype=bool)
    return np.isin(ids, np.fromiter(items, dtype=np.int64, count=len(items)))


def _of_two(positions: IntArray, stated: FloatArray, classes: list[int], k: int) -> FloatArray:
    """(n, k) distributions over the two classes that there were: the other one has what the label leaves."""
    proba = np.zeros((len(positions), k))
    proba[:, classes] = (1 - stated)[:, None]
    proba[np.arange(len(positions)), positions] = stated
    return proba
