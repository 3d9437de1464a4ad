"""Votes of distributions over classes, as other tools and models write them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from labeling.arrays import NO_VOTE
from labeling.label_names import spellings


def likeliest(column: pl.Series, labels: Sequence[str], above: float | None = None) -> pl.Series:
    """Return the position of the likeliest class of each cell, -1 where there is none.

    A cell is the name of a class, or a distribution: a structure, or JSON, of shares by class
    (``{"ok": 0.9}``); a list of labels with scores (``[{"label": "ok", "score": 0.9}]``); or a list of
    numbers in the order of ``labels``.

    Parameters
    ----------
    column
        Cells, shape (n,).
    labels
        Names of the k classes.
    above
        Share from which on the likeliest class is voted for; None: any. A name counts as 1; a tie abstains.

    Raises
    ------
    ValueError
        No cell votes, and a list of numbers has another length than there are classes. Where others do vote, such a
        cell abstains.

    Examples
    --------
    >>> cells = pl.Series(["ok", '{"ok": 0.2, "bad": 0.8}', '{"ok": 0.5, "bad": 0.5}', "?"])
    >>> likeliest(cells, ["ok", "bad"]).to_list()
    [0, 1, -1, -1]
    >>> likeliest(pl.Series([[0.9, 0.1], [0.4, 0.6], None]), ["ok", "bad"], above=0.7).to_list()
    [0, -1, -1]
    """
    known = spellings(labels)
    if column.dtype.is_nested():
        votes = _votes(column.to_list(), partial(_vote, known=known, k=len(labels), above=above))
        return pl.Series(column.name, votes, dtype=pl.Int16)
    texts = column.cast(pl.String).str.strip_chars()
    cells = texts.drop_nulls().unique()
    found = _votes(cells.to_list(), partial(_of_text, known=known, k=len(labels), above=above))
    return texts.replace_strict(cells, pl.Series(found, dtype=pl.Int16), default=NO_VOTE, return_dtype=pl.Int16)


def _votes(cells: Sequence[Any], vote: Callable[[Any], int]) -> list[int]:
    """Return what each cell votes for; one odd cell does not stop the others."""
    votes, odd = [], None
    for cell in cells:
        try:
            votes.append(vote(cell))
        except _OtherLengthError as error:
            votes.append(NO_VOTE)
            odd = odd or error
    if odd is not None and all(each == NO_VOTE for each in votes):
        raise odd
    return votes


class _OtherLengthError(ValueError):
    """A list of numbers has another length than there are classes."""


def _of_text(text: str, known: Mapping[str, int], k: int, above: float | None) -> int:
    if text in known:
        return known[text]
    if not text.startswith(("{", "[")):
        return NO_VOTE
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return NO_VOTE
    return _vote(value, known, k, above)


def _vote(cell: Any, known: Mapping[str, int], k: int, above: float | None) -> int:
    shares = _shares(cell, k)
    if not shares:
        return NO_VOTE
    most = max(shares.values())
    first = [name for name, share in shares.items() if share == most]
    if len(first) > 1 or most <= 0 or (above is not None and most < above):
        return NO_VOTE
    return first[0] if isinstance(first[0], int) else known.get(first[0].strip(), NO_VOTE)


def _shares(cell: Any, k: int) -> dict[Any, float]:
    """Return the numbers of a cell by name or position; none where it is no distribution."""
    if isinstance(cell, list) and cell and all(_is_share(each) for each in cell):
        if len(cell) != k:
            raise _OtherLengthError(f"a list of {len(cell)} numbers, where there are {k} classes")
        return dict(enumerate(cell))
    if isinstance(cell, list) and all(isinstance(each, dict) and isinstance(each.get("label"), str) for each in cell):
        cell = {each["label"]: each.get("score", 1.0) for each in cell}
    if not isinstance(cell, dict):
        return {}
    return {name: float(share) for name, share in cell.items() if isinstance(name, str) and _is_share(share)}


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
