"""Imports under way, completed, and taken back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from storage import tables
from storage.database import StorageError
from storage.facts.asking.refit_leases import ended, new_holder
from storage.facts.bulk import write_rows
from storage.facts.label_sets import write_label_set
from storage.facts.visibility import TAKEN_BACK, taken_back, visible_items, withdrawn_items
from storage.records import ImportRecord, ItemRows, Withdrawal
from storage.schema import database_clock

if TYPE_CHECKING:
    from storage.facts.items import ItemFacts
    from storage.facts.people.annotations import AnnotationFacts
    from storage.transactions import Transactions

IMPORT_LEASE_SECONDS = 600.0

ITEMS, GOLD, STREAM = "items", "gold", "stream"
"""What an import brings: rows of a source, known answers alone, records offered to a stream."""

HOLDER = "holder"
"""Where an import under way says which process is at it."""


PART = 2_000
"""Items that one transaction of an import writes: answers of people wait for no more."""

PAUSE_SECONDS = 0.006
"""How long an import into SQLite leaves to others after each transaction."""


class ImportFacts:
    """The imports of one project."""

    def __init__(self, transactions: Transactions, items: ItemFacts, annotations: AnnotationFacts) -> None:
        self._transactions = transactions
        self._items = items
        self._annotations = annotations
        self._project_id = transactions.project.id
        # Asked before each read of items, and made once: to put them together takes as long as to run them.
        table = tables.imports
        complete = select(table).where(table.c.project_id == self._project_id, table.c.seq.is_not(None))
        self._all = complete.order_by(table.c.seq)
        self._gone = taken_back(self._project_id)

    def begin(self, name: str, kind: str | None = None) -> int:
        """Open an import and return its id; nothing of it is visible until it completes.

        Raises
        ------
        StorageError
            Another import into this project is under way.
        """
        table = tables.imports
        with self._transactions.unstamped() as connection:
            # Whoever comes second waits here, and then sees the first one's import.
            project = select(tables.projects.c.id).where(tables.projects.c.id == self._project_id)
            connection.execute(project.with_for_update())
            self._purge(connection)
            running = connection.execute(
                select(table.c.name, table.c.started_at).where(
                    table.c.project_id == self._project_id, table.c.seq.is_(None)
                )
            ).first()
            if running is not None:
                raise StorageError(
                    f"An import of {running.name!r} has been running since {running.started_at:%H:%M:%S} UTC. "
                    "Wait until it is done; if its machine died, it expires after 10 minutes."
                )
            values = {
                "project_id": self._project_id,
                "uuid": str(uuid.uuid4()),
                "started_at": datetime.now(UTC),
                "name": name,
                "kind": kind,
                # Until it completes: who is at it.
                "mapping": {HOLDER: new_holder()},
                "columns": [],
                "expires_at": database_clock() + IMPORT_LEASE_SECONDS,
            }
            return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())

    def reserve(self, count: int) -> int:
        """Reserve `count` item ids and return the first."""
        table = tables.projects
        with self._transactions.unstamped() as connection:
            statement = (
                update(table)
                .where(table.c.id == self._project_id)
                .values(next_item=table.c.next_item + count)
                .returning(table.c.next_item)
            )
            return int(connection.execute(statement).scalar_one()) - count

    def add(self, import_id: int, rows: ItemRows) -> None:
        """Write a chunk of items under an import, a part at a time so that others come in between."""
        for part in _parts(rows):
            with self._transactions.unstamped() as connection:
                self._items.insert(connection, import_id, part)
                self._extend(connection, import_id)
            self._let_in()

    def _let_in(self) -> None:
        """Leave SQLite, which one writes at a time, to who waits; a server has room for all."""
        if self._transactions.engine.dialect.name == "sqlite":
            time.sleep(PAUSE_SECONDS)

    def add_source_rows(
        self, import_id: int, rows: Sequence[tuple[int, int, str | None, bytes | None, bool | None]]
    ) -> None:
        """Write rows of an import that made no item: (row in the source, item, external id, key, again).

        `again` tells a row that was here already from an exact copy, which is exported beside its item.
        """
        with self._transactions.unstamped() as connection:
            values = [(self._project_id, import_id, *row) for row in rows]
            write_rows(connection, tables.source_rows, values)
            self._extend(connection, import_id)
        self._let_in()

    def add_gold(self, import_id: int, rows: Sequence[tuple[int, int]]) -> None:
        """Write known truths of an import: (item, label id)."""
        with self._transactions.unstamped() as connection:
            values = [(self._project_id, item, import_id, label) for item, label in rows]
            write_rows(connection, tables.gold, values)
            self._extend(connection, import_id)
        self._let_in()

    def _extend(self, connection: Connection, import_id: int) -> None:
        table = tables.imports
        statement = (
            update(table)
            .where(table.c.id == import_id, table.c.seq.is_(None))
            .values(expires_at=database_clock() + IMPORT_LEASE_SECONDS)
        )
        if connection.execute(statement).rowcount != 1:
            raise StorageError("This import had expired and was cleared by another process. Import the file again.")

    def complete(
        self,
        import_id: int,
        mapping: Mapping[str, Any],
        columns: Sequence[Mapping[str, Any]],
        report: Mapping[str, Any],
        label_set: Mapping[str, Any] | None = None,
    ) -> int:
        """Make an import visible, all of it at once; return the number of that write.

        `label_set` is a version of the classes that comes with it: after, change, classes.
        """
        with self._transactions.write() as write:
            if label_set is not None:
                write_label_set(write, **label_set)
            self._extend(write.connection, import_id)
            statement = (
                update(tables.imports)
                .where(tables.imports.c.id == import_id)
                .values(
                    seq=write.seq,
                    completed_at=write.now,
                    mapping=dict(mapping),
                    columns=[dict(column) for column in columns],
                    report=dict(report),
                )
            )
            write.connection.execute(statement)
            return write.seq

    def abandon(self, import_id: int) -> None:
        """Delete an import that will not complete, with all its rows."""
        with self._transactions.unstamped(archived=True) as connection:
            self._delete_import(connection, import_id)

    def purge(self) -> None:
        """Delete what imports left behind whose process died."""
        with self._transactions.read() as connection:
            stale = self._stale(connection)
        if stale:
            with self._transactions.unstamped(archived=True) as connection:
                self._purge(connection)

    def _purge(self, connection: Connection) -> None:
        for import_id in self._stale(connection):
            # What its process wrote last may be on its way still.
            own = select(tables.imports.c.id).where(tables.imports.c.id == import_id)
            connection.execute(own.with_for_update())
            self._delete_import(connection, import_id)

    def _stale(self, connection: Connection) -> list[int]:
        """Return the imports under way that nobody is at: their process ended, or was not heard of for too long."""
        table = tables.imports
        expired = (table.c.expires_at < database_clock()).label("expired")
        under_way = select(table.c.id, table.c.mapping, expired).where(
            table.c.project_id == self._project_id, table.c.seq.is_(None)
        )
        return [row.id for row in connection.execute(under_way) if row.expired or ended(row.mapping.get(HOLDER, ""))]

    def _delete_import(self, connection: Connection, import_id: int) -> None:
        mine = and_(tables.items.c.project_id == self._project_id, tables.items.c.import_id == import_id)
        item_ids = select(tables.items.c.item_id).where(mine)
        connection.execute(
            delete(tables.contents).where(
                tables.contents.c.project_id == self._project_id, tables.contents.c.item_id.in_(item_ids)
            )
        )
        connection.execute(delete(tables.items).where(mine))
        for table in (tables.gold, tables.source_rows):
            connection.execute(
                delete(table).where(table.c.project_id == self._project_id, table.c.import_id == import_id)
            )
        connection.execute(
            delete(tables.imports).where(tables.imports.c.id == import_id, tables.imports.c.seq.is_(None))
        )

    def all(self) -> list[ImportRecord]:
        """Return the completed imports, those taken back among them, oldest first."""
        return list(self._transactions.kept("imports", [tables.imports, tables.import_changes], self._read))

    def _read(self, connection: Connection) -> tuple[ImportRecord, ...]:
        project, item = self._project_id, tables.items
        rows = connection.execute(self._all).all()
        gone = set(connection.scalars(self._gone))
        kept = {
            import_id
            for import_id in gone
            if connection.scalar(
                select(item.c.item_id).where(visible_items(project), item.c.import_id == import_id).limit(1)
            )
            is not None
        }
        return tuple(
            ImportRecord(
                id=row.id,
                seq=row.seq,
                name=row.name,
                mapping=row.mapping,
                columns=tuple(row.columns),
                report=row.report,
                completed_at=row.completed_at,
                kind=row.kind or ITEMS,
                taken_back=row.id in gone,
                in_use=row.id not in gone or row.id in kept,
            )
            for row in rows
        )

    def withdrawal(self, import_id: int) -> Withdrawal:
        """Return what taking an import back would do."""
        with self._transactions.read() as connection:
            return self._withdrawal(connection, import_id)

    def _withdrawal(self, connection: Connection, import_id: int) -> Withdrawal:
        project, known = self._project_id, tables.gold
        before = set(connection.scalars(withdrawn_items(project)))
        gone = set(connection.scalars(withdrawn_items(project, also=import_id))) - before
        answers = self._annotations.standing.answers_on(connection, gone)
        gold = connection.scalar(
            select(func.count()).where(known.c.project_id == project, known.c.import_id == import_id)
        )
        brought = connection.scalar(
            select(func.count()).where(tables.items.c.project_id == project, tables.items.c.import_id == import_id)
        )
        return Withdrawal(frozenset(gone), int(brought or 0), answers, int(gold or 0))

    def take_back(self, import_id: int) -> Withdrawal:
        """Take an import back: what it alone brought is there no longer. What people said of it stays on record.

        Raises
        ------
        StorageError
            Another import is under way, or this one was taken back already.
        """
        table, leases = tables.imports, tables.leases
        with self._transactions.write() as write:
            connection = write.connection
            self._purge(connection)
            running = connection.scalar(
                select(table.c.name).where(table.c.project_id == self._project_id, table.c.seq.is_(None))
            )
            if running is not None:
                raise StorageError(f"An import of {running!r} is running. Wait until it is done.")
            if import_id in set(connection.scalars(taken_back(self._project_id))):
                raise StorageError(f"The import {import_id} was taken back already.")
            result = self._withdrawal(connection, import_id)
            write.fact(
                tables.import_changes,
                import_id=import_id,
                kind=TAKEN_BACK,
                details={"items": len(result.items), "answers": result.answers, "gold": result.gold},
            )
            held = connection.execute(select(leases.c.item_id).where(leases.c.project_id == self._project_id))
            for item_id in result.items.intersection(held.scalars()):
                connection.execute(
                    delete(leases).where(leases.c.project_id == self._project_id, leases.c.item_id == item_id)
                )
        return result


def _parts(rows: ItemRows) -> Iterator[ItemRows]:
    """Yield items a part at a time."""
    if len(rows.item_ids) <= PART:
        yield rows
        return
    columns = {name: value for name, value in vars(rows).items() if value is not None}
    for top in range(0, len(rows.item_ids), PART):
        yield ItemRows(**{name: value[top : top + PART] for name, value in columns.items()})
