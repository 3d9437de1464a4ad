"""What a format is: its names for people and programs, and how it writes rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class About:
    """What a format may need to know of the rows that it writes.

    Attributes
    ----------
    labels
        Names of the classes in their order.
    text, image
        What the columns of the text and of the picture are called in the rows, None where there is none.
    splits
        The parts of the data set; where there are several, the column ``split`` names that of each row.
    escape_formulas
        Whether a format for spreadsheets puts ' before cells that would be run.
    card
        What is to be known of the data set, as Markdown; None for rows that come without.
    """

    labels: tuple[str, ...] = ()
    text: str | None = None
    image: str | None = None
    splits: tuple[str, ...] = ("train",)
    escape_formulas: bool = True
    card: str | None = None


@dataclass(frozen=True)
class ExportFormat:
    """One thing that an export can be.

    Attributes
    ----------
    name
        What ``format=`` and the command line call it.
    title
        What a menu calls it.
    mime
        Media type of a file of it; that of the archive for a folder.
    suffix
        What the name of such a file ends in, "" for a folder.
    write
        Takes a path where nothing is yet, the rows in batches of the same columns (the first may be empty), and
        what they are about; writes the file or folder and returns the number of rows. Whoever calls it puts the
        result in its place when it is complete.
    chosen_by
        Suffixes that choose this format where none is named; () for a format that must be named.
    folder
        Whether it is a folder; the folder format is chosen by a path without a suffix.
    escapes
        Whether it heeds ``About.escape_formulas``, so that a page asks.
    """

    name: str
    title: str
    mime: str
    suffix: str
    write: Callable[[Path, Iterator[pl.DataFrame], About], int]
    chosen_by: tuple[str, ...] = ()
    folder: bool = False
    escapes: bool = False
