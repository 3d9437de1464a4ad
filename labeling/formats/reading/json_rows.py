"""JSON records gathered into columns."""

from typing import Any

import polars as pl

from labeling.formats.columns.names import whole_text
from labeling.formats.columns.values import EXACT, column_of, texts_of

CHUNK = 20_000
"""Records that are gathered into columns at a time."""


class RecordColumns:
    """Gather JSON records into columns, a chunk at a time, each with the type that all its values share."""

    def __init__(self, chunk: int = CHUNK):
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

    @property
    def width(self) -> int:
        """How many columns the records have that were gathered so far."""
        return len(self._names)

    def frame(self) -> pl.DataFrame:
        """Return all records as a frame."""
        if self._rows:
            self._flush()
        return pl.DataFrame({name: self._column(name) for name in self._names.values()})

    def _column(self, name: str) -> pl.Series:
        parts = [part.get(name, pl.Series(name, [None] * rows, dtype=pl.Null)) for rows, part in self._parts]
        types = {str(part.dtype): part.dtype for part in parts if part.dtype != pl.Null}
        if set(types) == {"Int64", "Float64"} and all(map(_exact, parts)):
            target: pl.DataType = pl.Float64()
        elif set(types) == {"List(Int64)", "List(Float64)"} and all(map(_exact, parts)):
            target = pl.List(pl.Float64())
        elif len(types) <= 1:
            target = next(iter(types.values()), pl.String())
        else:
            self._became_text.add(name)
            parts = [texts_of(name, part.to_list()) for part in parts]
            target = pl.String()
        if name in self._became_text:
            self.notes[name] = f"Column {name!r} holds structures or values of several types; they became text."
        return pl.concat([part.cast(target) for part in parts])

    def _typed(self, name: str, values: list[Any]) -> pl.Series:
        series, became_text = column_of(name, values)
        if became_text:
            self._became_text.add(name)
        return series


def _exact(series: pl.Series) -> bool:
    """Whether decimals hold all the whole numbers of a column."""
    numbers = series.explode(empty_as_null=True) if isinstance(series.dtype, pl.List) else series
    return not numbers.dtype.is_integer() or bool(numbers.is_between(-EXACT, EXACT).all())
