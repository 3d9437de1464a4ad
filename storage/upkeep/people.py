"""People on their way to another database: known there by their UUID, with who counts as whom, and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from storage import tables


def copy_people(old: Connection, new: Connection, project_ids: list[int], *, same_ids: bool) -> dict[int, int]:
    """Copy the people of projects, and return the id that each one has in the other database.

    Who is there already is found by the UUID, and stays as there; a namesake is another person. An account is of one
    database and is left out, unless ids stay: then everybody is copied as is.
    """
    persons, merges = tables.persons, tables.person_merges
    facts = old.execute(select(merges).order_by(merges.c.id)).all()
    wanted = None if same_ids else _of_projects(old, project_ids, facts)
    people: dict[int, int] = {}
    for row in old.execute(select(persons).order_by(persons.c.id)).all():
        if same_ids:
            new.execute(insert(persons).values(row._asdict()))
            people[row.id] = row.id
        elif wanted is not None and row.id in wanted:
            there = new.scalar(select(persons.c.id).where(persons.c.uuid == row.uuid))
            made = insert(persons).values({"uuid": row.uuid, "created_at": row.created_at, "name": row.name})
            people[row.id] = there if there is not None else new.execute(made.returning(persons.c.id)).scalar_one()
    changed = {
        people[row.person_id] for row in facts if row.person_id in people and _add(new, merges, row, people, same_ids)
    }
    own, project = tables.annotators, tables.projects
    here = select(own.c.project_id).where(own.c.person_id.in_(list(changed)))
    # What was made of the answers of these people there is made anew.
    new.execute(update(project).where(project.c.id.in_(here)).values(seq=project.c.seq + 1))
    return people


def copy_roles(
    old: Connection, new: Connection, projects: Mapping[int, int], people: Mapping[int, int], *, same_ids: bool
) -> None:
    """Copy the roles that people have in these projects; those in a whole database only where ids stay."""
    roles = tables.roles
    own = roles.c.project_id.in_(list(projects))
    condition = or_(own, roles.c.project_id.is_(None)) if same_ids else own
    for row in old.execute(select(roles).where(condition).order_by(roles.c.id)).all():
        _add(new, roles, row, people, same_ids, project_id=projects.get(row.project_id))


def _add(new: Connection, table: Any, row: Row[Any], people: Mapping[int, int], same_ids: bool, **others: Any) -> bool:
    """Add a fact about people unless it is there; return whether it was added."""
    if not same_ids and new.scalar(select(table.c.id).where(table.c.uuid == row.uuid)) is not None:
        return False
    values = row._asdict() | others
    values |= {name: people.get(values[name]) for name in ("person_id", "into_id", "by_id") if name in values}
    if not same_ids:
        del values["id"]
    new.execute(insert(table).values(values))
    return True


def _of_projects(old: Connection, project_ids: list[int], merges: Any) -> set[int]:
    """Return the people whom rows of projects name, and those as whom they count."""
    found: set[int] = set()
    for table in tables.metadata.sorted_tables:
        if "project_id" not in table.c:
            continue
        for name in ("person_id", "by_id"):
            if name in table.c:
                own = (table.c.project_id.in_(project_ids), table.c[name].is_not(None))
                found.update(old.scalars(select(table.c[name]).where(*own).distinct()))
    before = -1
    while before != len(found):
        before = len(found)
        for row in merges:
            if row.person_id in found:
                found.update(each for each in (row.into_id, row.by_id) if each is not None)
    return found
