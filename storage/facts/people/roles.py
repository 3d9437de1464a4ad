"""What people may do: roles in a project or in the whole database, by whom they were given."""

from __future__ import annotations

import uuid as uuids
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, or_, select

from storage import tables

if TYPE_CHECKING:
    from storage.transactions import Transactions, Write


class RoleFacts:
    """The roles that people have in one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._project_id = transactions.project.id

    def give(self, write: Write, person_id: int, role: str, by_id: int | None, *, everywhere: bool = False) -> None:
        """Give a person a role inside `write`, in this project or in all of the database."""
        values = {"uuid": str(uuids.uuid4()), "created_at": write.now, "person_id": person_id, "role": role}
        values |= {"project_id": None if everywhere else write.project_id, "by_id": by_id}
        write.connection.execute(insert(tables.roles).values(values))

    def all(self, connection: Connection) -> dict[int, str]:
        """Return the newest role of each person: that of the project, where it has none that of the database."""
        table = tables.roles
        rows = connection.execute(
            select(table.c.person_id, table.c.project_id, table.c.role)
            .where(or_(table.c.project_id == self._project_id, table.c.project_id.is_(None)))
            .order_by(table.c.created_at, table.c.id)
        ).all()
        everywhere = {row.person_id: row.role for row in rows if row.project_id is None}
        return everywhere | {row.person_id: row.role for row in rows if row.project_id is not None}
