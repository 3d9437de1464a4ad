"""The commands that mend a project and put it away: gold, annotations, imports, undo-import, archive, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, Storage, given_source, known_storage
from labeling.commands.parts.terminal import table, warn
from labeling.formats.sources.readable import FILE_HELP

if TYPE_CHECKING:
    from labeling.people.given_answers import AnswersReport
    from labeling.store.imports.known_answers import GoldReport

_SHOWN = 10


def add_known_answers(
    file: Annotated[str, typer.Argument(help=f"File of known answers. {FILE_HELP}")],
    project: ProjectName,
    gold: Annotated[str, typer.Option(metavar="COLUMN", help="Column of known labels.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column of your own ids.")] = None,
    item_id: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of Tally's item numbers, instead of your own ids.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file.", show_default="utf-8")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of a CSV file, tab for a tab.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, by its name.", show_default="first")] = None,
    storage: Storage = None,
) -> None:
    """Add or correct known answers of items that are there.

    The newest known answer of an item counts. Rows with an id that no item has, or a value that is no label, are named
    and left out; then the exit code is 1.
    """
    from labeling.project.project import Project

    opened = Project.open(project, known_storage(storage))
    content, name = given_source(file)
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    report = opened.set_gold(
        content, gold=gold, id=id_, item_id=item_id, encoding=encoding, delimiter=mark, sheet=sheet, name=name
    )
    _tell(file, report)


def add_given_answers(
    file: Annotated[str, typer.Argument(help=f"File of answers, an answer a row. {FILE_HELP}")],
    project: ProjectName,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of labels.")] = None,
    annotator: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of who answered.")] = None,
    id_: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column of your own ids.")] = None,
    item_id: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of Tally's item numbers, instead of your own ids.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of when.", show_default="now")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file.", show_default="utf-8")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of a CSV file, tab for a tab.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, by its name.", show_default="first")] = None,
    storage: Storage = None,
) -> None:
    """Record answers that people gave elsewhere: a table, or tasks of Label Studio, Prodigy or doccano.

    Each counts as its annotator's answer. The same file again adds nothing. Rows of items that are not here, or with a
    value that is no label, are named and left out; then the exit code is 1.
    """
    from labeling.project.project import Project

    opened = Project.open(project, known_storage(storage))
    content, name = given_source(file)
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)
    columns = {"id": id_, "item_id": item_id, "annotator": annotator, "label": label, "at": at}
    report = opened.add_annotations(content, **columns, encoding=encoding, delimiter=mark, sheet=sheet, name=name)
    _tell(file, report)


def _tell(file: str, report: GoldReport | AnswersReport) -> None:
    for note in report.notes:
        warn(note)
    for rejected in report.rejected[:_SHOWN]:
        warn(f"{file}, {rejected}")
    typer.echo(str(report))
    if report.unknown or report.refused or report.rejected:
        raise typer.Exit(1)


def list_imports(project: ProjectName, storage: Storage = None) -> None:
    """List the imports of a project."""
    from labeling.project.project import Project

    found = Project.open(project, known_storage(storage)).imports()
    rows = found.select("import_id", "name", "kind", "added", "gold", "at", "taken_back").iter_rows()
    table(
        ("import", "source", "kind", "items", "gold", "at", ""),
        (
            (
                str(number),
                name,
                kind,
                "" if added is None else f"{added:,}",
                "" if gold is None else f"{gold:,}",
                f"{at:%Y-%m-%d %H:%M}",
                "taken back" if gone else "",
            )
            for number, name, kind, added, gold, at, gone in rows
        ),
    )


def undo_import(
    number: Annotated[int, typer.Argument(help="Number of the import, as imports lists it.")],
    project: ProjectName,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, say what would go.")] = False,
    storage: Storage = None,
) -> None:
    """Take an import back as one step.

    What it alone brought leaves the project; what people answered stays on record, and counts again when the file is
    imported again.
    """
    from labeling.project.project import Project

    opened = Project.open(project, known_storage(storage))
    if not yes:
        typer.echo(f"Would take back {opened.preview_undo_import(number)}. Say --yes to do it.")
        return
    typer.echo(f"Taken back {opened.undo_import(number)}")


def archive_project(project: ProjectName, storage: Storage = None) -> None:
    """Put a project away: lists leave it out, and it can only be read."""
    from labeling.project.project import Project

    Project.open(project, known_storage(storage)).archive()
    typer.echo(f"{project} is archived. Bring it back with: python -m labeling restore --project {project}")


def restore_project(project: ProjectName, storage: Storage = None) -> None:
    """Bring a project back that was archived."""
    from labeling.project.project import Project

    Project.open(project, known_storage(storage)).restore()
    typer.echo(f"{project} is in use again")
