"""What a pool loop adds to an answer: leases are given back, and a question that was taken back is asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from labeling.loops.pool.queue import Queue
from labeling.loops.records import Query
from labeling.people.annotations import Annotation
from labeling.people.answers import Answers, Said, annotator_name
from storage import ANSWERS, WELCOME

if TYPE_CHECKING:
    from storage import Ledger
    from storage.records import AnnotationRecord, Holder, QuestionRecord
    from storage.transactions import Write

SKIP: Said = ("skip", ())

UNDOABLE = (*ANSWERS, "skip", WELCOME)


class PoolAnswers:
    """Answers to the questions of one pool loop.

    Parameters
    ----------
    answers
        Records them.
    queue
        The loop's queue, with the ledger and the loop's place in it.
    """

    def __init__(self, answers: Answers, queue: Queue) -> None:
        self._answers = answers
        self._queue = queue
        self._ledger: Ledger = queue.ledger

    def record(
        self,
        query: Query,
        said: Said | Callable[[], Said],
        annotator: str | None,
        *,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
        corrects: str | None = None,
    ) -> Annotation:
        """Record what somebody, by default who was asked, said to a question, and give its lease back.

        The lease of whoever else was asked goes only where the item needs no other answer.

        Raises
        ------
        ValueError
            This loop never asked that.
        """
        if not isinstance(query, Query):
            raise TypeError(f"Pass what ask() returned, a Query, got {query!r}.")
        leases, skips = self._ledger.leases, said == SKIP

        def release(write: Write, person: int, asked: QuestionRecord) -> bool:
            connection, query_id = write.connection, asked.query_id or 0
            alone = not skips and self._queue.shared.overlap(connection).wanted(asked.item_id) == 1
            held = leases.release(connection, asked.item_id, person, query_id, asked=alone)
            held = held or (not alone and leases.holds(connection, query_id))
            return not held and leases.passed_on(connection, query_id, person)

        return self._answers.record(
            query,
            said,
            annotator_name(annotator or query.annotator),
            seconds=seconds,
            uuid=uuid,
            suggestion_shown=suggestion_shown,
            within=release,
            corrects=corrects,
        )

    def undo(self, holder: Holder, uuid: str | None = None) -> Annotation | None:
        """Take back the person's newest answer, skip or discard in this loop; its query is open again."""

        def reopen(write: Write, undone: AnnotationRecord, person: int) -> Callable[[], None] | None:
            return self._reopen(write, undone, person, holder)

        return self._answers.undo(holder.annotator, UNDOABLE, reopen, uuid=uuid)

    def undo_step(self, uuid: str, annotator: str) -> Annotation | None:
        """Take back what was done in one step, whatever this person did since."""
        return self._answers.undo_step(uuid, annotator_name(annotator))

    def _reopen(self, write: Write, undone: AnnotationRecord, person: int, holder: Holder) -> Callable[[], None] | None:
        """Return what asks the question of an annotation again, None where it may not be asked."""
        if undone.query_id is None or not self._may_reopen(write, undone, person):
            return None
        leases = self._ledger.leases
        asked = self._ledger.loops.query(write.connection, undone.query_id)
        people = {undone.item_id: self._queue.shared.overlap(write.connection).wanted(undone.item_id)}

        def ask_again() -> None:
            if asked is not None:
                leases.take(write.connection, [asked], person, self._queue.loop_id, holder, people)

        return ask_again

    def _may_reopen(self, write: Write, undone: AnnotationRecord, person: int) -> bool:
        """Tell whether the query of an annotation may be asked again when that is taken back."""
        own = self._ledger.persons.merged(write.connection).lead(person)
        others = self._ledger.leases.holding(write.connection, [undone.item_id]).get(undone.item_id, set()) - {own}
        wanted = self._queue.shared.overlap(write.connection).wanted(undone.item_id)
        if len(others) >= wanted:
            return False
        if undone.item_id in self._ledger.items.withdrawn_in(write.connection):
            return False
        standing = self._ledger.annotations.standing
        if wanted == 1 and standing.answered_by_others(write.connection, undone.item_id, person):
            return False
        # An answer gives its own place in the budget back; a skip's may be taken since.
        return undone.kind in ANSWERS or self._queue.left(write.connection) > 0
