"""What people said, item by item and as it was said, and how often each of them is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import FloatArray
from labeling.people.annotations import counted
from labeling.store.label_set import LabelSet
from labeling.store.overlap import overlap_of
from labeling.store.snapshots import cached
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


Given = dict[int, list["AnnotationRecord"]]
"""The answers that count and name a class, by item."""


@dataclass(frozen=True)
class Weighed:
    """Answers of several people, each weighed by what whoever gave it is worth.

    Attributes
    ----------
    posteriors
        (k,) class probabilities by item, for those that several people answered.
    accuracy
        How often each person is right, as far as can be told; of those only who share items with others.
    """

    posteriors: Mapping[int, FloatArray]
    accuracy: Mapping[str, float]


def human_labels(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return one row an item that people answered: the label most of them gave, a tie goes to the newest answer.

    `probabilities` are the shares of the answers, `confidence` that of the label; where several classes were named
    as often, the newest answer counts a millionth more. Where enough items have answers of several people to tell
    who is right how often, those items go by the weighed answers instead (Dawid and Skene): by their posterior.
    Unsure, skipped and discarded are no labels. It is worked out once a version of the project.
    """
    return _consensus(ledger, labels)[0].clone()


def people(ledger: Ledger, labels: LabelSet) -> pl.DataFrame:
    """Return a row a person whose answers count, by name; see `Project.annotators`."""
    return _consensus(ledger, labels)[1].clone()


def _consensus(ledger: Ledger, labels: LabelSet) -> tuple[pl.DataFrame, pl.DataFrame]:
    def make() -> tuple[pl.DataFrame, pl.DataFrame]:
        answers = _answers(ledger, labels)
        weighed = _weighed(answers, labels)
        return _labels(answers, labels, weighed), _people(answers, weighed)

    return cached(ledger.place, "consensus", (ledger.version(), labels.version), make)


def _answers(ledger: Ledger, labels: LabelSet) -> Given:
    known, overlap = labels.positions(), overlap_of(ledger)
    given: Given = {}
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
    return answers


def _labels(answers: Given, labels: LabelSet, weighed: Weighed) -> pl.DataFrame:
    known, k = labels.positions(), len(labels.classes)
    said = np.zeros((len(answers), k))
    for row, records in zip(said, answers.values(), strict=True):
        row += single.merged(records, known)
        if len(ahead := np.flatnonzero(row == row.max())) > 1:
            newest = {single.position(each, known): each.id for each in sorted(records, key=lambda each: each.id)}
            row[max(ahead.tolist(), key=newest.__getitem__)] += TIE
    said /= said.sum(axis=1, keepdims=True)
    for place, item in enumerate(answers):
        said[place] = weighed.posteriors.get(item, said[place])
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
    names = [sorted({_name(record) for record in records}) for records in answers.values()]
    last = [max(record.created_at for record in records) for records in answers.values()]
    columns = schema(labels.names)
    return frame.with_columns(
        pl.Series("annotators", names, dtype=columns["annotators"]),
        pl.Series("labeled_at", last, dtype=columns["labeled_at"]),
    )


def _people(answers: Given, weighed: Weighed) -> pl.DataFrame:
    counts: dict[str, list[int]] = {}
    for records in answers.values():
        for record in records:
            own = counts.setdefault(_name(record), [0, 0])
            own[0] += 1
            own[1] += len(records) > 1
    rows = [(name, given, shared, weighed.accuracy.get(name)) for name, (given, shared) in sorted(counts.items())]
    columns = {
        "annotator": pl.String(),
        "answers": pl.Int64(),
        "shared": pl.Int64(),
        "estimated_accuracy": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=columns, orient="row")


def _name(record: AnnotationRecord) -> str:
    # People whose names were erased stay as many as they were.
    return record.annotator or f"erased {record.annotator_id}"


def _weighed(answers: Given, labels: LabelSet) -> Weighed:
    """Weigh the answers where enough items have several; nothing is weighed where they have not."""
    from labeling.votes.label_models.dawid_skene import DawidSkene

    names = labels.names_by_id()
    shared = {item for item, records in answers.items() if len(records) > 1}
    if len(shared) < SHARED_ITEMS:
        return Weighed({}, {})
    given = [
        (item, _name(record), str(single.name_of(record, names)))
        for item, records in answers.items()
        for record in records
    ]
    matrix = LabelMatrix.from_answers(
        [item for item, _, _ in given], [who for _, who, _ in given], [said for _, _, said in given], labels.names
    )
    model = DawidSkene().fit(matrix)
    result = model.label(matrix)
    posteriors = {
        int(item): result.proba[row]
        for row, (item, position) in enumerate(zip(matrix.item_ids, result.positions.tolist(), strict=True))
        if int(item) in shared and position >= 0
    }
    compared = {_name(record) for item in shared for record in answers[item]}
    learned = model.fitted.accuracy if model.fitted is not None else None
    accuracy = [] if learned is None else zip(matrix.sources, learned.tolist(), strict=True)
    return Weighed(posteriors, {source.name: right for source, right in accuracy if source.name in compared})
