"""Makes databases for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import compress

import psycopg
from sqlalchemy import event, make_url
from sqlalchemy.pool import Pool

from storage.database import close_engines, open_engine


@contextmanager
def postgres_database(server_url: str, template: str) -> Iterator[str]:
    """Make a PostgreSQL database from a template; hand over its URL, and drop it at the end."""
    name = f"tally_{uuid.uuid4().hex}"
    server = make_url(server_url)
    dsn = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrate(url: str) -> None:
    """Bring a database to the newest schema, and let go of it."""
    open_engine(url, create=True)
    close_engines()


LOOK = """
    WITH ours AS (
        SELECT oid FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg|_%' ESCAPE '|'
    ), relations AS (
        SELECT oid, relname, relkind, relnatts FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours)
    )
    SELECT
        (SELECT array_agg(version_num) FROM alembic_version),
        (SELECT array_agg(oid ORDER BY oid) FROM ours),
        (SELECT array_agg(concat_ws(' ', oid, relname, relkind, relnatts) ORDER BY oid) FROM relations),
        (SELECT sum(xmin::text::bigint) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM relations)),
        (SELECT array_agg(oid ORDER BY oid) FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)),
        (SELECT array_agg(oid ORDER BY oid) FROM pg_trigger),
        (SELECT array_agg(oid ORDER BY oid) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours))
"""
"""What a database holds beside rows."""

TABLES = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""

STOP = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state <> 'idle' OR pid <> ALL(%s))
"""
"""Ends the connections of other processes, and whatever is under way."""


class PostgresDatabases:
    """Gives PostgreSQL databases to one test after the other: the same one, emptied in between.

    To make and drop a database costs more than most tests, and each needs new connections. Where a test changed more
    than rows, its database is dropped and the next test gets a new one.

    Parameters
    ----------
    server_url
        Of the server.
    template
        Name of the database that each is a copy of.
    """

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._kept = ExitStack()
        self._url: str | None = None
        self._backends: set[int] = set()
        event.listen(Pool, "connect", self._note)

    @contextmanager
    def one(self) -> Iterator[str]:
        """Hand over the URL of a database without rows."""
        url = self._url or self._make()
        kept = False
        try:
            yield url
            # What it cannot empty, as without a table that a test has dropped, is made anew.
            with suppress(psycopg.Error):
                kept = self._emptied()
        finally:
            if not kept:
                self.drop()

    def drop(self) -> None:
        """Drop the database that is kept."""
        close_engines()
        self._kept.close()
        self._url = None

    def _note(self, connection: object, _record: object) -> None:
        # The engine of this process stays open. A child that is forked notes its connections in a copy of this set.
        if isinstance(connection, psycopg.Connection):
            self._backends.add(connection.info.backend_pid)

    def _make(self) -> str:
        self._url = self._kept.enter_context(postgres_database(self._server_url, self._template))
        dsn = make_url(self._url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._own = self._kept.enter_context(psycopg.connect(dsn, autocommit=True))
        self._own.execute("SET lock_timeout = '20s'")
        self._look = self._own.execute(LOOK).fetchone()
        self._tables = [name for (name,) in self._own.execute(TABLES).fetchall()]
        return self._url

    def _emptied(self) -> bool:
        """Take out all rows and start all ids at 1; return whether the database is as it was made."""
        own = self._own
        own.execute(STOP, [list(self._backends)])
        superuser = own.execute("SHOW is_superuser").fetchone() == ("on",)
        if not superuser or own.execute(LOOK).fetchone() != self._look:
            return False
        with own.transaction():
            # What was ended a moment ago cannot write any more once this lock is held.
            own.execute(f"LOCK TABLE {', '.join(self._tables)}")
            found = own.execute("SELECT " + ", ".join(f"EXISTS (SELECT FROM {table})" for table in self._tables))
            filled = list(compress(self._tables, found.fetchone() or ()))
            # Without the triggers that look for rows which refer to those that go.
            own.execute("SET LOCAL session_replication_role = replica")
            own.execute("; ".join(f"DELETE FROM {table}" for table in filled))
            own.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
        if filled:
            # So that rows lie in the order in which they are written, as in a new database.
            own.execute(f"VACUUM (SKIP_DATABASE_STATS) {', '.join(filled)}")
        return True
