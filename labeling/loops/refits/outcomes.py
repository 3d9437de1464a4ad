"""What became of the picks of a loop: read from the ledger, so that experience survives restarts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from labeling.store.label_set import LabelSet
from labeling.tasks import single
from strategies import Outcome

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import RefitRecord


def outcomes(ledger: Ledger, loop_id: int, labels: LabelSet, until: int) -> tuple[Outcome, ...]:
    """Return an outcome for each answer to a loop's questions that stands, oldest answer first.

    Unsure, skipped and discarded items say nothing of a strategy. `until` looks
    at the answers as they were after that write.
    """
    positions = labels.positions()
    queries = {query.id: query for query in ledger.loops.asked(loop_id)}
    gains = round_gains(ledger.loops.refits(loop_id))
    answers = sorted(ledger.annotations.current(loop_id, until=until), key=lambda record: record.id)
    return tuple(
        Outcome(
            strategy=query.strategy,
            probability=1.0 if query.probability is None else query.probability,
            proba=spread(query.probabilities, positions),
            label=place,
            gain=gains.get(query.round),
        )
        for answer in answers
        if (place := single.position(answer, positions)) is not None
        if (query := queries.get(answer.query_id or 0)) is not None
    )


def round_gains(refits: Sequence[RefitRecord]) -> dict[int, float]:
    """Return how macro F1 on the hold-out changed from each scored round to the next."""
    scored = [(refit.round, refit.metrics["f1_macro"]) for refit in refits if refit.metrics.get("f1_macro") is not None]
    return {round_: later - score for (round_, score), (_, later) in pairwise(scored)}


def spread(likeliest: Mapping[str, float], positions: Mapping[int, int]) -> tuple[float, ...]:
    """Return the probability of every class from those of the likeliest, which are what a query keeps.

    What they leave is shared evenly by the others; nothing where there was no model. Classes merged since have
    one position, and count together.

    Examples
    --------
    >>> spread({"7": 0.5, "3": 0.25}, {3: 0, 7: 1, 8: 2})
    (0.25, 0.5, 0.25)
    """
    known: dict[int, float] = {}
    for label, p in likeliest.items():
        if (place := positions.get(int(label))) is not None:
            known[place] = known.get(place, 0.0) + p
    if not known:
        return ()
    k = 1 + max(positions.values())
    others = k - len(known)
    rest = max(1.0 - sum(known.values()), 0.0) / others if others else 0.0
    return tuple(known.get(position, rest) for position in range(k))
