"""What people said, item by item and as it was said, and what is known of items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import FloatArray
from labeling.people.annotations import counted
from labeling.store.label_set import LabelSet
from labeling.store.overlap import overlap_of
from labeling.tasks import single
from labeling.tasks.label_frame import label_frame, schema
from labeling.votes.matrix import LabelMatrix
from storage import ANSWERS

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AnnotationRecord


SHARED_ITEMS = 20
"""So many items need answers of several people before people are weighed."""

TIE = 1e-6
"""The newest answer counts so much more than one, so that of classes named as often its own is ahead."""


def human_labels(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item that people answered: the label most of them gave, a tie goes to the newest answer.

    `probabilities` are the shares of the answers, `confidence` that of the label; where several classes were named
    as often, the newest answer counts a millionth more. Where enough items have answers of several people to tell
    who is right how often, those items go by the weighed answers instead (Dawid and Skene): by their posterior.
    Unsure, skipped and discarded are no labels.
    """
    known, k = labels.positions(), len(labels.classes)
    overlap = overlap_of(ledger)
    given: dict[int, list[AnnotationRecord]] = {}
    for record in ledger.annotations.current():
        if record.kind in ANSWERS:
            given.setdefault(record.item_id, []).append(record)
    answers = {}
    for item, records in given.items():
        naming = [
            record for record in counted(records, overlap.wanted(item)) if single.position(record, known) is not None
        ]
        if naming:
            answers[item] = naming
    said = np.zeros((len(answers), k))
    for row, records in zip(said, answers.values(), strict=True):
        row += single.merged(records, known)
        if len(ahead := np.flatnonzero(row == row.max())) > 1:
            newest = {single.position(each, known): each.id for each in sorted(records, key=lambda each: each.id)}
            row[max(ahead.tolist(), key=newest.__getitem__)] += TIE
    said /= said.sum(axis=1, keepdims=True)
    weighed = _weighed(answers, labels)
    for place, item in enumerate(answers):
        said[place] = weighed.get(item, said[place])
    best = said.argmax(axis=1) if answers else np.zeros(0, dtype=np.int64)
    frame = label_frame(
        np.array([*answers], dtype=np.int64),
        best,
        "human",
        said[np.arange(len(said)), best],
        labels.names,
        said,
        None,
        None,
        None,
    )
    people = [sorted({record.annotator or "erased" for record in records}) for records in answers.values()]
    last = [max(record.created_at for record in records) for records in answers.values()]
    columns = schema(labels.names)
    return frame.with_columns(
        pl.Series("annotators", people, dtype=columns["annotators"]),
        pl.Series("labeled_at", last, dtype=columns["labeled_at"]),
    )


def _weighed(answers: dict[int, list[AnnotationRecord]], labels: LabelSet) -> dict[int, FloatArray]:
    """Return (k,) posteriors of the items that several people answered, each weighed by what they are worth."""
    from labeling.votes.label_models.dawid_skene import DawidSkene

    names = labels.names_by_id()
    shared = {item for item, records in answers.items() if len(records) > 1}
    if len(shared) < SHARED_ITEMS:
        return {}
    given = [
        (item, str(record.annotator), str(single.name_of(record, names)))
        for item, records in answers.items()
        for record in records
    ]
    matrix = LabelMatrix.from_answers(
        [item for item, _, _ in given], [who for _, who, _ in given], [said for _, _, said in given], labels.names
    )
    result = DawidSkene().fit(matrix).label(matrix)
    return {
        int(item): result.proba[row]
        for row, (item, position) in enumerate(zip(matrix.item_ids, result.positions.tolist(), strict=True))
        if int(item) in shared and position >= 0
    }
