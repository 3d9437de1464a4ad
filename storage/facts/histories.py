"""Everything that happened to one item, from all the tables that say something of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from storage import tables
from storage.facts.visibility import completed

if TYPE_CHECKING:
    from storage.transactions import Transactions


class Event(NamedTuple):
    """Something that happened to an item: what, when, by whom, in which loop; with the class that it names."""

    at: datetime
    seq: int
    event: str
    who: str | None
    loop_id: int | None
    label_id: int | None
    details: Mapping[str, Any]


class HistoryFacts:
    """Histories of the items of one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def of_item(self, item_id: int) -> list[Event]:
        """Return what happened to an item, oldest first; nothing where there is none."""
        with self._transactions.read() as connection:
            found = [
                *self._imported(connection, item_id),
                *self._gold(connection, item_id),
                *self._decided(connection, item_id),
                *self._asked(connection, item_id),
                *self._said(connection, item_id),
                *self._remarked(connection, item_id),
                *self._erased(connection, item_id),
            ]
        return sorted(found, key=lambda event: (event.seq, event.at))

    def _imported(self, connection: Connection, item_id: int) -> Iterator[Event]:
        imports = tables.imports
        for table, event in ((tables.items, "imported"), (tables.source_rows, "imported again")):
            rows = connection.execute(
                select(imports.c.completed_at, imports.c.seq, imports.c.name, table.c.source_row, table.c.external_id)
                .join(imports, imports.c.id == table.c.import_id)
                .where(table.c.project_id == self._project_id, table.c.item_id == item_id)
                .where(imports.c.id.in_(completed(self._project_id)))
            )
            for row in rows:
                details = {"import": row.name, "row": row.source_row, "id": row.external_id}
                yield Event(row.completed_at, row.seq, event, None, None, None, details)

    def _gold(self, connection: Connection, item_id: int) -> Iterator[Event]:
        gold, imports = tables.gold, tables.imports
        rows = connection.execute(
            select(imports.c.completed_at, imports.c.seq, imports.c.name, gold.c.label_id)
            .join(imports, imports.c.id == gold.c.import_id)
            .where(gold.c.project_id == self._project_id, gold.c.item_id == item_id)
            .where(imports.c.id.in_(completed(self._project_id)))
        )
        for row in rows:
            yield Event(row.completed_at, row.seq, "gold", None, None, row.label_id, {"import": row.name})

    def _decided(self, connection: Connection, item_id: int) -> Iterator[Event]:
        table = tables.stream_decisions
        own = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        for row in connection.execute(select(table).where(*own)):
            details = {"score": row.score, "threshold": row.threshold, "predicted": row.predicted, "round": row.round}
            event = "asked" if row.asked else "decided"
            yield Event(row.created_at, row.seq, event, None, row.loop_id, None, {"uuid": row.uuid} | details)

    def _asked(self, connection: Connection, item_id: int) -> Iterator[Event]:
        table, people = tables.queries, tables.annotators
        statement = select(table, people.c.name.label("who")).join(people, people.c.id == table.c.annotator_id)
        own = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        for row in connection.execute(statement.where(*own)):
            details = {"uuid": row.uuid, "strategy": row.strategy, "score": row.score, "predicted": row.predicted}
            yield Event(row.created_at, row.seq, "asked", row.who, row.loop_id, None, details)

    def _said(self, connection: Connection, item_id: int) -> Iterator[Event]:
        table, people, labels = tables.annotations, tables.annotators, tables.annotation_labels
        statement = (
            select(table, people.c.name.label("who"), labels.c.label_id)
            .join(people, people.c.id == table.c.annotator_id)
            .outerjoin(labels, labels.c.annotation_id == table.c.id)
            .where(table.c.project_id == self._project_id, table.c.item_id == item_id)
        )
        rows = connection.execute(statement).all()
        uuids = {row.id: row.uuid for row in rows}
        for row in rows:
            details = {"uuid": row.uuid, "seconds": row.seconds, "origin": row.origin, "late": row.late}
            details |= {"undoes": uuids.get(row.undoes), "guidelines": row.guidelines}
            known = {name: value for name, value in details.items() if value is not None}
            yield Event(row.created_at, row.seq, row.kind, row.who, row.loop_id, row.label_id, known)

    def _remarked(self, connection: Connection, item_id: int) -> Iterator[Event]:
        table, people = tables.remarks, tables.annotators
        statement = select(table, people.c.name.label("who")).join(people, people.c.id == table.c.annotator_id)
        own = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        for row in connection.execute(statement.where(*own)):
            yield Event(row.created_at, row.seq, row.kind, row.who, None, None, {"text": row.text})

    def _erased(self, connection: Connection, item_id: int) -> Iterator[Event]:
        table = tables.erasures
        own = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        for row in connection.execute(select(table).where(*own)):
            yield Event(row.created_at, row.seq, "erased", None, None, None, {"reason": row.reason})
