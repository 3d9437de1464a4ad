"""The ledger of one project: its transactions, its classes, and the doors to its facts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Select, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from storage import tables
from storage.database import StorageError, open_engine, parse_url, reading, sqlite_path, writing
from storage.records import LabelSetRecord, ProjectRecord

if TYPE_CHECKING:
    from storage.annotation_facts import AnnotationFacts
    from storage.asked_facts import AskedFacts
    from storage.function_facts import FunctionFacts
    from storage.import_facts import ImportFacts
    from storage.item_facts import ItemFacts
    from storage.loop_facts import LoopFacts
    from storage.stream_facts import StreamFacts


class ProjectNotFound(LookupError):
    """There is no project of that name in the database."""


class ProjectExists(ValueError):
    """A project of that name is in the database already."""


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
        result = self.connection.execute(insert(table).values(row | values).returning(table.c.id))
        return int(result.scalar_one())


def list_projects(storage: str) -> list[ProjectRecord]:
    """Return the projects of a database in the order they were made."""
    with reading(open_engine(storage)) as connection:
        rows = connection.execute(select(tables.projects).order_by(tables.projects.c.id))
        return [_project(row) for row in rows]


def _project(row: Any) -> ProjectRecord:
    return ProjectRecord(row.id, row.uuid, row.name, row.description, row.created_at, row.archived_at)


class Ledger:
    """Append-only facts of one project in one database.

    Open with `Ledger.create` or `Ledger.open`. Every write adds one to the
    project's `seq` in its own transaction; `version` returns it.
    """

    def __init__(self, engine: Engine, project: ProjectRecord) -> None:
        self.engine = engine
        self.project = project

    @classmethod
    def create(cls, storage: str, name: str, description: str, classes: Sequence[Mapping[str, Any]]) -> Ledger:
        """Make a project with its first label set.

        Raises
        ------
        ProjectExists
            The database has a project of that name.
        """
        engine = open_engine(storage)
        now = datetime.now(UTC)
        values = {"uuid": str(uuid.uuid4()), "name": name, "description": description, "created_at": now}
        with writing(engine) as connection:
            try:
                statement = insert(tables.projects).values(values | {"seq": 0, "next_item": 1})
                row = connection.execute(statement.returning(tables.projects)).one()
            except IntegrityError as error:
                raise ProjectExists(
                    f"There is a project {name!r} in {engine.url.render_as_string()} already."
                ) from error
            ledger = cls(engine, _project(row))
            write = ledger._stamp(connection)
            write.fact(tables.label_sets, version=1, change={"kind": "create"}, classes=list(classes))
        return ledger

    @classmethod
    def open(cls, storage: str, name: str) -> Ledger:
        """Open a project by its name.

        Raises
        ------
        ProjectNotFound
            The database has no project of that name; the message names those it has.
        """
        path = sqlite_path(parse_url(storage))
        if path is not None and not path.exists():
            raise ProjectNotFound(
                f"There is no project {name!r}: the database {str(path)!r} does not exist. "
                "Check the path, or make the project with Project.create()."
            )
        engine = open_engine(storage)
        with reading(engine) as connection:
            row = connection.execute(select(tables.projects).where(tables.projects.c.name == name)).one_or_none()
            if row is None:
                known = connection.scalars(select(tables.projects.c.name).order_by(tables.projects.c.name)).all()
                there = f"It has {', '.join(map(repr, known))}." if known else "It has no projects yet."
                raise ProjectNotFound(
                    f"There is no project {name!r} in {engine.url.render_as_string()}. {there} "
                    "Make one with Project.create()."
                )
        return cls(engine, _project(row))

    def withdraw(self) -> bool:
        """Take a project back that was made and never filled: it and its label set are gone, its name is free.

        Returns
        -------
        bool
            False where the project holds anything else; it stays then.
        """
        own = tables.projects.c.id == self.project.id
        with writing(self.engine) as connection:
            for table in (tables.imports, tables.items, tables.functions, tables.loops, tables.annotations):
                held = select(table.c.project_id).where(table.c.project_id == self.project.id).limit(1)
                if connection.execute(held).first() is not None:
                    return False
            connection.execute(delete(tables.label_sets).where(tables.label_sets.c.project_id == self.project.id))
            connection.execute(delete(tables.projects).where(own))
        return True

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
        with reading(self.engine) as connection:
            return int(connection.execute(self._number).scalar_one())

    @cached_property
    def _number(self) -> Select[Any]:
        """The statement for the number of the newest write, made once."""
        return select(tables.projects.c.seq).where(tables.projects.c.id == self.project.id)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction."""
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Write]:
        """Open a write transaction that is stamped with the next number.

        Raises
        ------
        ProjectArchived
            The project was archived; nothing is written.
        """
        with writing(self.engine) as connection:
            yield self._stamp(connection)

    @contextmanager
    def unstamped(self, *, archived: bool = False) -> Iterator[Connection]:
        """Open a write transaction that states no fact: leases, chunks of an import under way.

        One that only clears up is let through with `archived` in a project that was archived.
        """
        with writing(self.engine) as connection:
            if not archived:
                self._refuse(self._archived_at(connection))
            yield connection

    def _stamp(self, connection: Connection, *, archived: bool = False) -> Write:
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

    def _archived_at(self, connection: Connection) -> datetime | None:
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
            return self._archived_at(connection)

    def check_writable(self) -> None:
        """Raise ProjectArchived where nothing may be written."""
        self._refuse(self.archived_at())

    def set_archived(self, archived: bool) -> bool:
        """Archive the project, or bring it back; return whether that changed anything.

        Whoever was asked something in a project that is archived holds it no longer.
        """
        table, loops = tables.projects, tables.loops
        with writing(self.engine) as connection:
            # Two that do the same at once wait here for each other.
            connection.execute(select(table.c.id).where(table.c.id == self.project.id).with_for_update())
            if (self._archived_at(connection) is not None) == archived:
                return False
            write = self._stamp(connection, archived=True)
            write.fact(tables.project_changes, kind="archive" if archived else "restore", details={})
            moment = write.now if archived else None
            connection.execute(update(table).where(table.c.id == self.project.id).values(archived_at=moment))
            if archived:
                own = select(loops.c.id).where(loops.c.project_id == self.project.id)
                connection.execute(delete(tables.leases).where(tables.leases.c.project_id == self.project.id))
                connection.execute(delete(tables.refit_leases).where(tables.refit_leases.c.loop_id.in_(own)))
        return True

    def change(self, kind: str, details: Mapping[str, Any]) -> None:
        """Record a change of a setting of the project; the newest of a kind counts."""
        with self.write() as write:
            write.fact(tables.project_changes, kind=kind, details=dict(details))

    def changes(self, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Return (seq, details) of the changes of a kind, oldest first."""
        table = tables.project_changes
        with self.read() as connection:
            rows = connection.execute(
                select(table.c.seq, table.c.details)
                .where(table.c.project_id == self.project.id, table.c.kind == kind)
                .order_by(table.c.id)
            )
            return [(row.seq, row.details) for row in rows]

    def label_sets(self) -> list[LabelSetRecord]:
        """Return every version of the classes, oldest first."""
        table = tables.label_sets
        with self.read() as connection:
            statement = select(table).where(table.c.project_id == self.project.id).order_by(table.c.version)
            rows = connection.execute(statement).all()
        return [LabelSetRecord(row.version, row.change, tuple(row.classes)) for row in rows]

    def add_label_set(self, after: int, change: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> None:
        """Write the version that follows version `after`.

        Raises
        ------
        StorageError
            Somebody else changed the classes in between.
        """
        with self.write() as write:
            self.write_label_set(write, after, change, classes)

    def write_label_set(
        self, write: Write, after: int, change: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write the version that follows version `after` inside `write`."""
        try:
            write.fact(tables.label_sets, version=after + 1, change=dict(change), classes=list(classes))
        except IntegrityError as error:
            raise StorageError(
                "Somebody else changed the labels at the same moment. Look at them and try again."
            ) from error

    def note_export(self, name: str, kind: str, rows: int, sha256: str | None, options: Mapping[str, Any]) -> None:
        """Record that a data set was exported."""
        with self.write() as write:
            write.fact(tables.exports, name=name, format=kind, rows=rows, sha256=sha256, options=dict(options))

    def exports(self) -> list[dict[str, Any]]:
        """Return past exports, newest first."""
        table = tables.exports
        columns = (table.c.name, table.c.format, table.c.rows, table.c.sha256, table.c.created_at, table.c.options)
        with self.read() as connection:
            statement = select(*columns).where(table.c.project_id == self.project.id).order_by(table.c.id.desc())
            return [dict(row._mapping) for row in connection.execute(statement)]

    @cached_property
    def imports(self) -> ImportFacts:
        """Imports under way, completed, and taken back."""
        from storage.import_facts import ImportFacts

        return ImportFacts(self)

    @cached_property
    def items(self) -> ItemFacts:
        """Items, gold, hold-outs."""
        from storage.item_facts import ItemFacts

        return ItemFacts(self)

    @cached_property
    def functions(self) -> FunctionFacts:
        """Labeling functions, their votes, weak runs."""
        from storage.function_facts import FunctionFacts

        return FunctionFacts(self)

    @cached_property
    def loops(self) -> LoopFacts:
        """Loops, refits, queries, leases."""
        from storage.loop_facts import LoopFacts

        return LoopFacts(self)

    @cached_property
    def annotations(self) -> AnnotationFacts:
        """What people answered, skipped, discarded and took back."""
        from storage.annotation_facts import AnnotationFacts

        return AnnotationFacts(self)

    @cached_property
    def asked(self) -> AskedFacts:
        """What was asked, and why."""
        from storage.asked_facts import AskedFacts

        return AskedFacts(self)

    @cached_property
    def streams(self) -> StreamFacts:
        """Records that arrived one by one, and what was decided about each."""
        from storage.stream_facts import StreamFacts

        return StreamFacts(self)
