"""Which project a command is about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labeling.project.project import Project

ProjectName = Annotated[str, typer.Option("--project", "-p", help="Name of the project.")]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        envvar="LABELING_STORAGE",
        help="Database URL.",
        show_default="sqlite:///labeling.db",
    ),
]
ShowProgress = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Show a bar.", show_default="in a terminal")
]


def given_source(file: str) -> tuple[str | bytes, str | None]:
    """Return what a command reads: a path, or the bytes of standard input or of a pipe, which are there only once.

    Returns
    -------
    tuple
        What to read, and what to call it; None: by its own name.
    """
    from labeling.formats.sources.source_file import read_all

    if file in ("-", "/dev/stdin"):
        return read_all(sys.stdin.buffer, "Standard input"), "standard input"
    place = Path(file)
    if place.is_fifo():
        with place.open("rb") as pipe:
            return read_all(pipe, file), place.name
    return file, None


def known_storage(storage: str | None) -> str | None:
    """Return the URL to look into; a SQLite file that is not there is an error, not an empty database.

    Examples
    --------
    >>> known_storage("sqlite:///nowhere.db")
    Traceback (most recent call last):
    FileNotFoundError: There is no database sqlite:///nowhere.db. Import a file first, or give --storage.
    """
    from labeling.project.project import default_storage

    url = storage or default_storage()
    kind, _, path = url.partition(":///")
    if kind == "sqlite" and path and path != ":memory:" and "?" not in path and not Path(path).exists():
        raise FileNotFoundError(f"There is no database {url}. Import a file first, or give --storage.")
    return url


def needed_storage(storage: str | None) -> str:
    """Return the URL to look into, the default one where none is given; see `known_storage`."""
    from labeling.project.project import default_storage

    return known_storage(storage) or default_storage()


def open_project(name: str, storage: str | None) -> Project:
    """Return a project by its name, in the database that was named or the default one."""
    from labeling.project.project import Project

    return Project.open(name, known_storage(storage))
