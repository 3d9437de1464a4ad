"""What a stream trains from its ledger: the same again whenever it is called for the same refit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from labeling.arrays import FloatArray
from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.default import default_classifier
from labeling.classifiers.features.text import Features, Matrix
from labeling.classifiers.text_and_tables import TableClassifier, TextClassifier
from labeling.classifiers.trainable import attempt, probed
from labeling.loops.rounds.item_features import content
from labeling.loops.stream.decide import StreamSettings
from labeling.loops.stream.learning import REACH, Anchor, Given, Learned, Lesson, Online, Refits
from labeling.loops.stream.online import OnlineModel, begin_online
from labeling.loops.stream.recall import Recall
from labeling.store.holdout import holdout_ids

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


SEEN = 1000
"""Vocabulary and scales are learned from so many of the newest records beside the answered ones."""


def learn(
    store: ProjectStore,
    loop_id: int,
    settings: StreamSettings,
    lesson: Lesson,
    text: str | None,
    before: Learned | None = None,
    recall: Recall | None = None,
) -> Learned:
    """Train on the newest answers as a lesson has them.

    Parameters
    ----------
    text
        The column that holds the text.
    before
        What was learned last, which online learning goes on from where it can; without it, from the anchor.
    recall
        Items that were read for the refit before.
    """
    online = isinstance(settings.learning, Online)
    models: tuple[Model, ...] = ()
    features: Features | None = None
    seen: set[int] = set()
    with store.ledger.view():
        classifier, columns = classifier_of(store, settings, text), store.items.columns()
        held = holdout_ids(store.ledger)
        given = _given(store, settings, lesson, lesson.anchor if online else None, held)
        if not given:
            return Learned(None, (), lesson.label_ids, 0)
        recall = recall or Recall(store)
        if online and before is not None and before.goes_on(lesson, given):
            features, models, fresh = before.features, before.models, given[len(before.given) :]
            frame = recall.few({item for _, item, _ in fresh})
        else:
            fresh, position = given, lesson.position if lesson.anchor is None else lesson.anchor.position
            seen = _newest(store, loop_id, position) - held
            frame = recall.some(seen.union(item for _, item, _ in given))
    rows = {item: row for row, item in enumerate(frame["item_id"].to_list())}
    fresh = tuple(one for one in fresh if one[1] in rows)
    if not fresh and not models:
        return Learned(None, (), lesson.label_ids, 0)
    visible, failures = content(frame, columns), list[str]()
    if features is None:
        # Online, what is answered later may not change the vocabulary of what was learned before.
        early = (
            {item for _, item, _ in given[: max(1, lesson.anchor.answers)]} if online and lesson.anchor else set(rows)
        )
        from_ = np.array([item in seen or item in early for item in rows])
        features = classifier.learn_features(visible, text=text, learn_from=from_)
    X = features.transform(visible)
    if online:
        known = models
        found = attempt(
            lambda: _one_by_one(classifier, known, X, rows, fresh, lesson.label_ids, settings.seed),
            classifier,
            len(given),
            failed=failures.append,
        )
        models = found or ()
    else:
        learning = settings.learning
        lives = learning.lives(text is not None) if isinstance(learning, Refits) else ()
        models = _remembering(classifier, lives, X, rows, fresh, lesson.label_ids, settings.seed, failures.append)
    if not models:
        return Learned(None, (), lesson.label_ids, len(given), note=failures[-1])
    losses = lesson.losses if len(lesson.losses) == len(models) else (0.0,) * len(models)
    return Learned(features, models, lesson.label_ids, len(given), losses, given, lesson.anchor)


def classifier_of(store: ProjectStore, settings: StreamSettings, text: str | None) -> Classifier:
    """Return the classifier of a stream: the one it was made with, else what suits its columns."""
    if settings.classifier is not None:
        return settings.classifier
    if text is not None:
        return TextClassifier()
    chosen = default_classifier(dict(store.items.columns().dtypes), settings.strategy, text=text)
    # What is learned from few answers of late should follow them closely.
    return replace(chosen, C=10.0) if isinstance(chosen, TableClassifier) else chosen


def _given(
    store: ProjectStore, settings: StreamSettings, lesson: Lesson, anchor: Anchor | None, held: frozenset[int]
) -> Given:
    """Return the answers of a lesson: those of its classes, to items outside the hold-out that are still there."""
    since = max(lesson.since, 0 if anchor is None else anchor.annotation)
    with store.ledger.read() as connection:
        found = store.ledger.streams.training(connection, lesson.saw, since, settings.memory)
    held, labels = holdout_ids(store.ledger), store.label_set
    current = {id_: labels.classes[position].id for id_, position in labels.positions().items()}
    now = ((annotation, item, current.get(label, label)) for annotation, item, label in found)
    return tuple(one for one in now if one[2] in lesson.label_ids and one[1] not in held)


def _newest(store: ProjectStore, loop_id: int, position: int) -> set[int]:
    """Return the newest records before a position."""
    with store.ledger.read() as connection:
        return set(store.ledger.streams.items(connection, loop_id, max(0, position - SEEN), position))


def _remembering(
    classifier: Classifier,
    lives: Sequence[float],
    X: Matrix,
    rows: Mapping[int, int],
    given: Given,
    label_ids: Sequence[int],
    seed: int,
    failed: Callable[[str], None],
) -> tuple[Model, ...]:
    """Train a model for each memory, the one that remembers all last; those that cannot be trained are left out."""
    one_hot = dict(zip(label_ids, np.eye(len(label_ids)), strict=True))
    votes: dict[int, FloatArray] = {}
    for _, item, label in given:
        # Taken out and put back: the order is that of the newest answer to each item.
        votes[item] = votes.pop(item, 0.0) + one_hot[label]
    near = np.array([rows[item] for item in votes])
    targets = np.stack([vote / vote.sum() for vote in votes.values()])
    age = np.arange(len(near))[::-1].astype(np.float64)
    models = []
    for life in lives:
        kept = age < REACH * life
        weights = 0.5 ** (age[kept] / life)
        models.append(_trained(classifier, X[near[kept]], targets[kept], weights, seed, failed=failed))
    models.append(_trained(classifier, X[near], targets, None, seed, failed=failed))
    return tuple(model for model in models if model is not None)


def _trained(
    classifier: Classifier,
    X: Matrix,
    targets: FloatArray,
    weights: FloatArray | None,
    seed: int,
    *,
    failed: Callable[[str], None],
) -> Model | None:
    def train() -> Model:
        return probed(classifier.fit(X, targets, weights, seed=seed), X, targets.shape[1])

    return attempt(train, classifier, X.shape[0], failed=failed)


def _one_by_one(
    classifier: Classifier,
    models: tuple[Model, ...],
    X: Matrix,
    rows: Mapping[int, int],
    given: Given,
    label_ids: Sequence[int],
    seed: int,
) -> tuple[Model, ...]:
    """Go on with the model from each answer in turn, or begin one."""
    model = models[0] if models else begin_online(classifier, len(label_ids), seed=seed)
    if not isinstance(model, OnlineModel):
        raise TypeError(f"Online learning goes on with an OnlineModel, got {model!r}.")
    place = np.array([rows[item] for _, item, _ in given], dtype=np.int64)
    labels = np.array([label_ids.index(label) for _, _, label in given], dtype=np.int64)
    return (model.after(X[place], labels),)
