"""Refitting a pool loop: one process at a time trains, scores and commits a ranking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from labeling.loops.pool.held_back import held_back
from labeling.loops.pool.queue import Queue, answers
from labeling.loops.records import Refit
from labeling.loops.refits.history import refit_of
from labeling.loops.refits.lease import refit_lease
from labeling.loops.refits.refit import Refitting
from labeling.loops.refits.settings import Settings
from labeling.loops.refits.state import read_state, unchanged
from labeling.loops.refits.why import with_reasons
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import RefitRecord


class PoolRefits:
    """The refits of one pool loop.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    queue
        The loop's queue, with the loop's place in the ledger.
    settings
        What the loop was made with.
    """

    def __init__(self, store: ProjectStore, queue: Queue, settings: Settings) -> None:
        self._store = store
        self._ledger = store.ledger
        self._queue = queue
        self._settings = settings

    @property
    def last(self) -> RefitRecord | None:
        """The newest refit, None before the first."""
        return self._ledger.loops.last_refit(self._queue.loop_id)

    def refit(self) -> Refit:
        """Train on all labels so far, score on the hold-out, and commit a ranking."""
        loops, loop_id = self._ledger.loops, self._queue.loop_id
        wanted = self._ledger.version()
        with refit_lease(self._ledger, loop_id, self._queue.loop_name) as waited:
            last = loops.last_refit(loop_id)
            if waited and last is not None and last.saw >= wanted:
                # Another process began after this was called: all that was to be learned from is in it.
                return refit_of(last)
            labels = self._store.label_set
            weak = newest_run(self._store)
            state = read_state(self._ledger, self._store.items, labels, weak)
            if last is not None and unchanged(last, state) and self._whole(last) and not self._used_up(last):
                return refit_of(last)
            refitting = Refitting(self._store, loop_id, self._settings, labels, state, weak, last)
            values = self._computed(refitting)
            record = loops.add_refit(loop_id, refitting.round, values, refitting.kept) or loops.last_refit(loop_id)
        if record is None:
            raise RuntimeError(
                f"The refit {refitting.round} of the loop {self._queue.loop_name!r} is not in the ledger."
            )
        return refit_of(record)

    def _computed(self, refitting: Refitting) -> dict[str, Any]:
        """Return the values of a refit's row: what it computes, the reasons of its picks, what it holds back."""
        values, started = refitting.compute(), time.perf_counter()
        ranking = values["ranking"] if self._settings.blind else with_reasons(values["ranking"], refitting)
        groups = held_back(self._settings.strategy, refitting.learning, refitting.candidates)
        seconds = values["seconds"] + time.perf_counter() - started
        return values | {"ranking": ranking, "held_back": groups, "seconds": seconds}

    def _whole(self, last: RefitRecord) -> bool:
        """Tell whether a refit kept the distributions that labels state; those of older databases did not."""
        return not last.metrics["trained"] or self._ledger.loops.keeps_distributions(last.id)

    def _used_up(self, last: RefitRecord) -> bool:
        """Tell whether the pool has more than the ranking, and all of the ranking was asked."""
        if int(last.metrics["ranked"]) >= int(last.metrics["candidates"]):
            return False
        gone = self._queue.gone()
        ids = [entry.item_id for entry in self._queue.ranking(last) if entry.item_id not in gone]
        with self._ledger.read() as connection:
            busy = self._ledger.leases.taken(connection, ids)
            busy |= self._ledger.annotations.standing.skipped_by_anyone(connection)
        return busy.issuperset(ids)

    @property
    def round_complete(self) -> bool:
        """Whether a refit is due: a batch was answered since the last one, its ranking is used up, or there is none."""
        last = self.last
        return last is None or self.due(last) == 0 or self._used_up(last)

    def due(self, last: RefitRecord) -> int:
        """Return how many answers are missing until the next refit."""
        with self._ledger.read() as connection:
            tally = self._ledger.loops.tally(connection, self._queue.loop_id, since=last.saw)
        return max(0, self._settings.batch_size - answers(tally))
