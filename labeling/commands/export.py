"""The command that writes the labels with their evidence."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labeling.commands.parts.options import FORMATS, SUFFIXES, known_format
from labeling.commands.parts.project_option import ProjectName, ShowProgress, Storage, known_storage
from labeling.commands.parts.terminal import shown, table, warn
from labeling.formats.writing import export_formats
from labeling.formats.writing.whole_files import workplace

if TYPE_CHECKING:
    from labeling.project.project import Project


def export_labels(
    project: ProjectName,
    path: Annotated[
        str | None,
        typer.Argument(
            help=f"File ({SUFFIXES}), folder (for datasets), or - for standard output.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"Format: {FORMATS}.",
            metavar="NAME",
            show_default="by suffix",
            parser=known_format,
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Only labels from there: one or several of human,weak,model.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="Which source comes first, such as human,weak,model; one left out has no say.",
            show_default="by what is measured",
        ),
    ] = None,
    min_confidence: Annotated[float | None, typer.Option(help="Only labels at least that sure, such as 0.9.")] = None,
    split: Annotated[str | None, typer.Option(help="Only train, what is not held out, or only test.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Only this column of the items; may be repeated.", show_default="all"),
    ] = None,
    filter_: Annotated[
        str | None, typer.Option("--filter", metavar="NAME", help="Only items that this saved filter picks out.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help='Only items where this is true, such as "likes > 3".')
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Let private columns out: all, or those that --column names.")
    ] = False,
    probabilities: Annotated[
        str | None, typer.Option(help="Distributions of other sources in columns of their own: weak, model, or both.")
    ] = None,
    escape: Annotated[
        bool,
        typer.Option("--escape-formulas/--raw-formulas", help="In CSV, put ' before formulas."),
    ] = True,
    preview: Annotated[bool, typer.Option("--preview", help="Print what would be in it, and write nothing.")] = False,
    storage: Storage = None,
    progress: ShowProgress = None,
) -> None:
    """Write the labels with their evidence.

    The file appears when it is complete; on an error, what was there stays.
    """
    from labeling.project.project import Project

    if path is None and not preview:
        raise typer.BadParameter("Name a file, a folder, or - for standard output.", param_hint="'PATH'")
    files = [each.name for each in export_formats.EXPORT_FORMATS if not each.folder]
    if path == "-" and not preview and format_ not in files:
        raise typer.BadParameter(f"Standard output needs one of {', '.join(files)}.", param_hint="'--format'")
    choices = {
        "source": _listed(source),
        "order": _listed(order),
        "min_confidence": min_confidence,
        "split": split,
        "columns": column,
        "where": _where(filter_, where),
        "private": private,
        "probabilities": _listed(probabilities) or (),
    }
    opened = Project.open(project, known_storage(storage))
    if path is None or preview:
        _print_preview(opened, choices)
        return
    writing = {**choices, "format": format_, "escape_formulas": escape, "progress": shown(progress)}
    if path != "-":
        report = opened.export(path, **writing)
        typer.echo(f"{report.rows:,} rows in {report.path}")
        return
    with workplace(Path(tempfile.gettempdir())) as folder:
        file = folder / "export"
        opened.export(file, **writing)
        with file.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _where(name: str | None, condition: str | None) -> Any:
    """Return the filter: the name of a saved one, or a condition as a Polars expression."""
    import polars as pl

    if condition is None:
        return name
    if name is not None:
        raise typer.BadParameter("Give a saved filter or a condition, not both.", param_hint="'--where'")
    try:
        return pl.sql_expr(condition)
    except pl.exceptions.PolarsError as error:
        raise typer.BadParameter(f"{condition!r} is no condition: {error}", param_hint="'--where'") from error


def _print_preview(project: Project, choices: Mapping[str, Any]) -> None:
    preview = project.preview_export(**choices)
    rows = [
        (label or "(no label)", source or "", split, f"{count:,}")
        for label, source, split, count in preview.counts.iter_rows()
    ]
    if rows:
        table(("label", "source", "split", "rows"), rows)
    typer.echo(f"{preview.rows:,} rows of {preview.items:,} items; columns: {', '.join(preview.columns) or 'none'}")
    if preview.private:
        warn(f"private columns that would leave: {', '.join(preview.private)}")
