"""Databases kept in order: backed up, copied, looked through, mended. What the commands of the same names call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from labeling.formats.writing.whole_files import whole
from storage import StorageError, close_engine
from storage.upkeep.backups import back_up, sqlite_file
from storage.upkeep.checking import Verification, look_through
from storage.upkeep.copying import CopiedProject
from storage.upkeep.copying import copy_projects as _copy
from storage.upkeep.repairing import Repair, mend, to_mend


def backup(storage: str, path: str | Path, *, overwrite: bool = False) -> Path:
    """Back a database up while others work on it: to a new SQLite file, which `Project.open` opens as any other.

    The file is its owner's alone, and appears whole or not at all.

    Parameters
    ----------
    storage
        URL of the database, SQLite or PostgreSQL.
    path
        Of the new file.
    overwrite
        Replace a file that is there.

    Raises
    ------
    FileExistsError
        There is a file at the path.
    storage.StorageError
        The database cannot be used, or is damaged.
    """
    destination = Path(path).absolute()
    with _new_database(destination, overwrite) as new:
        back_up(storage, new)
        close_engine(f"sqlite:///{new}")
    return destination


def copy_projects(source: str, target: str, project: str | None = None) -> list[CopiedProject]:
    """Copy projects between databases, SQLite or PostgreSQL: all that is asked for, or nothing.

    What was written is compared with what was read, row for row. Numbers of items and classes stay, and so does what
    each loop asks next.

    Parameters
    ----------
    source, target
        URLs of the databases; a SQLite file that is not there is made.
    project
        Name of one project; default all.

    Raises
    ------
    ProjectNotFound
        The source has no such project.
    ProjectExists
        The target has it already, or another one of that name.
    storage.StorageError
        A database cannot be used, or rows of the source refer to what is not there.
    """
    names = None if project is None else [project]
    file = sqlite_file(target)
    if file is None or file.exists():
        return _copy(source, target, names)
    with _new_database(file) as new:
        copied = _copy(source, f"sqlite:///{new}", names)
        close_engine(f"sqlite:///{new}")
    return copied


def verify(storage: str) -> Verification:
    """Look through a database for what cannot be right, and change nothing.

    Looked at are the file of SQLite, rows that name what is not there, answers to questions about another item, leases,
    kept votes, classes of refits and weak runs, what cannot be read, counts against facts, and imports that never
    completed.

    Returns
    -------
    Verification
        `problems` by name, none where all is well, and `looked`: what was looked at.
    """
    return look_through(storage)


def repair(storage: str, path: str | Path | None = None) -> Repair:
    """Mend what follows from facts: leases, kept votes, refits that cannot be read, imports that never completed.

    What people said is not touched.

    Parameters
    ----------
    storage
        URL of the database.
    path
        Of the backup that is made first; default beside a SQLite file, for PostgreSQL in the working directory. None is
        made where there is nothing to mend.

    Returns
    -------
    Repair
        `done` in words, and `backup`, None where nothing was to do.
    """
    if not to_mend(storage):
        return Repair((), None)
    if path is None:
        file, stamp = sqlite_file(storage), datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        path = Path(f"tally-{stamp}.backup") if file is None else file.with_name(f"{file.name}.{stamp}.backup")
    made = backup(storage, path)
    return Repair(tuple(mend(storage)), made)


@contextmanager
def _new_database(destination: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a path for a new database; it takes the destination's place when the block ends well."""
    if not destination.parent.is_dir():
        raise StorageError(f"There is no folder {str(destination.parent)!r}. Make it first.")
    _refuse_taken(destination, overwrite)
    with whole(destination) as new:
        yield new
        _refuse_taken(destination, overwrite)


def _refuse_taken(destination: Path, overwrite: bool) -> None:
    if destination.is_dir():
        raise FileExistsError(f"{str(destination)!r} is a folder. Name a file in it.")
    if destination.exists() and not overwrite:
        raise FileExistsError(
            f"There is a file {str(destination)!r} already. Choose another name, or say to overwrite it."
        )
    log = destination.with_name(f"{destination.name}-wal")
    if log.exists():
        raise FileExistsError(
            f"{str(log)!r} is the log of a database of that name which is in use, or was when its process died. "
            "It would damage a new one: choose another name, or move it away."
        )
