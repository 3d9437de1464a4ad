"""Columns of any type brought to the types that items keep; what cannot be kept becomes text or is left out."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from labeling.formats.columns.types import dtype_name
from labeling.formats.columns.values import EXACT, column_of, texts_of

LIBRARY_ERRORS: tuple[type[BaseException], ...] = (
    *(ValueError, TypeError, OverflowError, NotImplementedError, AttributeError, KeyError),
    *(pl.exceptions.PolarsError, pl.exceptions.PanicException),
)
"""What Polars, PyArrow and pandas raise for values that they cannot take (PyArrow's are built-in errors too)."""

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, in seconds: what Python and databases call a date."""
_TICKS = {"ms": 10**3, "us": 10**6}
_EXACT_TO = {"Float16": 2**11, "Float32": 2**24, "Float64": EXACT}


def supported_columns(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Bring every column to a type that items have; say what became of those that changed.

    Kept are texts, whole numbers, decimals, truth values, dates, times (in UTC where they have a zone), bytes, and
    lists of numbers or texts. Anything else becomes its text, structures their JSON. A column that has no text either
    is left out. No column keeps another from being read.
    """
    notes: list[str] = []
    columns: list[pl.Series] = []
    plain = _plain_numbers(frame)
    for series in frame.get_columns():
        new, note = (series, "") if series.name in plain else supported(series)
        if new is not None:
            columns.append(new.alias(series.name))
        if note:
            notes.append(f"Column {series.name!r} {note}.")
    if not columns and frame.height:
        raise ValueError(f"No column can be kept. {' '.join(notes)}")
    return pl.DataFrame(columns, schema=None if columns else {}), notes


def _plain_numbers(frame: pl.DataFrame) -> frozenset[str]:
    """Return the columns of decimals that are finite throughout: found by one query, as there may be thousands."""
    finite = frame.select(pl.col(pl.Float64).is_finite().all())
    return frozenset(series.name for series in finite.get_columns() if series.item())


def supported(series: pl.Series) -> tuple[pl.Series | None, str]:
    """Return a column as items keep it, None where it is left out, and what is to be said about it."""
    try:
        new, note = _supported(series)
        dtype_name(new.dtype)
    except LIBRARY_ERRORS:
        try:
            return texts_of(series.name, series.to_list()), f"is of the type {series.dtype}; it became text"
        except LIBRARY_ERRORS:
            return None, f"is of the type {series.dtype}, which has no text; it was left out"
    return new, note


def supported_value(value: Any) -> Any:
    """Return one value as an import keeps it; None for what is missing, and for what has no text either.

    Examples
    --------
    >>> from decimal import Decimal
    >>> supported_value(Decimal("1.50")), supported_value({"a": 1}), supported_value(2**70), supported_value(1 + 2j)
    (1.5, '{"a": 1}', '1180591620717411303424', '(1+2j)')
    """
    column, _ = supported(column_of("value", [value])[0])
    return None if column is None else column.item()


def exact_numbers(frame: pl.DataFrame) -> dict[str, int]:
    """Return up to where the columns of decimals tell whole numbers apart, by name.

    Examples
    --------
    >>> exact_numbers(pl.DataFrame({"a": [1.0], "b": [1]}))
    {'a': 9007199254740992}
    """
    return {name: _EXACT_TO[str(dtype)] for name, dtype in frame.schema.items() if str(dtype) in _EXACT_TO}


def large_numbers(frame: pl.DataFrame) -> frozenset[str]:
    """Return the columns with whole numbers so large that decimals do not tell them apart.

    Examples
    --------
    >>> large_numbers(pl.DataFrame({"a": [9007199254740993], "b": [1], "c": [[9007199254740993]]})) == {"a", "c"}
    True
    """
    plain = frame.select(pl.col(pl.Int64).is_between(-EXACT, EXACT).all())
    found = [series.name for series in plain.get_columns() if not series.item()]
    lists = [series for series in frame.get_columns() if series.dtype == pl.List(pl.Int64)]
    entries = {series.name: series.explode(empty_as_null=True) for series in lists}
    found += [name for name, numbers in entries.items() if not numbers.is_between(-EXACT, EXACT).all()]
    return frozenset(found)


def decimal_texts(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the columns of exact decimals (as a database has them) as they are written, whole numbers without a point.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": ["1.10", "2.00"]}, schema={"a": pl.String}).cast(pl.Decimal(10, 2))
    >>> decimal_texts(frame)["a"].to_list()
    ['1.10', '2']
    """
    return {
        series.name: series.cast(pl.String).str.replace(r"\.0+$", "")
        for series in frame
        if isinstance(series.dtype, pl.Decimal)
    }


def _supported(series: pl.Series) -> tuple[pl.Series, str]:
    dtype = series.dtype
    if isinstance(dtype, pl.BaseExtension):
        return _supported(series.ext.storage())
    if dtype in (pl.String, pl.Int64, pl.Boolean, pl.Binary):
        return series, ""
    if dtype == pl.Null or isinstance(dtype, pl.Categorical | pl.Enum):
        return series.cast(pl.String), ""
    if dtype.is_numeric():
        return _numbers(series, dtype)
    if dtype.is_temporal():
        return _temporal(series, dtype)
    if isinstance(dtype, pl.List | pl.Array):
        return _lists(series)
    if isinstance(dtype, pl.Struct):
        return _structures(series, dtype)
    if dtype == pl.Object:
        return _objects(series)
    return series.cast(pl.String), f"is of the type {dtype}; it became text"


def _numbers(series: pl.Series, dtype: pl.DataType) -> tuple[pl.Series, str]:
    if isinstance(dtype, pl.Decimal):
        return _decimals(series, dtype.scale)
    return _integers(series) if dtype.is_integer() else _finite(series.cast(pl.Float64))


def _temporal(series: pl.Series, dtype: pl.DataType) -> tuple[pl.Series, str]:
    if dtype == pl.Date:
        return _in_calendar(series, series.cast(pl.Int32).cast(pl.Int64) * 86_400, 1)
    if isinstance(dtype, pl.Datetime):
        return _times(series, dtype)
    if isinstance(dtype, pl.Duration):
        return series.dt.to_string("iso"), "holds spans of time; they became text"
    return series.cast(pl.String), "holds times of day; they became text"


def _integers(series: pl.Series) -> tuple[pl.Series, str]:
    try:
        return series.cast(pl.Int64), ""
    except pl.exceptions.InvalidOperationError:
        return series.cast(pl.String), "holds whole numbers beyond 64 bits; they became text"


def _decimals(series: pl.Series, scale: int) -> tuple[pl.Series, str]:
    """Keep exact decimals as numbers where numbers hold them, digit for digit."""
    if scale == 0:
        return _integers(series.cast(pl.Int128))
    numbers = series.cast(pl.Float64)
    if numbers.cast(series.dtype, strict=False).equals(series, null_equal=True):
        return numbers, ""
    return series.cast(pl.String).str.replace(
        r"\.0+$", ""
    ), "holds decimals of more digits than a number keeps; they became text"


def _finite(series: pl.Series) -> tuple[pl.Series, str]:
    infinite = int(series.is_infinite().sum() or 0)
    series = series.set(~series.is_finite(), None)
    return series, f"holds {infinite:,} infinite numbers; they became empty" if infinite else ""


def _times(series: pl.Series, dtype: pl.Datetime) -> tuple[pl.Series, str]:
    zone = dtype.time_zone
    if zone not in (None, "UTC"):
        series = series.dt.convert_time_zone("UTC")
    # Nanoseconds reach from 1677 to 2262 only.
    kept, note = (
        (series, "")
        if dtype.time_unit == "ns"
        else _in_calendar(series, series.cast(pl.Int64), _TICKS[dtype.time_unit])
    )
    notes = [note] if note else []
    if dtype.time_unit == "ns" and bool((kept.cast(pl.Int64) % 1000 != 0).any()):
        notes.append("holds fractions of a microsecond; they were cut off")
    if zone not in (None, "UTC"):
        notes.append(f"has the time zone {zone}; the same moments are kept in UTC")
    return kept.dt.cast_time_unit("us"), ", and ".join(notes)


def _in_calendar(series: pl.Series, ticks: pl.Series, second: int) -> tuple[pl.Series, str]:
    """Empty what lies outside of the calendar, `second` ticks a second."""
    outside = ~ticks.is_between(_FIRST * second, (_LAST + 1) * second - 1)
    count = int(outside.sum() or 0)
    if not count:
        return series, ""
    return series.to_frame("x").select(pl.when(~outside).then("x")).to_series(), (
        f"holds {count:,} times outside of the years 1 to 9999; they became empty"
    )


def _structures(series: pl.Series, dtype: pl.Struct) -> tuple[pl.Series, str]:
    if dtype.to_schema().get("bytes") == pl.Binary:
        return series.struct.field("bytes"), ""
    if _plain_json(dtype):
        texts = series.struct.json_encode()
        return texts.set(series.is_null(), None), "holds structures; they became JSON text"
    return _json_texts(series), "holds structures; they became JSON text"


def _plain_json(dtype: Any) -> bool:
    """Whether Polars writes values of a type as JSON."""
    if isinstance(dtype, pl.Struct):
        return all(_plain_json(field.dtype) for field in dtype.fields)
    if isinstance(dtype, pl.List | pl.Array):
        return _plain_json(dtype.inner)
    return bool(dtype in (pl.String, pl.Boolean, pl.Null) or dtype.is_integer() or dtype.is_float())


def _lists(series: pl.Series) -> tuple[pl.Series, str]:
    inner = series.dtype.inner  # type: ignore[attr-defined]
    if inner == pl.String or isinstance(inner, pl.Categorical | pl.Enum):
        return series.cast(pl.List(pl.String)), ""
    if inner.is_integer() and inner != pl.UInt64 and inner not in (pl.Int128, pl.UInt128):
        return series.cast(pl.List(pl.Int64)), ""
    if inner.is_float():
        return series.cast(pl.List(pl.Float64)), ""
    if inner == pl.Null:
        return series.cast(pl.List(pl.String)), ""
    return _json_texts(series), f"holds lists of {inner}; they became JSON text"


def _json_texts(series: pl.Series) -> pl.Series:
    values = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in series.to_list()
    ]
    return texts_of(series.name, values)


def _objects(series: pl.Series) -> tuple[pl.Series, str]:
    column, became_text = column_of(series.name, series.to_list())
    if became_text:
        return column, "holds Python objects; they became text"
    kept, note = supported(column)
    return column.cast(pl.String) if kept is None else kept, note
