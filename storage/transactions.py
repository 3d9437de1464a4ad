"""Transactions on one project: reading, and writing with a number that stamps what is written."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from storage import tables
from storage.database import StorageError, reading, writing
from storage.records import ProjectRecord


class ProjectArchived(RuntimeError):
    """The project was archived: it can be read, and nothing is written to it."""


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

    @property
    def url(self) -> str:
        """The database's URL, with the password hidden."""
        return self.engine.url.render_as_string()

    @property
    def full_url(self) -> str:
        """The database's URL, for opening it in another process."""
        return self.engine.url.render_as_string(hide_password=False)

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
        """Open a read transaction, or go on in the one that `together` opened."""
        shared = getattr(self._here, "connection", None)
        if shared is not None:
            yield shared
            return
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Read in one transaction whatever this thread reads inside: to open one takes as long as to read a row.

        Nothing slow belongs inside, and nothing that writes: what it wrote would not be seen.
        """
        if getattr(self._here, "connection", None) is not None:
            yield
            return
        with reading(self.engine) as self._here.connection:
            try:
                yield
            finally:
                self._here.connection = None

    @contextmanager
    def write(self) -> Iterator[Write]:
        """Open a write transaction that is stamped with the next number.

        Raises
        ------
        ProjectArchived
            The project was archived; nothing is written.
        """
        with writing(self.engine) as connection:
            yield self.stamp(connection)

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
            raise StorageError(f"The project {self.project.name!r} is gone from {self.url}.")
        if not archived:
            self._refuse(row.archived_at)
        return Write(connection, self.project.id, int(row.seq), datetime.now(UTC))

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
