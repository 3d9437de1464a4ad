"""The column types that items keep, as short texts for the ledger."""

from __future__ import annotations

import polars as pl

_NAMES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
    "datetime_utc": pl.Datetime("us", "UTC"),
    "bytes": pl.Binary(),
}


def dtype_name(dtype: pl.DataType) -> str:
    """Return the ledger's name of a column type.

    Examples
    --------
    >>> dtype_name(pl.List(pl.Float64()))
    'list of number'
    """
    if isinstance(dtype, pl.List):
        return f"list of {dtype_name(pl.List(dtype.inner).inner)}"  # type: ignore[arg-type]
    for name, known in _NAMES.items():
        if dtype == known:
            return name
    raise ValueError(
        f"Items keep no columns of type {dtype}. Cast it to one of {', '.join(_NAMES)}, or a list of them."
    )


def parse_dtype(name: str) -> pl.DataType:
    """Return the column type of a ledger's name.

    Examples
    --------
    >>> parse_dtype("list of number")
    List(Float64)
    """
    if name.startswith("list of "):
        return pl.List(parse_dtype(name.removeprefix("list of ")))
    return _NAMES[name]
