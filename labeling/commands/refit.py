"""The command that refits a loop."""

from __future__ import annotations

from typing import Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, Storage, open_project
from labeling.commands.parts.terminal import warn


def refit_loop(
    project: ProjectName,
    loop: Annotated[str | None, typer.Option(help="Name of the loop.", show_default="the only one there is")] = None,
    storage: Storage = None,
) -> None:
    """Train a loop's model, and rank what to ask next."""
    opened = open_project(project, storage)
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
