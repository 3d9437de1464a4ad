"""What is newest of all that changes items: what is made of them is told by it whether it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from storage import tables

if TYPE_CHECKING:
    from storage.transactions import Transactions

CHANGING = (tables.imports, tables.import_changes, tables.erasures, tables.stream_decisions)
"""What changes which items there are or what they hold."""

NONE = (0, "")


class ItemMarks:
    """The newest facts that change the items of one project, by number and UUID.

    Numbers are in commit order, and repeat where a database was put back from a backup; UUIDs do not.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def newest(self) -> list[tuple[int, str]]:
        """Return (number, UUID) of the newest import, import change, erasure and decision of a stream; (0, "") if none.

        What was read between two of these that are equal is of one state.
        """
        found = []
        with self._transactions.read() as connection:
            for table in CHANGING:
                statement = select(table.c.seq, table.c.uuid).where(table.c.project_id == self._project_id)
                statement = statement.where(table.c.seq.is_not(None))
                row = connection.execute(statement.order_by(table.c.seq.desc(), table.c.id.desc()).limit(1)).first()
                found.append(NONE if row is None else (int(row.seq), str(row.uuid)))
        return found

    def only_added(self, before: Sequence[tuple[int, str]]) -> bool:
        """Tell whether imports and streams alone have added to what was newest then, and all of that is still there."""
        now = self.newest()
        with self._transactions.read() as connection:
            for table, then, latest in zip(CHANGING, before, now, strict=True):
                if table in (tables.import_changes, tables.erasures):
                    if then != latest:
                        return False
                elif then != NONE:
                    statement = select(table.c.id).where(table.c.project_id == self._project_id)
                    same = statement.where(table.c.seq == then[0], table.c.uuid == then[1])
                    if connection.execute(same).first() is None:
                        return False
        return True
