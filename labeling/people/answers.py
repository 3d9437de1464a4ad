"""What people say in a loop: recorded once, and taken back. One piece for every kind of loop."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Protocol

from labeling.people.annotations import Annotation, Answer
from labeling.tasks import single
from storage import ANSWERS

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import AnnotationRecord, QuestionRecord
    from storage.transactions import Connection, Write


class Question(Protocol):
    """What somebody was asked, as whoever answers hands it in."""

    @property
    def uuid(self) -> str:
        """Its name in every database."""

    @property
    def item_id(self) -> int:
        """The item that was shown."""

    @property
    def loop(self) -> str:
        """The name of the loop that asked."""


Within = Callable[["Write", int, "QuestionRecord"], bool]
"""What else a loop does in the transaction of an answer, given the person's id and the question as the ledger has it.

It returns whether the answer came late: after the item had gone to somebody else.
"""


Said = tuple[str, tuple[int, ...]]
"""What is said, as the ledger has it: the kind of annotation, and the ids of classes."""


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
            guidelines=record.guidelines,
        )

    def said(self, label: str | Answer) -> Said:
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
        question: Question,
        said: Said | Callable[[], Said],
        annotator: str,
        *,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
        within: Within | None = None,
        corrects: str | None = None,
    ) -> Annotation:
        """Record what somebody said to a question in one transaction; what was sent before under this UUID stands.

        Nothing that the caller says of the question is believed: by its UUID it must be one that this loop asked about
        this item.

        Parameters
        ----------
        question
            What was asked.
        said
            As the method `said` returns it, or ("skip", ()) and the like; or what returns it in the transaction.
        annotator
            Who said it.
        seconds, uuid, suggestion_shown
            How long it took, the sender's own id of it, and whether the model's suggestion was visible.
        within
            What else to do in the same transaction.
        corrects
            The UUID of what this person said before to the question, which this is to correct.

        Raises
        ------
        ValueError
            This loop never asked that about this item, something else was said under this UUID, the item was erased,
            or what is to be corrected is not what stands.
        """
        facts = self._ledger.annotations
        _check_sent(uuid, seconds)
        with self._ledger.write(shared=True) as write:
            kind, label_ids = said() if callable(said) else said
            asked = self.asked(write.connection, question)
            if uuid is not None and (before := facts.by_uuid(write.connection, uuid)) is not None:
                called = facts.called(write.connection, annotator)
                claim = (self._ledger.project.id, self._loop_id, asked.query_id, asked.item_id, called, kind)
                check_same(before, (*claim, label_ids))
                return self.annotation(before)
            self._check_item(asked.item_id)
            person = facts.annotator(write.connection, annotator)
            if corrects is not None:
                self._check_corrected(write, asked, person, annotator, corrects)
            late = within is not None and within(write, person, asked) and kind in ANSWERS
            record = facts.add(
                write,
                uuid=uuid,
                item_id=asked.item_id,
                annotator_id=person,
                kind=kind,
                label_ids=label_ids,
                query_id=asked.query_id,
                loop_id=self._loop_id,
                seconds=seconds,
                suggestion_shown=suggestion_shown,
                late=late,
                annotator=facts.called(write.connection, annotator),
            )
            return self.annotation(record)

    def asked(self, connection: Connection, question: Question) -> QuestionRecord:
        """Return the question as the ledger has it; raise for one that this loop did not ask about this item."""
        asked = self._ledger.asked.question(connection, str(question.uuid))
        if question.loop != self._loop or (asked is not None and asked.loop_id != self._loop_id):
            raise ValueError(
                f"The query {question.uuid} belongs to the loop {question.loop!r}, not to {self._loop!r} "
                f"of the project {self._store.name!r}."
            )
        if asked is None:
            raise ValueError(
                f"The loop {self._loop!r} of the project {self._store.name!r} never asked the query {question.uuid}: "
                "it is one of another project or another database. Answer what ask() returned here."
            )
        if asked.item_id != question.item_id:
            raise ValueError(
                f"The query {question.uuid} asks about the item {asked.item_id}, not about {question.item_id!r}."
            )
        return asked

    def _check_item(self, item_id: int) -> None:
        if item_id in self._ledger.items.erased():
            raise ValueError(
                f"The item {item_id} of the project {self._store.name!r} was erased; nothing was saved. Ask again."
            )

    def _check_corrected(self, write: Write, asked: QuestionRecord, person: int, annotator: str, corrects: str) -> None:
        stands = self._ledger.annotations.said_to(write.connection, asked, person)
        if stands is None:
            raise ValueError(
                f"{annotator!r} has said nothing to this query that stands, so that {corrects!r} cannot be corrected; "
                "nothing was saved. Answer it without corrects=."
            )
        if stands != corrects:
            raise ValueError(
                f"What {annotator!r} said to this query is now {stands!r}, not {corrects!r}; nothing was saved. "
                "Look at that answer first, and correct it by its UUID."
            )

    def undo(
        self,
        annotator: str,
        kinds: Sequence[str],
        reopen: Callable[[Write, AnnotationRecord, int], Callable[[], None] | None] | None = None,
        *,
        uuid: str | None = None,
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
        uuid
            The sender's own id of this step back: what is sent twice is taken back once.

        Raises
        ------
        ValueError
            Something else was done under this UUID.
        """
        facts = self._ledger.annotations
        _check_sent(uuid)
        with self._ledger.write(shared=True) as write:
            if uuid is not None and (before := facts.by_uuid(write.connection, uuid)) is not None:
                claim = (self._ledger.project.id, self._loop_id, facts.called(write.connection, annotator), "undo")
                check_same(before, claim, ("project_id", "loop_id", "annotator", "kind"))
                return self.annotation(facts.by_id(write.connection, before.undoes or 0))
            person = facts.annotator(write.connection, annotator)
            newest = facts.newest(write.connection, person, self._loop_id, kinds)
            if newest is None:
                return None
            if newest.step is not None:
                return self._undo_step(write, newest, person, uuid)
            ask_again = None if reopen is None else reopen(write, newest, person)
            facts.add(
                write,
                uuid=uuid,
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
            called = self._ledger.annotations.called(write.connection, annotator)
            if records[0].annotator != called or records[0].loop_id != self._loop_id:
                raise LookupError(f"The step {uuid!r} is not one of {annotator!r} in the loop {self._loop!r}.")
            return self._undo_step(write, records[0], person)

    def _undo_step(self, write: Write, newest: AnnotationRecord, person: int, uuid: str | None = None) -> Annotation:
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
            own=[] if uuid is None else [uuid],
        )
        return replace(self.annotation(newest), together=len(records))


