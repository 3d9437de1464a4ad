"""Streams: records that arrive one by one, what was decided about each, what the loop learned from answers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from storage import tables
from storage.facts.visibility import withdrawn_items
from storage.records import DecisionRecord, ItemRows, StreamAnswer, StreamEvent

if TYPE_CHECKING:
    from storage.facts.items import ItemFacts
    from storage.facts.people.annotations import AnnotationFacts
    from storage.facts.people.persons import Merged
    from storage.transactions import Transactions, Write

PART = 500

EVENT = tuple(field.name for field in fields(StreamEvent))
"""What is read of an event."""


class StreamFacts:
    """The records offered to the streams of one project."""

    def __init__(self, transactions: Transactions, items: ItemFacts, annotations: AnnotationFacts) -> None:
        self._transactions = transactions
        self._items = items
        self._annotations = annotations
        self._project_id = transactions.project.id
        self._statements: _Standing | None = None

    def add_source(
        self, write: Write, name: str, mapping: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]
    ) -> int:
        """Add the import under which records of one shape arrive, and return its id.

        It counts as complete from the start: what arrives later is visible at once.
        """
        values = {
            "project_id": self._project_id,
            "uuid": str(uuid.uuid4()),
            "started_at": write.now,
            "completed_at": write.now,
            "seq": write.seq,
            "expires_at": 0.0,
            "name": name,
            "kind": "stream",
            "mapping": dict(mapping),
            "columns": [dict(column) for column in columns],
            "report": {},
        }
        statement = insert(tables.imports).values(values).returning(tables.imports.c.id)
        return int(write.connection.execute(statement).scalar_one())

    def source(self, name: str) -> tuple[int, tuple[Mapping[str, Any], ...]] | None:
        """Return the newest import of a name and its columns, None if there is none."""
        table = tables.imports
        with self._transactions.read() as connection:
            row = connection.execute(
                select(table.c.id, table.c.columns)
                .where(table.c.project_id == self._project_id, table.c.name == name, table.c.seq.is_not(None))
                .order_by(table.c.id.desc())
                .limit(1)
            ).first()
        return None if row is None else (row.id, tuple(row.columns))

    def add(
        self, write: Write, loop_id: int, import_id: int, items: ItemRows, decisions: Sequence[Mapping[str, Any]]
    ) -> int:
        """Write records and the decisions about them inside `write`; return the first item's id.

        The ids in `items` are not read: the records get those that follow the project's last item.
        """
        count = len(decisions)
        first = int(write.connection.execute(self._next_item, {"count": count}).scalar_one()) - count
        placed = ItemRows(
            range(first, first + count), items.rows, items.external_ids, items.groups, items.hashes, items.data,
            items.private, items.images,
        )  # fmt: skip
        self._items.insert(write.connection, import_id, placed)
        stamp = {"project_id": self._project_id, "seq": write.seq, "created_at": write.now, "loop_id": loop_id}
        rows = [{**stamp, "item_id": first + place, **decision} for place, decision in enumerate(decisions)]
        write.connection.execute(insert(tables.stream_decisions), rows)
        return first

    def version(self, connection: Connection) -> int:
        """Return the number of the newest write, as a transaction sees it."""
        return int(connection.execute(self._version).scalar_one())

    def last_event(self, connection: Connection, loop_id: int) -> int:
        """Return the number of a stream's newest event, 0 before the first."""
        table = tables.stream_events
        return int(connection.scalar(select(func.max(table.c.number)).where(table.c.loop_id == loop_id)) or 0)

    def offered(self, connection: Connection, loop_id: int) -> int:
        """Return how many records were offered to a stream: the position of the next one."""
        newest = connection.scalar(self._newest_position, {"loop": loop_id})
        return 0 if newest is None else int(newest) + 1

    def decisions(self, connection: Connection, loop_id: int, start: int, stop: int | None = None) -> list[Any]:
        """Return (position, item, score, boost, confidence) of the decisions from `start` to before `stop`."""
        table = tables.stream_decisions
        columns = (table.c.position, table.c.item_id, table.c.score, table.c.boost, table.c.confidence)
        statement = select(*columns).where(table.c.loop_id == loop_id, table.c.position >= start)
        if stop is not None:
            statement = statement.where(table.c.position < stop)
        return list(connection.execute(statement.order_by(table.c.position)).all())

    def items(self, connection: Connection, loop_id: int, start: int, stop: int) -> list[int]:
        """Return the items of the records from `start` to before `stop`, in order."""
        return list(connection.scalars(self._items_between, {"loop": loop_id, "start": start, "stop": stop}))

    def checkpoint(self, connection: Connection, loop_id: int) -> tuple[int, Mapping[str, Any]] | None:
        """Return the newest position at which a budget's state was kept, and that state."""
        table = tables.stream_decisions
        row = connection.execute(
            select(table.c.position, table.c.state)
            .where(table.c.loop_id == loop_id, table.c.state.is_not(None))
            .order_by(table.c.position.desc())
            .limit(1)
        ).first()
        return None if row is None else (row.position, row.state)

    def by_key(self, connection: Connection, loop_id: int, keys: Sequence[str]) -> dict[str, DecisionRecord]:
        """Return the decisions about records that were offered under these keys."""
        column = tables.stream_decisions.c.key
        found: dict[str, DecisionRecord] = {}
        for start in range(0, len(keys), PART):
            part = self._records(connection, loop_id, column.in_(keys[start : start + PART]))
            found |= {str(record.key): record for record in part}
        return found

    def of_item(self, connection: Connection, loop_id: int, item_id: int) -> DecisionRecord | None:
        """Return the decision about one item."""
        found = self._records(connection, loop_id, tables.stream_decisions.c.item_id == item_id)
        return found[0] if found else None

    def asked(self, connection: Connection, loop_id: int) -> list[DecisionRecord]:
        """Return the decisions to ask, oldest first."""
        return self._records(connection, loop_id, tables.stream_decisions.c.asked)

    def asked_positions(self, connection: Connection, loop_id: int) -> list[int]:
        """Return the positions of the records to ask about, in order."""
        table = tables.stream_decisions
        statement = select(table.c.position).where(table.c.loop_id == loop_id, table.c.asked)
        return list(connection.scalars(statement.order_by(table.c.position)))

    def last_decisions(
        self, connection: Connection, loop_id: int, positions: Sequence[int]
    ) -> dict[int, tuple[float, float]]:
        """Return (threshold, boost) of the decision before each position, by its own position."""
        table = tables.stream_decisions
        found: dict[int, tuple[float, float]] = {}
        for start in range(0, len(positions), PART):
            before = [position - 1 for position in positions[start : start + PART]]
            statement = select(table.c.position, table.c.threshold, table.c.boost)
            rows = connection.execute(statement.where(table.c.loop_id == loop_id, table.c.position.in_(before)))
            found |= {row.position: (row.threshold, row.boost) for row in rows}
        return found

    def _records(self, connection: Connection, loop_id: int, condition: ColumnElement[bool]) -> list[DecisionRecord]:
        table = tables.stream_decisions
        rows = connection.execute(select(table).where(table.c.loop_id == loop_id, condition).order_by(table.c.position))
        names = [field.name for field in fields(DecisionRecord)]
        return [DecisionRecord(*(getattr(row, name) for name in names)) for row in rows]

    def add_event(self, loop_id: int, number: int, values: Mapping[str, Any]) -> tuple[int, StreamEvent] | None:
        """Commit what a stream learned or noticed, and return the write's number and the event.

        None if somebody else committed that number.
        """
        try:
            with self._transactions.write() as write:
                write.fact(tables.stream_events, loop_id=loop_id, number=number, **values)
        except IntegrityError:
            return None
        return write.seq, StreamEvent(number=number, created_at=write.now, **values)

    def note(self, write: Write, loop_id: int, number: int, values: Mapping[str, Any]) -> None:
        """Add an event inside an open write."""
        write.fact(tables.stream_events, loop_id=loop_id, number=number, **values)

    def events(
        self, connection: Connection, loop_id: int, after: int = 0, *, kind: str | None = None, last: int | None = None
    ) -> list[StreamEvent]:
        """Return the events of a stream whose number is higher than `after`, oldest first.

        `kind` leaves out the others; `last` takes so many of the newest.
        """
        statement = self._newest_events
        if kind is not None:
            statement = statement.where(tables.stream_events.c.kind == kind)
        if last is not None:
            statement = statement.limit(last)
        rows = connection.execute(statement, {"loop": loop_id, "after": after}).all()
        return [StreamEvent(*row) for row in reversed(rows)]

    def answers(
        self, connection: Connection, loop_id: int, since: int = 0, last: int | None = None
    ) -> list[StreamAnswer]:
        """Return the standing answers to questions of a stream, oldest first.

        `since` leaves out annotations of a lower id; `last` takes so many of the newest.
        """
        values = {"loop": loop_id, "since": since}
        statements = self._for(self._annotations.persons.merged(connection))
        if last is None:
            rows = connection.execute(statements.answers, values).all()
        else:
            rows = connection.execute(statements.newest_answers, values | {"last": last}).all()
        return [StreamAnswer(*row) for row in reversed(rows)]

    def training(self, connection: Connection, until: int, since: int, last: int) -> list[tuple[int, int, int]]:
        """Return (annotation, item, label id) of the newest standing answers in the project, oldest first.

        `until` looks at the ledger as it was after that write; `since` leaves out
        annotations of a lower id; at most the `last` of them are read.
        """
        statement = self._for(self._annotations.persons.merged(connection)).training
        rows = connection.execute(statement, {"until": until, "since": since, "last": last}).all()
        return [(row.id, row.item_id, row.label_id) for row in reversed(rows)]

    def new_answers(self, connection: Connection, after: int) -> int:
        """Return how many answers, corrections and undos came into the project after a write."""
        return int(connection.scalar(self._new_answers, {"after": after}) or 0)

    # Asked at each record or refit, and made once: to put them together takes as long as to run them.

    @cached_property
    def _version(self) -> Select[Any]:
        """A SELECT of the number of the newest write."""
        return select(tables.projects.c.seq).where(tables.projects.c.id == self._project_id)

    @cached_property
    def _next_item(self) -> ReturningUpdate[Any]:
        """The statement that takes the next `count` ids of items."""
        table, count = tables.projects, bindparam("count", type_=Integer)
        taken = update(table).where(table.c.id == self._project_id).values(next_item=table.c.next_item + count)
        return taken.returning(table.c.next_item)

    @cached_property
    def _newest_position(self) -> Select[Any]:
        """A SELECT of the newest position in the stream `loop`."""
        table = tables.stream_decisions
        return select(func.max(table.c.position)).where(table.c.loop_id == bindparam("loop"))

    @cached_property
    def _items_between(self) -> Select[Any]:
        """A SELECT of the items of the stream `loop` from `start` to before `stop`, in order."""
        table = tables.stream_decisions
        within = (table.c.position >= bindparam("start"), table.c.position < bindparam("stop"))
        return select(table.c.item_id).where(table.c.loop_id == bindparam("loop"), *within).order_by(table.c.position)

    @cached_property
    def _newest_events(self) -> Select[Any]:
        """A SELECT of the events of the stream `loop` whose number is higher than `after`, newest first."""
        table = tables.stream_events
        later = (table.c.loop_id == bindparam("loop"), table.c.number > bindparam("after"))
        return select(*(table.c[name] for name in EVENT)).where(*later).order_by(table.c.number.desc())

    @cached_property
    def _new_answers(self) -> Select[Any]:
        """A SELECT of how many answers, corrections and undos came into the project after the write `after`."""
        table = tables.annotations
        said = table.c.kind.in_(("answer", "undo"))
        return select(func.count()).where(
            table.c.project_id == self._project_id, table.c.seq > bindparam("after"), said
        )

    def _for(self, merged: Merged) -> _Standing:
        """Return the statements for answers that stand where these people are one."""
        if self._statements is None or self._statements.merged != merged:
            self._statements = _Standing(self._project_id, self._annotations, merged)
        return self._statements


