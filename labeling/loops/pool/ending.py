"""The end of a pool loop: whether it is done, why, and going on all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from labeling import serialization
from labeling.arguments import whole_number
from labeling.loops.pool.queue import Queue
from labeling.loops.pool.queue import answers as answers_of
from labeling.loops.pool.rules_in_force import GO_ON, RulesInForce
from labeling.loops.refits.history import history_row, trained
from labeling.loops.stopping.forecast import ENOUGH, LEAST, Forecast, forecast, pace_of
from labeling.loops.stopping.rules import LabelBudget, StopRule, extended
from labeling.people.answers import annotator_name
from labeling.store.holdout import holdout_ids
from labeling.store.snapshots import cached

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


class Ending:
    """Whether one pool loop is done, why, what is left, and going on all the same.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    queue
        The loop's queue, with the loop's place in the ledger.
    rules
        The stop rules that the loop has.
    seed
        Of the forecast's intervals.
    """

    def __init__(self, store: ProjectStore, queue: Queue, rules: RulesInForce, seed: int) -> None:
        self._store = store
        self._ledger = store.ledger
        self._queue = queue
        self._rules = rules
        self._seed = seed

    @property
    def stopped(self) -> str | None:
        """Why the loop is done, None while it goes on."""
        fired = next(iter(self._fired(self._rules.rules)), None)
        if fired is not None:
            return fired[1]
        return "Every item of the pool has an answer." if self._exhausted() else None

    def go_on(
        self,
        answers: int | None = None,
        *,
        stop: Sequence[StopRule] | None = None,
        annotator: str | None = None,
    ) -> tuple[StopRule, ...]:
        """Go on after a stop rule fired, or with other rules; return those the loop has now."""
        if (answers is None) == (stop is None):
            raise ValueError("go_on takes either a number of answers, as go_on(100), or stop=[…] with other rules.")
        rules = self._rules.rules
        reasons = [reason for _, reason in self._fired(rules)]
        if stop is not None:
            check_stop(self._store, stop)
            changed = tuple(stop)
        else:
            changed = self._extended(rules, answers)
        with self._ledger.write() as write:
            person = None if annotator is None else annotator_name(annotator)
            by = None if person is None else self._ledger.annotations.annotator(write.connection, person)
            answered = self._answered(write.connection)
            details = {"stop": serialization.dump(changed), "reasons": reasons, "answers": answered}
            self._ledger.loops.change(write, self._queue.loop_id, GO_ON, by, details)
        self._rules.know(changed)
        return self._rules.rules

    def forecast(
        self, *, people: int | None = None, hours_a_day: float | None = None, now: datetime | None = None
    ) -> Forecast:
        """Return the answers, hours and days that are left, and the score to expect, with intervals of 90 %."""
        moment = datetime.now().astimezone() if now is None else now
        with self._ledger.read() as connection:
            answered = self._answered(connection)
        facts, labels = self._ledger.annotations, self._store.label_set
        work = facts.work(LEAST, self._queue.loop_id)
        refits = trained(self._ledger.loops.refits(self._queue.loop_id))
        return forecast(
            self._rules.rules,
            answered,
            self._store.open_items(),
            [history_row(record, labels) for record in refits],
            pace_of(work if len(work) >= ENOUGH else facts.work(LEAST), moment, people=people, hours=hours_a_day),
            moment,
            self._seed,
            held=len(holdout_ids(self._ledger)),
        )

    def _extended(self, rules: tuple[StopRule, ...], answers: object) -> tuple[StopRule, ...]:
        more = whole_number("answers", answers, 1)
        fired = [rule for rule, _ in self._fired(rules)]
        if not fired and self._exhausted():
            raise ValueError("Every item of the pool has an answer. Import more items with add_items().")
        if not fired:
            raise ValueError("No stop rule has fired: the loop goes on by itself. To change its rules pass stop=[…].")
        with self._ledger.read() as connection:
            until = self._answered(connection) + more
        return tuple(extended(rule, until) if rule in fired else rule for rule in rules)

    def _fired(self, rules: Sequence[StopRule]) -> Iterator[tuple[StopRule, str]]:
        """Yield the rules that fired, with the reason of each."""
        with self._ledger.read() as connection:
            answered = self._answered(connection)
        history: list[dict[str, Any]] = []
        if any(not isinstance(rule, LabelBudget) for rule in rules):
            labels = self._store.label_set
            refits = trained(self._ledger.loops.refits(self._queue.loop_id))
            history = [history_row(record, labels) for record in refits]
        for rule in rules:
            reason = rule.reason(answered, history)
            if reason is not None:
                yield rule, reason

    def _answered(self, connection: Any) -> int:
        return answers_of(self._ledger.loops.tally(connection, self._queue.loop_id))

    def _exhausted(self) -> bool:
        # Before the first import there is nothing to be exhausted.
        return self._items() > 0 and self._open_at_least(1) == 0 and not self._shared()

    def left(self, answered: int) -> int:
        """Return how many answers can still be given: what is left of the budget, or the pool where that is less."""
        budget, shared = self._rules.budget, self._shared()
        if budget is None:
            return self._open_at_least(1) + shared
        return min(max(budget - answered, 0), self._open_at_least(budget - answered) + shared)

    def _shared(self) -> int:
        """Return how many answers items lack that some have answered and more are to answer."""
        with self._ledger.read() as connection:
            missing = self._queue.shared.missing(connection)
        return sum(missing[item] for item in missing.keys() - self._queue.gone()) if missing else 0

    def _open_at_least(self, enough: int) -> int:
        """Return how many items are open; where there are enough, those that are so by counts alone."""
        # Counts alone tell as long as much is left, and spare reading the items.
        open_ = self._items() - len(self._queue.gone()) - self._ledger.annotations.answered_count()
        return open_ if open_ >= enough else self._store.open_items()

    def _items(self) -> int:
        store = self._store.items
        return cached(store.project, "size", store.version, lambda: self._ledger.items.counts()[0])


def check_stop(store: ProjectStore, stop: Sequence[StopRule]) -> None:
    """Raise for what is no stop rule, and for a score that there is no hold-out to measure on."""
    for rule in stop:
        if not isinstance(rule, StopRule):
            raise TypeError(f"stop= takes a list of rules such as LabelBudget(500), got {rule!r}.")
    if any(rule.needs_holdout for rule in stop) and not holdout_ids(store.ledger):
        raise ValueError(
            "A target score needs a hold-out to be measured on. Import gold and call project.set_holdout(), "
            "or stop by LabelBudget()."
        )
