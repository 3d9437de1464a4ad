"""JSON records gathered into columns."""

import math
from typing import Any

import polars as pl

from labeling.columns import json_series, whole_text


class RecordColumns:
    """Gather JSON records into columns, a chunk at a time, each with the type that all its values share."""

    def __init__(self, chunk: int = 20_000):
        self.notes: dict[str, str] = {}
        self._chunk = chunk
        self._rows: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}
        self._parts: list[tuple[int, dict[str, pl.Series]]] = []
        self._became_text: set[str] = set()

    def add(self, record: dict[str, Any]) -> None:
        """Take one record; keys that it lacks are null."""
        self._rows.append(record)
        if len(self._rows) == self._chunk:
            self._flush()

    def _flush(self) -> None:
        for key in dict.fromkeys(key for row in self._rows for key in row):
            self._names.setdefault(key, whole_text(str(key)))
        part = {name: self._typed(name, [row.get(key) for row in self._rows]) for key, name in self._names.items()}
        self._parts.append((len(self._rows), part))
        self._rows = []

    def frame(self) -> pl.DataFrame:
        """Return all records as a frame."""
        if self._rows:
            self._flush()
        return pl.DataFrame({name: self._column(name) for name in self._names.values()})

    def _column(self, name: str) -> pl.Series:
        parts = [part.get(name, pl.Series(name, [None] * rows, dtype=pl.Null)) for rows, part in self._parts]
        types = {str(part.dtype): part.dtype for part in parts if part.dtype != pl.Null}
        if set(types) == {"Int64", "Float64"} and all(_exact(part) for part in parts):
            target: pl.DataType = pl.Float64()
        elif set(types) == {"List(Int64)", "List(Float64)"}:
            target = pl.List(pl.Float64())
        elif len(types) <= 1:
            target = next(iter(types.values()), pl.String())
        else:
            self._became_text.add(name)
            parts = [json_series(name, part.to_list()) for part in parts]
            target = pl.String()
        if name in self._became_text:
            self.notes[name] = f"Column {name!r} holds structures or values of several types; they became text."
        return pl.concat([part.cast(target) for part in parts])

    def _typed(self, name: str, values: list[Any]) -> pl.Series:
        series = _one_type(name, values)
        if series is None:
            self._became_text.add(name)
            return json_series(name, values)
        return series


def _exact(series: pl.Series) -> bool:
    return series.dtype != pl.Int64 or bool((series.drop_nulls().abs() <= 2**53).all())


def _one_type(name: str, values: list[Any]) -> pl.Series | None:
    """Return the values as a column of the type that all of them have; None if there is no such type."""
    kinds = {type(value) for value in values} - {type(None)}
    try:
        if not kinds:
            return pl.Series(name, values, dtype=pl.Null)
        if kinds == {str}:
            return _texts(name, values)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
        if kinds == {int}:
            return pl.Series(name, values, dtype=pl.Int64)
        if kinds <= {int, float}:
            return pl.Series(name, [None if v is None or not math.isfinite(v) else float(v) for v in values])
        if kinds == {list} and (inner := _inner(values)) is not None:
            return pl.Series(name, values, dtype=pl.List(inner))
    except (OverflowError, pl.exceptions.PolarsError, TypeError, UnicodeEncodeError):
        return None
    return None


def _texts(name: str, values: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:
        return json_series(name, values)


def _inner(values: list[Any]) -> type[pl.DataType] | None:
    kinds = {type(entry) for value in values if value for entry in value} - {type(None)}
    if kinds <= {str}:
        return pl.String
    if kinds == {int}:
        return pl.Int64
    return pl.Float64 if kinds <= {int, float} else None
