"""How large a source may be, looked up before work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """The most that one source may hold.

    Attributes
    ----------
    rows, columns
        Of one table.
    unpacked_bytes
        Of what a compressed file, an archive or a workbook holds when it is unpacked.
    pixels
        Of one picture.
    """

    rows: int = 20_000_000
    columns: int = 2_000
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


def setting_of(limit: str) -> str:
    """Return the name of the environment variable that sets a limit.

    Examples
    --------
    >>> setting_of("unpacked_bytes")
    'LABELING_MAX_UNPACKED_BYTES'
    """
    return f"LABELING_MAX_{limit.upper()}"
