"""The command that erases items, the name of a person, or a whole project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, Storage, known_storage


def erase_for_good(
    project: ProjectName,
    item: Annotated[list[int] | None, typer.Option("--item", help="Id of an item whose content goes.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Person whose name goes.", show_default=False)] = None,
    whole: Annotated[
        str | None, typer.Option("--whole", help="The whole project: its name once more.", show_default=False)
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record of the items.")] = "",
    backup: Annotated[
        list[Path] | None, typer.Option("--backup", help="Backup in which the same is to be erased.")
    ] = None,
    storage: Storage = None,
) -> None:
    """Erase what items hold, the name of a person, or a project, for good.

    Ids, labels and counts stay as tombstones. Exported files and copies in other databases are out of reach.
    """
    from labeling.project.project import Project

    if sum(each is not None for each in (item or None, person, whole)) != 1:
        raise ValueError("Say what to erase: --item ID, --person NAME, or --whole NAME for the project itself.")
    opened = Project.open(project, known_storage(storage))
    backups = backup or []
    if item:
        erased = opened.erase(item, reason, backups)
        typer.echo(f"{erased:,} of {len(item):,} items erased")
    elif person is not None:
        opened.erase_person(person, backups)
        typer.echo(f"The name {person} is erased; what this person did stays")
    elif whole is not None:
        counts = opened.erase_project(whole, backups)
        typer.echo(f"{whole} is erased: {sum(counts.values()):,} rows, {counts.get('items', 0):,} items")
