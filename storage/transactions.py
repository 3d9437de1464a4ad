"""Transactions on one project: reading, and writing with a number that stamps what is written."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine, Select, Table, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from storage import tables
from storage.damage import message, named
from storage.database import StorageError, engines, reading, writing
from storage.records import ProjectRecord
from storage.shown import shown


class ProjectArchived(RuntimeError):
    """The project was archived: it can be read, and nothing is written to it."""


MARKED: dict[str, Table] = {
    table.name: table
    for table in (
        tables.label_sets,
        tables.imports,
        tables.import_changes,
        tables.erasures,
        tables.holdouts,
        tables.stream_decisions,
        tables.function_versions,
        tables.filters,
        tables.loops,
        tables.loop_changes,
        tables.project_changes,
        tables.refits,
        tables.documents,
        tables.assignments,
    )
}
"""Tables of facts that are read far more often than anything is added to them."""

PROJECTS_KEPT = 64


@dataclass
class Shared:
    """What all who read in one shared transaction know together.

    `marks` are the newest writes to each table of `MARKED`; `followed` says that the annotations are followed up to it;
    `held` has the items on live leases by loop, `people` which annotators are one person where somebody was added here.
    """

    connection: Connection
    marks: Mapping[str, int] | None = None
    followed: bool = False
    held: dict[int, Sequence[int]] = field(default_factory=dict)
    people: object = None


_shared: WeakKeyDictionary[Connection, Shared] = WeakKeyDictionary()


def shared_of(connection: Connection) -> Shared | None:
    """Return what is known together in a shared transaction; None for any other."""
    return _shared.get(connection)


@dataclass(frozen=True)
class Turn:
    """A transaction in which one process decides and then writes, while others of the project wait."""

    connection: Connection
    stamp: Callable[[], Write]


@dataclass(frozen=True)
class Write:
    """An open write transaction, and the number that stamps its facts."""

    connection: Connection
    project_id: int
    seq: int
    now: datetime

    def fact(self, table: Table, **values: Any) -> int:
        """Add a row to a table of facts and return its id."""
        row = {"project_id": self.project_id, "seq": self.seq, "uuid": str(uuid.uuid4()), "created_at": self.now}
        return int(self.connection.execute(_adding(table), row | values).scalar_one())


@cache
def _adding(table: Table) -> ReturningInsert[Any]:
    """Return the statement that adds a row and returns its id: to put it together takes as long as to run it."""
    return insert(table).returning(table.c.id)


T = TypeVar("T")

_all_kept: WeakKeyDictionary[Engine, OrderedDict[str, dict[object, tuple[tuple[int, ...], Any]]]] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def _kept_of(engine: Engine, project: str) -> dict[object, tuple[tuple[int, ...], Any]]:
    """Return what this process keeps of a project, by engine: another file at the same path is another engine."""
    with _kept_lock:
        projects = _all_kept.setdefault(engine, OrderedDict())
        found = projects.setdefault(project, {})
        projects.move_to_end(project)
        while len(projects) > PROJECTS_KEPT:
            projects.popitem(last=False)
    return found


_MARKS = select(
    *(
        select(func.coalesce(func.max(table.c.seq), 0))
        .where(table.c.project_id == bindparam("project"))
        .scalar_subquery()
        .label(name)
        for name, table in MARKED.items()
    ),
    select(func.coalesce(func.max(tables.annotators.c.id), 0))
    .where(tables.annotators.c.project_id == bindparam("project"))
    .scalar_subquery()
    .label("annotators"),
    select(func.coalesce(func.max(tables.person_merges.c.id), 0)).scalar_subquery().label("person_merges"),
)


class Transactions:
    """Opens the transactions of one project.

    Parameters
    ----------
    engine
        The database.
    project
        The project's row.
    """

    def __init__(self, engine: Engine, project: ProjectRecord) -> None:
        self.engine = engine
        self.project = project
        self._here = threading.local()
        self._kept = _kept_of(engine, project.uuid)

    @property
    def url(self) -> str:
        """The database's URL, with the password hidden."""
        return shown(self.engine.url)

    @property
    def full_url(self) -> str:
        """The database's URL, for opening it in another process."""
        return self.engine.url.render_as_string(hide_password=False)

    @cached_property
    def place(self) -> str:
        """What tells this project from every other, its own copy in another database included."""
        return f"{self.full_url} {self.project.uuid}"

    def version(self) -> int:
        """Return the number of the newest write."""
        with self.read() as connection:
            return int(connection.execute(self._number).scalar_one())

    @cached_property
    def _number(self) -> Select[Any]:
        """The statement for the number of the newest write, made once."""
        return select(tables.projects.c.seq).where(tables.projects.c.id == self.project.id)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction; inside `view` and `turn` it is theirs."""
        shared = self.shared
        if shared is not None:
            yield shared.connection
            return
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def view(self) -> Iterator[Connection]:
        """Open a read transaction that all reads of this thread share: one state, and what is the same read once."""
        if self.shared is not None:
            yield self.shared.connection
            return
        with reading(self.engine) as connection, self._sharing(connection):
            yield connection

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Open a transaction to decide in and then to write: others of the project wait from its begin on.

        All reads of this thread share it. It takes a number only where it is stamped.

        Raises
        ------
        ProjectArchived
            The project was archived; nothing is written.
        """
        table = tables.projects
        with writing(self.engine) as connection, self._sharing(connection):
            # SQLite has locked the file already; of PostgreSQL this locks the project.
            locked = select(table.c.archived_at).where(table.c.id == self.project.id).with_for_update()
            row = connection.execute(locked).one_or_none()
            if row is None:
                raise StorageError(self.gone())
            self._refuse(row.archived_at)
            yield Turn(connection, lambda: self.stamp(connection))

    @property
    def shared(self) -> Shared | None:
        """What this thread shares now, None where each read is a transaction of its own."""
        found: Shared | None = getattr(self._here, "shared", None)
        return found

    @contextmanager
    def _sharing(self, connection: Connection) -> Iterator[None]:
        self._here.shared = _shared[connection] = Shared(connection)
        try:
            yield
        finally:
            self._here.shared = None
            del _shared[connection]

    def marks(self, connection: Connection) -> Mapping[str, int]:
        """Return the number of the newest write to each table of `MARKED`; in a shared transaction asked once.

        Of "annotators" and "person_merges", which no number stamps, it is the newest row.
        """
        shared = shared_of(connection)
        if shared is None:
            return self._read_marks(connection)
        if shared.marks is None:
            shared.marks = self._read_marks(connection)
        return shared.marks

    def _read_marks(self, connection: Connection) -> Mapping[str, int]:
        row = connection.execute(_MARKS, {"project": self.project.id}).one()
        return {name: int(mark) for name, mark in row._mapping.items()}

    def kept(self, name: object, of: Sequence[Table], read: Callable[[Connection], T]) -> T:
        """Return what `read` reads, kept in this process until something is added to one of the tables `of`.

        What it returns is shared: it must not be changed.
        """
        with self.read() as connection:
            return self.kept_in(connection, name, of, read)

    def kept_in(self, connection: Connection, name: object, of: Sequence[Table], read: Callable[[Connection], T]) -> T:
        """Return what `kept` does, inside an open transaction that has added nothing to these tables."""
        marks = self.marks(connection)
        mark = tuple(marks[table.name] for table in of)
        found = self._kept.get(name)
        if found is None or found[0] != mark:
            found = (mark, read(connection))
            # What was just written may still be taken back, and its number given to something else.
            if shared_of(connection) is not None or not connection.get_execution_options().get("write"):
                self._kept[name] = found
        value: T = found[1]
        return value

    @contextmanager
    def write(self, *, shared: bool = False, archived: bool = False) -> Iterator[Write]:
        """Open a write transaction that is stamped with the next number; in an archived project only with `archived`.

        Reads beside it do not see what it writes, but those of this thread where it is `shared`; such a one adds
        nothing to the tables of `MARKED`.

        Raises
        ------
        ProjectArchived
            The project was archived; nothing is written.
        """
        with writing(self.engine) as connection, self._sharing(connection) if shared else nullcontext():
            yield self.stamp(connection, archived=archived)

    @contextmanager
    def unstamped(self, *, archived: bool = False) -> Iterator[Connection]:
        """Open a write transaction that states no fact: leases, chunks of an import under way.

        One that only clears up is let through with `archived` in a project that was archived.
        """
        with writing(self.engine) as connection:
            if not archived:
                self._refuse(self.archived_in(connection))
            yield connection

    def stamp(self, connection: Connection, *, archived: bool = False) -> Write:
        """Take the next number inside an open transaction; raise ProjectArchived unless `archived` lets it through."""
        # The row's lock makes writers of one project wait for each other, so numbers are in commit order.
        row = connection.execute(self._next_number).one_or_none()
        if row is None:
            raise StorageError(self.gone())
        if not archived:
            self._refuse(row.archived_at)
        return Write(connection, self.project.id, int(row.seq), datetime.now(UTC))

    def gone(self) -> str:
        """What is to be said where the project's row is no more."""
        return f"The project {self.project.name!r} is gone from {self.url}: it was erased."

    @cached_property
    def _next_number(self) -> ReturningUpdate[tuple[int, datetime | None]]:
        """The statement that begins each write, made once."""
        table = tables.projects
        return (
            update(table)
            .where(table.c.id == self.project.id)
            .values(seq=table.c.seq + 1)
            .returning(table.c.seq, table.c.archived_at)
        )

    def archived_in(self, connection: Connection) -> datetime | None:
        """Return when the project was archived, None while it is in use."""
        table = tables.projects
        found: datetime | None = connection.scalar(select(table.c.archived_at).where(table.c.id == self.project.id))
        return found

    def _refuse(self, archived_at: datetime | None) -> None:
        if archived_at is not None:
            raise ProjectArchived(
                f"The project {self.project.name!r} was archived on {archived_at:%d %B %Y} and can only be read. "
                "Bring it back first: project.restore(), Restore on the Projects page, "
                f"or python -m labeling restore --project {self.project.name}."
            )

    def archived_at(self) -> datetime | None:
        """Return when the project was archived, None while it is in use."""
        with self.read() as connection:
            return self.archived_in(connection)

    def check_writable(self) -> None:
        """Raise ProjectArchived where nothing may be written."""
        self._refuse(self.archived_at())


def damaged_bytes() -> StorageError:
    """Return the error for bytes that this process read from a database and cannot unpack; it names their row."""
    for engine in engines():
        if found := named(engine):
            return StorageError(message(engine, found))
    return StorageError(
        "What a database keeps is damaged and cannot be read. python -m labeling verify says where; use a backup."
    )
