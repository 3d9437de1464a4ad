"""The file of a SQLite database: made for its owner alone, noticed when it is gone or replaced, where it may be harmed.

That SQLite before 3.51.3 may lose what was written where several write at once: https://sqlite.org/wal.html#walresetbug
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
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


class StorageWarning(UserWarning):
    """The database works, and can come to harm as it is used."""


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

    @cached_property
    def log(self) -> Path | None:
        """The log that SQLite keeps beside the file, where locks on it can be relied on."""
        # SQLite puts it beside the file itself, not beside a link to it.
        path = self.path.resolve()
        return None if file_system(path) in SHARES else path.with_name(f"{path.name}-wal")

    def check(self) -> None:
        """Raise StorageError where the path has another file now, or none."""
        if self.moved:
            state = "was replaced by another file" if self.path.exists() else "is gone, or was moved"
            raise StorageError(
                f"The database {str(self.path)!r} {state} since it was opened; nothing of this step was saved. "
                "Put it back, or open the project again."
            )


SHARES = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs"})
"""Kinds of file systems that lie on another machine, as Linux names them."""

MOUNTS = Path("/proc/self/mounts")

_cautions: dict[Path, dict[str, None]] = {}
"""What was warned of in this process, by file, each sentence once."""


def cautions_of(path: Path) -> list[str]:
    """Return what this process was warned of for a file."""
    return list(_cautions.get(path, ()))


def _caution(path: Path, text: str) -> None:
    known = _cautions.setdefault(path, {})
    if text not in known:
        known[text] = None
        warnings.warn(text, StorageWarning, stacklevel=2)


def loses_writes(version: tuple[int, ...]) -> bool:
    """Tell whether a version of SQLite can lose what was written while several write at once.

    Examples
    --------
    >>> [loses_writes(version) for version in [(3, 40, 1), (3, 44, 6), (3, 50, 7), (3, 51, 2), (3, 51, 3)]]
    [True, False, False, True, False]
    """
    mended = (version[:2] == (3, 44) and version >= (3, 44, 6)) or (version[:2] == (3, 50) and version >= (3, 50, 7))
    return version < (3, 51, 3) and not mended


def look_at_place(path: Path) -> None:
    """Warn where a file lies on another machine: locks between machines cannot be relied on."""
    kind = file_system(path)
    if kind in SHARES:
        _caution(
            path,
            f"The database {str(path)!r} lies on a network share ({kind}). SQLite cannot be relied on there when more "
            "than one machine uses it: keep the file on a disk of this machine, or use PostgreSQL "
            "(python -m labeling copy moves a database).",
        )


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the kind of file system a file is on; empty where the system does not say."""
    try:
        listed = [line.split(" ") for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    place = path.resolve()
    # Blanks in the names of folders are written as octal numbers. Of two on one folder, the later one is seen.
    found = [
        (len(folder.parts), number, words[2])
        for number, words in enumerate(listed)
        if len(words) > 2 and place.is_relative_to(folder := Path(words[1].replace("\\040", " ")))
    ]
    return max(found)[2] if found else ""


def warn_of_others(engine: Engine) -> None:
    """Warn where somebody else writes right now, and this SQLite can lose what was written then."""
    version = sqlite3.sqlite_version_info
    file = _files.get(engine)
    if file is None or not loses_writes(version):
        return
    _caution(
        file.path,
        f"Several programs or threads write to {str(file.path)!r} at once, and SQLite {sqlite3.sqlite_version} can, "
        "rarely, lose what was written then. Use a Python with SQLite 3.51.3 or newer, or PostgreSQL for a team "
        "(python -m labeling copy moves a database); make backups until then.",
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


def log_of(engine: Engine) -> Path | None:
    """Return the log beside the file of an engine; None for a server, and where locks cannot be relied on."""
    file = _files.get(engine)
    return None if file is None else file.log


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


@contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Overwrite with zeros what is deleted inside; a server keeps what is deleted until it clears up."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")


def empty_log(engine: Engine) -> bool:
    """Move what is in the log beside a file into it, and empty the log; return whether nobody's reading forbade it."""
    raw = engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        raw.close()
    return not busy


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
                warn_of_others(connection.engine)
                time.sleep(random.uniform(*LOOKS))  # noqa: S311 - so that two who wait do not look at once
            else:
                return
    finally:
        raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    # By SQLAlchemy, so that whatever is wrong is said as its errors are.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
