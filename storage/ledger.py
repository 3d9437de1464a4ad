"""The ledger of one project: made or opened, and the doors to its facts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.database import NoProjects, open_engine, reading, writing
from storage.facts.asking.asked import AskedFacts
from storage.facts.asking.leases import LeaseFacts
from storage.facts.asking.loops import LoopFacts
from storage.facts.asking.refit_leases import RefitLeaseFacts
from storage.facts.asking.streams import StreamFacts
from storage.facts.documents import DocumentFacts
from storage.facts.functions import FunctionFacts
from storage.facts.histories import HistoryFacts
from storage.facts.imports import ImportFacts
from storage.facts.items import ItemFacts
from storage.facts.label_sets import label_sets, write_label_set
from storage.facts.people.annotations import AnnotationFacts
from storage.facts.people.assignments import AssignmentFacts
from storage.facts.people.persons import PersonFacts
from storage.facts.people.remarks import RemarkFacts
from storage.facts.people.reopened import ReopenedFacts
from storage.facts.people.roles import RoleFacts
from storage.records import LabelSetRecord, ProjectRecord
from storage.shown import shown
from storage.transactions import Transactions, Turn, Write


class ProjectNotFound(LookupError):
    """There is no project of that name in the database."""


class ProjectExists(ValueError):
    """A project of that name is in the database already."""


def list_projects(storage: str) -> list[ProjectRecord]:
    """Return the projects of a database in the order they were made; none where there is no database yet."""
    try:
        engine = open_engine(storage)
    except NoProjects:
        return []
    with reading(engine) as connection:
        rows = connection.execute(select(tables.projects).order_by(tables.projects.c.id))
        return [_project(row) for row in rows]


def _project(row: Any) -> ProjectRecord:
    return ProjectRecord(row.id, row.uuid, row.name, row.description, row.created_at, row.archived_at)


class Ledger:
    """Append-only facts of one project in one database.

    Open with `Ledger.create` or `Ledger.open`. Every write adds one to the
    project's `seq` in its own transaction; `version` returns it.

    Attributes
    ----------
    transactions
        Opens them.
    items
        Items, gold, hold-outs.
    persons, roles, assignments
        Who people are in the whole database, what they may do, and what they are to work on.
    annotations
        What people answered, skipped, discarded and took back.
    reopened
        What is asked again since a class was split.
    imports
        Imports under way, completed, and taken back.
    functions
        Labeling functions, their votes, weak runs.
    leases, refit_leases
        Who works on which item, and which process refits which loop.
    loops
        Loops, refits, queries.
    asked
        What was asked, and why.
    streams
        Records that arrived one by one, and what was decided about each.
    remarks
        Notes, flags, comments.
    documents
        Description and guidelines.
    histories
        Everything that happened to an item.
    """

    def __init__(self, engine: Engine, project: ProjectRecord) -> None:
        self.engine = engine
        self.project = project
        self.transactions = transactions = Transactions(engine, project)
        self.items = ItemFacts(transactions)
        self.persons = PersonFacts(transactions)
        self.annotations = AnnotationFacts(transactions, self.items, self.persons)
        self.roles = RoleFacts(transactions)
        self.assignments = AssignmentFacts(transactions)
        self.reopened = ReopenedFacts(transactions, self.annotations)
        self.imports = ImportFacts(transactions, self.items, self.annotations)
        self.functions = FunctionFacts(transactions)
        self.leases = LeaseFacts(transactions, self.items, self.annotations)
        self.refit_leases = RefitLeaseFacts(transactions)
        self.loops = LoopFacts(transactions, self.annotations, self.leases)
        self.asked = AskedFacts(transactions)
        self.streams = StreamFacts(transactions, self.items, self.annotations)
        self.remarks = RemarkFacts(transactions)
        self.documents = DocumentFacts(transactions)
        self.histories = HistoryFacts(transactions)

    @classmethod
    def create(
        cls,
        storage: str,
        name: str,
        description: str,
        classes: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Ledger:
        """Make a project with its first label set, and settings by their kind.

        Raises
        ------
        ProjectExists
            The database has a project of that name.
        """
        engine = open_engine(storage, create=True)
        now = datetime.now(UTC)
        values = {"uuid": str(uuid.uuid4()), "name": name, "description": description, "created_at": now}
        with writing(engine) as connection:
            try:
                statement = insert(tables.projects).values(values | {"seq": 0, "next_item": 1})
                row = connection.execute(statement.returning(tables.projects)).one()
            except IntegrityError as error:
                raise ProjectExists(f"There is a project {name!r} in {shown(engine.url)} already.") from error
            ledger = cls(engine, _project(row))
            write = ledger.transactions.stamp(connection)
            write.fact(tables.label_sets, version=1, change={"kind": "create"}, classes=list(classes))
            for kind, details in (settings or {}).items():
                write.fact(tables.project_changes, kind=kind, details=dict(details))
        return ledger

    @classmethod
    def open(cls, storage: str, name: str) -> Ledger:
        """Open a project by its name.

        Raises
        ------
        ProjectNotFound
            The database has no project of that name; the message names those it has.
        """
        try:
            engine = open_engine(storage)
        except NoProjects as error:
            raise ProjectNotFound(
                f"There is no project {name!r}: {str(error)[0].lower()}{str(error)[1:]} "
                "Check the path, or make the project with Project.create()."
            ) from error
        with reading(engine) as connection:
            row = connection.execute(select(tables.projects).where(tables.projects.c.name == name)).one_or_none()
            if row is None:
                known = connection.scalars(select(tables.projects.c.name).order_by(tables.projects.c.name)).all()
                there = f"It has {', '.join(map(repr, known))}." if known else "It has no projects yet."
                raise ProjectNotFound(
                    f"There is no project {name!r} in {shown(engine.url)}. {there} Make one with Project.create()."
                )
        return cls(engine, _project(row))

    def withdraw(self) -> bool:
        """Take a project back that was made and never filled: it, its labels and settings are gone, its name is free.

        Returns
        -------
        bool
            False where the project holds anything else; it stays then.
        """
        own = tables.projects.c.id == self.project.id
        with writing(self.engine) as connection:
            held_in = (tables.imports, tables.items, tables.functions, tables.loops, tables.annotations, tables.roles)
            for table in (*held_in, tables.documents, tables.filters, tables.exports, tables.annotators):
                held = select(table.c.project_id).where(table.c.project_id == self.project.id).limit(1)
                if connection.execute(held).first() is not None:
                    return False
            # What `create` writes beside the project itself.
            for table in (tables.label_sets, tables.project_changes):
                connection.execute(delete(table).where(table.c.project_id == self.project.id))
            connection.execute(delete(tables.projects).where(own))
        return True

    @property
    def url(self) -> str:
        """The database's URL, with the password hidden."""
        return self.transactions.url

    @property
    def full_url(self) -> str:
        """The database's URL, for opening it in another process."""
        return self.transactions.full_url

    @property
    def place(self) -> str:
        """What tells this project from every other, its own copy in another database included."""
        return self.transactions.place

    def version(self) -> int:
        """Return the number of the newest write."""
        return self.transactions.version()

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read transaction."""
        return self.transactions.read()

    def view(self) -> AbstractContextManager[Connection]:
        """Open a read transaction that all reads of this thread share."""
        return self.transactions.view()

    def turn(self) -> AbstractContextManager[Turn]:
        """Open a transaction to decide in and then to write; all reads of this thread share it."""
        return self.transactions.turn()

    def write(self, *, shared: bool = False) -> AbstractContextManager[Write]:
        """Open a write transaction that is stamped with the next number; `shared` with the reads of this thread.

        Raises
        ------
        ProjectArchived
            The project was archived; nothing is written.
        """
        return self.transactions.write(shared=shared)

    def unstamped(self) -> AbstractContextManager[Connection]:
        """Open a write transaction that states no fact, such as a lease."""
        return self.transactions.unstamped()

    def archived_at(self) -> datetime | None:
        """Return when the project was archived, None while it is in use."""
        return self.transactions.archived_at()

    def check_writable(self) -> None:
        """Raise ProjectArchived where nothing may be written."""
        self.transactions.check_writable()

    def set_archived(self, archived: bool) -> bool:
        """Archive the project, or bring it back; return whether that changed anything.

        Whoever was asked something in a project that is archived holds it no longer.
        """
        table, loops = tables.projects, tables.loops
        with writing(self.engine) as connection:
            # Two that do the same at once wait here for each other.
            connection.execute(select(table.c.id).where(table.c.id == self.project.id).with_for_update())
            if (self.transactions.archived_in(connection) is not None) == archived:
                return False
            write = self.transactions.stamp(connection, archived=True)
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
        with self.read() as connection:
            return self.changes_in(connection, kind)

    def changes_in(self, connection: Connection, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Return (seq, details) of the changes of a kind inside an open transaction, oldest first."""
        table, kept = tables.project_changes, self.transactions.kept_in
        return list(kept(connection, ("changes", kind), [table], lambda each: self._changes(each, kind)))

    def _changes(self, connection: Connection, kind: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        table = tables.project_changes
        rows = connection.execute(
            select(table.c.seq, table.c.details)
            .where(table.c.project_id == self.project.id, table.c.kind == kind)
            .order_by(table.c.id)
        )
        return tuple((row.seq, row.details) for row in rows)

    def label_sets(self) -> list[LabelSetRecord]:
        """Return every version of the classes, oldest first."""
        return label_sets(self.transactions)

    def add_label_set(self, after: int, change: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> None:
        """Write the version that follows version `after`.

        Raises
        ------
        StorageError
            Somebody else changed the classes in between.
        """
        with self.write() as write:
            write_label_set(write, after, change, classes)

    def write_label_set(
        self, write: Write, after: int, change: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write the version that follows version `after`, inside `write`; see `add_label_set`."""
        write_label_set(write, after, change, classes)

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
