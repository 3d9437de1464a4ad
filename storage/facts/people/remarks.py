"""Notes and flags on items, comments on what people did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from storage import tables
from storage.records import RemarkRecord

if TYPE_CHECKING:
    from storage.transactions import Transactions, Write


class RemarkFacts:
    """The remarks of one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def add(
        self, write: Write, kind: str, item_id: int, annotator_id: int, text: str, annotation_id: int | None = None
    ) -> None:
        """Add a remark inside `write`."""
        write.fact(
            tables.remarks,
            kind=kind,
            item_id=item_id,
            annotator_id=annotator_id,
            text=text,
            annotation_id=annotation_id,
        )

    def has_item(self, connection: Connection, item_id: int) -> bool:
        """Tell whether the project ever had an item of this number."""
        table = tables.items
        own = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        return connection.scalar(select(table.c.item_id).where(*own)) is not None

    def all(self, item_id: int | None = None) -> list[RemarkRecord]:
        """Return the remarks, of one item or of all, oldest first."""
        table, people, about = tables.remarks, tables.annotators, tables.annotations
        statement = (
            select(table.c.item_id, table.c.kind, table.c.text, people.c.name, about.c.uuid, table.c.created_at)
            .join(people, people.c.id == table.c.annotator_id)
            .outerjoin(about, about.c.id == table.c.annotation_id)
            .where(table.c.project_id == self._project_id)
            .order_by(table.c.id)
        )
        if item_id is not None:
            statement = statement.where(table.c.item_id == item_id)
        with self._transactions.read() as connection:
            return [RemarkRecord(*row) for row in connection.execute(statement)]
