"""Imports and what they brought: items, contents, duplicates, gold, hold-outs, erasures."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, func, insert, or_, select, update

from storage import tables
from storage.database import StorageError, database_clock
from storage.records import HoldoutRecord, ImportRecord, ItemRows

if TYPE_CHECKING:
    from storage.ledger import Ledger

IMPORT_LEASE_SECONDS = 600.0

ITEM_COLUMNS = ("item_id", "source_row", "import_id", "external_id", "group_key")

LISTED = 500
"""Items that one statement names."""


class ItemFacts:
    """The items of one project and the imports that brought them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._project_id = ledger.project.id

    def begin_import(self, name: str) -> int:
        """Open an import and return its id; nothing of it is visible until it completes.

        Raises
        ------
        StorageError
            Another import into this project is under way.
        """
        table = tables.imports
        with self._ledger.unstamped() as connection:
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
                    "Wait until it is done; if its process died, it expires after 10 minutes."
                )
            values = {
                "project_id": self._project_id,
                "uuid": str(uuid.uuid4()),
                "started_at": datetime.now(UTC),
                "name": name,
                "mapping": {},
                "columns": [],
                "expires_at": database_clock() + IMPORT_LEASE_SECONDS,
            }
            return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())

    def reserve(self, count: int) -> int:
        """Reserve `count` item ids and return the first."""
        table = tables.projects
        with self._ledger.unstamped() as connection:
            statement = (
                update(table)
                .where(table.c.id == self._project_id)
                .values(next_item=table.c.next_item + count)
                .returning(table.c.next_item)
            )
            return int(connection.execute(statement).scalar_one()) - count

    def add(self, import_id: int, rows: ItemRows) -> None:
        """Write a chunk of items under an import."""
        with self._ledger.unstamped() as connection:
            self.insert(connection, import_id, rows)
            self._extend(connection, import_id)

    def insert(self, connection: Connection, import_id: int, rows: ItemRows) -> None:
        """Write items under an import inside an open transaction."""
        project = self._project_id
        item_rows = [
            (project, item, import_id, row, external, group, digest)
            for item, row, external, group, digest in zip(
                rows.item_ids, rows.rows, rows.external_ids, rows.groups, rows.hashes, strict=True
            )
        ]
        content_rows = [
            (project, item, 1, data, private, image)
            for item, data, private, image in zip(rows.item_ids, rows.data, rows.private, rows.images, strict=True)
        ]
        _bulk(connection, tables.items, item_rows)
        _bulk(connection, tables.contents, content_rows)

    def add_source_rows(self, import_id: int, rows: Sequence[tuple[int, int, str | None]]) -> None:
        """Write the duplicates of an import: (row in the source, item, external id)."""
        with self._ledger.unstamped() as connection:
            values = [(self._project_id, import_id, row, item, external) for row, item, external in rows]
            _bulk(connection, tables.source_rows, values)
            self._extend(connection, import_id)

    def add_gold(self, import_id: int, rows: Sequence[tuple[int, int]]) -> None:
        """Write known truths of an import: (item, label id)."""
        with self._ledger.unstamped() as connection:
            values = [(self._project_id, item, import_id, label) for item, label in rows]
            _bulk(connection, tables.gold, values)
            self._extend(connection, import_id)

    def _extend(self, connection: Connection, import_id: int) -> None:
        table = tables.imports
        statement = (
            update(table)
            .where(table.c.id == import_id, table.c.seq.is_(None))
            .values(expires_at=database_clock() + IMPORT_LEASE_SECONDS)
        )
        if connection.execute(statement).rowcount != 1:
            raise StorageError("This import had expired and was cleared by another process. Import the file again.")

    def complete_import(
        self,
        import_id: int,
        mapping: Mapping[str, Any],
        columns: Sequence[Mapping[str, Any]],
        report: Mapping[str, Any],
    ) -> int:
        """Make an import visible, all of it at once; return the number of that write."""
        with self._ledger.write() as write:
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

    def abandon_import(self, import_id: int) -> None:
        """Delete an import that will not complete, with all its rows."""
        with self._ledger.unstamped() as connection:
            self._delete_import(connection, import_id)

    def purge(self) -> None:
        """Delete what imports left behind whose process died."""
        table = tables.imports
        with self._ledger.read() as connection:
            stale = connection.scalar(
                select(func.count()).where(
                    table.c.project_id == self._project_id, table.c.seq.is_(None), table.c.expires_at < database_clock()
                )
            )
        if stale:
            with self._ledger.unstamped() as connection:
                self._purge(connection)

    def _purge(self, connection: Connection) -> None:
        table = tables.imports
        stale = connection.scalars(
            select(table.c.id).where(
                table.c.project_id == self._project_id, table.c.seq.is_(None), table.c.expires_at < database_clock()
            )
        ).all()
        for import_id in stale:
            self._delete_import(connection, import_id)

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

    def imports(self) -> list[ImportRecord]:
        """Return the completed imports, oldest first."""
        table = tables.imports
        with self._ledger.read() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.project_id == self._project_id, table.c.seq.is_not(None))
                .order_by(table.c.seq)
            ).all()
        return [
            ImportRecord(row.id, row.seq, row.name, row.mapping, tuple(row.columns), row.report, row.completed_at)
            for row in rows
        ]

    def version(self) -> int:
        """Return the number of the newest write that changed which items there are or what they hold."""
        newest = [
            select(func.coalesce(func.max(table.c.seq), 0))
            .where(table.c.project_id == self._project_id)
            .scalar_subquery()
            for table in (tables.imports, tables.erasures, tables.stream_decisions)
        ]
        with self._ledger.read() as connection:
            return max(int(number) for number in connection.execute(select(*newest)).one())

    def keys(self) -> list[tuple[int, bytes, str | None]]:
        """Return (item, content hash, external id) of every visible item."""
        table = tables.items
        with self._ledger.read() as connection:
            statement = select(table.c.item_id, table.c.content_hash, table.c.external_id).where(self._visible(table))
            return [tuple(row) for row in connection.execute(statement)]

    def duplicate_ids(self) -> list[tuple[str, int]]:
        """Return (external id, item) of every visible duplicate row that has one."""
        table = tables.source_rows
        with self._ledger.read() as connection:
            statement = select(table.c.external_id, table.c.item_id).where(
                self._visible(table), table.c.external_id.is_not(None)
            )
            return [(row.external_id, row.item_id) for row in connection.execute(statement)]

    def rows(
        self, item_ids: Sequence[int] | None = None, private: bool = False, image: bool = False
    ) -> list[tuple[Any, ...]]:
        """Return (item, row in source, import, external id, group, data, private, image) in item order.

        `private` and `image` are None unless asked for. An erased item's data is None.
        """
        item, content = tables.items, tables.contents
        columns = [*(item.c[name] for name in ITEM_COLUMNS), content.c.data]
        columns += [content.c.private] if private else []
        columns += [content.c.image] if image else []
        statement = (
            select(*columns)
            .join(content, and_(content.c.project_id == item.c.project_id, content.c.item_id == item.c.item_id))
            .where(self._visible(item))
            .order_by(item.c.item_id)
        )
        with self._ledger.read() as connection:
            if item_ids is None:
                return [tuple(row) for row in connection.execute(statement)]
            low, high = (min(item_ids), max(item_ids)) if len(item_ids) else (0, -1)
            if len(item_ids) > LISTED and high - low < 4 * len(item_ids):
                return self._range(connection, set(item_ids), low, high, columns)
            found: list[tuple[Any, ...]] = []
            for start in range(0, len(item_ids), LISTED):
                part = statement.where(item.c.item_id.in_([int(i) for i in item_ids[start : start + LISTED]]))
                found += [tuple(row) for row in connection.execute(part)]
            return found

    def _range(
        self, connection: Connection, wanted: set[int], low: int, high: int, columns: Sequence[Column[Any]]
    ) -> list[tuple[Any, ...]]:
        """Return rows of items between two ids: two walks along a key, joined here.

        In SQL the range would reach both tables, and SQLite would walk the second once an item.
        """
        item, content = tables.items, tables.contents
        split = len(ITEM_COLUMNS)
        items = connection.execute(
            select(*columns[:split])
            .where(self._visible(item), item.c.item_id.between(low, high))
            .order_by(item.c.item_id)
        ).all()
        held = select(content.c.item_id, *columns[split:]).where(
            content.c.project_id == self._project_id, content.c.item_id.between(low, high)
        )
        contents = {row[0]: tuple(row)[1:] for row in connection.execute(held)}
        return [(*row, *contents[row[0]]) for row in items if row[0] in wanted]

    def index(self) -> list[tuple[int, int, int, str | None]]:
        """Return (item, import, row in source, external id) of every visible item that was not erased."""
        item, erased = tables.items, tables.erasures
        gone = select(erased.c.item_id).where(erased.c.project_id == self._project_id)
        statement = select(item.c.item_id, item.c.import_id, item.c.source_row, item.c.external_id).where(
            self._visible(item), item.c.item_id.not_in(gone)
        )
        with self._ledger.read() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def duplicates(self) -> list[tuple[int, int, int, str | None]]:
        """Return (item, import, row in source, external id) of exact duplicates."""
        table = tables.source_rows
        with self._ledger.read() as connection:
            statement = (
                select(table.c.item_id, table.c.import_id, table.c.source_row, table.c.external_id)
                .where(self._visible(table))
                .order_by(table.c.item_id, table.c.import_id, table.c.source_row)
            )
            return [tuple(row) for row in connection.execute(statement)]

    def gold(self) -> list[tuple[int, int]]:
        """Return (item, label id) of the known truths; a later import replaces an earlier one."""
        table = tables.gold
        with self._ledger.read() as connection:
            statement = (
                select(table.c.item_id, table.c.label_id)
                .where(self._visible(table))
                .order_by(table.c.item_id, table.c.import_id)
            )
            return list({row.item_id: (row.item_id, row.label_id) for row in connection.execute(statement)}.values())

    def counts(self) -> tuple[int, int]:
        """Return how many items are visible, and how many of them have gold."""
        with self._ledger.read() as connection:
            item, known = tables.items, tables.gold
            n = connection.scalar(select(func.count()).select_from(item).where(self._visible(item)))
            g = connection.scalar(select(func.count(known.c.item_id.distinct())).where(self._visible(known)))
        return int(n or 0), int(g or 0)

    def _visible(self, table: Table) -> ColumnElement[bool]:
        completed = select(tables.imports.c.id).where(
            tables.imports.c.project_id == self._project_id, tables.imports.c.seq.is_not(None)
        )
        return and_(table.c.project_id == self._project_id, table.c.import_id.in_(completed))

    def set_holdout(self, fraction: float, seed: int, size: int, item_ids: bytes) -> None:
        """Record which items score classifiers; the newest record counts."""
        with self._ledger.write() as write:
            write.fact(tables.holdouts, fraction=fraction, seed=seed, size=size, item_ids=item_ids)

    def holdout(self) -> HoldoutRecord | None:
        """Return the newest hold-out, None if there is none."""
        table = tables.holdouts
        with self._ledger.read() as connection:
            row = connection.execute(
                select(table).where(table.c.project_id == self._project_id).order_by(table.c.seq.desc()).limit(1)
            ).first()
        return None if row is None else HoldoutRecord(row.fraction, row.seed, row.item_ids)

    def erased(self) -> set[int]:
        """Return the items that were erased."""
        table = tables.erasures
        with self._ledger.read() as connection:
            return set(connection.scalars(select(table.c.item_id).where(table.c.project_id == self._project_id)))

    def erase(self, item_ids: Sequence[int], reason: str) -> int:
        """Delete what items hold, leave a tombstone each, and return how many there were."""
        content = tables.contents
        with self._ledger.write() as write:
            erased = 0
            for item_id in item_ids:
                statement = (
                    update(content)
                    .where(
                        content.c.project_id == self._project_id,
                        content.c.item_id == item_id,
                        or_(content.c.data.is_not(None), content.c.private.is_not(None), content.c.image.is_not(None)),
                    )
                    .values(data=None, private=None, image=None)
                )
                if write.connection.execute(statement).rowcount:
                    write.fact(tables.erasures, item_id=item_id, reason=reason)
                    erased += 1
            return erased


def _bulk(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of positional tuples by the driver's fastest way."""
    if not rows:
        return
    names = [column.name for column in table.columns]
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        raw.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
