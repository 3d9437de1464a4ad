"""How large a source may be, looked up before work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """The most that one source may hold.

    Attributes
    ----------
    rows, columns, cells
        Of one table; cells are rows times columns.
    unpacked_bytes
        Of what a compressed file, an archive or a workbook holds when it is unpacked.
    pixels
        Of one picture.
    """

    rows: int = 10_000_000
    columns: int = 10_000
    cells: int = 1_000_000_000
    unpacked_bytes: int = 4 << 30
    pixels: int = 50_000_000


def limits() -> Limits:
    """Return the limits in force: the environment's ``LABELING_MAX_ROWS``, ``…_COLUMNS`` and so on, else the defaults.

    Raises
    ------
    ValueError
        A variable holds no whole number of 1 or more.
    """
    given: dict[str, int] = {}
    for field in fields(Limits):
        variable = setting_of(field.name)
        text = os.environ.get(variable, "").strip().replace("_", "")
        if not text:
            continue
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"{variable} is a whole number of 1 or more, got {text!r}.")
        given[field.name] = int(text)
    return Limits(**given)


def check_size(name: str, rows: int, columns: int, unpacked_bytes: int = 0) -> None:
    """Refuse a table that is too large, from what is known of it before it is read.

    Raises
    ------
    ValueError
        One of the limits is passed; the message says which, and how to raise it.

    Examples
    --------
    >>> check_size("posts.parquet", 30_000_000, 4)
    Traceback (most recent call last):
    ...
    ValueError: posts.parquet has 30,000,000 rows; at most 10,000,000 are read. Import it in parts, or raise the limit
    by the environment variable LABELING_MAX_ROWS.
    """
    most = limits()
    found = {"rows": rows, "columns": columns, "cells": rows * columns, "unpacked_bytes": unpacked_bytes}
    for limit, count in found.items():
        bound = int(getattr(most, limit))
        if count > bound:
            what = limit.replace("_", " ")
            raise ValueError(
                f"{name} has {count:,} {what}; at most {bound:,} are read. Import it in parts, or raise the limit by "
                f"the environment variable {setting_of(limit)}."
            )


def setting_of(limit: str) -> str:
    """Return the name of the environment variable that sets a limit.

    Examples
    --------
    >>> setting_of("unpacked_bytes")
    'LABELING_MAX_UNPACKED_BYTES'
    """
    return f"LABELING_MAX_{limit.upper()}"
