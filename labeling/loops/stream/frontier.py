"""Where a stream stands, rebuilt from its ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from labeling.loops.drift.detectors import WINDOW, Trail, begin_of
from labeling.loops.stream.decide import Frontier, StreamSettings
from strategies import BudgetState, draws

if TYPE_CHECKING:
    from storage import Ledger

Rows = Callable[[Sequence[int]], list[Any]]


def read_frontier(
    ledger: Ledger,
    loop_id: int,
    settings: StreamSettings,
    rows_of: Rows,
    *,
    compared: int,
    shifted: int,
    boost_until: int,
) -> Frontier:
    """Rebuild the frontier: a checkpoint of the budget, the few decisions after it, and what detectors need.

    Parameters
    ----------
    rows_of
        What the items of these ids hold.
    compared, shifted
        Confidences and records compare from these positions on.
    boost_until
        The share is boosted up to this position.
    """
    streams = ledger.streams
    with ledger.read() as connection:
        kept = streams.checkpoint(connection, loop_id)
        start, budget = (0, settings.budget.start()) if kept is None else (kept[0] + 1, BudgetState.from_dict(kept[1]))
        rows = streams.decisions(connection, loop_id, start)
        position = start + len(rows)

        def confidences(first: int, stop: int) -> list[Any]:
            return [row.confidence or 0.0 for row in streams.decisions(connection, loop_id, first, stop)]

        def records(first: int, stop: int) -> list[Any]:
            return rows_of(streams.items(connection, loop_id, first, stop))

        memory = settings.memory_of("features")
        seen = _trail(records, shifted, position, memory) if memory else Trail(position, position)
        trail = _trail(confidences, compared, position, settings.memory_of("confidence") or WINDOW)
    for row, chance in zip(rows, draws(settings.seed, start, len(rows)).tolist(), strict=True):
        _, budget = settings.budget.decide(budget, row.score, chance, boost=row.boost)
    return Frontier(position, budget, trail, seen, boost_until)


def _trail(values: Callable[[int, int], list[Any]], start: int, position: int, memory: int) -> Trail:
    """Return the trail of values since `start`, which `values` reads between two positions."""
    first = values(start, min(start + WINDOW, position))
    last = values(begin_of(start, position, memory), position)
    return Trail(start, position, tuple(first), tuple(last), memory)
