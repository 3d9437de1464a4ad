"""What a stream learns: a classifier from the newest answers, and whether their errors became more frequent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.classifiers import Classifier, Model, TextClassifier, default_classifier
from labeling.drift import Rise, error_rise
from labeling.features import Features
from labeling.stream_state import StreamSettings
from labeling.votes import holdout_ids

if TYPE_CHECKING:
    from labeling.project import Project
    from storage.records import StreamAnswer

FloatArray = npt.NDArray[np.float64]

SEEN = 1000
"""Vocabulary and scales are learned from so many of the newest records beside the answered ones."""

ANSWERS_COMPARED = 500
"""Errors are compared over so many of the newest answers."""

LARGEST_GAP = 200


@dataclass(frozen=True)
class Learned:
    """A trained classifier, and which ids its classes have; `model` is None while nothing is answered."""

    features: Features | None
    model: Model | None
    label_ids: tuple[int, ...]
    answers: int

    def predict(self, frame: pl.DataFrame) -> FloatArray:
        """(n, k) probabilities of records; uniform without a model."""
        if self.features is None or self.model is None:
            k = len(self.label_ids)
            return np.full((frame.height, k), 1.0 / k)
        return np.asarray(self.model.predict_proba(self.features.transform(frame)), dtype=np.float64)


def gap(answers: int) -> int:
    """Return how many new answers it takes to learn again: each at first, an eighth more later.

    Examples
    --------
    >>> [gap(answers) for answers in (0, 10, 100, 10_000)]
    [1, 1, 12, 200]
    """
    return min(max(1, answers // 8), LARGEST_GAP)


def learn(
    project: Project,
    loop_id: int,
    settings: StreamSettings,
    label_ids: Sequence[int],
    *,
    saw: int,
    position: int,
    since: int,
    text: str | None,
) -> Learned:
    """Train on the newest answers as they stood after the write `saw`; the same again whenever it is called.

    Parameters
    ----------
    position
        Records up to this place were seen: vocabulary and scales are learned from the newest of them too.
    since
        Answers of a lower annotation id are left out: what they say was before a drift.
    text
        The column that holds the text.
    """
    ids = tuple(label_ids)
    streams = project.ledger.streams
    with project.ledger.read() as connection:
        given = streams.training(connection, saw, since, settings.memory)
        seen = streams.decisions(connection, loop_id, max(0, position - SEEN), position)
    held = holdout_ids(project.ledger)
    place = {label: k for k, label in enumerate(ids)}
    votes: dict[int, FloatArray] = {}
    for _, item, label in given:
        if label in place and item not in held:
            votes.setdefault(item, np.zeros(len(ids)))[place[label]] += 1.0
    if not votes:
        return Learned(None, None, ids, 0)
    wanted = sorted(votes.keys() | {row.item_id for row in seen if row.item_id not in held})
    frame = project.item_store.some(wanted)
    rows = [row for row, item in enumerate(frame["item_id"].to_list()) if item in votes]
    if not rows:
        return Learned(None, None, ids, 0)
    targets = np.stack([votes[item] for item in frame["item_id"].gather(rows).to_list()])
    targets /= targets.sum(axis=1, keepdims=True)
    frame = frame.drop("item_id")
    classifier = classifier_of(project, settings, text)
    features = classifier.learn_features(frame, text=text)
    model = classifier.fit(features.transform(frame)[np.array(rows)], targets, seed=settings.seed)
    return Learned(features, model, ids, len(given))


def classifier_of(project: Project, settings: StreamSettings, text: str | None) -> Classifier:
    """Return the classifier of a stream: the one it was made with, else what suits its columns."""
    if settings.classifier is not None:
        return settings.classifier
    if text is not None:
        return TextClassifier()
    return default_classifier(project.columns, settings.strategy, text=text)


def rise_of(answers: Sequence[StreamAnswer]) -> tuple[Rise, int] | None:
    """Return where answers began to contradict the model more often, and from which annotation on."""
    judged = [answer for answer in answers if answer.predicted is not None]
    found = error_rise([answer.predicted != answer.label_id for answer in judged])
    return None if found is None else (found, judged[found.start].annotation_id)


def drift_of(rise: Rise, since: int) -> dict[str, Any]:
    """Return a rise of errors as the ledger keeps it."""
    return {"on": "error", "before": round(rise.before, 4), "after": round(rise.after, 4), "since": since}
