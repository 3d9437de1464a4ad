"""The pool loop: ask, tell, refit, over a ledger that any process may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.history import history_frame, history_row, refit_of, trained
from labeling.label_set import LabelSet
from labeling.queue import LEASE_SECONDS, Queue, answers
from labeling.records import Annotation, Answer, LoopProgress, Query, QueueEmpty, Refit
from labeling.refit import Refitting, Settings, read_state, unchanged
from labeling.refit_lease import refit_lease
from labeling.stopping import LabelBudget, StopRule
from storage import ANSWERS

if TYPE_CHECKING:
    from labeling.project import Project
    from storage.ledger import Write
    from storage.records import AnnotationRecord, LoopRecord, RefitRecord

UNDOABLE = (*ANSWERS, "skip")


class PoolLoop:
    """Asks for labels where they help most, round after round.

    Made by `Project.pool_loop`. All state is in the database: any process that
    opens the loop goes on where the last one stopped, with the same next question.
    """

    def __init__(self, project: Project, record: LoopRecord, settings: Settings, stop: Sequence[StopRule]) -> None:
        self._project = project
        self._ledger = project.ledger
        self._record = record
        self._settings = settings
        self._stop = tuple(stop)
        self.name = record.name
        self._queue = Queue(project, record.id, record.name, self.budget)

    @property
    def strategy(self) -> str:
        """The strategy and its parameters, for people."""
        return str(self._record.settings["strategy_text"])

    @property
    def blind(self) -> bool:
        """Whether the loop checks labels: nothing is suggested to the people who answer."""
        return self._settings.blind

    @property
    def seed(self) -> int:
        """The seed of all chance in this loop."""
        return self._settings.seed

    @property
    def stop(self) -> tuple[StopRule, ...]:
        """The rules that end the loop."""
        return self._stop

    @property
    def batch_size(self) -> int:
        """Answers a round."""
        return self._settings.batch_size

    @property
    def budget(self) -> int | None:
        """The smallest label budget among the stop rules, None without one."""
        budgets = [rule.labels for rule in self._stop if isinstance(rule, LabelBudget)]
        return min(budgets) if budgets else None

    def ask(self, annotator: str, n: int | None = None, *, refit: bool = True) -> list[Query]:
        """Return the annotator's open queries in rank order; open new ones only if there are none.

        Parameters
        ----------
        annotator
            Who is asked. Nobody else is asked the same while the queries are open.
        n
            How many to open, default `batch_size`; never more than the budget leaves.
        refit
            Refit first when a round is complete. False serves from the previous
            ranking, for callers that refit elsewhere.

        Raises
        ------
        QueueEmpty
            The loop is done, or everything left is taken; the message says which.
        """
        annotator = _name(annotator)
        if n is not None and n < 1:
            raise ValueError(f"n must be at least 1, got {n!r}.")
        open_ = self._queue.open(annotator)
        if open_:
            return open_
        for attempt in range(3):
            reason = self.stopped
            if reason is not None:
                raise QueueEmpty(reason)
            last = self._ledger.loops.last_refit(self._record.id)
            if last is None or (refit and (attempt > 0 or self._due(last) == 0)):
                self.refit()
                last = self._ledger.loops.last_refit(self._record.id)
            if last is None:
                break
            size = self.batch_size if n is None else n
            opened = self._queue.take(annotator, size, last, skipped_too=not refit or attempt == 2)
            if opened:
                return opened
            if not refit:
                break
        raise QueueEmpty(self._queue.why_nothing())

    def query(self, query_id: int) -> Query:
        """Return a query by its id.

        Raises
        ------
        LookupError
            This loop has no such query.
        """
        with self._ledger.read() as connection:
            record = self._ledger.loops.query(connection, query_id)
            answer = self._ledger.annotations.answer_to(connection, query_id)
        if record is None or record.loop_id != self._record.id:
            raise LookupError(f"The loop {self.name!r} has no query {query_id!r}.")
        given = None if answer is None else self._annotation(answer)
        return replace(self._queue.queries([record])[0], answer=None if given is None else given.label or given.kind)

    def tell(
        self,
        query: Query,
        label: str | Answer,
        *,
        annotator: str | None = None,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
    ) -> Annotation:
        """Record an answer: a class name, or `UNSURE`. It is committed when this returns.

        A second answer to the same query corrects the first. With a `uuid`, an
        answer that is sent twice is stored once.

        Parameters
        ----------
        query
            What was asked.
        label
            A class name, or UNSURE: seen, cannot be decided, not trained on.
        annotator
            Who answers, default who was asked.
        seconds
            How long the person took.
        uuid
            The sender's own id of this answer.
        suggestion_shown
            Whether the model's suggestion was visible.

        Raises
        ------
        ValueError
            There is no such label.
        """
        if isinstance(label, Answer):
            return self._act(query, label.value, (), annotator, seconds, uuid, suggestion_shown)
        if not isinstance(label, str):
            raise TypeError(f"A label is the name of a class or UNSURE, got {label!r}.")
        chosen = self._project.label_set.named(label)
        return self._act(query, "answer", (chosen.id,), annotator, seconds, uuid, suggestion_shown)

    def skip(self, query: Query, *, annotator: str | None = None, uuid: str | None = None) -> Annotation:
        """Leave an item to others; it comes back to this person after everything else."""
        return self._act(query, "skip", (), annotator, None, uuid, False)

    def discard(self, query: Query, *, annotator: str | None = None, uuid: str | None = None) -> Annotation:
        """Take an item out of the pool: it does not belong here."""
        return self._act(query, "discard", (), annotator, None, uuid, False)

    def _act(
        self,
        query: Query,
        kind: str,
        label_ids: tuple[int, ...],
        annotator: str | None,
        seconds: float | None,
        uuid: str | None,
        suggestion_shown: bool,
    ) -> Annotation:
        if query.loop != self.name:
            raise ValueError(f"The query {query.id} belongs to the loop {query.loop!r}, not to {self.name!r}.")
        ledger = self._ledger
        with ledger.write() as write:
            before = None if uuid is None else ledger.annotations.by_uuid(write.connection, uuid)
            if before is not None:
                return self._annotation(before)
            person = ledger.annotations.annotator(write.connection, _name(annotator or query.annotator))
            id_ = ledger.annotations.add(
                write,
                uuid=uuid,
                item_id=query.item_id,
                annotator_id=person,
                kind=kind,
                label_ids=label_ids,
                query_id=query.id,
                loop_id=self._record.id,
                seconds=seconds,
                suggestion_shown=suggestion_shown,
            )
            ledger.loops.release(write.connection, query.item_id, person, query.id)
            record = ledger.annotations.by_id(write.connection, id_)
        return self._annotation(record)

    def undo(self, annotator: str) -> Annotation | None:
        """Take back the annotator's newest answer, skip or discard in this loop; its query is open again.

        Where somebody else has the item by now, or the budget is with others, the
        query stays closed.

        Returns
        -------
        Annotation | None
            What was taken back; None if there is nothing left to take back.
        """
        annotator = _name(annotator)
        ledger, loop_id = self._ledger, self._record.id
        with ledger.write() as write:
            person = ledger.annotations.annotator(write.connection, annotator)
            newest = ledger.annotations.newest(write.connection, person, loop_id, UNDOABLE)
            if newest is None:
                return None
            reopens = self._may_reopen(write, newest, person)
            ledger.annotations.add(
                write,
                uuid=None,
                item_id=newest.item_id,
                annotator_id=person,
                kind="undo",
                query_id=newest.query_id,
                loop_id=loop_id,
                undoes=newest.id,
            )
            if newest.query_id is not None and reopens:
                ledger.loops.lease(
                    write.connection,
                    item_id=newest.item_id,
                    annotator_id=person,
                    query_id=newest.query_id,
                    loop_id=loop_id,
                    seconds=LEASE_SECONDS,
                )
        return self._annotation(newest)

    def _may_reopen(self, write: Write, undone: AnnotationRecord, person: int) -> bool:
        """Tell whether the query of an annotation may be asked again when that is taken back."""
        if self._ledger.loops.holder(write.connection, undone.item_id) not in (None, person):
            return False
        if self._ledger.annotations.standing.answered_by_others(write.connection, undone.item_id, person):
            return False
        # An answer gives its own place in the budget back; a skip's may be taken since.
        return undone.kind in ANSWERS or self._queue.left(write) > 0

    def refit(self) -> Refit:
        """Train on all labels so far, score on the hold-out, and commit a ranking.

        One process refits a loop at a time; a second one waits and returns what
        the first found. Where nothing changed since the last refit, that is returned.
        """
        loops, loop_id = self._ledger.loops, self._record.id
        with refit_lease(self._ledger, loop_id, self.name):
            last = loops.last_refit(loop_id)
            labels = self._project.label_set
            weak = self._project.newest_weak_run()
            state = read_state(self._ledger, self._project.item_store, labels, weak)
            if last is not None and unchanged(last, state) and not self._used_up(last):
                return refit_of(last)
            refitting = Refitting(self._project, loop_id, self._settings, labels, state, weak, last)
            record = loops.add_refit(loop_id, refitting.round, refitting.compute()) or loops.last_refit(loop_id)
        if record is None:
            raise RuntimeError(f"The refit {refitting.round} of the loop {self.name!r} is not in the ledger.")
        return refit_of(record)

    def _used_up(self, last: RefitRecord) -> bool:
        """Tell whether the pool has more than the ranking, and all of the ranking was asked."""
        if int(last.metrics["ranked"]) >= int(last.metrics["candidates"]):
            return False
        gone = self._queue.gone()
        ids = [entry.item_id for entry in self._queue.ranking(last) if entry.item_id not in gone]
        with self._ledger.read() as connection:
            busy = self._ledger.loops.taken(connection, ids)
            busy |= self._ledger.annotations.standing.skipped_by_anyone(connection)
        return busy.issuperset(ids)

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

    @property
    def round_complete(self) -> bool:
        """Whether a refit is due: a batch was answered since the last one, its ranking is used up, or there is none."""
        last = self._ledger.loops.last_refit(self._record.id)
        return last is None or self._due(last) == 0 or self._used_up(last)

    @property
    def refitting(self) -> bool:
        """Whether some process refits this loop right now."""
        return self._ledger.loops.refitting(self._record.id)

    def _due(self, last: RefitRecord) -> int:
        """Return how many answers are missing until the next refit."""
        with self._ledger.read() as connection:
            tally = self._ledger.loops.tally(connection, self._record.id, since=last.saw)
        return max(0, self.batch_size - answers(tally))

    def progress(self, annotator: str | None = None) -> LoopProgress:
        """Return where the loop stands; with an annotator, the person's pace."""
        with self._ledger.read() as connection:
            tally = self._ledger.loops.tally(connection, self._record.id)
        last = self._ledger.loops.last_refit(self._record.id)
        people = {name: id_ for id_, name in self._ledger.annotations.annotators().items()}
        pace = None
        if annotator in people:
            count, seconds = self._ledger.loops.pace(self._record.id, people[annotator])
            pace = 60.0 * count / seconds if count >= 5 and seconds > 0 else None
        return LoopProgress(
            answered=answers(tally),
            unsure=tally["unsure"],
            discarded=tally["discard"],
            skipped=tally["skip"],
            open=tally["open"],
            budget=self.budget,
            round=0 if last is None else last.round,
            due=self.batch_size if last is None else self._due(last),
            pace=pace,
        )

    def history(self) -> pl.DataFrame:
        """Return a row a refit that trained a classifier.

        Columns: round, labels (people's, trained on), weak_labels, strategy;
        accuracy with its interval of 95 %, f1_macro, average_precision and
        calibration_error on the hold-out (null without one), judged (hold-out
        items); agreement (Cohen's kappa with the round before, over the pool),
        uncertainty (mean entropy of the open items, in [0, 1]), seconds;
        asked_<class> (labels so far), precision_<class>, recall_<class>,
        average_precision_<class>; shares (of each strategy in the batch), notes, at.
        """
        return history_frame(self._ledger.loops.refits(self._record.id), self._project.label_set)

    def _annotation(self, record: AnnotationRecord) -> Annotation:
        labels: LabelSet = self._project.label_set
        label = labels.name_of(record.label_ids[0]) if record.label_ids else None
        return Annotation(
            record.id,
            record.uuid,
            record.item_id,
            record.annotator or "",
            record.kind,
            label,
            record.query_id,
            record.created_at,
        )

    def __repr__(self) -> str:
        return f"PoolLoop({self.name!r}, {self.strategy}, batch_size={self.batch_size})"


def _name(annotator: str) -> str:
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"An annotator needs a name, got {annotator!r}.")
    return annotator.strip()
