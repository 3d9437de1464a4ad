"""Decimal commas and dates that begin with the day: offered where they are seen, taken where asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Decimal = Literal[",", "."]
Dates = Literal["day-first", "month-first"]

_COMMA = r"^[+-]?([0-9]{1,15}|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$"
_DATE = r"^\s*([0-9]{1,2})([./-])([0-9]{1,2})([./-])([0-9]{4})(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?\s*$"
_EXAMPLES = 3


@dataclass(frozen=True)
class Offer:
    """A way to read columns that is not taken unasked.

    ``option`` and ``value`` are what to give, such as ``decimal=","``. ``examples`` are cells as they are written
    and as they would be read.
    """

    option: Literal["decimal", "dates"]
    value: str
    columns: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        what = {
            ",": "numbers with a decimal comma",
            "day-first": "dates that begin with the day",
            "month-first": "dates that begin with the month",
        }[self.value]
        columns = ", ".join(repr(name) for name in self.columns)
        shown = ", ".join(f"{written} as {read}" for written, read in self.examples)
        return f"{columns} may hold {what}: {shown}"


def offers(frame: pl.DataFrame) -> tuple[Offer, ...]:
    """Return what may be read otherwise in columns of texts, each with examples.

    Where days and months could be either, both are offered; the day first.

    Examples
    --------
    >>> for offer in offers(pl.DataFrame({"price": ["3,14", "1.234,5"], "day": ["31.12.2024", "01.02.2025"]})):
    ...     print(offer)
    'price' may hold numbers with a decimal comma: 3,14 as 3.14, 1.234,5 as 1234.5
    'day' may hold dates that begin with the day: 31.12.2024 as 2024-12-31, 01.02.2025 as 2025-02-01
    """
    found: list[Offer] = []
    texts = [series for series in frame if series.dtype == pl.String and series.null_count() < len(series)]
    ways: tuple[tuple[Literal["decimal", "dates"], str], ...]
    ways = (("decimal", ","), ("dates", "day-first"), ("dates", "month-first"))
    for option, value in ways:
        read = {series.name: _read(series, option, value) for series in texts}
        columns = [(series, other) for series in texts if (other := read[series.name]) is not None]
        if columns:
            written, first = columns[0]
            pairs = (
                pl.DataFrame({"written": written, "read": first.cast(pl.String)})
                .drop_nulls()
                .unique(maintain_order=True)
            )
            found.append(Offer(option, value, tuple(s.name for s, _ in columns), tuple(pairs.head(_EXAMPLES).rows())))
    return tuple(found)


def taken(
    frame: pl.DataFrame, decimal: str | None, dates: str | None
) -> tuple[pl.DataFrame, dict[str, pl.Series], list[str]]:
    """Read columns of texts as asked for, those in which every cell can be.

    Returns
    -------
    tuple
        The frame; the columns that changed, as they were written; and a note for each that looks as if it should have
        been changed too and stays text, with the first cell that stands in the way.

    Raises
    ------
    ValueError
        The option has another value.
    """
    if decimal not in (None, ",", "."):
        raise ValueError(f"decimal is ',' or '.', not {decimal!r}.")
    if dates not in (None, "day-first", "month-first"):
        raise ValueError(f"dates is 'day-first' or 'month-first', not {dates!r}.")
    originals: dict[str, pl.Series] = {}
    columns: list[pl.Series] = []
    notes: list[str] = []
    for series in frame:
        new = None
        if series.dtype == pl.String and series.null_count() < len(series):
            for option, value in (("decimal", decimal), ("dates", dates)):
                if value in (None, "."):
                    continue
                new = _read(series, option, str(value)) if new is None else new
                if new is None and (note := _in_the_way(series, option, str(value))):
                    notes.append(note)
        if new is not None:
            originals[series.name] = series
        columns.append(series if new is None else new)
    return pl.DataFrame(columns), originals, notes


def _read(series: pl.Series, option: str, value: str) -> pl.Series | None:
    """Return a column of texts as numbers or dates; None where a cell is none, or none shows that it is."""
    return _numbers(series) if option == "decimal" else _dates(series, value)


def _numbers(series: pl.Series) -> pl.Series | None:
    given = series.drop_nulls()
    if not given.head(100).str.contains(_COMMA).all() or not given.str.contains(_COMMA).all():
        return None
    if not given.str.contains(",", literal=True).any():
        return None
    plain = series.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64)


def _dates(series: pl.Series, order: str) -> pl.Series | None:
    given = series.drop_nulls()
    if not given.head(100).str.contains(_DATE).all() or not given.str.contains(_DATE).all():
        return None
    read = _moments(series, order)
    if read.null_count() > series.null_count():
        return None
    return read if given.str.contains(":", literal=True).any() else read.cast(pl.Date)


def _moments(series: pl.Series, order: str) -> pl.Series:
    parts = series.str.extract_groups(_DATE).struct.unnest()
    first, second = ("d", "m") if order == "day-first" else ("m", "d")
    places = {first: 0, second: 2, "y": 4, "H": 5, "M": 6, "S": 7}
    frame = pl.DataFrame({name: parts.to_series(at).cast(pl.Int32, strict=False) for name, at in places.items()})
    padded = pl.format(
        "{}-{}-{} {}:{}:{}",
        *(pl.col(name).fill_null(0).cast(pl.String).str.zfill(4 if name == "y" else 2) for name in "ymdHMS"),
    )
    moment = padded.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    given = pl.when(pl.col("y").is_not_null()).then(moment)
    return frame.select(given.alias(series.name)).to_series()


def _in_the_way(series: pl.Series, option: str, value: str) -> str | None:
    """Return a sentence on a column most of whose cells are as asked for, and which stays text for one that is not."""
    if option == "decimal":
        fits = series.str.contains(_COMMA)
        typical = series.str.contains(_COMMA) & series.str.contains(",", literal=True)
    else:
        fits = typical = _moments(series, value).is_not_null()
    given = series.is_not_null()
    if not typical.any() or int(fits.sum()) * 2 < int(given.sum()):
        return None
    cell = series.filter(given & ~fits.fill_null(False))
    return f"Column {series.name!r} stays text: {cell[0]!r} is not read by {option}={value!r}." if len(cell) else None
