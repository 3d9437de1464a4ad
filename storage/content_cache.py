"""What is costly to compute from content, kept in a file by the hash of that content; losing it loses only time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

_MARKS = 500


class ContentCache:
    """Bytes by key in one file, which several processes may use at once.

    Where the file cannot be made or read, nothing is kept and nothing is found.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ContentCache(Path(folder) / "cache.sqlite")
    ...     cache.put({b"key": b"value"})
    ...     cache.get([b"key", b"other"])
    {b'key': b'value'}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what is kept under these keys."""
        if not self.path.is_file():
            return {}
        found: dict[bytes, bytes] = {}
        try:
            with closing(self._open()) as connection:
                for start in range(0, len(keys), _MARKS):
                    part = keys[start : start + _MARKS]
                    marks = ", ".join("?" * len(part))
                    rows = connection.execute(f"SELECT key, value FROM kept WHERE key IN ({marks})", part)  # noqa: S608
                    found.update(rows)
        except sqlite3.DatabaseError:
            return {}
        return found

    def put(self, values: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> None:
        """Keep values; a key that is there already stays as it is."""
        rows = values.items() if isinstance(values, Mapping) else values
        if not self.path.parent.is_dir():
            return
        try:
            with closing(self._open()) as connection, connection:
                connection.executemany("INSERT OR IGNORE INTO kept (key, value) VALUES (?, ?)", rows)
        except sqlite3.DatabaseError:
            return

    def clear(self) -> None:
        """Forget all that is kept, and overwrite it."""
        if not self.path.is_file():
            return
        try:
            with closing(self._open()) as connection:
                connection.execute("PRAGMA secure_delete = ON")
                with connection:
                    connection.execute("DELETE FROM kept")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError:
            # What cannot be read as a cache is none.
            self.path.unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        with suppress(FileExistsError):
            # It is made for its owner alone, as the database is; what SQLite puts beside it follows.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self.path, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        # A crash may lose what was kept last: it is computed again.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        return connection


def cache_file(url: str, name: str) -> Path:
    """Return where to keep what belongs to a database: beside a SQLite file, else in LABELING_CACHE or ~/.cache/tally.

    Examples
    --------
    >>> cache_file("sqlite:///data/work.db", "embeddings").as_posix()
    'data/work.db.embeddings'
    """
    return _beside(url, name) or _home() / f"{name}.sqlite"


def cache_folder(url: str, name: str) -> Path:
    """Return a folder for what belongs to a database, where `cache_file` has its files; it need not be there.

    Examples
    --------
    >>> cache_folder("sqlite:///data/work.db", "items-1").as_posix()
    'data/work.db.items-1'
    """
    return _beside(url, name) or _home() / name


def _beside(url: str, name: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        return Path(f"{parsed.database}.{name}")
    return None


def _home() -> Path:
    home = Path(os.environ.get("LABELING_CACHE") or Path.home() / ".cache" / "tally")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home
