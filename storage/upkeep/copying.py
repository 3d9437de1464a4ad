"""Projects copied from one database to another, whole or not at all, and compared row for row."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, Engine, Select, Table, Text, cast, func, select, text, type_coerce

from storage import tables
from storage.database import NoProjects, StorageError, clear_errors, open_engine, reading, writing
from storage.facts.bulk import write_rows
from storage.ledger import ProjectExists, ProjectNotFound
from storage.schema import UtcDateTime
from storage.upkeep.dangling import dangling
from storage.upkeep.people import copy_people, copy_roles
from storage.upkeep.references import COPIED, details_moved, key_of, of_project, own_id, references

ROWS = 2_000
"""Rows that are read and written at once; what they hold may be large."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class CopiedProject:
    """A project that was copied, and how many rows of the ledger it has."""

    name: str
    rows: int


@dataclass(frozen=True)
class _Part:
    """The rows of a project in one table, and how ids change on the way: by adding `by` to those of each table.

    Those of `people` are looked up.
    """

    table: Table
    project_id: int
    by: Mapping[str, int]
    people: Mapping[int, int]

    def read(self, connection: Connection, project_id: int) -> Generator[Row, None, None]:
        """Yield the rows of a project as the database has them, JSON as it was written, in the order of their key."""
        statement = _selected(self.table).where(of_project(self.table, project_id))
        statement = statement.order_by(*key_of(self.table)).execution_options(yield_per=ROWS)
        with connection.execute(statement) as result:
            for part in result.partitions():
                yield from map(tuple, part)

    def moved(self) -> Callable[[Row], Row]:
        """Return what gives a row the ids that it has in the other database."""
        refers = {name: target.name for name, target in references(self.table).items()}
        if own_id(self.table):
            refers["id"] = self.table.name
        by = [self.by.get(refers.get(column.name, ""), 0) for column in self.table.columns]
        of_people = [n for n, c in enumerate(self.table.columns) if refers.get(c.name) == tables.persons.name]
        inside = list(self.table.columns.keys()).index("details") if self.table is tables.stream_events else None

        def move(row: Row) -> Row:
            new = [value + more if more and value is not None else value for value, more in zip(row, by, strict=True)]
            for place in of_people:
                new[place] = None if new[place] is None else self.people[new[place]]
            if inside is not None:
                new[inside] = details_moved(new[inside], self.by[tables.annotations.name])
            return tuple(new)

        return move


def copy_projects(
    source: str, target: str, names: Sequence[str] | None = None, *, same_ids: bool = False
) -> list[CopiedProject]:
    """Copy projects, default all, to another database: all of them, or none where anything goes wrong.

    What is read is the state at one moment; work in the source goes on meanwhile. Ids of rows are given anew, those of
    items and classes stay. Imports under way are left out, and so is which process refits. With `same_ids`, which a
    database without rows allows, all ids stay, those too that name what is not there.

    Raises
    ------
    ProjectNotFound
        The source has no project of a name.
    ProjectExists
        The target has a project of that UUID, or of that name.
    StorageError
        A database cannot be used, or rows refer to what is not there.
    """
    try:
        here = open_engine(source)
    except NoProjects as error:
        raise ProjectNotFound(f"There is nothing to copy. {error}") from error
    with snapshot(here) as old:
        projects = _chosen(old, names, here)
        if not same_ids:
            _refuse_unsound(old, projects, here)
        there = open_engine(target, create=True)
        with reading(there) as new:
            _refuse_known(new, projects, there)
        spans = [{} if same_ids else _spans(old, project.id) for project in projects]
        first = _reserved(there, spans) if there.dialect.name == "postgresql" else None
        done = []
        with writing(there) as new, _driver_errors(there):
            _refuse_known(new, projects, there)
            people = copy_people(old, new, [project.id for project in projects], same_ids=same_ids)
            owns: dict[int, int] = {}
            for project, span in zip(projects, spans, strict=True):
                begin = {name: _next_id(new, name) for name in span} if first is None else first.pop(0)
                by = {name: begin[name] - least for name, (least, _) in span.items()}
                by = {table.name: by.get(table.name, 0) for table in COPIED}
                owns[project.id] = project.id + by[tables.projects.name]
                done.append(CopiedProject(project.name, _copied(old, new, project, by, people, there)))
            copy_roles(old, new, owns, people, same_ids=same_ids)
    return done


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Open a read transaction in which every statement sees the same state, on either database."""
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            yield connection
        return
    with (
        clear_errors(engine),
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _driver_errors(engine: Engine) -> Iterator[None]:
    """Name what a driver refused by its kind: its own message may quote rows."""
    try:
        yield
    except engine.dialect.loaded_dbapi.Error as error:
        raise StorageError(
            f"{engine.url.render_as_string()} did not take the rows ({type(error).__name__}); nothing was copied. "
            "Look at both databases with: python -m labeling verify"
        ) from error


def _chosen(connection: Connection, names: Sequence[str] | None, engine: Engine) -> list[Any]:
    found = connection.execute(select(tables.projects).order_by(tables.projects.c.id)).all()
    if names is None:
        return list(found)
    known = {row.name: row for row in found}
    for name in names:
        if name not in known:
            there = f"It has {', '.join(map(repr, known))}." if known else "It has no projects."
            raise ProjectNotFound(f"There is no project {name!r} in {engine.url.render_as_string()}. {there}")
    return [known[name] for name in names]


def _refuse_known(connection: Connection, projects: Sequence[Any], engine: Engine) -> None:
    table = tables.projects
    where = engine.url.render_as_string()
    for project in projects:
        name = connection.scalar(select(table.c.name).where(table.c.uuid == project.uuid))
        if name is not None:
            raise ProjectExists(
                f"The project {project.name!r} ({project.uuid}) is in {where} already"
                f"{'' if name == project.name else f', as {name!r}'}. Copy it to another database."
            )
        if connection.scalar(select(table.c.id).where(table.c.name == project.name)) is not None:
            raise ProjectExists(
                f"{where} has another project that is called {project.name!r}. Copy this one to another database."
            )
        gone = tables.erased_projects
        erased_at = connection.scalar(select(gone.c.erased_at).where(gone.c.uuid == project.uuid))
        if erased_at is not None:
            raise ProjectExists(
                f"The project {project.name!r} ({project.uuid}) was erased from {where} on {erased_at:%d %B %Y} and "
                "stays erased there. Copy it to another database."
            )


def _refuse_unsound(connection: Connection, projects: Sequence[Any], engine: Engine) -> None:
    for project in projects:
        found = next(iter(dangling(connection, project.id)), None)
        if found is not None:
            raise StorageError(
                f"The project {project.name!r} cannot be copied: {found}. "
                f"See what is wrong with: python -m labeling verify --storage {engine.url.render_as_string()}"
            )


def _spans(connection: Connection, project_id: int) -> dict[str, tuple[int, int]]:
    """Return the lowest and the highest id that a project's rows have, by table; without those that have none."""
    found = {}
    for table in filter(own_id, COPIED):
        least, most = connection.execute(
            select(func.min(table.c.id), func.max(table.c.id)).where(of_project(table, project_id))
        ).one()
        if least is not None:
            found[table.name] = (int(least), int(most))
    return found


