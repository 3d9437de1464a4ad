"""Where a stream stands: what decides about the next record, as the ledger has it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeling.arrays import FloatArray
from labeling.classifiers.base import Classifier
from labeling.loops.drift.detectors import WINDOW, Change, DriftDetector, Signal, Trail
from labeling.loops.drift.features import feature_change
from labeling.loops.stream.learning import StreamLearning
from strategies import Budget, BudgetState, Pool, Strategy, draws

Json = dict[str, Any]

CHECK = 50
"""Confidence and features are compared before every record whose position is a multiple of this."""

CHECKPOINT = 256
"""After so many single decisions the budget's state is kept, so that little is decided again on opening."""

TOP_CLASSES = 5


@dataclass(frozen=True)
class StreamSettings:
    """What a stream was made with; see `Project.stream_loop`."""

    strategy: Strategy
    budget: Budget
    classifier: Classifier | None
    seed: int
    text: str | None
    memory: int
    boost: float
    boost_records: int
    drift: tuple[DriftDetector, ...]
    learning: StreamLearning

    def watching(self, on: Signal) -> tuple[DriftDetector, ...]:
        """Return the detectors that look at a signal."""
        return tuple(detector for detector in self.drift if detector.on == on)

    def memory_of(self, on: Signal) -> int:
        """Return how many of the latest values of a signal its detectors need, 0 without one."""
        return max((detector.memory for detector in self.watching(on)), default=0)

    def boost_at(self, position: int, until: int) -> float:
        """Return what the promised share is multiplied by at a position."""
        return self.boost if position < until else 1.0


@dataclass(frozen=True)
class Frontier:
    """Everything that the decision about the next record depends on, the model apart.

    Attributes
    ----------
    position
        Records offered so far: the place of the next one.
    budget
        The state of the budget.
    confidences
        Those since the newest drift, and since the model became another one.
    records
        What the records themselves hold, since the newest drift.
    boost_until
        The share is boosted up to this position.
    """

    position: int
    budget: BudgetState
    confidences: Trail = field(default_factory=Trail)
    records: Trail = field(default_factory=Trail)
    boost_until: int = 0

    def after(self, confidences: Sequence[float], rows: Sequence[Json], budget: BudgetState) -> Frontier:
        """Return the frontier after so many more records; rows are empty where nothing looks at them."""
        return replace(
            self,
            position=self.position + len(confidences),
            budget=budget,
            confidences=self.confidences.after(confidences),
            records=self.records.after(rows) if rows else self.records.restarted(),
        )

    def change(self, settings: StreamSettings, trained: bool) -> tuple[DriftDetector, Change] | None:
        """Return what a detector notices in confidences or records, where it is time to look."""
        if self.position % CHECK:
            return None
        for detector in settings.drift if trained else settings.watching("features"):
            found = None
            if detector.on == "confidence" and self.confidences.apart >= WINDOW:
                found = detector.look(self.confidences.reference, self.confidences.recent)
            if detector.on == "features":
                found = feature_change(detector, self.records)
            if found is not None:
                return detector, found
        return None


@dataclass(frozen=True)
class Plan:
    """Decisions about records in a row, what was noticed, and where the stream stands then."""

    decisions: list[Json]
    events: list[Json]
    frontier: Frontier


def decide(
    settings: StreamSettings,
    frontier: Frontier,
    proba: FloatArray,
    label_ids: Sequence[int],
    round_: int,
    keys: Sequence[str | None],
    saw: int,
    rows: Sequence[Json] = (),
) -> Plan:
    """Decide about records in a row: the same as one by one.

    Parameters
    ----------
    proba
        (n, k) probabilities of the classes `label_ids`; uniform where nothing is known.
    round_
        The refit that gave them, 0 before the first.
    keys
        (n,) of the records.
    saw
        The write up to which the ledger was read.
    rows
        (n,) what the records hold, for detectors that look at it; empty without one.
    """
    n = len(keys)
    # Products of matrices differ in their last bits with the number of rows.
    scores = settings.strategy.score(Pool(proba=proba, classes=len(label_ids))).round(6).tolist()
    confidence = proba.max(axis=1).round(6).tolist()
    chances = draws(settings.seed, frontier.position, n).tolist()
    made, boosts, events, start = [], [], [], 0
    states: dict[int, BudgetState] = {}
    while start < n:
        noticed = frontier.change(settings, bool(round_))
        if noticed is not None:
            events.append(_noticed(frontier, saw, *noticed))
            frontier = replace(
                frontier,
                confidences=frontier.confidences.restarted(),
                records=frontier.records.restarted(),
                boost_until=frontier.position + settings.boost_records,
            )
        boost = settings.boost_at(frontier.position, frontier.boost_until)
        stop = min(n, start + CHECK - frontier.position % CHECK)
        if frontier.position < frontier.boost_until:
            stop = min(stop, start + frontier.boost_until - frontier.position)
        part, budget = settings.budget.decide_many(
            frontier.budget, scores[start:stop], chances[start:stop], boost=boost
        )
        known = confidence[start:stop] if round_ else [0.0] * (stop - start)
        frontier = frontier.after(known, rows[start:stop], budget)
        made += part
        boosts += [boost] * (stop - start)
        if stop == n and (n > 1 or frontier.position % CHECKPOINT == 0):
            states[n - 1] = budget
        start = stop
    first, best = frontier.position - n, proba.argmax(axis=1).tolist()
    # Before the first answer rules may say something, and may be silent.
    known = (proba.max(axis=1) > 1.0 / proba.shape[1] + 1e-9).tolist()
    said = [bool(round_) or known[row] for row in range(n)]
    decisions: list[Json] = [
        {
            "uuid": str(uuid.uuid4()),
            "position": first + row,
            "key": keys[row],
            "asked": one.asked,
            "score": scores[row],
            "threshold": float(one.threshold),
            "probability": float(one.probability),
            "boost": boosts[row],
            "round": round_,
            "predicted": label_ids[best[row]] if said[row] else None,
            "confidence": confidence[row] if said[row] else None,
            "probabilities": _likeliest(proba[row], label_ids) if one.asked and said[row] else None,
            "state": states[row].to_dict() if row in states else None,
        }
        for row, one in enumerate(made)
    ]
    return Plan(decisions, events, frontier)


def _noticed(frontier: Frontier, saw: int, detector: DriftDetector, change: Change) -> Json:
    details = drift_details(detector, change, None)
    return {"kind": "drift", "position": frontier.position, "saw": saw, "details": details, "seconds": 0.0}


def drift_details(detector: DriftDetector, change: Change, since: int | None) -> Json:
    """Return a change as the ledger keeps it; answers before the annotation `since` are forgotten."""
    return {
        "on": detector.on,
        "detector": type(detector).__name__,
        "column": change.column,
        "before": round(change.before, 4),
        "after": round(change.after, 4),
        "p": change.p,
        "since": since,
    }


def _likeliest(proba: FloatArray, label_ids: Sequence[int]) -> dict[str, float]:
    top = np.argsort(-proba, kind="stable")[:TOP_CLASSES]
    return {str(label_ids[c]): round(float(proba[c]), 6) for c in top}
