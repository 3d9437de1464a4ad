"""What people say in a loop: recorded once, and taken back. One piece for every kind of loop."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from labeling.people.annotations import Annotation, Answer
from labeling.tasks import single

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import AnnotationRecord
    from storage.transactions import Write

Within = Callable[["Write", int], None]
"""What else a loop does in the transaction of an answer, given the person's id."""


class Answers:
    """Records and takes back what people say in one loop.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    loop_id, loop
        The loop's id in the ledger, and its name.
    """

    def __init__(self, store: ProjectStore, loop_id: int, loop: str) -> None:
        self._store = store
        self._ledger = store.ledger
        self._loop_id = loop_id
        self._loop = loop

    def annotation(self, record: AnnotationRecord) -> Annotation:
        """Return a record as it is handed out, with the present name of its class."""
        said = single.class_of(record)
        return Annotation(
            record.id,
            record.uuid,
            record.item_id,
            record.annotator or "",
            record.kind,
            None if said is None else self._store.label_set.name_of(said),
            record.query_id,
            record.created_at,
            record.origin,
        )

    def said(self, label: str | Answer) -> tuple[str, tuple[int, ...]]:
        """Return what a label is in the ledger: the kind of annotation, and the class ids.

        Raises
        ------
        TypeError, ValueError
            It is no name of a class.
        """
        if isinstance(label, Answer):
            return label.value, ()
        if not isinstance(label, str):
            raise TypeError(f"A label is the name of a class or UNSURE, got {label!r}.")
        return "answer", single.stored(self._store.label_set.named(label).id)

    def record(
        self,
        item_id: int,
        said: tuple[str, tuple[int, ...]],
        annotator: str,
        *,
        query_id: int | None = None,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
        within: Within | None = None,
    ) -> Annotation:
        """Record what somebody said of an item in one transaction; what was sent before under this UUID stands.

        Parameters
        ----------
        item_id, query_id
            The item, and the question where there was one.
        said
            As `said` returns it, or ("skip", ()) and the like.
        annotator
            Who said it.
        seconds, uuid, suggestion_shown
            How long it took, the sender's own id of it, and whether the model's suggestion was visible.
        within
            What else to do in the same transaction.
        """
        kind, label_ids = said
        facts = self._ledger.annotations
        with self._ledger.write() as write:
            before = None if uuid is None else facts.by_uuid(write.connection, uuid)
            if before is not None:
                return self.annotation(before)
            person = facts.annotator(write.connection, annotator)
            id_ = facts.add(
                write,
                uuid=uuid,
                item_id=item_id,
                annotator_id=person,
                kind=kind,
                label_ids=label_ids,
                query_id=query_id,
                loop_id=self._loop_id,
                seconds=seconds,
                suggestion_shown=suggestion_shown,
            )
            if within is not None:
                within(write, person)
            record = facts.by_id(write.connection, id_)
        return self.annotation(record)

    def undo(
        self,
        annotator: str,
        kinds: Sequence[str],
        reopen: Callable[[Write, AnnotationRecord, int], Callable[[], None] | None] | None = None,
    ) -> Annotation | None:
        """Take back what a person did last in this loop, a step of several as one; None if there is nothing left.

        Parameters
        ----------
        annotator
            Who.
        kinds
            What can be taken back.
        reopen
            Looks, before it is taken back, whether the question may be asked again, and returns what then asks it.
        """
        facts = self._ledger.annotations
        with self._ledger.write() as write:
            person = facts.annotator(write.connection, annotator)
            newest = facts.newest(write.connection, person, self._loop_id, kinds)
            if newest is None:
                return None
            if newest.step is not None:
                return self._undo_step(write, newest, person)
            ask_again = None if reopen is None else reopen(write, newest, person)
            facts.add(
                write,
                uuid=None,
                item_id=newest.item_id,
                annotator_id=person,
                kind="undo",
                query_id=newest.query_id,
                loop_id=self._loop_id,
                undoes=newest.id,
            )
            if ask_again is not None:
                ask_again()
        return self.annotation(newest)

    def undo_step(self, uuid: str, annotator: str) -> Annotation | None:
        """Take back what was done in one step; None if nothing of it stands.

        Raises
        ------
        LookupError
            Somebody else did it, or in another loop.
        """
        with self._ledger.write() as write:
            person = self._ledger.annotations.annotator(write.connection, annotator)
            records = self._ledger.annotations.of_step(write.connection, uuid)
            if not records:
                return None
            if records[0].annotator != annotator or records[0].loop_id != self._loop_id:
                raise LookupError(f"The step {uuid!r} is not one of {annotator!r} in the loop {self._loop!r}.")
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
            loop_id=self._loop_id,
            undoes=[record.id for record in records],
        )
        return replace(self.annotation(newest), together=len(records))


def annotator_name(annotator: str | None) -> str:
    """Return the name without blanks around it, its characters composed; raise for what is no name."""
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"An annotator needs a name, got {annotator!r}.")
    return unicodedata.normalize("NFC", annotator.strip())
