"""The command that backs a database up."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import Storage, needed_storage


def back_up_database(
    file: Annotated[str, typer.Argument(help="Path of the new file.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    storage: Storage = None,
) -> None:
    """Back a database up, SQLite or PostgreSQL, while others work on it.

    The backup is a SQLite database that opens as any other, for its owner alone. It appears whole or not at all.
    """
    from labeling.upkeep import backup

    made = backup(needed_storage(storage), file, overwrite=overwrite)
    typer.echo(f"Backed up to {made}, {made.stat().st_size:,} bytes")
