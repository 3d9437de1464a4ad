"""Which imports stand, and which items are there because of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from storage import tables

TAKEN_BACK = "taken back"
"""The change of an import that takes it back."""


def completed(project_id: int) -> Select[Any]:
    """Return a SELECT of the ids of imports that completed, taken back or not."""
    table = tables.imports
    return select(table.c.id).where(table.c.project_id == project_id, table.c.seq.is_not(None))


def taken_back(project_id: int, also: int | None = None) -> Select[Any]:
    """Return a SELECT of the ids of imports that were taken back; `also` counts one more among them."""
    table, imports = tables.import_changes, tables.imports
    gone = select(table.c.import_id).where(table.c.project_id == project_id, table.c.kind == TAKEN_BACK)
    if also is None:
        return gone
    return select(imports.c.id).where(or_(imports.c.id.in_(gone), imports.c.id == also))


def standing(project_id: int, also: int | None = None) -> Select[Any]:
    """Return a SELECT of the ids of imports that completed and were not taken back."""
    return completed(project_id).where(tables.imports.c.id.not_in(taken_back(project_id, also)))


def visible_items(project_id: int) -> ColumnElement[bool]:
    """Return the condition that an item is there: an import that stands has brought it, or has it too."""
    item = tables.items
    return and_(
        item.c.project_id == project_id,
        item.c.import_id.in_(completed(project_id)),
        or_(item.c.import_id.not_in(taken_back(project_id)), _held(project_id)),
    )


def withdrawn_items(project_id: int, also: int | None = None) -> Select[Any]:
    """Return a SELECT of the items that no import holds any more, `also` one import less."""
    item = tables.items
    return select(item.c.item_id).where(
        item.c.project_id == project_id,
        item.c.import_id.in_(taken_back(project_id, also)),
        ~_held(project_id, also),
    )


def _held(project_id: int, also: int | None = None) -> ColumnElement[bool]:
    """Return the condition that an import which stands has a row for an item that another one brought."""
    row = tables.source_rows
    return exists(
        select(row.c.item_id)
        .where(row.c.project_id == project_id, row.c.item_id == tables.items.c.item_id)
        .where(row.c.import_id.in_(standing(project_id, also)))
        .correlate(tables.items)
    )
