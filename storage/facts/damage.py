"""Finds the items whose content the disk has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import LargeBinary, cast, select

from storage import tables

if TYPE_CHECKING:
    from storage.transactions import Transactions


def damaged_items(transactions: Transactions) -> list[int]:
    """Return the items whose content in SQLite is no text any more."""
    content = tables.contents
    own = content.c.project_id == transactions.project.id
    raw = select(content.c.item_id, cast(content.c.data, LargeBinary)).where(own, content.c.data.is_not(None))
    with transactions.read() as connection:
        rows = connection.execute(raw.order_by(content.c.item_id))
        return [item for item, data in rows if data.decode(errors="ignore").encode() != data]