class _Standing:
    """SELECTs of answers that stand, made once for who is one person."""

    def __init__(self, project_id: int, annotations: AnnotationFacts, merged: Merged) -> None:
        self.merged = merged
        self._project_id = project_id
        self._annotations = annotations

    @cached_property
    def answers(self) -> Select[Any]:
        """A SELECT of the standing answers to questions of the stream `loop`, newest first."""
        decision, annotation = tables.stream_decisions, tables.annotations
        loop: BindParameter[int] = bindparam("loop")
        return (
            self._standing()
            .add_columns(decision.c.position, decision.c.predicted)
            .join(decision, (decision.c.item_id == annotation.c.item_id) & (decision.c.loop_id == loop))
            .where(annotation.c.loop_id == loop)
            .order_by(annotation.c.id.desc())
        )

    @cached_property
    def newest_answers(self) -> Select[Any]:
        """The first `last` of these."""
        return self.answers.limit(bindparam("last", type_=Integer))

    @cached_property
    def training(self) -> Select[Any]:
        """A SELECT of the `last` newest answers that stood after the write `until`, newest first."""
        statement = self._standing(bindparam("until")).order_by(tables.annotations.c.id.desc())
        return statement.limit(bindparam("last", type_=Integer))

    def _standing(self, until: BindParameter[int] | None = None) -> Select[Any]:
        """Return a SELECT of (annotation, item, label id) of answers that stand, from annotation `since` on."""
        annotation, label = tables.annotations, tables.annotation_labels
        current = self._annotations.current_ids(until, self.merged).where(annotation.c.id >= bindparam("since"))
        return (
            select(annotation.c.id, annotation.c.item_id, label.c.label_id)
            .join(label, label.c.annotation_id == annotation.c.id)
            .where(annotation.c.kind == "answer", annotation.c.id.in_(current))
            .where(annotation.c.item_id.not_in(withdrawn_items(self._project_id)))
        )
