"""A database as one new file of SQLite, taken while others work on it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import NoProjects, StorageError, open_engine, parse_url
from storage.sqlite.files import sqlite_path
from storage.upkeep.copying import copy_projects


def back_up(storage: str, path: Path) -> None:
    """Write all that a database holds, as it is at one moment, to a new file of SQLite that its owner alone can read.

    A file of SQLite is copied page by page. From PostgreSQL the projects are copied with all ids as they are; imports
    under way are left out.

    Raises
    ------
    StorageError
        There is no database, it is damaged, or the disk is full.
    """
    url = parse_url(storage)
    source = sqlite_path(url)
    if source is None:
        open_engine(storage)
        copy_projects(storage, f"sqlite:///{path}", same_ids=True)
        return
    if not source.is_file() or not source.stat().st_size:
        raise NoProjects(f"There is no database {str(source)!r}, or it is empty: there is nothing to back up.")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(path)) as here:
            there.backup(here)
            said = here.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise StorageError(f"{url.render_as_string()} could not be backed up: {error}.") from error
    if said != "ok":
        raise StorageError(
            f"{url.render_as_string()} is damaged ({str(said).splitlines()[0]}), and so would be its backup. "
            "Go back to an earlier backup, or save what can be read with sqlite3's .recover."
        )


def sqlite_file(storage: str) -> Path | None:
    """Return the file of a database of SQLite, there or not; None for a server."""
    return sqlite_path(parse_url(storage))
