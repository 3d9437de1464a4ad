"""What must hold of a database after any kill."""

import sqlite3
import time
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text

from labeling import Project
from storage.database import open_engine, reading
from tests.labeling.processes import PATIENCE

LABELS = ["ok", "offensive"]

ORPHANS = {
    "items of no import": "SELECT count(*) FROM items WHERE import_id NOT IN (SELECT id FROM imports)",
    "contents of no item": "SELECT count(*) FROM contents WHERE item_id NOT IN (SELECT item_id FROM items)",
    "known answers of no import": "SELECT count(*) FROM gold WHERE import_id NOT IN (SELECT id FROM imports)",
    "rows of no import": "SELECT count(*) FROM source_rows WHERE import_id NOT IN (SELECT id FROM imports)",
    "facts twice": "SELECT count(*) - count(DISTINCT uuid) FROM annotations",
    "items held twice": "SELECT count(*) - count(DISTINCT project_id * 1000000 + item_id) FROM leases",
    "facts beyond the newest write": (
        "SELECT count(*) FROM annotations a JOIN projects p ON p.id = a.project_id WHERE a.seq > p.seq"
    ),
}

BUSY = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
"""Connections in the middle of a transaction; those of the tests themselves are idle."""


class Operation:
    """One operation over one database; each part runs in a process of its own.

    `prepare` makes what it needs, `act` does it and is killed, `check` looks at what the kill left and goes on.
    """

    def __init__(self, url, folder):
        self.url = url
        self.folder = Path(folder)

    def prepare(self, kills):
        raise NotImplementedError

    def act(self, run, number):
        raise NotImplementedError

    def check(self, run, said):
        raise NotImplementedError

    def project(self):
        return Project.open("p", storage=self.url)


def settled(url):
    """Wait until a server has noticed that its client is dead: until then it may still end a transaction."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return
    dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(BUSY).fetchone() != (0,):
            assert time.monotonic() < deadline, "the transaction of a dead process stays"
            time.sleep(0.002)


def sound(url, *, imports=True):
    """Check that a database is whole: its pages, its references, its counts."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        connection = sqlite3.connect(parsed.database)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    with reading(open_engine(url)) as connection:
        found = {name: connection.scalar(text(query)) for name, query in ORPHANS.items()}
        half = connection.scalar(text("SELECT count(*) FROM imports WHERE seq IS NULL"))
    assert {name: count for name, count in found.items() if count} == {}
    assert not imports or half == 0, f"{half} half imports"


def beside(said, kind):
    """Return what was said of one kind, without the kind."""
    return [words[1:] for words in said if words[0] == kind]
