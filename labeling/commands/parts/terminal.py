"""How commands talk: tables to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import typer


def examples(*lines: str) -> str:
    """Return the examples below a command's help."""
    # \b keeps click from wrapping what follows.
    return "\b\nExamples:\n" + "\n".join(f"  python -m labeling {line}" for line in lines)


def shown(progress: bool | None) -> bool:
    """Tell whether to show a bar: as asked, else in a terminal."""
    return sys.stderr.isatty() if progress is None else progress


def warn(message: str) -> None:
    """Print a line to standard error."""
    typer.echo(message, err=True)


def table(header: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> None:
    """Print columns side by side, all but the first aligned right where there is a header."""
    lines = ([header] if header else []) + list(rows)
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        cells = [
            cell.rjust(width) if header and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
