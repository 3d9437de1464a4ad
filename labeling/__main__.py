"""The command line: ``python -m labeling``.

Data goes to standard output; progress, warnings and errors go to standard error. Exit codes: 0 done, 1 the call could
not be carried out, or not for all rows, 2 the call is wrong.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from labeling.commands.export import export_labels
from labeling.commands.import_items import import_items
from labeling.commands.manage import (
    add_given_answers,
    add_known_answers,
    archive_project,
    list_imports,
    restore_project,
    undo_import,
)
from labeling.commands.offer import offer_file
from labeling.commands.parts.options import ListingCommand
from labeling.commands.parts.terminal import examples
from labeling.commands.people import show_people
from labeling.commands.refit import refit_loop
from labeling.commands.serve import serve_app, serve_demo
from labeling.commands.simulate import simulate_file
from labeling.commands.status import show_status
from labeling.commands.upkeep.backup import back_up_database
from labeling.commands.upkeep.copy import copy_to_database
from labeling.commands.upkeep.erase import erase_for_good
from labeling.commands.upkeep.repair import repair_database
from labeling.commands.upkeep.verify import verify_database
from labeling.commands.weak_label import weak_label

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


commands.command(
    "import",
    no_args_is_help=True,
    epilog=examples(
        "import posts.csv --project forum --labels ok,offensive --text body --gold label",
        "import posts.csv --project forum --labels-from label --gold label",
        "import more.jsonl --project forum",
        "import - --project forum < posts.csv",
    ),
)(import_items)
commands.command(
    "weak-label",
    cls=ListingCommand,
    no_args_is_help=True,
    epilog=examples(
        "weak-label --project forum",
        "weak-label --project forum --by expert --threshold 0.3 --otherwise ok",
        "weak-label --project forum --model Robust --file posts.parquet --to weak.parquet",
    ),
)(weak_label)
commands.command("status", epilog=examples("status", "status --project forum --json"))(show_status)
commands.command("refit", no_args_is_help=True, epilog=examples("refit --project forum --loop first"))(refit_loop)


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
commands.command(
    "people",
    no_args_is_help=True,
    epilog=examples("people --project forum", "people --project forum --merge ann Ann --yes"),
)(show_people)
commands.command("imports", no_args_is_help=True, epilog=examples("imports --project forum"))(list_imports)
commands.command(
    "undo-import",
    no_args_is_help=True,
    epilog=examples("undo-import 2 --project forum", "undo-import 2 --project forum --yes"),
)(undo_import)
commands.command("archive", no_args_is_help=True, epilog=examples("archive --project forum"))(archive_project)
commands.command("restore", no_args_is_help=True, epilog=examples("restore --project forum"))(restore_project)
commands.command(
    "backup",
    no_args_is_help=True,
    epilog=examples("backup labeling.backup", "backup labeling.backup --storage postgresql://ann@host/labels"),
)(back_up_database)
commands.command(
    "erase",
    no_args_is_help=True,
    epilog=examples(
        "erase --project forum --item 3 --item 5 --reason 'asked for'",
        "erase --project forum --person ann --backup labeling.backup",
        "erase --project forum --whole forum",
    ),
)(erase_for_good)
commands.command(
    "copy",
    no_args_is_help=True,
    epilog=examples("copy sqlite:///labeling.db postgresql://ann@host/labels --project forum"),
)(copy_to_database)
commands.command("verify", epilog=examples("verify", "verify --storage sqlite:///work.db"))(verify_database)
commands.command("repair", epilog=examples("repair", "repair --backup before.backup"))(repair_database)


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
