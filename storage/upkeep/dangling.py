"""Rows that name what is not there, or what another project has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, select

from storage import tables
from storage.upkeep.references import COPIED, PARENTS, key_of, of_project, references

NAMED = 5
"""Rows that are named at most."""

WITH_ITEMS = tuple(table for table in COPIED if "item_id" in table.c and table is not tables.items)
"""Tables whose rows are about an item."""


DERIVED = (tables.leases, tables.vote_blocks)
"""Tables whose rows are looked at by themselves, as they can be made anew."""


def dangling(connection: Connection, project_id: int, *, but: Collection[Table] = ()) -> Iterator[str]:
    """Yield what rows of a project name that is not there, in words; `but` leaves tables out."""
    for table in COPIED:
        if table in but:
            continue
        mine = of_project(table, project_id)
        for name, of in references(table).items():
            if of is tables.projects or PARENTS.get(table.name) == name:
                continue
            target = of.alias()
            named = target.c.id == table.c[name]
            if "project_id" in target.c:
                named = and_(named, target.c.project_id == project_id)
            lost = and_(mine, table.c[name].is_not(None), ~exists(select(target.c.id).where(named)))
            yield from _said(connection, table, lost, f"name a row of {of.name} that the project does not have")
    own = tables.annotators
    yield from _said(connection, own, and_(of_project(own, project_id), own.c.person_id.is_(None)), "have no person")


def without_items(connection: Connection, project_id: int) -> Iterator[str]:
    """Yield what is kept about items that are not there, and items without what they hold, in words."""
    item = tables.items
    for table in WITH_ITEMS:
        if table in DERIVED:
            continue
        same = and_(item.c.project_id == project_id, item.c.item_id == table.c.item_id)
        lost = and_(of_project(table, project_id), ~exists(select(item.c.item_id).where(same)))
        yield from _said(connection, table, lost, "are about an item that is not there")
    content = tables.contents
    held = and_(content.c.project_id == item.c.project_id, content.c.item_id == item.c.item_id)
    empty = and_(of_project(item, project_id), ~exists(select(content.c.item_id).where(held)))
    yield from _said(connection, item, empty, "have no contents")


def without_projects(connection: Connection) -> Iterator[str]:
    """Yield rows that belong to no project, in words."""
    for table in tables.metadata.sorted_tables:
        if table is tables.projects:
            continue
        name = "project_id" if "project_id" in table.c else PARENTS.get(table.name)
        if name is None:
            continue
        target = references(table)[name]
        lost = and_(table.c[name].is_not(None), ~exists(select(target.c.id).where(target.c.id == table.c[name])))
        yield from _said(connection, table, lost, f"are part of a row of {target.name} that is not there")


def without_persons(connection: Connection) -> Iterator[str]:
    """Yield facts of the whole database about people who are not there, in words."""
    for table in (tables.person_merges, tables.roles):
        for name, of in references(table).items():
            if of is tables.persons:
                lost = and_(table.c[name].is_not(None), ~exists(select(of.c.id).where(of.c.id == table.c[name])))
                yield from _said(connection, table, lost, "name a person who is not there")


def _said(connection: Connection, table: Table, lost: ColumnElement[bool], what: str) -> Iterator[str]:
    rows = connection.execute(first_of(table, lost)).all()
    if rows:
        yield f"{table.name} ({listed([_key(table, row) for row in rows])}) {what}"


def first_of(table: Table, condition: ColumnElement[bool]) -> Select[Any]:
    """Return a SELECT of the keys of the first rows that meet a condition, one more than are named."""
    return select(*key_of(table)).where(condition).order_by(*key_of(table)).limit(NAMED + 1)


def _key(table: Table, row: Sequence[Any]) -> str:
    """Return the key of a row in words, the project left out."""
    pairs = [(column.name, value) for column, value in zip(key_of(table), row, strict=True)]
    return " ".join(f"{name} {value}" for name, value in pairs if name != "project_id")


def listed(names: Sequence[object]) -> str:
    """Return the first of some names in words.

    Examples
    --------
    >>> listed([1, 2]), listed(range(9))
    ('1, 2', '0, 1, 2, 3, 4 and more')
    """
    return ", ".join(map(str, names[:NAMED])) + (" and more" if len(names) > NAMED else "")
