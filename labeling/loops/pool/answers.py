"""The verbs of a pool loop for people: tell, skip, discard, undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from labeling.loops.pool.base import LoopBase, annotator_name
from labeling.loops.pool.queue import LEASE_SECONDS
from labeling.loops.records import Query
from labeling.people.annotations import Annotation, Answer
from storage import ANSWERS, WELCOME

if TYPE_CHECKING:
    from storage.records import AnnotationRecord
    from storage.transactions import Write

UNDOABLE = (*ANSWERS, "skip", WELCOME)


class AnswerVerbs(LoopBase):
    """Answers, and taking them back."""

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
        chosen = self._store.label_set.named(label)
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
            person = ledger.annotations.annotator(write.connection, annotator_name(annotator or query.annotator))
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

        What was done in one step, an answer taken over for near-duplicates or a group discarded or welcomed,
        is taken back as one; `together` of what is returned says how many that were.
        Where somebody else has the item by now, or the budget is with others, the
        query stays closed.

        Returns
        -------
        Annotation | None
            What was taken back; None if there is nothing left to take back.
        """
        annotator = annotator_name(annotator)
        ledger, loop_id = self._ledger, self._record.id
        with ledger.write() as write:
            person = ledger.annotations.annotator(write.connection, annotator)
            newest = ledger.annotations.newest(write.connection, person, loop_id, UNDOABLE)
            if newest is None:
                return None
            if newest.step is not None:
                return self._undo_step(write, newest, person)
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

    def undo_step(self, uuid: str, annotator: str) -> Annotation | None:
        """Take back what was done in one step, whatever this person did since.

        Parameters
        ----------
        uuid
            The id under which the step was done, as given to `discard_group` or `welcome_group`.
        annotator
            Who did it.

        Returns
        -------
        Annotation | None
            One of what was taken back, with `together` for how many; None if nothing of the step stands.

        Raises
        ------
        LookupError
            Somebody else did it, or in another loop.
        """
        annotator = annotator_name(annotator)
        with self._ledger.write() as write:
            person = self._ledger.annotations.annotator(write.connection, annotator)
            records = self._ledger.annotations.of_step(write.connection, uuid)
            if not records:
                return None
            if records[0].annotator != annotator or records[0].loop_id != self._record.id:
                raise LookupError(f"The step {uuid!r} is not one of {annotator!r} in the loop {self.name!r}.")
            return self._undo_step(write, records[0], person)

    def _undo_step(self, write: Write, newest: AnnotationRecord, person: int) -> Annotation:
        facts, step = self._ledger.annotations, str(newest.step)
        records = facts.of_step(write.connection, step)
        facts.add_many(
            write,
            [record.item_id for record in records],
            annotator_id=person,
            kind="undo",
            step=f"undo {step}"[:36],
            origin=newest.origin,
            loop_id=self._record.id,
            undoes=[record.id for record in records],
        )
        return replace(self._annotation(newest), together=len(records))

    def _may_reopen(self, write: Write, undone: AnnotationRecord, person: int) -> bool:
        """Tell whether the query of an annotation may be asked again when that is taken back."""
        if self._ledger.loops.holder(write.connection, undone.item_id) not in (None, person):
            return False
        if undone.item_id in self._ledger.items.withdrawn_in(write.connection):
            return False
        if self._ledger.annotations.standing.answered_by_others(write.connection, undone.item_id, person):
            return False
        # An answer gives its own place in the budget back; a skip's may be taken since.
        return undone.kind in ANSWERS or self._queue.left(write) > 0
