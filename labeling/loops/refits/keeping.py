"""What a refit keeps for `Project.labels`: each item's class distribution, and what is known out of sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from labeling.arrays import FloatArray, IntArray
from labeling.loops.refits.cross_fitting import OutOfFold, out_of_fold
from labeling.loops.rounds.distributions import FOLDS, MODEL, blocks, in_pieces, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labeling.loops.rounds.learning import Learning
    from labeling.store.label_set import LabelSet
    from storage.ledger import Ledger
    from storage.records import RefitBlock, RefitRecord


def checked(
    learning: Learning, group: IntArray, ledger: Ledger, last: RefitRecord | None, labels: LabelSet
) -> OutOfFold:
    """Return what classifiers say of answered items out of sample, going on from the refit before where that helps.

    `group` (n,) tells which items no fold may split.
    """
    named = learning.ids[group]
    return out_of_fold(learning, named, lambda rows: _before(learning.ids[rows], ledger, last, labels))


def kept(ids: IntArray, pieces: Sequence[tuple[int, bytes]], known: OutOfFold) -> list[RefitBlock]:
    """Return the blocks of a refit: the distributions of all items, and those of answered items out of sample."""
    return [*blocks(MODEL, ids, pieces), *blocks(FOLDS, ids[known.rows], in_pieces(known.proba))]


def _before(items: IntArray, ledger: Ledger, last: RefitRecord | None, labels: LabelSet) -> FloatArray:
    """(r, k) what was known of items out of sample at the refit before; nan where nothing was.

    What was not answered then, its model had not seen.
    """
    k = len(labels.classes)
    said = np.full((len(items), k), np.nan)
    stored = [] if last is None else ledger.loops.refit_blocks(last.id)
    if last is None or not stored:
        return said
    for kind in (MODEL, FOLDS):
        found = read(stored, kind, last.label_ids, labels.positions(), k)
        if found is None:
            continue
        place = np.minimum(np.searchsorted(found[0], items), len(found[0]) - 1)
        there = found[0][place] == items
        said[there] = found[1][place[there]]
    return said
