"""Python values gathered into a column of the one type that all of them have, or as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from labeling.formats.columns.names import as_text, whole_text

EXACT = 2**53
"""From here on decimals (64 bits) no longer tell whole numbers apart."""

_KEPT: tuple[type, ...] = (datetime, date, timedelta, Decimal, bytes)


def plain_value(value: Any) -> Any:
    """Return a value of Python itself for one of NumPy or pandas; None for what is missing.

    Examples
    --------
    >>> import numpy as np
    >>> plain_value(np.int64(3)), plain_value({2, 1}), plain_value(np.datetime64("NaT"))
    (3, [1, 2], None)
    """
    kind = type(value)
    if kind in (str, int, float, bool, dict, list, type(None)):
        return value
    if kind.__name__ in ("NaTType", "NAType") or (kind is Decimal and not value.is_finite()):
        return None
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime(warn=False)
    if hasattr(value, "to_pytimedelta"):
        return value.to_pytimedelta()
    if kind.__module__ == "numpy":
        return plain_value(value.tolist())
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return list(value) if kind is tuple else value


def column_of(name: str, values: Iterable[Any]) -> tuple[pl.Series, bool]:
    """Return values as a column, and whether they became text because they have no type in common.

    Whole numbers stay exact: beside decimals, those that a decimal cannot hold make the column text; beside
    missing ones (NaN) they stay whole numbers.

    Examples
    --------
    >>> column_of("id", [9007199254740993, float("nan")])[0].to_list()
    [9007199254740993, None]
    >>> column_of("id", [9007199254740993, 0.5])[0].to_list()
    ['9007199254740993', '0.5']
    """
    plain = [plain_value(value) for value in values]
    series = _one_type(name, plain)
    return (texts_of(name, plain), True) if series is None else (series, False)


def texts_of(name: str, values: Iterable[Any]) -> pl.Series:
    """Return values as texts: a text as it is, whole numbers without a point, anything else as JSON or as it prints.

    Examples
    --------
    >>> texts_of("any", [5, 5.0, 0.5, "a", [1], None]).to_list()
    ['5', '5', '0.5', 'a', '[1]', None]
    """
    return _texts(name, map(shown_text, values))


def shown_text(value: Any) -> str | None:
    """Return the text of a value, None for what has none: an address in memory says nothing tomorrow.

    Examples
    --------
    >>> shown_text(5.0), shown_text(True), shown_text([1, None]), shown_text(object())
    ('5', 'true', '[1, null]', None)
    """
    if value is None or (type(value) is float and not math.isfinite(value)):
        return None
    if type(value) is float and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if not (_prints(value, "__repr__") or _prints(value, "__str__")):
        return None
    return as_text(value)


def _one_type(name: str, values: list[Any]) -> pl.Series | None:
    """Return the values as a column of the type that all of them have; None if there is no such type."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if not kinds:
            return pl.Series(name, values, dtype=pl.Null)
        if kinds == {str}:
            return _texts(name, values)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
        if kinds <= {int, float}:
            return _numbers(name, values)
        if kinds == {list}:
            inner = _inner(values)
            return None if inner is None else pl.Series(name, values, dtype=pl.List(inner))
        if len(kinds) == 1 and kinds <= set(_KEPT):
            return pl.Series(name, values)
    except (OverflowError, ValueError, TypeError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return None


def _numbers(name: str, values: list[Any]) -> pl.Series | None:
    known = [None if type(value) is float and not math.isfinite(value) else value for value in values]
    kinds = set(map(type, known)) - {type(None)}
    if kinds == {int}:
        return pl.Series(name, known, dtype=pl.Int64)
    if int in kinds and any(type(value) is int and abs(value) > EXACT for value in known):
        return None
    return pl.Series(name, [None if value is None else float(value) for value in known], dtype=pl.Float64)


def _texts(name: str, values: Iterable[Any]) -> pl.Series:
    texts = list(values)
    try:
        return pl.Series(name, texts, dtype=pl.String)
    except UnicodeEncodeError:
        return pl.Series(name, [None if text is None else whole_text(text) for text in texts], dtype=pl.String)


def _inner(values: Sequence[Any]) -> type[pl.DataType] | None:
    entries = [entry for value in values if value for entry in value]
    kinds = set(map(type, entries)) - {type(None)}
    if kinds <= {str}:
        return pl.String
    if kinds == {int}:
        return pl.Int64
    if not kinds <= {int, float} or any(type(entry) is int and abs(entry) > EXACT for entry in entries):
        return None
    return pl.Float64


def _prints(value: Any, how: str) -> bool:
    return getattr(type(value), how) is not getattr(object, how)