def _next_id(connection: Connection, table: str) -> int:
    """Return the first id of a table of SQLite that was never given."""
    given = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table})
    highest = connection.scalar(select(func.max(tables.metadata.tables[table].c.id)))
    return max(given or 0, highest or 0) + 1


def _reserved(engine: Engine, spans: Sequence[Mapping[str, tuple[int, int]]]) -> list[dict[str, int]]:
    """Take ids of PostgreSQL out of use, a run of them a project and table; return the first of each run."""
    found = []
    for span in spans:
        begin: dict[str, int] = {}
        for name, (least, most) in span.items():
            with writing(engine) as connection:
                # Whoever adds rows beside this waits until the run is taken.
                connection.execute(text(f'LOCK TABLE "{name}" IN SHARE ROW EXCLUSIVE MODE'))
                sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": name})
                first = int(connection.scalar(text("SELECT nextval(:of)"), {"of": sequence}) or 0)
                connection.execute(text("SELECT setval(:of, :last)"), {"of": sequence, "last": first + most - least})
            begin[name] = first
        found.append(begin)
    return found


def _copied(
    old: Connection, new: Connection, project: Any, by: Mapping[str, int], people: Mapping[int, int], engine: Engine
) -> int:
    """Copy the rows of a project, compare what was written with what was read, and return how many they are."""
    rows = 0
    for table in COPIED:
        part = _Part(table, project.id, by, people)
        move = part.moved()
        with closing(part.read(old, project.id)) as read:
            while waiting := [_for_driver(move(row), new) for row in islice(read, ROWS)]:
                write_rows(new, table, waiting)
                rows += len(waiting)
    own = project.id + by[tables.projects.name]
    for table in COPIED:
        part = _Part(table, project.id, by, people)
        with closing(part.read(old, project.id)) as read, closing(part.read(new, own)) as written:
            for number, (wanted, there) in enumerate(zip_longest(map(part.moved(), read), written), start=1):
                if wanted != there:
                    raise StorageError(
                        f"Row {number:,} of {table.name} of the project {project.name!r} is not in "
                        f"{engine.url.render_as_string()} as it was read; nothing was copied."
                    )
    return rows


def _selected(table: Table) -> Select[Any]:
    """Return a SELECT of all columns, JSON as the text that was written, moments without a zone."""
    columns: list[Any] = []
    for column in table.columns:
        if isinstance(column.type, JSON):
            columns.append(cast(column, Text).label(column.name))
        elif isinstance(column.type, UtcDateTime):
            columns.append(type_coerce(column, DateTime()).label(column.name))
        else:
            columns.append(column)
    return select(*columns)


def _for_driver(row: Row, connection: Connection) -> Row:
    """Return a row as the driver takes it: SQLite has no type for moments."""
    if connection.dialect.name != "sqlite":
        return row
    return tuple(
        value.isoformat(sep=" ", timespec="microseconds") if isinstance(value, datetime) else value for value in row
    )
