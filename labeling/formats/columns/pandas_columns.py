"""Columns of a pandas frame as Polars has them, whatever they hold."""

from __future__ import annotations

from typing import Any

import polars as pl

from labeling.formats.columns.supported import LIBRARY_ERRORS
from labeling.formats.columns.values import column_of, texts_of


def pandas_column(series: Any, name: str) -> tuple[pl.Series, str]:
    """Return a column of a pandas frame and what is to be said about it, if anything.

    Examples
    --------
    >>> import pandas as pd
    >>> column, note = pandas_column(pd.Series(pd.period_range("2024-01", periods=2, freq="M")), "month")
    >>> column.to_list(), note
    (['2024-01', '2024-02'], 'is of the pandas type period[M]; it became text')
    """
    kind = str(series.dtype)
    if kind.startswith("Sparse"):
        series = series.sparse.to_dense()
    if kind == "object" or (kind == "category" and str(series.cat.categories.dtype) not in ("object", "str", "string")):
        column, became_text = column_of(name, _values(series))
        return column, "holds Python objects; they became text" if became_text else ""
    try:
        column = pl.from_pandas(series, nan_to_null=True).alias(name)
        if not isinstance(column.dtype, pl.BaseExtension):
            return column, ""
    except LIBRARY_ERRORS:
        pass
    return texts_of(name, map(_text, _values(series))), f"is of the pandas type {kind}; it became text"


def _values(series: Any) -> list[Any]:
    return [None if gone else value for value, gone in zip(series, series.isna(), strict=True)]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
