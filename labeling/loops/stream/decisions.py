"""What a stream hands out about each record: the decision, and the question if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.loops.records import Query
from labeling.tasks import single


@dataclass(frozen=True)
class Decision:
    """What a stream decided about one record, and why.

    Attributes
    ----------
    asked
        Somebody should say what it is; then `query` is there.
    item_id
        The item that the record became.
    position
        Its place in the stream, from 0.
    predicted
        The class that the model holds likeliest; before the first answer what the rules say, None where they
        are silent.
    confidence
        The probability of that class.
    score
        How much the strategy would like to ask, in [0, 1].
    threshold
        The score from which on the budget wanted to ask.
    probability
        Chance of being asked where chance decided, else 1 or 0.
    boost
        What the share was multiplied by, after a drift.
    round
        The refit that predicted, 0 before the first.
    key
        The caller's own name of the record.
    """

    asked: bool
    item_id: int
    position: int
    predicted: str | None
    confidence: float | None
    score: float
    threshold: float
    probability: float
    boost: float
    round: int
    key: str | None = None
    query: Query | None = None


def decision_of(values: Mapping[str, Any], names: Mapping[int, str], query: Query | None) -> Decision:
    """Return a decision from what the ledger keeps of it, with names of classes for their ids."""
    return Decision(
        asked=values["asked"],
        item_id=values["item_id"],
        position=values["position"],
        predicted=names.get(values["predicted"]),
        confidence=values["confidence"],
        score=values["score"],
        threshold=values["threshold"],
        probability=values["probability"],
        boost=values["boost"],
        round=values["round"],
        key=values["key"],
        query=query,
    )


def query_of(
    values: Mapping[str, Any], item: Mapping[str, Any], names: Mapping[int, str], loop: str, strategy: str
) -> Query:
    """Return the question of a decision; in a stream its id is that of the item."""
    probabilities = values["probabilities"] or {}
    return Query(
        id=values["item_id"],
        uuid=values["uuid"],
        loop=loop,
        annotator="",
        item_id=values["item_id"],
        item=item,
        score=values["score"],
        parts={},
        strategy=strategy,
        round=values["round"],
        rank=0,
        predicted=names.get(values["predicted"]),
        probabilities=single.added(probabilities, names),
    )
