"""What is deleted for good: what items hold, the name of a person, a whole project; here and in backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from storage import tables
from storage.database import StorageError, clear_errors, close_engine, writing
from storage.facts.people.persons import root_of
from storage.ledger import Ledger, list_projects
from storage.sqlite.files import empty_log, overwriting
from storage.transactions import Write
from storage.upkeep.references import PARENTS, all_of_project

PERSON = "person erased"
"""The kind of change of a project that says whose name is no more, by the UUID of the annotator, or of the person."""

_OF_PROJECTS = tuple(
    table
    for table in reversed(tables.metadata.sorted_tables)
    if "project_id" in table.c or table.name in {*PARENTS, "refit_leases"}
)
"""Tables that hold rows of projects, those first that refer to others."""


def erase_items(ledger: Ledger, item_ids: Sequence[int], reason: str, *, archived: bool = False) -> int:
    """Delete what items hold, and what was noted on them; their ids stay as tombstones. Return how many there were."""
    erased = ledger.items.erase(item_ids, reason, archived=archived)
    if erased:
        clear_up(ledger.engine, [tables.contents.name, tables.remarks.name])
    return erased


def erase_person(ledger: Ledger, who: str, *, archived: bool = False) -> bool:
    """Delete the names of a person, in the whole database; return whether there was one of that name or UUID.

    Of several of one name it is the one whom the project calls so, and nobody where there is none.

    What this person did stays, by somebody without a name. Whoever was merged with them is the same person.
    """
    people, persons, projects = tables.annotators, tables.persons, tables.projects
    if not archived:
        ledger.check_writable()
    with writing(ledger.engine) as connection, overwriting(connection):
        known = ledger.persons.found(connection, who)
        if len(known) != 1:
            return False
        root = root_of(known[0].id, ledger.persons.merges(connection))
        one = ledger.persons.counted_as(connection, root)
        mine = and_(people.c.person_id.in_(one), people.c.name.is_not(None))
        found = connection.execute(select(people.c.uuid, people.c.project_id).where(mine)).all()
        # In one order everywhere, so that nobody waits for each other.
        for project in sorted({each.project_id for each in found} | {ledger.project.id}):
            number = update(projects).where(projects.c.id == project).values(seq=projects.c.seq + 1)
            seq = connection.execute(number.returning(projects.c.seq)).scalar_one()
            write = Write(connection, project, seq, datetime.now(UTC))
            for each in found:
                if each.project_id == project:
                    write.fact(tables.project_changes, kind=PERSON, details={"annotator": each.uuid})
            if project == ledger.project.id:
                write.fact(tables.project_changes, kind=PERSON, details={"person": known[0].uuid})
        connection.execute(update(people).where(mine).values(name=None))
        connection.execute(update(persons).where(persons.c.id.in_(one)).values(name=None, account=None))
    clear_up(ledger.engine, [people.name, persons.name])
    return True


def erase_project(ledger: Ledger) -> Mapping[str, int]:
    """Delete all rows of a project; a tombstone keeps its UUID and counts. Its name is free again.

    Returns
    -------
    Mapping[str, int]
        How many rows of each table there were, those that had any.

    Raises
    ------
    StorageError
        It was erased already.
    """
    project, projects = ledger.project, tables.projects
    with writing(ledger.engine) as connection, overwriting(connection):
        # Writers of the project wait here, and find it gone.
        locked = select(projects.c.id).where(projects.c.id == project.id).with_for_update()
        if connection.scalar(locked) is None:
            raise StorageError(f"The project {project.name!r} is gone from {ledger.url}: it was erased already.")
        counts = {
            table.name: connection.scalar(
                select(func.count()).select_from(table).where(all_of_project(table, project.id))
            )
            or 0
            for table in reversed(_OF_PROJECTS)
        }
        for table in _OF_PROJECTS:
            connection.execute(delete(table).where(all_of_project(table, project.id)))
        connection.execute(delete(projects).where(projects.c.id == project.id))
        _forget_people(connection)
        found = {name: count for name, count in counts.items() if count}
        connection.execute(
            insert(tables.erased_projects).values(
                uuid=project.uuid, created_at=project.created_at, erased_at=datetime.now(UTC), counts=found
            )
        )
    clear_up(ledger.engine, [table.name for table in _OF_PROJECTS])
    return found


def _forget_people(connection: Connection) -> None:
    """Delete the people of whom nothing is left in the database."""
    for column in tables.persons.c.id, tables.person_merges.c.person_id:
        named = [
            select(each).where(each.is_not(None))
            for table in (tables.annotators, tables.roles, tables.assignments)
            for each in table.c
            if each.name in ("person_id", "by_id")
        ]
        if column.table is tables.persons:
            merges = tables.person_merges
            others = (merges.c.person_id, merges.c.into_id, merges.c.by_id)
            named += [select(each).where(each.is_not(None)) for each in others]
        connection.execute(delete(column.table).where(*(column.not_in(each) for each in named)))


def clear_up(engine: Engine, names: Sequence[str]) -> None:
    """Have the database let go of what was deleted, as far as nobody reads it still."""
    if engine.dialect.name == "sqlite":
        empty_log(engine)
        return
    with clear_errors(engine), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM {', '.join(names)}")


@contextmanager
def in_backup(path: Path, project: Ledger) -> Iterator[Ledger]:
    """Open what a backup has of a project.

    Raises
    ------
    StorageError
        There is no such file, it is no database, or has no such project.
    """
    url = f"sqlite:///{path.absolute()}"
    if not path.is_file():
        raise StorageError(f"There is no backup {str(path)!r}.")
    try:
        known = {record.uuid: record.name for record in list_projects(url)}
        if project.project.uuid not in known:
            has = f"It has {', '.join(map(repr, known.values()))}." if known else "It has no projects."
            raise StorageError(f"{str(path)!r} is no backup of the project {project.project.name!r}. {has}")
        yield Ledger.open(url, known[project.project.uuid])
    finally:
        close_engine(url)
