"""What imports brought: items, contents, duplicates, gold, hold-outs, erasures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, bindparam, case, func, or_, select, true, update

from storage import tables
from storage.facts.bulk import write_rows
from storage.facts.item_marks import CHANGING, ItemMarks
from storage.facts.visibility import completed, standing, taken_back, visible_items, withdrawn_items
from storage.records import HoldoutRecord, ItemRows
from storage.sqlite.files import overwriting

if TYPE_CHECKING:
    from storage.transactions import Transactions

ITEM_COLUMNS = ("item_id", "source_row", "import_id", "external_id", "group_key")

LISTED = 500
"""Items that one statement names."""

BLOCK = 65_536
"""Rows that are held at a time where all are read."""


class ItemFacts:
    """The items of one project.

    An item is visible while an import that has it stands: the one that brought it, or a later one with a row for it.
    """

    def __init__(self, transactions: Transactions) -> None:
        self.marks = ItemMarks(transactions)
        self._transactions = transactions
        self._project_id = transactions.project.id
        self._statements: dict[tuple[Any, ...], Select[Any]] = {}

    def insert(self, connection: Connection, import_id: int, rows: ItemRows) -> None:
        """Write items under an import inside an open transaction."""
        project = self._project_id
        keys = rows.keys if rows.keys is not None else [None] * len(rows.item_ids)
        item_rows = [
            (project, item, import_id, row, external, group, digest, key)
            for item, row, external, group, digest, key in zip(
                rows.item_ids, rows.rows, rows.external_ids, rows.groups, rows.hashes, keys, strict=True
            )
        ]
        content_rows = [
            (project, item, 1, data, private, image)
            for item, data, private, image in zip(rows.item_ids, rows.data, rows.private, rows.images, strict=True)
        ]
        write_rows(connection, tables.items, item_rows)
        write_rows(connection, tables.contents, content_rows)

    def version(self) -> int:
        """Return the number of the newest write that changed which items there are or what they hold."""
        with self._transactions.read() as connection:
            marks = self._transactions.marks(connection)
        return max(marks[table.name] for table in CHANGING)

    def changed(self) -> int:
        """Return the number of the newest write that changed what items hold, or took some away or brought them back.

        New records of streams change nothing of those that were there.
        """
        with self._transactions.read() as connection:
            marks = self._transactions.marks(connection)
        return max(marks[table.name] for table in CHANGING[:-1])

    def known(self) -> list[tuple[int, bytes, bytes | None, str | None, bool]]:
        """Return (item, content hash, key, external id, visible) of every item that ever was imported."""
        table = tables.items
        with self._transactions.read() as connection:
            gone = set(connection.scalars(withdrawn_items(self._project_id)))
            statement = select(table.c.item_id, table.c.content_hash, table.c.source_key, table.c.external_id).where(
                table.c.project_id == self._project_id, table.c.import_id.in_(completed(self._project_id))
            )
            return [(*row, row[0] not in gone) for row in connection.execute(statement)]

    def known_rows(self) -> list[tuple[int, bytes | None, str | None]]:
        """Return (item, key, external id) of every row that made no item of its own, where it has either."""
        table = tables.source_rows
        with self._transactions.read() as connection:
            statement = select(table.c.item_id, table.c.source_key, table.c.external_id).where(
                table.c.project_id == self._project_id,
                table.c.import_id.in_(completed(self._project_id)),
                or_(table.c.source_key.is_not(None), table.c.external_id.is_not(None)),
            )
            return [tuple(row) for row in connection.execute(statement)]

    def without_key(self) -> int:
        """Return how many visible items have no key over the columns of their row: an earlier version imported them."""
        table, imports = tables.items, tables.imports
        sources = select(imports.c.id).where(imports.c.project_id == self._project_id, imports.c.kind.is_(None))
        with self._transactions.read() as connection:
            statement = select(func.count()).select_from(table)
            statement = statement.where(visible_items(self._project_id), table.c.source_key.is_(None))
            row = tables.source_rows
            seen = select(row.c.item_id).where(row.c.project_id == self._project_id, row.c.source_key.is_not(None))
            statement = statement.where(table.c.item_id.not_in(seen))
            return int(connection.scalar(statement.where(table.c.import_id.in_(sources))) or 0)

    def withdrawn(self) -> frozenset[int]:
        """Return the items that went with imports that were taken back."""
        with self._transactions.read() as connection:
            return self.withdrawn_in(connection)

    def withdrawn_in(self, connection: Connection) -> frozenset[int]:
        """Return the items that went with imports, inside an open transaction."""
        if not self._transactions.marks(connection)[tables.import_changes.name]:
            return frozenset()
        return self._transactions.kept_in(
            connection,
            "withdrawn",
            (tables.import_changes, tables.imports),
            lambda connection: frozenset(connection.scalars(withdrawn_items(self._project_id))),
        )

    def blocks(self, private: bool = False, image: bool = False) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of all items as `rows` returns them, 65,536 at a time: never all of them at once."""
        statement = self._statement(self._columns(private, image))
        with self._transactions.read() as connection:
            other = self._other_names(connection)
            for part in connection.execute(statement.execution_options(yield_per=BLOCK)).partitions():
                yield _renamed([tuple(row) for row in part], other)

    def rows(self, item_ids: Sequence[int], private: bool = False, image: bool = False) -> list[tuple[Any, ...]]:
        """Return (item, row in source, import, external id, group, data[, private][, image]) in item order.

        An erased item's data is None.
        """
        with self._transactions.read() as connection:
            low, high = (min(item_ids), max(item_ids)) if len(item_ids) else (0, -1)
            if len(item_ids) > LISTED and high - low < 4 * len(item_ids):
                ends = {"low": int(low), "high": int(high)}
                wide = self._range(connection, set(item_ids), ends, private=private, image=image)
                return _renamed(wide, self._other_names(connection, "between", ends))
            found: list[tuple[Any, ...]] = []
            for start in range(0, len(item_ids), LISTED):
                ids = {"ids": [int(i) for i in item_ids[start : start + LISTED]]}
                part = connection.execute(self._made("listed", self._listed, private, image), ids)
                found += _renamed([tuple(row) for row in part], self._other_names(connection, "listed", ids))
            return found

    def _made(self, what: str, make: Callable[..., Select[Any]], *arguments: Any) -> Select[Any]:
        """Return a statement, put together where it is asked for the first time: that takes as long as to run it."""
        key = (what, *arguments)
        if key not in self._statements:
            self._statements[key] = make(*arguments)
        return self._statements[key]

    def _listed(self, private: bool, image: bool) -> Select[Any]:
        """Return a SELECT of the rows of the items `ids`."""
        statement = self._statement(self._columns(private, image))
        return statement.where(tables.items.c.item_id.in_(bindparam("ids", expanding=True)))

    def _columns(self, private: bool, image: bool) -> list[Column[Any]]:
        item, content = tables.items, tables.contents
        columns: list[Column[Any]] = [*(item.c[name] for name in ITEM_COLUMNS), content.c.data]
        return columns + ([content.c.private] if private else []) + ([content.c.image] if image else [])

    def _statement(self, columns: Sequence[Column[Any]]) -> Select[Any]:
        item, content = tables.items, tables.contents
        return (
            select(*columns)
            .join(content, and_(content.c.project_id == item.c.project_id, content.c.item_id == item.c.item_id))
            .where(visible_items(self._project_id))
            .order_by(item.c.item_id)
        )

    def other_names(self) -> dict[int, str | None]:
        """Return the ids that later rows of sources gave items, by item."""
        with self._transactions.read() as connection:
            return self._other_names(connection)

    def _other_names(
        self, connection: Connection, which: str = "all", values: Mapping[str, Any] | None = None
    ) -> dict[int, str | None]:
        """Return the ids that later rows of sources gave items, by item."""
        return {item: external for item, _, _, external in self._elsewhere(connection, which, values)}

    def _elsewhere(
        self, connection: Connection, which: str = "all", values: Mapping[str, Any] | None = None
    ) -> list[tuple[int, int, int, str | None]]:
        """Return (item, import, row in source, external id) of items that a later row of a source stands for.

        Such are items whose own import was taken back and that stay, and, in their own place, items that came
        without an id and got one by an import with another mapping. What was seen again comes before exact copies, an
        earlier import before a later one. `which` narrows the rows of sources that are looked at: to those of the items
        `ids` ("listed"), or from `low` to `high` ("between").
        """
        first: dict[int, tuple[int, int, int, str | None]] = {}
        for each in connection.execute(self._made("elsewhere", self._rows_elsewhere, which), values):
            first.setdefault(each[0], (each[0], each[1], each[2], each[3]))
        return list(first.values())

    def _rows_elsewhere(self, which: str) -> Select[Any]:
        item, row, project = tables.items, tables.source_rows, self._project_id
        gone = item.c.import_id.in_(taken_back(project))
        named = and_(item.c.external_id.is_(None), row.c.again.is_not(None), row.c.external_id.is_not(None))
        narrowed = {
            "all": true(),
            "listed": row.c.item_id.in_(bindparam("ids", expanding=True)),
            "between": row.c.item_id.between(bindparam("low"), bindparam("high")),
        }
        return (
            select(
                row.c.item_id,
                case((gone, row.c.import_id), else_=item.c.import_id),
                case((gone, row.c.source_row), else_=item.c.source_row),
                row.c.external_id,
            )
            .join(item, and_(item.c.project_id == row.c.project_id, item.c.item_id == row.c.item_id))
            .where(row.c.project_id == project, row.c.import_id.in_(standing(project)), narrowed[which])
            .where(or_(gone, named))
            .order_by(row.c.item_id, row.c.again.is_(None), row.c.import_id, row.c.source_row)
        )

    def _range(
        self, connection: Connection, wanted: set[int], ends: Mapping[str, int], *, private: bool, image: bool
    ) -> list[tuple[Any, ...]]:
        """Return rows of items between two ids: two walks along a key, joined here.

        In SQL the range would reach both tables, and SQLite would walk the second once an item.
        """
        items = connection.execute(self._made("items between", self._items_between), ends).all()
        held = connection.execute(self._made("contents between", self._contents_between, private, image), ends)
        contents = {row[0]: tuple(row)[1:] for row in held}
        return [(*row, *contents[row[0]]) for row in items if row[0] in wanted]

    def _items_between(self) -> Select[Any]:
        item = tables.items
        between = item.c.item_id.between(bindparam("low"), bindparam("high"))
        columns = (item.c[name] for name in ITEM_COLUMNS)
        return select(*columns).where(visible_items(self._project_id), between).order_by(item.c.item_id)

    def _contents_between(self, private: bool, image: bool) -> Select[Any]:
        content = tables.contents
        between = content.c.item_id.between(bindparam("low"), bindparam("high"))
        columns = self._columns(private, image)[len(ITEM_COLUMNS) :]
        return select(content.c.item_id, *columns).where(content.c.project_id == self._project_id, between)

    def index(self) -> Iterator[tuple[int, int, int, str | None]]:
        """Yield (item, import, row in source, external id) of every visible item that was not erased, in item order."""
        item = tables.items
        statement = self._there(item.c.item_id, item.c.import_id, item.c.source_row, item.c.external_id)
        with self._transactions.read() as connection:
            other = {row[0]: row for row in self._elsewhere(connection)}
            for row in _fetched(connection, statement):
                yield other.get(row[0]) or (row[0], row[1], row[2], row[3])

    def ids(self) -> Iterator[int]:
        """Yield every visible item that was not erased, ascending; only where some are missing row by row."""
        item = tables.items.c.item_id
        whole = self._there(func.count(), func.min(item), func.max(item)).order_by(None).group_by(item // BLOCK)
        with self._transactions.read() as connection:
            for there, low, high in sorted(map(tuple, connection.execute(whole)), key=itemgetter(1)):
                if there == high - low + 1:
                    yield from range(low, high + 1)
                else:
                    part = self._there(item).where(item.between(low, high))
                    yield from (row[0] for row in _fetched(connection, part))

    def _there(self, *columns: ColumnElement[Any]) -> Select[Any]:
        erased = tables.erasures
        gone = select(erased.c.item_id).where(erased.c.project_id == self._project_id)
        item = tables.items.c.item_id
        return select(*columns).where(visible_items(self._project_id), item.not_in(gone)).order_by(item)

    def duplicates(self) -> list[tuple[int, int, int, str | None]]:
        """Return (item, import, row in source, external id) of exact duplicates."""
        table, project = tables.source_rows, self._project_id
        with self._transactions.read() as connection:
            taken = {row[1:3] for row in self._elsewhere(connection)}
            statement = (
                select(table.c.item_id, table.c.import_id, table.c.source_row, table.c.external_id)
                .where(table.c.project_id == project, table.c.import_id.in_(standing(project)))
                .where(table.c.again.is_(None))
                .order_by(table.c.item_id, table.c.import_id, table.c.source_row)
            )
            rows = [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement)]
        return [row for row in rows if row[1:3] not in taken]

    def named_by_users(self) -> bool:
        """Tell whether any row of the imports that stand brought an id of the users' own."""
        with self._transactions.read() as connection:
            return any(
                connection.execute(
                    select(table.c.external_id)
                    .where(table.c.project_id == self._project_id, table.c.external_id.is_not(None))
                    .where(table.c.import_id.in_(standing(self._project_id)))
                    .limit(1)
                ).first()
                for table in (tables.items, tables.source_rows)
            )

    def gold(self, *, withdrawn: bool = False) -> Iterator[tuple[int, int]]:
        """Yield (item, label id) of the known truths of visible items; a later import replaces an earlier one.

        With `withdrawn`, also of items that went with an import, where the truth came with another one.
        """
        table, project = tables.gold, self._project_id
        with self._transactions.read() as connection:
            gone = self.withdrawn_in(connection)
            statement = (
                select(table.c.item_id, table.c.label_id)
                .where(table.c.project_id == project, table.c.import_id.in_(standing(project)))
                .order_by(table.c.item_id, table.c.import_id)
            )
            for item, known in itertools.groupby(_fetched(connection, statement), key=itemgetter(0)):
                *_, newest = known
                if withdrawn or item not in gone:
                    yield item, newest[1]

    def gold_said(self) -> Iterator[tuple[int, int]]:
        """Yield (item, label id) of all that was ever imported as known truth, whatever became of it."""
        table = tables.gold
        with self._transactions.read() as connection:
            statement = select(table.c.item_id, table.c.label_id).where(
                table.c.project_id == self._project_id, table.c.import_id.in_(completed(self._project_id))
            )
            yield from ((item, label) for item, label in _fetched(connection, statement.distinct()))

    def counts(self) -> tuple[int, int]:
        """Return how many items are visible, and how many of them have gold."""
        item, known, project = tables.items, tables.gold, self._project_id
        with self._transactions.read() as connection:
            n = connection.scalar(select(func.count()).select_from(item).where(visible_items(project)))
            g = connection.scalar(
                select(func.count(known.c.item_id.distinct())).where(
                    known.c.project_id == project,
                    known.c.import_id.in_(standing(project)),
                    known.c.item_id.not_in(withdrawn_items(project)),
                )
            )
        return int(n or 0), int(g or 0)

    def set_holdout(self, fraction: float, seed: int, size: int, item_ids: bytes) -> None:
        """Record which items score classifiers; the newest record counts."""
        with self._transactions.write() as write:
            write.fact(tables.holdouts, fraction=fraction, seed=seed, size=size, item_ids=item_ids)

    def holdout(self) -> HoldoutRecord | None:
        """Return the newest hold-out, None if there is none."""
        return self._transactions.kept("hold-out", [tables.holdouts], self._holdout)

    def _holdout(self, connection: Connection) -> HoldoutRecord | None:
        table = tables.holdouts
        row = connection.execute(
            select(table).where(table.c.project_id == self._project_id).order_by(table.c.seq.desc()).limit(1)
        ).first()
        return None if row is None else HoldoutRecord(row.fraction, row.seed, row.item_ids)

    def erased(self) -> frozenset[int]:
        """Return the items that were erased."""
        return self._transactions.kept("erased", [tables.erasures], self._erased)

    def _erased(self, connection: Connection) -> frozenset[int]:
        table = tables.erasures
        return frozenset(connection.scalars(select(table.c.item_id).where(table.c.project_id == self._project_id)))

    def erase(self, item_ids: Sequence[int], reason: str, *, archived: bool = False) -> int:
        """Delete what items hold and what was noted on them, leave a tombstone each; return how many there were."""
        content, remark = tables.contents, tables.remarks
        with self._transactions.write(archived=archived) as write, overwriting(write.connection):
            erased = 0
            for item_id in item_ids:
                own = (content.c.project_id == self._project_id, content.c.item_id == item_id)
                any_held = or_(
                    *(column.is_not(None) for column in (content.c.data, content.c.private, content.c.image))
                )
                statement = update(content).where(*own, any_held).values(data=None, private=None, image=None)
                if write.connection.execute(statement).rowcount:
                    write.fact(tables.erasures, item_id=item_id, reason=reason)
                    noted = (remark.c.project_id == self._project_id, remark.c.item_id == item_id)
                    write.connection.execute(update(remark).where(*noted).values(text=""))
                    erased += 1
            return erased


def _fetched(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """Yield the rows of a statement, fetched in blocks: one by one they take three times as long."""
    for part in connection.execute(statement.execution_options(yield_per=BLOCK)).partitions():
        yield from part


def _renamed(rows: list[tuple[Any, ...]], other: dict[int, str | None]) -> list[tuple[Any, ...]]:
    """Return rows of items, those that have another external id under that."""
    if not other:
        return rows
    place = ITEM_COLUMNS.index("external_id")
    return [(*each[:place], other[each[0]], *each[place + 1 :]) if each[0] in other else each for each in rows]
