"""The command that combines the votes of rules into weak labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from labeling.commands.parts.options import MODELS, By, Of, Ties, known_model
from labeling.commands.parts.project_option import ProjectName, Storage, open_project
from labeling.commands.parts.terminal import table, warn

_MAJORITY = "MajorityVote"


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
    executor: Annotated[str | None, typer.Option(help="threads or processes; without it, here.")] = None,
    storage: Storage = None,
) -> None:
    """Combine the votes of rules into weak labels.

    The run is kept with its parameters. With --file, a file of any size is labeled past the project, in bounded memory;
    the same call after a kill goes on where it was.
    """
    from labeling.votes.label_models import LABEL_MODELS

    opened = open_project(project, storage)
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
    where: Any = executor
    run = opened.weak_label(chosen, executor=where)
    typer.echo(f"Run {run.number}: {run.model}")
    table(("label", "items", "share"), ((label, f"{n:,}", f"{share:.1%}") for label, n, share in _balance(run)))
    if filled := run.filled().height:
        warn(f"{filled:,} of them are labeled {otherwise!r} although the rules leave them open")


def _balance(run: Any) -> Iterable[tuple[str, int, float]]:
    for label, count, share in run.balance().select("label", "count", "share").iter_rows():
        yield (label if label is not None else "(no label)"), count, share
