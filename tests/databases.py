"""Makes databases for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import make_url

from storage.database import close_engines, open_engine


@contextmanager
def postgres_database(server_url: str, template: str) -> Iterator[str]:
    """Make a PostgreSQL database from a template; hand over its URL, and drop it at the end."""
    name = f"tally_{uuid.uuid4().hex}"
    server = make_url(server_url)
    dsn = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrate(url: str) -> None:
    """Bring a database to the newest schema, and let go of it."""
    open_engine(url, create=True)
    close_engines()
