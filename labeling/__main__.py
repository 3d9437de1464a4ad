"""The command line: ``python -m labeling``.

Data goes to standard output; progress, warnings and errors go to standard error. Exit codes: 0 done, 1 the call could
not be carried out, or not for all rows, 2 the call is wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labeling.commands.export import export_labels
from labeling.commands.manage import (
    add_given_answers,
    add_known_answers,
    archive_project,
    list_imports,
    restore_project,
    undo_import,
)
from labeling.commands.offer import offer_file
from labeling.commands.options import MODELS, By, ListingCommand, Of, Ties, known_model
from labeling.commands.project_option import ProjectName, ShowProgress, Storage, given_source, known_storage
from labeling.commands.serve import serve_app, serve_demo
from labeling.commands.simulate import simulate_file
from labeling.commands.terminal import examples, shown, table, warn

if TYPE_CHECKING:
    from labeling.project.project import Project

_SHOWN = 10
_MAJORITY = "MajorityVote"

commands = typer.Typer(
    name="labeling",
    help="Import posts, combine the votes of rules, export labels with their evidence.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@commands.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    traceback: Annotated[bool, typer.Option("--traceback", help="On an error, show where it came from.")] = False,
) -> None:
    del traceback  # looked for where errors are shown
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@commands.command(
    "import",
    no_args_is_help=True,
    epilog=examples(
        "import posts.csv --project forum --labels ok,offensive --text body --gold label",
        "import posts.csv --project forum --labels-from label --gold label",
        "import more.jsonl --project forum",
        "import - --project forum < posts.csv",
    ),
)
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
            _open(project, storage)
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


@commands.command(
    "weak-label",
    cls=ListingCommand,
    no_args_is_help=True,
    epilog=examples(
        "weak-label --project forum",
        "weak-label --project forum --by expert --threshold 0.3 --otherwise ok",
        "weak-label --project forum --model Robust --file posts.parquet --to weak.parquet",
    ),
)
def weak_label(
    project: ProjectName,
    by: Annotated[By, typer.Option(help="Who votes: each rule, or each expert with the majority of the rules.")] = (
        By.function
    ),
    threshold: Annotated[
        float | None, typer.Option(help="Share of the votes that a label needs, 0.3 for 30 %.", show_default="the most")
    ] = None,
    of: Annotated[Of, typer.Option(help="Share of all, or of those that vote on the item.")] = Of.all,
    otherwise: Annotated[str | None, typer.Option(help="Label for items without one.", show_default="none")] = None,
    ties: Annotated[Ties, typer.Option(help="What becomes of a tie.")] = Ties.abstain,
    seed: Annotated[int, typer.Option(help="Seed of random ties.")] = 0,
    model: Annotated[
        str,
        typer.Option(
            help=f"Label model: {MODELS}. The options above are the majority's.", metavar="NAME", parser=known_model
        ),
    ] = _MAJORITY,
    file: Annotated[Path | None, typer.Option(help="Label this Parquet file instead of the project's items.")] = None,
    to: Annotated[Path | None, typer.Option(help="Parquet file to write, with --file.")] = None,
    executor: Annotated[str | None, typer.Option(help="threads or processes, with --file.")] = None,
    storage: Storage = None,
) -> None:
    """Combine the votes of rules into weak labels.

    The run is kept with its parameters. With --file, a file of any size is labeled past the project, in bounded memory;
    the same call after a kill goes on where it was.
    """
    from labeling.votes.label_models import LABEL_MODELS

    opened = _open(project, storage)
    majority = {"by": by.value, "threshold": threshold, "of": of.value, "ties": ties.value, "seed": seed}
    own: dict[str, Any] = majority if model == _MAJORITY else {}
    chosen = LABEL_MODELS[model](otherwise=otherwise, **own)
    if (file is None) != (to is None):
        raise typer.BadParameter("--file and --to go together.", param_hint="'--file'")
    if file is not None and to is not None:
        _, missing = opened.function_store.loaded(opened.label_set)
        if missing:
            typer.echo(f"Left out, as their code is not here: {', '.join(missing)}", err=True)
        report = opened.weak_label_file(file, chosen, to, executor=executor, skip_missing=True)
        typer.echo(f"{report.rows:,} rows in {report.path}")
        return
    run = opened.weak_label(chosen)
    typer.echo(f"Run {run.number}: {run.model}")
    table(("label", "items", "share"), ((label, f"{n:,}", f"{share:.1%}") for label, n, share in _balance(run)))
    if filled := run.filled().height:
        warn(f"{filled:,} of them are labeled {otherwise!r} although the rules leave them open")


@commands.command("status", epilog=examples("status", "status --project forum --json"))
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
    opened = _open(project, storage)
    status = asdict(opened.status())
    if as_json:
        typer.echo(json.dumps({"name": opened.name, "labels": list(opened.label_names), **status}))
        return
    rows = [("project", opened.name), ("labels", ", ".join(opened.label_names))]
    rows += [(key.replace("_", " "), f"{value:,}") for key, value in status.items()]
    table(None, rows)


@commands.command("refit", no_args_is_help=True, epilog=examples("refit --project forum --loop first"))
def refit_loop(
    project: ProjectName,
    loop: Annotated[str | None, typer.Option(help="Name of the loop.", show_default="the only one there is")] = None,
    storage: Storage = None,
) -> None:
    """Train a loop's model, and rank what to ask next."""
    opened = _open(project, storage)
    names = [info.name for info in opened.loops()]
    if loop is None and len(names) != 1:
        raise ValueError(f"Name the loop with --loop. Loops of {project!r}: {', '.join(names) or 'none yet'}.")
    if loop is not None and loop not in names:
        raise LookupError(f"There is no loop {loop!r} in {project!r}. Loops: {', '.join(names) or 'none yet'}.")
    refit = opened.pool_loop(loop or names[0]).refit()
    for note in refit.notes:
        warn(note)
    scores = ", ".join(
        f"{name} {value:.3f}" for name in ("accuracy", "f1_macro") if (value := refit.metrics.get(name)) is not None
    )
    typer.echo(f"Round {refit.round}: {refit.labels:,} labels" + (f", {scores}" if scores else ""))


