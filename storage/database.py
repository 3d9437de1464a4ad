"""Opening a database: one engine a URL, the right transactions, the right schema."""

from __future__ import annotations

import atexit
import glob
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)

from storage.damage import damage
from storage.shown import cleaned, named, shown
from storage.sqlite.files import NoProjects as NoProjects
from storage.sqlite.files import StorageError as StorageError
from storage.sqlite.files import StorageWarning as StorageWarning
from storage.sqlite.files import (
    begin_in_turn,
    cautions_of,
    check,
    look_at_place,
    moved,
    prepare,
    sqlite_path,
    watch,
)
from storage.sqlite.write_queue import in_line
from storage.tables import metadata
from storage.texts import DamagedText, RefusedText, from_json, to_json

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30

SYNCHRONOUS = "FULL"
"""How SQLite commits: an answer that is said to be saved is on the disk."""

_engines: dict[str, Engine] = {}
_lock = threading.Lock()


def parse_url(storage: str | URL) -> URL:
    """Return `storage` as a URL of a database that Tally supports.

    Raises
    ------
    StorageError
        The text is no database URL, or names another kind of database.
    """
    try:
        url = make_url(storage)
    except (ArgumentError, ValueError):
        # What could not be read may hold a password, and so may the error that says so.
        raise StorageError(
            f"{named(storage)} is not a database URL. Use for example 'sqlite:///labeling.db' "
            "or 'postgresql://user:password@host/name'; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25."
        ) from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise StorageError(
            f"Databases of the kind {backend!r} are not supported. "
            "Use 'sqlite:///labeling.db' or 'postgresql://user:password@host/name'."
        )
    if backend == "postgresql" and isinstance(storage, str) and storage.count("@") > 1:
        # The rest of the password would be taken for the host, and shown.
        raise StorageError(f"{named(storage)} holds more than one @. Write those in names and passwords as %40.")
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise StorageError(
            f"{shown(url)!r} names no file: a database in memory would be lost with the process. "
            "Use for example 'sqlite:///labeling.db'."
        )
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and not str(url.database).startswith("file:"):
        # A script that changes its folder goes on with the same file.
        url = url.set(database=str(Path(str(url.database)).absolute()))
    return url


def shown_url(storage: str) -> str:
    """Return the URL of a database as it may be shown: its place in full, its password hidden.

    Examples
    --------
    >>> shown_url("postgresql://ann:secret@host/labels")
    'postgresql+psycopg://ann:***@host/labels'
    """
    return shown(parse_url(storage))


def cautions(storage: str) -> list[str]:
    """Return what this process has noticed that can harm a database, each with what to do; what was warned of."""
    path = sqlite_path(parse_url(storage))
    return [] if path is None else cautions_of(path)


def open_engine(storage: str | URL, *, create: bool = False) -> Engine:
    """Return the engine of `storage`, with the schema brought up to date.

    One engine a URL and process is kept; `close_engines` gives them back.

    Parameters
    ----------
    storage
        The database's URL.
    create
        Make the file of SQLite and the schema where there is none. Only who makes a project does: a database that
        went missing must not come back empty.

    Raises
    ------
    NoProjects
        There is no file or no schema, and none is to be made.
    StorageError
        The database cannot be reached or written, or was made by a newer version.
    """
    url = parse_url(storage)
    key = url.render_as_string(hide_password=False)
    path = sqlite_path(url)
    with _lock:
        engine = _engines.get(key)
        if engine is not None and not moved(engine):
            return engine
        if engine is not None:
            engine.dispose()
            del _engines[key]
        if path is not None:
            prepare(path, create)
        engine = _create(url)
        try:
            _upgrade(engine, url, create)
        except BaseException:
            engine.dispose()
            raise
        if path is not None:
            look_at_place(path)
        _engines[key] = engine
        return engine


def engines() -> list[Engine]:
    """Return the engines of the databases that this process has open."""
    return list(_engines.values())


def close_engine(storage: str | URL) -> None:
    """Close this process's connections to one database, if it has any; SQLite then has all in the one file."""
    with _lock:
        engine = _engines.pop(parse_url(storage).render_as_string(hide_password=False), None)
    if engine is not None:
        engine.dispose()


def close_engines() -> None:
    """Close every connection of this process."""
    with _lock:
        for engine in _engines.values():
            engine.dispose()
        _engines.clear()


atexit.register(close_engines)


def _forget_connections() -> None:
    # A forked child that used, or closed, its parent's connections would damage both.
    for engine in _engines.values():
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)


