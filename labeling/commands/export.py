"""The command that writes the labels with their evidence."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from labeling.command_project import ProjectName, Storage, known_storage
from labeling.formats.export_formats import EXPORT_FORMATS, export_format
from labeling.formats.whole_files import workplace


def _known(name: str) -> str:
    try:
        return export_format("", name).name
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def export_labels(
    path: Annotated[
        str,
        typer.Argument(help="File (.csv, .jsonl, .parquet), folder (for datasets), or - for standard output."),
    ],
    project: ProjectName,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"Format: {', '.join(each.name for each in EXPORT_FORMATS)}.",
            metavar="NAME",
            show_default="by suffix",
            parser=_known,
        ),
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Write the private columns too.")] = False,
    escape: Annotated[
        bool,
        typer.Option("--escape-formulas/--raw-formulas", help="In CSV, put ' before formulas."),
    ] = True,
    storage: Storage = None,
) -> None:
    """Write the labels with their evidence.

    The file appears when it is complete; on an error, what was there stays.
    """
    from labeling.project import Project

    opened = Project.open(project, known_storage(storage))
    if path != "-":
        report = opened.export(path, format=format_, private=private, escape_formulas=escape)
        typer.echo(f"{report.rows:,} rows in {report.path}")
        return
    files = [each.name for each in EXPORT_FORMATS if not each.folder]
    if format_ not in files:
        raise typer.BadParameter(f"Standard output needs one of {', '.join(files)}.", param_hint="'--format'")
    with workplace(Path(tempfile.gettempdir())) as folder:
        file = folder / "export"
        opened.export(file, format=format_, private=private, escape_formulas=escape)
        with file.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)