def _check_sent(uuid: object, seconds: object = None) -> None:
    """Raise for a UUID that is no text or empty, and for seconds that nobody can take."""
    if uuid is not None and (not isinstance(uuid, str) or not uuid.strip()):
        raise ValueError(f"The UUID of an answer is a text of 1 to 36 characters, got {uuid!r}. Leave it out for none.")
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 <= float(seconds) < math.inf:
        raise ValueError(f"seconds= says how long an answer took, from 0 on, got {seconds!r}. Leave it out for none.")


CLAIMS = ("project_id", "loop_id", "query_id", "item_id", "annotator", "kind", "label_ids")
"""What a UUID names, in the words of an `AnnotationRecord`."""


def check_same(before: AnnotationRecord, claim: Sequence[object], names: Sequence[str] = CLAIMS) -> None:
    """Raise ValueError where what is on record under a UUID differs from what is said under it now."""
    for name, said in zip(names, claim, strict=True):
        if getattr(before, name) != said:
            raise ValueError(
                f"The UUID {before.uuid!r} names something else that was said before (another "
                f"{name.removesuffix('_id').replace('label_ids', 'label')}); nothing was saved. Each answer needs a "
                "UUID of its own."
            )


def check_items(before: Sequence[AnnotationRecord], item_ids: Sequence[int]) -> None:
    """Raise ValueError where a step was about an item that it is not about now."""
    if strange := {record.item_id for record in before} - set(item_ids):
        raise ValueError(
            f"The UUID {before[0].step!r} names another step, about the item {min(strange)} too; nothing was saved. "
            "Each step needs a UUID of its own."
        )


def annotator_name(annotator: str | None) -> str:
    """Return the name without blanks around it, its characters composed; raise for what is no name."""
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"An annotator needs a name, got {annotator!r}.")
    return unicodedata.normalize("NFC", annotator.strip())