def _create(url: URL) -> Engine:
    path = sqlite_path(url)
    if path is None:
        # Who waits for a lock that is never given back hears of it.
        waits = {} if "options" in url.query else {"options": f"-c lock_timeout={BUSY_SECONDS}s"}
        try:
            return create_engine(
                url,
                connect_args=waits,
                pool_pre_ping=True,
                hide_parameters=True,
                json_serializer=to_json,
                json_deserializer=from_json,
            )
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise StorageError(
                f"The driver for {url.drivername!r} is not installed. Run: pip install 'tally-labeling[postgres]'"
            ) from error
    # Errors end up in logs, and parameters hold what people wrote.
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=from_json,
    )
    watch(engine, path)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", _commit_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, before writes only; we say when.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    # A file that may only be read cannot change its journal; writing to it fails later, with a clear error.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("write", False):
        check(connection.engine)
        begin_in_turn(connection, BUSY_SECONDS)
        return
    # It takes no lock and cannot fail; by SQLAlchemy it takes as long as a read of one row.
    raw: Any = connection.connection.driver_connection
    raw.execute("BEGIN")


def _commit_sqlite(connection: Connection) -> None:
    # What was written to a file that nobody finds any more was not saved.
    if connection.get_execution_options().get("write", False):
        check(connection.engine)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a write transaction: committed at the end, rolled back on an error."""
    # The queue is left once the transaction is at its end, not before.
    with (
        clear_errors(engine),
        engine.connect().execution_options(write=True) as connection,
        in_line(engine),
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a read transaction: one consistent view of the ledger."""
    with clear_errors(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def clear_errors(engine: Engine) -> Iterator[None]:
    """Turn the database's complaints about files and connections into a `StorageError`, and let none quote a value."""
    where = shown(engine.url)
    try:
        yield
    except IntegrityError as error:
        # Its message quotes values, which may read like any of those below.
        raise cleaned(error, engine.url) from None
    except DamagedText:
        raise StorageError(damage(engine)) from None
    except StatementError as error:
        if isinstance(error.orig, RefusedText):
            # SQLAlchemy shows the statement around what is refused on the way to the database.
            raise error.orig from None
        if not isinstance(error, DBAPIError):
            raise
        message = str(error.orig).lower()
        clean = cleaned(error, engine.url)
        if message.startswith("could not decode to utf-8"):
            raise StorageError(damage(engine)) from None
        if "readonly" in message or "read-only" in message:
            raise StorageError(
                f"{where} can only be read. Make the file and its folder writable, or copy it elsewhere."
            ) from clean
        if "not a database" in message or "malformed" in message:
            raise StorageError(f"{where} is not a SQLite database (or is damaged). Choose another file.") from clean
        if "locked" in message or "lock timeout" in message:
            raise StorageError(
                f"{where} was locked by another program for {BUSY_SECONDS} seconds. Close it, or try again."
            ) from clean
        if "disk is full" in message or "no space" in message:
            raise StorageError(f"The disk of {where} is full; nothing of this step was saved.") from clean
        if isinstance(error, OperationalError) or error.statement is None:
            raise StorageError(f"{where} cannot be used: {clean.orig}") from clean
        raise clean from None


def _revisions() -> list[str]:
    """Names of all schemas, oldest first: the files of their migrations begin with them.

    Alembic says the same, but to import it takes longer than all else that opens a database which is up to date.
    """
    scripts = sorted(path.stem for path in MIGRATIONS.joinpath("versions").glob("[!_]*.py"))
    return [script.partition("_")[0] for script in scripts]


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _upgrade(engine: Engine, url: URL, create: bool) -> None:
    """Bring the schema up to date, after a backup of a SQLite file that has one already."""
    revisions = _revisions()
    head = revisions[-1]
    with reading(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        current = None
        if "alembic_version" in tables:
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    ours = {"projects", "label_sets", "annotations"} <= tables
    foreign = tables if url.get_backend_name() == "sqlite" else tables & {*metadata.tables, "alembic_version"}
    if foreign and not (ours and current):
        raise StorageError(
            f"{shown(url)} has tables of another program. Choose another database: Tally makes a new file."
        )
    if current == head:
        return
    if current is None and not create:
        raise NoProjects(f"{shown(url)} is empty.")
    if current is not None and current not in revisions:
        raise StorageError(
            f"{shown(url)} was written by a newer version of Tally (schema {current}; "
            f"this version knows up to {head}). Update Tally to open it."
        )
    path = sqlite_path(url)
    with writing(engine) as connection:
        # Two processes that open a database at once: the second waits here, then finds nothing to do.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(8451207)"))
        if path is not None and current is not None:
            if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == head:
                return
            _backup(path, current)
        _migrate(connection)


def _backup(path: Path, revision: str) -> Path:
    """Copy a file before its schema changes, as the only process that does; what a killed one left of it goes."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        left.unlink(missing_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"{path.name}.{revision}-{stamp}.backup")
    partial = target.with_suffix(".partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
        shutil.move(partial, target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise StorageError(
            f"{str(path)!r} is of an older version and cannot be copied before it is brought up to date: {error}. "
            "Nothing was changed. Make room beside it, or check the file, and open it again."
        ) from error
    return target
