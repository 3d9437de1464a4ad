"""The command that copies projects to another database."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import needed_storage


def copy_to_database(
    source: Annotated[str, typer.Argument(help="URL of the database to copy from.")],
    target: Annotated[str, typer.Argument(help="URL of the database to copy to; a SQLite file is made.")],
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="Name of one project.", show_default="all")
    ] = None,
) -> None:
    """Copy projects between databases, SQLite to PostgreSQL or back.

    All rows are compared after they are written; where anything goes wrong, nothing is copied. A project that the other
    database has already is refused. A password is not seen by others of this machine in PGPASSWORD or ~/.pgpass.
    """
    from labeling.upkeep import copy_projects

    copied = copy_projects(needed_storage(source), target, project)
    for each in copied:
        typer.echo(f"{each.name}: {each.rows:,} rows copied and compared")
    if not copied:
        typer.echo("There are no projects to copy")
