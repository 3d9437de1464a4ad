"""The file of a SQLite database: made for its owner alone, and noticed when it is gone or replaced."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

LOOKS = (0.001, 0.004)
"""Seconds between two looks of who waits to write to SQLite."""


class StorageError(RuntimeError):
    """The database cannot be used: wrong URL, not reachable, read-only, or of a newer version."""


class NoProjects(StorageError):
    """There is no database yet, or an empty one: it is made with its first project."""


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite URL, `file:` URIs included; None for a server."""
    if url.get_backend_name() != "sqlite":
        return None
    return Path(str(url.database).removeprefix("file:"))


def prepare(path: Path, create: bool) -> None:
    """Raise for what is no file to open; make a new one, for its owner alone, where that is wanted."""
    if not path.parent.is_dir():
        raise StorageError(
            f"The folder {str(path.parent)!r} of the database {path.name!r} does not exist. Make it first."
        )
    if path.is_dir():
        raise StorageError(
            f"{str(path)!r} is a folder; a SQLite database is a file, for example 'sqlite:///labeling.db'."
        )
    log = path.with_name(f"{path.name}-wal")
    if path.exists():
        if not path.stat().st_size and log.exists() and log.stat().st_size:
            raise StorageError(
                f"{str(path)!r} is empty, but what was written to it last is still beside it in {log.name!r}: the "
                "database was replaced or lost without it. Put the database back that belongs to it, from a backup, "
                f"or move {log.name!r} away to begin anew."
            )
        if not path.stat().st_size and not create:
            raise NoProjects(f"The database {str(path)!r} is empty.")
        return
    if not create:
        raise NoProjects(f"The database {str(path)!r} does not exist.")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StorageError(f"The database {str(path)!r} cannot be made: {error.strerror}.") from error


@dataclass(frozen=True)
class SqliteFile:
    """The file that an engine was opened on: its path, and which file that was, by device and number."""

    path: Path
    identity: tuple[int, int] | None

    @property
    def moved(self) -> bool:
        """Whether the path has another file now, or none."""
        return _identity(self.path) != self.identity

    def check(self) -> None:
        """Raise StorageError where the path has another file now, or none."""
        if self.moved:
            state = "was replaced by another file" if self.path.exists() else "is gone, or was moved"
            raise StorageError(
                f"The database {str(self.path)!r} {state} since it was opened; nothing of this step was saved. "
                "Put it back, or open the project again."
            )


_files: WeakKeyDictionary[Engine, SqliteFile] = WeakKeyDictionary()
"""The file of each engine of SQLite."""


def watch(engine: Engine, path: Path) -> None:
    """Open nothing but the file that is at a path now with an engine, and look out for it."""
    _files[engine] = SqliteFile(path, _identity(path))
    event.listen(engine, "do_connect", _connect_sqlite)


def check(engine: Engine) -> None:
    """Raise StorageError where the file of an engine is no longer at its path."""
    _files[engine].check()


def moved(engine: Engine) -> bool:
    """Tell whether the file of an engine is no longer at its path; never for a server."""
    file = _files.get(engine)
    return file is not None and file.moved


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect_sqlite(_dialect: object, _record: object, args: list[Any], options: dict[str, Any]) -> None:
    # Without a mode the driver makes an empty file where there is none.
    if not options.get("uri"):
        args[0] = f"file:{quote(str(args[0]))}?mode=rw"
        options["uri"] = True


def begin_in_turn(connection: Connection, seconds: float) -> None:
    """Begin to write, as soon as nobody else does; by SQLite's own way once so many seconds have passed.

    SQLite itself would look every tenth of a second in the end, and miss the moments that a long import leaves.
    """
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + seconds
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < deadline:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(random.uniform(*LOOKS))  # noqa: S311 - so that two who wait do not look at once
            else:
                return
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    # By SQLAlchemy, so that whatever is wrong is said as its errors are.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
