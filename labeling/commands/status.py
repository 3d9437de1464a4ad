"""The command that says where projects stand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from labeling.commands.parts.project_option import Storage, known_storage, open_project
from labeling.commands.parts.terminal import table, warn


def show_status(
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="Name of the project.", show_default="list them all")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    storage: Storage = None,
) -> None:
    """Show what projects there are, or where one stands."""
    from labeling.project.project import Project

    if project is None:
        found = Project.list(known_storage(storage))
        if as_json:
            typer.echo(json.dumps([asdict(info) for info in found], default=str))
            return
        if not found:
            warn("there are no projects yet: make one with import, or with demo")
        table(
            ("project", "items", "labeled", "made"),
            ((i.name, f"{i.items:,}", f"{i.labeled:,}", f"{i.created_at:%Y-%m-%d %H:%M}") for i in found),
        )
        return
    opened = open_project(project, storage)
    status = asdict(opened.status())
    if as_json:
        typer.echo(json.dumps({"name": opened.name, "labels": list(opened.label_names), **status}))
        return
    rows = [("project", opened.name), ("labels", ", ".join(opened.label_names))]
    rows += [(key.replace("_", " "), f"{value:,}") for key, value in status.items()]
    table(None, rows)
