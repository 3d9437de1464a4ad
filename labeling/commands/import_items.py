"""The command that imports items from a file."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, ShowProgress, Storage, given_source, open_project
from labeling.commands.parts.terminal import shown, warn

_SHOWN = 10


def import_items(
    file: Annotated[
        str, typer.Argument(help="CSV, JSON, Parquet or Excel file, also as gz or zip; or - for standard input.")
    ],
    project: ProjectName,
    labels: Annotated[
        str | None, typer.Option(help="Label names, split by commas: makes the project if there is none of that name.")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the text.")] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column of your own ids.")] = None,
    gold: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of known labels.")] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of groups that a hold-out keeps together.")
    ] = None,
    private: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column that pages and exports leave out; may be repeated."),
    ] = None,
    image: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of pictures: paths, or bytes.")] = None,
    hide: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that annotators are not shown; may be repeated.",
            show_default="those that look like the answer",
        ),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file.", show_default="utf-8")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of a CSV file, tab for a tab.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, by its name.", show_default="first")] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="Tool that wrote a JSON file: label_studio, prodigy or doccano; plain: none."),
    ] = None,
    decimal: Annotated[str | None, typer.Option(help="A comma reads 3,14 as a number.", show_default="point")] = None,
    dates: Annotated[
        str | None, typer.Option(help="day-first or month-first reads 31.12.2024 as a date.", show_default="text")
    ] = None,
    labels_from: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Take the label names from this column of the file instead."),
    ] = None,
    holdout: Annotated[
        float | None, typer.Option(help="Share of the items with gold to hold out for scores, such as 0.3.")
    ] = None,
    storage: Storage = None,
    progress: ShowProgress = None,
) -> None:
    """Import items from a file.

    Columns that are not named are found by their names. The same file again adds nothing. Where rows cannot be read,
    the others go in, and the exit code is 1.
    """
    from labeling.commands.first_import import import_into
    from labeling.formats.reading.tables import read_source

    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    content, name = given_source(file)
    if labels_from is not None:
        if labels is not None:
            raise typer.BadParameter("Give --labels or --labels-from, not both.", param_hint="'--labels-from'")
        from labeling.store.imports.column_labels import labels_of

        named: list[str] | None = labels_of(content, labels_from, encoding=encoding, delimiter=mark, name=name)
    else:
        named = None if labels is None else [label.strip() for label in labels.split(",") if label.strip()]
    if labels is not None:
        # A file that cannot be read should not leave an empty database behind.
        read_source(content, encoding=encoding, delimiter=mark, sheet=sheet, format=format_, name=name, limit=100)
    if named is None:
        try:
            open_project(project, storage)
        except (LookupError, FileNotFoundError) as error:
            raise LookupError(
                f"There is no project {project!r} yet. Give --labels or --labels-from to make it. ({error})"
            ) from error
    opened, report = import_into(
        project,
        storage,
        named,
        content,
        text=text,
        id=id_,
        gold=gold,
        group=group,
        private=tuple(private or ()),
        image=image,
        hidden=hide or None,
        encoding=encoding,
        delimiter=mark,
        sheet=sheet,
        format=format_,
        decimal=decimal,
        dates=dates,
        name=name,
        holdout=holdout,
        progress=shown(progress),
    )
    for old, new in report.renamed.items():
        warn(f"column {old!r} is called {new!r}")
    for note in report.notes:
        warn(note)
    for rejected in report.rejected[:_SHOWN]:
        warn(f"{file}, {rejected}")
    if len(report.rejected) > _SHOWN:
        warn(f"… and {len(report.rejected) - _SHOWN:,} more rows that could not be read")
    typer.echo(str(report))
    if holdout is not None:
        typer.echo(f"{opened.status().holdout:,} items held out")
    if report.rejected:
        warn(f"{len(report.rejected):,} rows were left out; all others are in")
        raise typer.Exit(1)
