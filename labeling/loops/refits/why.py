"""Why items are asked: kept with the ranking, so that a page needs no model to say it, now or later."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.arrays import NO_VOTE, IntArray
from labeling.loops.records import Near, Why
from labeling.store.near_duplicates import near_duplicates_of
from labeling.tasks import single
from storage.records import QueryRecord
from strategies.geometry import is_sparse
from strategies.outliers import unit_rows

if TYPE_CHECKING:
    from labeling.loops.refits.refit import Refitting

Json = dict[str, Any]

NEAREST = 3
"""Labeled items that are kept as the nearest."""

ALIKE = 50
"""Near-duplicates that are kept, the most similar first."""

_ROWS = 256


def why_of(record: QueryRecord, names: Mapping[int, str]) -> Why | None:
    """Return why a query was asked by the present names of classes; None where that was not kept yet."""
    if record.why is None:
        return None
    votes = record.why.get("votes", {})
    nearest = record.why.get("nearest", [])
    return Why(
        strategy=record.strategy,
        score=record.score,
        parts=record.parts,
        predicted=None if record.predicted is None else names.get(record.predicted),
        probabilities=single.added(record.probabilities, names),
        votes={function: names[label] for function, label in votes.items() if label in names},
        nearest=tuple(Near(item, similar, names[label]) for item, similar, label in nearest if label in names),
        alike=tuple((int(item), float(similar)) for item, similar in record.why.get("alike", [])),
    )


def with_reasons(ranking: bytes, refitting: Refitting) -> bytes:
    """Return a committed ranking with, for each pick, the rules' votes, the nearest labeled items and its likes."""
    picks = json.loads(zlib.decompress(ranking))
    if not picks:
        return ranking
    rows = np.searchsorted(refitting.state.ids, [pick[0] for pick in picks])
    reasons: list[Json] = [{} for _ in picks]
    for name, found in (
        ("votes", _votes(refitting, rows)),
        ("nearest", _nearest(refitting, rows)),
        ("alike", _alike(refitting, rows)),
    ):
        for reason, value in zip(reasons, found, strict=True):
            if value:
                reason[name] = value
    whole = [[*pick[:6], reason] for pick, reason in zip(picks, reasons, strict=True)]
    return zlib.compress(json.dumps(whole).encode(), 1)


def _votes(refitting: Refitting, rows: IntArray) -> list[dict[str, int]]:
    """Return the class id that each function votes for, those left out that abstain."""
    matrix = refitting.learning.votes
    if matrix is None:
        return [{} for _ in rows]
    names = [info.name for info in refitting.store.functions.infos(refitting.labels)]
    ids = refitting.labels.ids
    return [
        {name: int(ids[vote]) for name, vote in zip(names, row.tolist(), strict=True) if vote != NO_VOTE}
        for row in matrix()[rows]
    ]


def _nearest(refitting: Refitting, rows: IntArray) -> list[list[tuple[int, float, int]]]:
    """Return item, similarity and class id of the labeled items nearest to each row."""
    learning, state = refitting.learning, refitting.state
    labeled = learning.labeled
    none: list[list[tuple[int, float, int]]] = [[] for _ in rows]
    if not len(labeled) or not learning.trains:
        return none
    features = learning.features()
    asked, known = features[rows], features[labeled]
    if asked.ndim != 2 or not np.issubdtype(asked.dtype, np.floating):
        return none
    asked, known = unit_rows(asked), unit_rows(known)
    label = np.array(refitting.labels.ids)[learning.human[labeled].argmax(axis=1)]
    found = []
    for top in range(0, len(rows), _ROWS):
        block = asked[top : top + _ROWS] @ known.T
        block = block.toarray() if is_sparse(block) else np.asarray(block)
        for similar in block:
            count = min(NEAREST, len(similar))
            best = np.flatnonzero(similar >= np.partition(similar, -count)[-count])
            best = best[np.lexsort((best, -similar[best]))][:count]
            found.append(
                [
                    (int(state.ids[labeled[i]]), round(float(min(similar[i], 1.0)), 4), int(label[i]))
                    for i in best
                    if similar[i] > 0
                ]
            )
    return found


def _alike(refitting: Refitting, rows: IntArray) -> list[list[tuple[int, float]]]:
    """Return item and similarity of the near-duplicates of each row that may still be asked."""
    near = near_duplicates_of(refitting.store.items)
    if near is None:
        return [[] for _ in rows]
    ids = refitting.state.ids
    return [
        [(int(ids[other]), round(similar, 4)) for other, similar in likes]
        for likes in near.alike_each(rows, refitting.state.open, most=ALIKE)
    ]
