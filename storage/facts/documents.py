"""Texts about a project: its description and its guidelines, each in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, ScalarSelect, func, select

from storage import tables
from storage.database import StorageError
from storage.records import DocumentRecord

if TYPE_CHECKING:
    from storage.transactions import Transactions, Write

DESCRIPTION, GUIDELINES = "description", "guidelines"


class DocumentFacts:
    """The texts about one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def add(self, write: Write, kind: str, text: str, annotator_id: int | None, after: int | None = None) -> int:
        """Add the next version of a text inside `write`, and return its number; the same text again is none.

        Raises
        ------
        StorageError
            The newest version is another than `after`.
        """
        found = self._read(write.connection, kind)
        newest, standing = (found[-1].version, found[-1].text) if found else (0, "")
        if text == standing:
            return newest
        if after not in (None, newest):
            raise StorageError(
                f"Somebody else wrote version {newest} of the {kind} in between, and yours follows version {after}. "
                "Look at it and save yours again."
            )
        # Numbers have no gap: writers of one project wait for each other.
        version = newest + 1
        write.fact(tables.documents, kind=kind, version=version, text=text, annotator_id=annotator_id)
        return version

    def all(self, kind: str) -> list[DocumentRecord]:
        """Return every version of a text, oldest first."""
        kept = self._transactions.kept
        return list(kept(("documents", kind), [tables.documents], lambda each: self._read(each, kind)))

    def _read(self, connection: Connection, kind: str) -> tuple[DocumentRecord, ...]:
        table, people = tables.documents, tables.annotators
        statement = (
            select(table.c.version, table.c.text, people.c.name, table.c.created_at)
            .outerjoin(people, people.c.id == table.c.annotator_id)
            .where(table.c.project_id == self._project_id, table.c.kind == kind)
            .order_by(table.c.version)
        )
        return tuple(DocumentRecord(*row) for row in connection.execute(statement))


def guidelines_in_force(project_id: int) -> ScalarSelect[int | None]:
    """Return, for use in a statement, the version of a project's guidelines; null where it has none."""
    table = tables.documents
    own = (table.c.project_id == project_id, table.c.kind == GUIDELINES)
    return select(func.max(table.c.version)).where(*own).scalar_subquery()
