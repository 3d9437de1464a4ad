"""What people are to work on: which loop, up to how many answers, until when."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from storage import tables
from storage.facts.people.persons import root_of
from storage.records import AssignmentRecord

if TYPE_CHECKING:
    from storage.transactions import Transactions, Write


class AssignmentFacts:
    """The assignments of one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def add(
        self,
        write: Write,
        loop_id: int,
        person_id: int,
        *,
        items: int | None,
        until: datetime | None,
        active: bool,
        by_id: int | None,
    ) -> str:
        """Say inside `write` what a person is to do in a loop from now on, and return the UUID of that."""
        uuid = str(uuids.uuid4())
        values: dict[str, Any] = {"items": items, "until": until, "active": active, "by_id": by_id, "uuid": uuid}
        write.fact(tables.assignments, loop_id=loop_id, person_id=person_id, **values)
        return uuid

    def all(self, connection: Connection) -> tuple[AssignmentRecord, ...]:
        """Return every fact, oldest first, kept until there is a new one; none for what `write` has just added."""
        return self._transactions.kept_in(connection, "assignments", [tables.assignments], self._read)

    def standing(self, connection: Connection, merges: Mapping[int, int]) -> list[AssignmentRecord]:
        """Return those that stand: of each loop and person, as `merges` has them, the newest, unless taken back."""
        newest: dict[tuple[int, int], AssignmentRecord] = {}
        for each in self.all(connection):
            key = (each.loop_id, root_of(each.person_id, merges))
            newest.pop(key, None)
            newest[key] = each
        return [each for each in newest.values() if each.active]

    def _read(self, connection: Connection) -> tuple[AssignmentRecord, ...]:
        table = tables.assignments
        rows = connection.execute(select(table).where(table.c.project_id == self._project_id).order_by(table.c.id))
        return tuple(
            AssignmentRecord(
                row.id, row.uuid, row.seq, row.loop_id, row.person_id, row.items, row.until, row.active, row.by_id,
                row.created_at,
            )
            for row in rows
        )  # fmt: skip
