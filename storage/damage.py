"""Which item's content cannot be read: looked for where a read failed, and named by its id alone."""

from __future__ import annotations

import json

from sqlalchemy import Engine, LargeBinary, cast, select
from sqlalchemy.exc import SQLAlchemyError

from storage.shown import shown
from storage.tables import contents, projects

_SHOWN = 10


def damage(engine: Engine) -> str:
    """Return what is damaged, for a message: the items whose content is no text of JSON any more."""
    where = shown(engine.url)
    try:
        found = _damaged(engine)
    except SQLAlchemyError:
        found = {}
    items = "; ".join(
        f"item {', '.join(map(str, numbers[:_SHOWN]))}{' and more' if len(numbers) > _SHOWN else ''} of {project!r}"
        for project, numbers in found.items()
    )
    return f"{where} is damaged: {items or 'something that is no content of an item'} cannot be read. Use a backup."


def _damaged(engine: Engine) -> dict[str, list[int]]:
    if engine.dialect.name != "sqlite":
        # PostgreSQL keeps nothing else in such a column.
        return {}
    columns = [cast(column, LargeBinary) for column in (contents.c.data, contents.c.private)]
    found: dict[str, list[int]] = {}
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=1000).execute(
            select(projects.c.name, contents.c.item_id, *columns).join(projects, projects.c.id == contents.c.project_id)
        )
        for project, item, *values in rows:
            if not all(value is None or _readable(value) for value in values):
                found.setdefault(project, []).append(item)
    return found


def _readable(value: bytes) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True
