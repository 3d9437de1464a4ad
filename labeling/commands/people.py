"""The command that lists the people of a project, and lets one count as another."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, Storage, known_storage
from labeling.commands.parts.terminal import table


def show_people(
    project: ProjectName,
    merge: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="PERSON INTO", help="Let a person count as another one, by name or UUID."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Merge; without, say what it would touch.")] = False,
    storage: Storage = None,
) -> None:
    """List the people of a project: answers, role, what they are assigned to.

    Two rows that are one person are merged in the whole database; what was said stays as it was said.
    """
    from labeling.project.project import Project

    opened = Project.open(project, known_storage(storage))
    if merge is not None:
        if not yes:
            typer.echo(f"Would count {opened.preview_merge_people(*merge)}. Say --yes to do it.")
            return
        typer.echo(f"Counts {opened.merge_people(*merge)}")
        return
    table(
        ("person", "name", "answers", "role", "assigned to"),
        (
            (
                row["person"],
                row["name"] or "erased",
                f"{row['answers']:,}",
                row["role"] or "",
                ", ".join(row["assignments"]),
            )
            for row in opened.people().iter_rows(named=True)
        ),
    )