commands.command("serve", epilog=examples("serve", "serve --storage sqlite:///work.db --port 8600"))(serve_app)
commands.command("demo", epilog=examples("demo", "demo --storage sqlite:///demo.db --no-serve"))(serve_demo)
commands.command(
    "export",
    cls=ListingCommand,
    no_args_is_help=True,
    epilog=examples(
        "export labels.parquet --project forum",
        "export data/forum --project forum --format dataset",
        "export sure.csv --project forum --source human,model --min-confidence 0.9 --column text",
        "export --project forum --split train --preview",
        "export - --format jsonl --project forum | head",
    ),
)(export_labels)
commands.command(
    "simulate",
    no_args_is_help=True,
    epilog=examples(
        "simulate data.parquet --strategies entropy,margin,auto",
        "simulate posts.csv --gold label --text body --seeds 5 --metric f1_macro --out runs.parquet",
    ),
)(simulate_file)
commands.command(
    "offer",
    no_args_is_help=True,
    epilog=examples(
        "offer today.jsonl --project forum --stream live --share 0.1 --key id",
        "offer more.parquet --project forum --stream live --key id",
    ),
)(offer_file)
commands.command(
    "gold",
    no_args_is_help=True,
    epilog=examples("gold answers.csv --project forum --id id --gold label"),
)(add_known_answers)
commands.command(
    "annotations",
    no_args_is_help=True,
    epilog=examples(
        "annotations answers.csv --project forum --id id --annotator who --label label",
        "annotations tasks.json --project forum",
    ),
)(add_given_answers)
commands.command("imports", no_args_is_help=True, epilog=examples("imports --project forum"))(list_imports)
commands.command(
    "undo-import",
    no_args_is_help=True,
    epilog=examples("undo-import 2 --project forum", "undo-import 2 --project forum --yes"),
)(undo_import)
commands.command("archive", no_args_is_help=True, epilog=examples("archive --project forum"))(archive_project)
commands.command("restore", no_args_is_help=True, epilog=examples("restore --project forum"))(restore_project)


def _open(name: str, storage: str | None) -> Project:
    from labeling.project.project import Project

    return Project.open(name, known_storage(storage))


def _balance(run: Any) -> Iterable[tuple[str, int, float]]:
    for label, count, share in run.balance().select("label", "count", "share").iter_rows():
        yield (label if label is not None else "(no label)"), count, share


def app() -> None:
    """Run the command line; an error is one line on standard error."""
    try:
        commands()
    except (ValueError, LookupError, OSError, ImportError, RuntimeError, TypeError) as error:
        if "--traceback" in sys.argv[1:]:
            raise
        message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        typer.echo(f"Error: {' '.join(message.split()) or type(error).__name__}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    app()
