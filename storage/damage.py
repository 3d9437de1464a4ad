"""What is stored and cannot be read: looked for where a read failed, and named by its row alone."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import JSON, Connection, Engine, LargeBinary, Table, cast, null, select
from sqlalchemy.exc import SQLAlchemyError

from storage import tables
from storage.shown import shown
from storage.tables import contents, projects

_SHOWN = 10

PACKED: dict[Table, tuple[str, ...]] = {
    tables.refits: ("ranking", "predictions", "held_back"),
    tables.refit_blocks: ("item_ids", "probabilities"),
    tables.weak_blocks: ("item_ids", "labels", "weights", "probabilities"),
    tables.holdouts: ("item_ids",),
    tables.vote_blocks: ("votes",),
}
"""Columns of compressed bytes, whose sums of check are looked at."""


class DamagedRow(NamedTuple):
    """A row of which a column cannot be read: of which table and, where that is known, project; and its key."""

    project_id: int | None
    table: Table
    column: str
    key: tuple[int | str, ...]

    def __str__(self) -> str:
        names = [column.name for column in self.table.primary_key]
        key = " ".join(f"{name} {value}" for name, value in zip(names, self.key, strict=True))
        return f"{self.column} of {self.table.name} ({key})"


def damage(engine: Engine) -> str:
    """Return what is damaged, for a message: items and rows of which something can be read no more."""
    return message(engine, named(engine))


def message(engine: Engine, found: str) -> str:
    """Return what is said of a database of which something cannot be read."""
    return (
        f"{shown(engine.url)} is damaged: {found or 'something that no row is known of'} cannot be read. Use a backup."
    )


def named(engine: Engine) -> str:
    """Return what is damaged in words; empty where nothing is found, or the search itself fails."""
    try:
        with engine.connect() as connection:
            items = damaged_items(connection)
            rows = [str(row) for row in damaged_rows(connection)]
    except SQLAlchemyError:
        return ""
    said = [f"item {_listed(numbers)} of {project!r}" for project, numbers in items.items()]
    return "; ".join([*said, *([_listed(rows)] if rows else [])])


def _listed(values: list[int] | list[str]) -> str:
    return f"{', '.join(map(str, values[:_SHOWN]))}{' and more' if len(values) > _SHOWN else ''}"


def damaged_items(connection: Connection) -> dict[str, list[int]]:
    """Return the items whose content is no text of JSON any more, by project."""
    if connection.dialect.name != "sqlite":
        # PostgreSQL keeps nothing else in such a column.
        return {}
    columns = [cast(column, LargeBinary) for column in (contents.c.data, contents.c.private)]
    found: dict[str, list[int]] = {}
    rows = connection.execution_options(yield_per=1000).execute(
        select(projects.c.name, contents.c.item_id, *columns).join(projects, projects.c.id == contents.c.project_id)
    )
    for project, item, *values in rows:
        if not all(value is None or _is_json(value) for value in values):
            found.setdefault(project, []).append(item)
    return found


def damaged_rows(connection: Connection, of: Collection[Table] | None = None) -> Iterator[DamagedRow]:
    """Yield the rows beside contents of which a column is no JSON, or no compressed bytes, any more."""
    lite = connection.dialect.name == "sqlite"
    for table in tables.metadata.sorted_tables if of is None else of:
        packed = PACKED.get(table, ())
        # PostgreSQL itself keeps nothing but JSON in a column of JSON; SQLite keeps anything anywhere.
        looked = [*packed, *(column.name for column in table.c if lite and isinstance(column.type, JSON))]
        if not looked:
            continue
        key = list(table.primary_key)
        project = [table.c.project_id if "project_id" in table.c else null()]
        values = [cast(table.c[name], LargeBinary) if lite else table.c[name] for name in looked]
        statement = select(*project, *key, *values).order_by(*key)
        for whose, *row in connection.execute(statement.execution_options(yield_per=200)):
            for name, value in zip(looked, row[len(key) :], strict=True):
                if value is not None and not (_is_packed(value) if name in packed else _is_json(value)):
                    yield DamagedRow(whose, table, name, tuple(row[: len(key)]))


def _is_json(value: bytes) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _is_packed(value: bytes) -> bool:
    try:
        zlib.decompress(value)
    except zlib.error:
        return False
    return True
