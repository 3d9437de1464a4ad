"""What people did: answers, unsure, skips, discards, and what they took back."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert

from storage import tables
from storage.facts.documents import guidelines_in_force
from storage.facts.people.standing import ANSWERS, WELCOME, Follower, follower
from storage.records import AnnotationRecord, QuestionRecord, WorkRecord

if TYPE_CHECKING:
    from storage.facts.items import ItemFacts
    from storage.facts.people.persons import Merged, PersonFacts
    from storage.transactions import Transactions, Write


NO_ANSWERS = ("undo", WELCOME)
"""Kinds that say nothing of an item's class, and so never stand in the way of what does."""

ROWS = 5_000
"""Rows that one statement adds."""


class AnnotationFacts:
    """The annotations of one project."""

    def __init__(self, transactions: Transactions, items: ItemFacts, persons: PersonFacts) -> None:
        self._transactions = transactions
        self._items = items
        self._project_id = transactions.project.id
        self.persons = persons
        self.standing: Follower = follower(transactions, persons.merged)

    def annotator(self, connection: Connection, name: str) -> int:
        """Return the id of an annotator, who is added when new."""
        return self.persons.annotator(connection, name)

    def called(self, connection: Connection, name: str) -> str:
        """Return how the person is called whose answers are given under a name: another name since a merge."""
        return self.persons.merged(connection).called.get(name, name)

    @cached_property
    def _adding(self) -> ReturningInsert[Any]:
        """An INSERT of an annotation, under the newest version of the classes and of what the item `about` holds.

        Made once: to put it together takes as long as to run it.
        """
        contents, sets = tables.contents, tables.label_sets
        mine = (contents.c.project_id == self._project_id, contents.c.item_id == bindparam("about"))
        content = select(func.max(contents.c.version)).where(*mine).scalar_subquery()
        classes = select(func.max(sets.c.version)).where(sets.c.project_id == self._project_id).scalar_subquery()
        newest = {
            "content_version": func.coalesce(content, 1),
            "label_set": func.coalesce(classes, 1),
            "guidelines": guidelines_in_force(self._project_id),
        }
        table = tables.annotations
        return insert(table).values(newest).returning(table.c.id, table.c.guidelines)

    def annotators(self) -> dict[int, str | None]:
        """Return the names of the people by id; None where the name was erased."""
        return self.persons.annotators()

    def add(
        self,
        write: Write,
        *,
        uuid: str | None,
        item_id: int,
        annotator_id: int,
        kind: str,
        label_ids: Sequence[int] = (),
        query_id: int | None = None,
        loop_id: int | None = None,
        undoes: int | None = None,
        seconds: float | None = None,
        suggestion_shown: bool = False,
        late: bool = False,
        annotator: str | None = None,
    ) -> AnnotationRecord:
        """Add an annotation of a person, called `annotator`, inside `write`, and return it."""
        uuid = str(uuids.uuid4()) if uuid is None else uuid
        row = {
            "uuid": uuid,
            "item_id": item_id,
            "annotator_id": annotator_id,
            "kind": kind,
            "query_id": query_id,
            "loop_id": loop_id,
            "undoes": undoes,
            "seconds": seconds,
            "suggestion_shown": suggestion_shown,
            "late": late or None,
        }
        stamps = {"project_id": write.project_id, "seq": write.seq, "created_at": write.now, "about": item_id}
        annotation_id, guidelines = write.connection.execute(self._adding, row | stamps).one()
        if label_ids:
            rows = [{"annotation_id": annotation_id, "label_id": label} for label in label_ids]
            write.connection.execute(insert(tables.annotation_labels), rows)
        return AnnotationRecord(
            id=annotation_id,
            project_id=write.project_id,
            uuid=uuid,
            seq=write.seq,
            item_id=item_id,
            annotator=annotator,
            kind=kind,
            label_ids=tuple(label_ids),
            query_id=query_id,
            loop_id=loop_id,
            undoes=undoes,
            seconds=seconds,
            created_at=write.now,
            late=late,
            guidelines=guidelines,
            annotator_id=annotator_id,
        )

    def add_many(
        self,
        write: Write,
        item_ids: Sequence[int],
        *,
        annotator_id: int,
        kind: str,
        step: str,
        origin: str | None = None,
        label_ids: Sequence[int] = (),
        from_query_id: int | None = None,
        loop_id: int | None = None,
        undoes: Sequence[int] = (),
        at: Sequence[datetime | None] = (),
        own: Sequence[str] = (),
    ) -> None:
        """Add an annotation of each item inside `write`, as one step.

        `undoes`, where there are any, names the annotation that each one takes back; `at` when each was given
        elsewhere, under whatever guidelines, None for now; `own` the senders' own ids, of the first so many.
        """
        contents, sets, table = tables.contents, tables.label_sets, tables.annotations
        classes = select(func.max(sets.c.version)).where(sets.c.project_id == self._project_id).scalar_subquery()
        label_set, guidelines = write.connection.execute(select(classes, guidelines_in_force(self._project_id))).one()
        common = {
            "project_id": write.project_id,
            "seq": write.seq,
            "created_at": write.now,
            "annotator_id": annotator_id,
            "kind": kind,
            "loop_id": loop_id,
            "label_set": label_set or 1,
            "guidelines": None if at else guidelines,
            "suggestion_shown": False,
            "origin": origin,
            "from_query_id": from_query_id,
            "step": step,
        }
        for top in range(0, len(item_ids), ROWS):
            part = item_ids[top : top + ROWS]
            versions = select(contents.c.item_id, func.max(contents.c.version)).where(
                contents.c.project_id == self._project_id, contents.c.item_id.between(min(part), max(part))
            )
            version = {row[0]: row[1] for row in write.connection.execute(versions.group_by(contents.c.item_id))}
            rows = [
                common
                | {"uuid": own[top + place] if top + place < len(own) else str(uuids.uuid4())}
                | {"item_id": item, "content_version": version.get(item, 1)}
                | {"undoes": undoes[top + place] if undoes else None}
                | {"created_at": (at[top + place] if at else None) or write.now}
                for place, item in enumerate(part)
            ]
            write.connection.execute(insert(table), rows)
        for label in label_ids:
            made = select(table.c.id, literal(label)).where(table.c.step == step, table.c.seq == write.seq)
            target = insert(tables.annotation_labels)
            write.connection.execute(target.from_select(["annotation_id", "label_id"], made))

    def work(self, least: float, loop_id: int | None = None, last: int = 5_000) -> list[WorkRecord]:
        """Return when people answered what they were asked, the newest so many, oldest first.

        Theirs are the answers whose time was measured where the item was shown, of at least so many seconds.
        """
        table = tables.annotations
        statement = (
            select(table.c.annotator_id, table.c.seconds, table.c.created_at)
            .where(table.c.project_id == self._project_id, table.c.kind.in_(ANSWERS), table.c.origin.is_(None))
            .where(table.c.seconds >= least)
            .order_by(table.c.id.desc())
            .limit(last)
        )
        if loop_id is not None:
            statement = statement.where(table.c.loop_id == loop_id)
        with self._transactions.read() as connection:
            rows, merged = connection.execute(statement).all(), self.persons.merged(connection)
        return [WorkRecord(merged.lead(row.annotator_id), row.seconds, row.created_at) for row in reversed(rows)]

    def of_step(self, connection: Connection, step: str) -> list[AnnotationRecord]:
        """Return what was done in one step and not taken back, oldest first."""
        table = tables.annotations
        return self._load(
            connection,
            and_(
                table.c.project_id == self._project_id, table.c.step == step, table.c.kind != "undo", standing_in(table)
            ),
        )

    def by_uuid(self, connection: Connection, uuid: str) -> AnnotationRecord | None:
        """Return the annotation that was sent under a UUID, in whatever project; None if there is none."""
        records = self._load(connection, tables.annotations.c.uuid == uuid)
        return records[0] if records else None

    def by_uuids(self, uuids: Sequence[str]) -> dict[str, AnnotationRecord]:
        """Return the annotations that were sent under some of these UUIDs, by UUID."""
        found: dict[str, AnnotationRecord] = {}
        with self._transactions.read() as connection:
            for top in range(0, len(uuids), ROWS):
                part = self._load(connection, tables.annotations.c.uuid.in_(uuids[top : top + ROWS]))
                found |= {record.uuid: record for record in part}
        return found

    def by_id(self, connection: Connection, annotation_id: int) -> AnnotationRecord:
        """Return one annotation."""
        rows = connection.execute(self._by_id, {"annotation": annotation_id})
        return self._read(rows, self.persons.merged(connection))[0]

    @cached_property
    def _by_id(self) -> Select[Any]:
        """A SELECT of the annotation `annotation`, made once: to put it together takes as long as to run it."""
        return self._described(tables.annotations.c.id == bindparam("annotation"))

    def newest(
        self, connection: Connection, annotator_id: int, loop_id: int, kinds: Iterable[str]
    ) -> AnnotationRecord | None:
        """Return the newest annotation of a person in a loop that was not taken back."""
        table = tables.annotations
        statement = (
            select(func.max(table.c.id))
            .where(table.c.annotator_id.in_(self.persons.merged(connection).same(annotator_id)))
            .where(table.c.loop_id == loop_id, table.c.kind.in_(list(kinds)), standing_in(table))
        )
        newest = connection.scalar(statement)
        return None if newest is None else self.by_id(connection, newest)

    def answer_to(self, connection: Connection, query_id: int) -> AnnotationRecord | None:
        """Return the newest annotation of a query that was not taken back."""
        table = tables.annotations
        statement = select(func.max(table.c.id)).where(
            table.c.query_id == query_id, table.c.kind != "undo", standing_in(table)
        )
        newest = connection.scalar(statement)
        return None if newest is None else self.by_id(connection, newest)

    def said_to(self, connection: Connection, asked: QuestionRecord, annotator_id: int) -> str | None:
        """Return the UUID of a person's newest answer to a question, of a pool or a stream, that was not taken back."""
        table = tables.annotations
        statement = (
            select(table.c.uuid)
            .where(table.c.annotator_id.in_(self.persons.merged(connection).same(annotator_id)))
            .where(table.c.project_id == self._project_id, table.c.item_id == asked.item_id)
            .where(table.c.loop_id == asked.loop_id, table.c.query_id.is_not_distinct_from(asked.query_id))
            .where(table.c.origin.is_(None), table.c.kind.in_(ANSWERS), standing_in(table))
            .order_by(table.c.id.desc())
            .limit(1)
        )
        found: str | None = connection.scalar(statement)
        return found

    def answered(self) -> set[int]:
        """Return the items that have an answer, an unsure or a discard that was not taken back."""
        with self._transactions.read() as connection:
            return self.standing.answered(connection) - self._items.withdrawn_in(connection)

    def welcome(self) -> set[int]:
        """Return the items that somebody said belong here."""
        with self._transactions.read() as connection:
            return self.standing.welcome(connection)

    def answered_count(self) -> int:
        """Return how many items `answered` has."""
        with self._transactions.read() as connection:
            gone = self._items.withdrawn_in(connection)
            count = self.standing.answered_count(connection)
            return count - len(self.standing.answered_among(connection, list(gone)))

    def labeled_count(self) -> int:
        """Return how many items somebody gave a class to: unsure and discarded ones are left out."""
        with self._transactions.read() as connection:
            return len(self.standing.labeled(connection) - self._items.withdrawn_in(connection))

    def everything(self) -> list[AnnotationRecord]:
        """Return every annotation, undone ones and undos among them, oldest first."""
        with self._transactions.read() as connection:
            return self._load(connection, tables.annotations.c.project_id == self._project_id)

    def current(self, loop_id: int | None = None, until: int | None = None) -> list[AnnotationRecord]:
        """Return the newest annotation not taken back of each person on each item, in item order.

        What people said of items that went with their import stays on record and is left out here.
        `until` looks at the ledger as it was after that write.
        """
        with self._transactions.read() as connection:
            return self.current_in(connection, loop_id, until)

    def current_in(
        self, connection: Connection, loop_id: int | None = None, until: int | None = None
    ) -> list[AnnotationRecord]:
        """Return what `current` does, inside an open transaction."""
        statement = self.current_ids(until, self.persons.merged(connection))
        if loop_id is not None:
            statement = statement.where(tables.annotations.c.loop_id == loop_id)
        gone = self._items.withdrawn_in(connection)
        found = self._load(connection, tables.annotations.c.id.in_(statement))
        return sorted((record for record in found if record.item_id not in gone), key=lambda r: (r.item_id, r.id))

    def current_ids(self, until: int | BindParameter[int] | None, merged: Merged) -> Select[Any]:
        """Return a SELECT of the ids of the current annotations: newest, not undone, per (item, person)."""
        table = tables.annotations
        statement = (
            select(func.max(table.c.id))
            .where(table.c.project_id == self._project_id, table.c.kind.not_in(NO_ANSWERS), standing_in(table, until))
            .group_by(table.c.item_id, merged.by_person(table.c.annotator_id))
        )
        return statement if until is None else statement.where(table.c.seq <= until)

    def _load(self, connection: Connection, condition: ColumnElement[bool]) -> list[AnnotationRecord]:
        return self._read(connection.execute(self._described(condition)), self.persons.merged(connection))

    @staticmethod
    def _described(condition: ColumnElement[bool]) -> Select[Any]:
        """Return a SELECT of annotations with the person and a row for each class."""
        table, labels = tables.annotations, tables.annotation_labels
        return (
            select(table, tables.annotators.c.name.label("annotator"), labels.c.label_id)
            .join(tables.annotators, tables.annotators.c.id == table.c.annotator_id)
            .outerjoin(labels, labels.c.annotation_id == table.c.id)
            .where(condition)
            .order_by(table.c.id, labels.c.label_id)
        )

    @staticmethod
    def _read(rows: Iterable[Row[Any]], merged: Merged) -> list[AnnotationRecord]:
        """Return annotations from the rows that describe them, each as its person's."""
        records: dict[int, AnnotationRecord] = {}
        for row in rows:
            before = records[row.id].label_ids if row.id in records else ()
            records[row.id] = AnnotationRecord(
                id=row.id,
                project_id=row.project_id,
                uuid=row.uuid,
                seq=row.seq,
                item_id=row.item_id,
                annotator=merged.name(row.annotator_id, row.annotator),
                kind=row.kind,
                label_ids=before if row.label_id is None else (*before, row.label_id),
                query_id=row.query_id,
                loop_id=row.loop_id,
                undoes=row.undoes,
                seconds=row.seconds,
                created_at=row.created_at,
                origin=row.origin,
                from_query_id=row.from_query_id,
                step=row.step,
                late=bool(row.late),
                guidelines=row.guidelines,
                annotator_id=row.annotator_id,
            )
        return list(records.values())


def standing_in(table: Any, until: int | BindParameter[int] | None = None) -> ColumnElement[bool]:
    """Return the condition that an annotation was not taken back."""
    undo = aliased(tables.annotations)
    condition = undo.c.undoes == table.c.id
    if until is not None:
        condition = and_(condition, undo.c.seq <= until)
    return ~select(undo.c.id).where(condition).exists()
