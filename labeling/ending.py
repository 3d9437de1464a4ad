"""The verbs of a pool loop about its end: whether it is done, and why."""

from __future__ import annotations

from typing import Any

from labeling.history import history_row, trained
from labeling.loop_base import LoopBase
from labeling.queue import answers
from labeling.stopping import LabelBudget


class StopVerbs(LoopBase):
    """When a loop is done."""

    @property
    def done(self) -> bool:
        """Whether a stop rule fired, or the pool is exhausted."""
        return self.stopped is not None

    @property
    def stopped(self) -> str | None:
        """Why the loop is done, None while it goes on."""
        with self._ledger.read() as connection:
            tally = self._ledger.loops.tally(connection, self._record.id)
        history: list[dict[str, Any]] = []
        if any(not isinstance(rule, LabelBudget) for rule in self._stop):
            labels = self._project.label_set
            refits = trained(self._ledger.loops.refits(self._record.id))
            history = [history_row(record, labels) for record in refits]
        for rule in self._stop:
            reason = rule.reason(answers(tally), history)
            if reason is not None:
                return reason
        return "Every item of the pool has an answer." if self._exhausted() else None

    def _exhausted(self) -> bool:
        store = self._project.item_store
        items: int = store.cached("size", store.version, lambda: self._ledger.items.counts()[0])
        answered = self._ledger.annotations.answered_count()
        # Counts alone tell as long as much is left, and spare reading the items.
        if items == 0 or items - len(self._queue.gone()) > answered:
            return False
        return self._project.open_items() == 0
