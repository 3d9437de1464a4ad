"""The pool loop: ask, tell, refit, over a ledger that any process may open."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.arguments import whole_number
from labeling.loops.pool.alike import ALIKE, AlikeVerbs
from labeling.loops.pool.answers import AnswerVerbs
from labeling.loops.pool.base import annotator_name
from labeling.loops.pool.ending import StopVerbs
from labeling.loops.pool.held_back import GROUP, ScreenVerbs, held_back
from labeling.loops.pool.queue import answers
from labeling.loops.records import LoopProgress, Query, QueueEmpty, Refit
from labeling.loops.refits.history import history_frame, noted, refit_of
from labeling.loops.refits.lease import refit_lease
from labeling.loops.refits.refit import Refitting
from labeling.loops.refits.state import read_state, unchanged
from labeling.loops.refits.why import with_reasons
from labeling.loops.stopping.forecast import ENOUGH, LEAST
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from storage.records import RefitRecord


class PoolLoop(AnswerVerbs, AlikeVerbs, ScreenVerbs, StopVerbs):
    """Asks for labels where they help most, round after round.

    Made by `Project.pool_loop`. All state is in the database: any process that
    opens the loop goes on where the last one stopped, with the same next question.
    """

    def ask(self, annotator: str, n: int | None = None, *, refit: bool = True, more: bool = False) -> list[Query]:
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
        more
            Open `n` (default 1) beside those that are open, and return these alone.

        Raises
        ------
        QueueEmpty
            The loop is done, or everything left is taken; the message says which.
        """
        annotator = annotator_name(annotator)
        n = None if n is None else whole_number("n", n, 1)
        open_ = self._queue.open(annotator)
        if open_ and not more:
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
            size = n or (1 if more else self.batch_size)
            opened = self._queue.take(annotator, size, last, skipped_too=not refit or attempt == 2, more=more)
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

    def refit(self) -> Refit:
        """Train on all labels so far, score on the hold-out, and commit a ranking.

        One process refits a loop at a time; a second one waits and returns what
        the first found. Where nothing changed since the last refit, that is returned.
        """
        loops, loop_id = self._ledger.loops, self._record.id
        with refit_lease(self._ledger, loop_id, self.name):
            last = loops.last_refit(loop_id)
            labels = self._store.label_set
            weak = newest_run(self._store)
            state = read_state(self._ledger, self._store.items, labels, weak)
            if last is not None and unchanged(last, state) and self._whole(last) and not self._used_up(last):
                return refit_of(last)
            refitting = Refitting(self._store, loop_id, self._settings, labels, state, weak, last)
            values = self._computed(refitting)
            record = loops.add_refit(loop_id, refitting.round, values, refitting.kept) or loops.last_refit(loop_id)
        if record is None:
            raise RuntimeError(f"The refit {refitting.round} of the loop {self.name!r} is not in the ledger.")
        return refit_of(record)

    def _computed(self, refitting: Refitting) -> dict[str, Any]:
        """Return the values of a refit's row: what it computes, the reasons of its picks, what it holds back."""
        values, started = refitting.compute(), time.perf_counter()
        ranking = values["ranking"] if self.blind else with_reasons(values["ranking"], refitting)
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
            busy = self._ledger.loops.taken(connection, ids)
            busy |= self._ledger.annotations.standing.skipped_by_anyone(connection)
        return busy.issuperset(ids)

    @property
    def round_complete(self) -> bool:
        """Whether a refit is due: a batch was answered since the last one, its ranking is used up, or there is none."""
        last = self._ledger.loops.last_refit(self._record.id)
        return last is None or self._due(last) == 0 or self._used_up(last)

    @property
    def refitting(self) -> bool:
        """Whether some process refits this loop right now."""
        return self._ledger.loops.refitting(self._record.id)

    @property
    def newest(self) -> Refit | None:
        """The newest refit, None before the first."""
        last = self._ledger.loops.last_refit(self._record.id)
        return None if last is None else refit_of(last)

    def give_up_refit(self, process: int) -> None:
        """Let others refit after a process of this machine, named by its number, died while it did."""
        self._ledger.loops.give_up_refit(self._record.id, process)

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
            count, seconds = self._ledger.loops.pace(self._record.id, people[annotator], least=LEAST)
            pace = 60.0 * count / seconds if count >= ENOUGH else None
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
            alike=tally.get(ALIKE, 0),
            screened=tally.get(GROUP, 0),
            left=self._left(answers(tally)),
        )

    def history(self) -> pl.DataFrame:
        """Return a row a refit that trained a classifier, or says in its notes why it could not.

        Columns: round, labels (people's, trained on), alike (answers of these that were
        taken over for near-duplicates), weak_labels, strategy;
        accuracy with its interval of 95 %, f1_macro, average_precision and
        calibration_error on the hold-out (null without one), judged (hold-out
        items); agreement (Cohen's kappa with the round before, over the pool),
        uncertainty (mean entropy of the open items, in [0, 1]), seconds;
        asked_<class> (labels so far), precision_<class>, recall_<class>,
        average_precision_<class>; shares (of each strategy in the batch), notes, at.
        """
        loops = self._ledger.loops
        refits = noted(loops.refits(self._record.id), loops.changes(self._record.id))
        return history_frame(refits, self._store.label_set)

    def __repr__(self) -> str:
        return f"PoolLoop({self.name!r}, {self.strategy}, batch_size={self.batch_size})"
