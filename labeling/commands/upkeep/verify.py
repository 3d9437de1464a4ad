"""The command that looks through a database for what cannot be right."""

from __future__ import annotations

import typer

from labeling.commands.parts.project_option import Storage, needed_storage
from labeling.commands.parts.terminal import warn


def verify_database(storage: Storage = None) -> None:
    """Look through a database for what cannot be right, and change nothing.

    What is wrong is named, a line each; then the exit code is 1.
    """
    from labeling.upkeep import verify

    found = verify(needed_storage(storage))
    for problem in found.problems:
        typer.echo(str(problem))
    looked = f"{found.projects:,} projects: {'; '.join(found.looked)}"
    if found.problems:
        warn(f"{len(found.problems):,} problems in {looked}. python -m labeling repair mends what follows from facts")
        raise typer.Exit(1)
    typer.echo(f"Nothing is wrong in {looked}")
