"""What is deleted for good: what items hold, the name of a person, a whole project; here and in backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, delete, func, insert, select, update

from storage import tables
from storage.database import StorageError, clear_errors, close_engine, writing
from storage.ledger import Ledger, list_projects
from storage.sqlite_files import empty_log, overwriting
from storage.upkeep.references import all_of_project

PERSON = "person erased"
"""The kind of change of a project that says whose name is no more, by the UUID of the annotator."""

_OF_PROJECTS = tuple(
    table for table in reversed(tables.metadata.sorted_tables) if table.name not in ("erased_projects", "projects")
)
"""Tables that hold rows of projects, those first that refer to others."""


def erase_items(ledger: Ledger, item_ids: Sequence[int], reason: str, *, archived: bool = False) -> int:
    """Delete what items hold, and what was noted on them; their ids stay as tombstones. Return how many there were."""
    erased = ledger.items.erase(item_ids, reason, archived=archived)
    if erased:
        clear_up(ledger.engine, [tables.contents.name, tables.remarks.name])
    return erased


def erase_person(ledger: Ledger, name: str, *, archived: bool = False) -> bool:
    """Delete the name of an annotator, whose answers stay; return whether there was one."""
    people = tables.annotators
    own = (people.c.project_id == ledger.project.id, people.c.name == name)
    with ledger.transactions.write(archived=archived) as write, overwriting(write.connection):
        row = write.connection.execute(select(people.c.id, people.c.uuid).where(*own).with_for_update()).one_or_none()
        if row is not None:
            write.connection.execute(update(people).where(people.c.id == row.id).values(name=None))
            write.fact(tables.project_changes, kind=PERSON, details={"annotator": row.uuid})
    if row is not None:
        clear_up(ledger.engine, [people.name])
    return row is not None


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
        found = {name: count for name, count in counts.items() if count}
        connection.execute(
            insert(tables.erased_projects).values(
                uuid=project.uuid, created_at=project.created_at, erased_at=datetime.now(UTC), counts=found
            )
        )
    clear_up(ledger.engine, [table.name for table in _OF_PROJECTS])
    return found


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
