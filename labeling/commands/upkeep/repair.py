"""The command that mends what follows from facts."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import Storage, needed_storage
from labeling.commands.parts.terminal import warn


def repair_database(
    backup: Annotated[
        str | None,
        typer.Option(help="Path of the backup that is made first.", show_default="beside the database"),
    ] = None,
    storage: Storage = None,
) -> None:
    """Mend leases, kept votes and imports that never completed, after a backup.

    What people said is not touched. What is wrong still is named, a line each; then the exit code is 1.
    """
    from labeling.upkeep import repair, verify

    url = needed_storage(storage)
    mended = repair(url, backup)
    for what in mended.done:
        typer.echo(what)
    typer.echo(f"The backup is {mended.backup}" if mended.backup else "There was nothing to mend")
    left = verify(url).problems
    for problem in left:
        warn(f"still wrong: {problem}")
    if left:
        raise typer.Exit(1)
