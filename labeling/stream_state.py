"""Where a stream stands: what decides about the next record, as the ledger has it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labeling.classifiers import Classifier
from labeling.drift import CONFIDENCES, other_confidence
from strategies import Budget, BudgetState, Pool, Strategy, draws

if TYPE_CHECKING:
    from storage import Ledger

FloatArray = npt.NDArray[np.float64]
Json = dict[str, Any]

CHECK = 50
"""Confidence is compared before every record whose position is a multiple of this."""

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
    restart
        From here on confidences compare: the newest refit, or the newest drift.
    reference, recent
        The first and the last confidences since then.
    boost_until
        The share is boosted up to this position.
    """

    position: int
    budget: BudgetState
    restart: int = 0
    reference: tuple[float, ...] = ()
    recent: tuple[float, ...] = ()
    boost_until: int = 0

    def restarted(self) -> Frontier:
        """Compare confidences anew from here on."""
        return replace(self, restart=self.position, reference=(), recent=())

    def after(self, confidences: Sequence[float], budget: BudgetState) -> Frontier:
        """Return the frontier after so many more records."""
        room = CONFIDENCES - len(self.reference)
        reference = (*self.reference, *confidences[:room]) if room else self.reference
        recent = (*self.recent, *confidences)[-CONFIDENCES:]
        position = self.position + len(confidences)
        return replace(self, position=position, budget=budget, reference=reference, recent=recent)

    def other_confidence(self) -> float | None:
        """Return the p-value if the latest confidences clearly differ from the first, where it is time to look."""
        due = self.position % CHECK == 0 and self.position - self.restart >= 2 * CONFIDENCES
        return other_confidence(self.reference, self.recent) if due else None


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
) -> Plan:
    """Decide about records in a row: the same as one by one.

    Parameters
    ----------
    proba
        (n, k) probabilities of the classes `label_ids`; uniform before there is a model.
    round_
        The refit that gave them, 0 before the first.
    keys
        (n,) of the records.
    saw
        The write up to which the ledger was read.
    """
    n = len(keys)
    # Products of matrices differ in their last bits with the number of rows.
    scores = settings.strategy.score(Pool(proba=proba, classes=len(label_ids))).round(6).tolist()
    confidence = proba.max(axis=1).round(6).tolist()
    chances = draws(settings.seed, frontier.position, n).tolist()
    made, boosts, events, start = [], [], [], 0
    states: dict[int, BudgetState] = {}
    while start < n:
        p = frontier.other_confidence() if round_ else None
        if p is not None:
            events.append(_noticed(frontier, saw, p))
            until = frontier.position + settings.boost_records
            frontier = replace(frontier.restarted(), boost_until=until)
        boost = settings.boost_at(frontier.position, frontier.boost_until)
        stop = min(n, start + CHECK - frontier.position % CHECK)
        if frontier.position < frontier.boost_until:
            stop = min(stop, start + frontier.boost_until - frontier.position)
        part, budget = settings.budget.decide_many(
            frontier.budget, scores[start:stop], chances[start:stop], boost=boost
        )
        frontier = frontier.after(confidence[start:stop] if round_ else [0.0] * (stop - start), budget)
        made += part
        boosts += [boost] * (stop - start)
        if stop == n and (n > 1 or frontier.position % CHECKPOINT == 0):
            states[n - 1] = budget
        start = stop
    first, best = frontier.position - n, proba.argmax(axis=1).tolist()
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
            "predicted": label_ids[best[row]] if round_ else None,
            "confidence": confidence[row] if round_ else None,
            "probabilities": _likeliest(proba[row], label_ids) if one.asked and round_ else None,
            "state": states[row].to_dict() if row in states else None,
        }
        for row, one in enumerate(made)
    ]
    return Plan(decisions, events, frontier)


def _noticed(frontier: Frontier, saw: int, p: float) -> Json:
    before, after = float(np.mean(frontier.reference)), float(np.mean(frontier.recent))
    details = {"on": "confidence", "before": round(before, 4), "after": round(after, 4), "p": p, "since": None}
    return {"kind": "drift", "position": frontier.position, "saw": saw, "details": details, "seconds": 0.0}


def _likeliest(proba: FloatArray, label_ids: Sequence[int]) -> dict[str, float]:
    top = np.argsort(-proba, kind="stable")[:TOP_CLASSES]
    return {str(label_ids[c]): round(float(proba[c]), 6) for c in top}


def read_frontier(ledger: Ledger, loop_id: int, settings: StreamSettings, restart: int, boost_until: int) -> Frontier:
    """Rebuild the frontier from the ledger: a checkpoint of the budget, and the few decisions after it."""
    streams = ledger.streams
    with ledger.read() as connection:
        kept = streams.checkpoint(connection, loop_id)
        start, budget = (0, settings.budget.start()) if kept is None else (kept[0] + 1, BudgetState.from_dict(kept[1]))
        rows = streams.decisions(connection, loop_id, start)
        position = start + len(rows)
        first = streams.decisions(connection, loop_id, restart, min(restart + CONFIDENCES, position))
        last = streams.decisions(connection, loop_id, max(restart, position - CONFIDENCES), position)
    for row, chance in zip(rows, draws(settings.seed, start, len(rows)).tolist(), strict=True):
        _, budget = settings.budget.decide(budget, row.score, chance, boost=row.boost)
    return Frontier(
        position=position,
        budget=budget,
        restart=restart,
        reference=tuple(row.confidence or 0.0 for row in first),
        recent=tuple(row.confidence or 0.0 for row in last),
        boost_until=boost_until,
    )
