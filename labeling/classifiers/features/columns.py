"""Features of any columns: text, numbers, choices, pictures, and embeddings given as lists of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from labeling.classifiers.features.pictures import PictureFeatures
from labeling.classifiers.features.text import BoolArray, FloatArray, Matrix, TextFeatures

if TYPE_CHECKING:
    import polars as pl

# A column of words with more distinct values than this is no choice between some.
_CHOICES = 50


class _Part(Protocol):
    def transform(self, frame: pl.DataFrame) -> Matrix: ...


@dataclass(frozen=True)
class ColumnFeatures:
    """What was learned from the columns of some rows: one block of features a column.

    The text column becomes TF-IDF; numbers, dates and truth values are scaled to mean 0 and deviation 1
    (a missing one counts as the mean); lists of numbers are embeddings and stay as they are; words that
    repeat become one column a value; pictures (bytes) become small grey copies. Other columns are left out.

    Attributes
    ----------
    parts
        The block of each column that is used.
    used
        Names of these columns.
    """

    parts: tuple[_Part, ...]
    used: tuple[str, ...]

    @classmethod
    def learn(
        cls,
        frame: pl.DataFrame,
        *,
        text: str | None = None,
        learn_from: BoolArray | None = None,
        columns: tuple[str, ...] | None = None,
        words: TextFeatures | None = None,
    ) -> ColumnFeatures:
        """Learn scales and values from the rows of `learn_from` alone, default all.

        Parameters
        ----------
        frame
            The items.
        text
            Its text column, if there is one.
        learn_from
            (n,) rows to learn from.
        columns
            Which to use; default all that can be.
        words
            Text features learned before; default they are learned here.

        Examples
        --------
        >>> import polars as pl
        >>> frame = pl.DataFrame({"length": [1, 2, 3], "kind": ["a", "b", "a"], "vector": [[0.0, 1.0]] * 3})
        >>> features = ColumnFeatures.learn(frame)
        >>> features.used, features.transform(frame).shape
        (('length', 'kind', 'vector'), (3, 5))
        """
        names = tuple(frame.columns) if columns is None else columns
        if missing := [name for name in names if name not in frame.columns]:
            raise ValueError(f"No column {missing[0]!r} (columns: {', '.join(frame.columns)}).")
        rows = frame if learn_from is None else frame.filter(np.asarray(learn_from, dtype=bool))
        parts: dict[str, _Part] = {}
        for name in names:
            if name == text:
                parts[name] = words or TextFeatures.learn(frame, text=text, learn_from=learn_from)
            elif (part := _learn_column(rows, name)) is not None:
                parts[name] = part
        if not parts:
            schema = ", ".join(f"{name} ({dtype})" for name, dtype in frame.schema.items())
            raise ValueError(f"No column to learn from: {schema or 'no columns'}. Pass text=, or a column of numbers.")
        return cls(tuple(parts.values()), tuple(parts))

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """(n, d) blocks side by side: CSR where one of them is text, else dense; float32."""
        blocks = [part.transform(frame) for part in self.parts]
        if any(hasattr(block, "tocsr") for block in blocks):
            from scipy.sparse import csr_matrix, hstack

            return csr_matrix(hstack(blocks, dtype=np.float32))
        return np.hstack(blocks).astype(np.float32, copy=False)


def _learn_column(rows: pl.DataFrame, name: str) -> _Part | None:
    import polars as pl

    column = rows.get_column(name)
    dtype = column.dtype
    if dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean:
        return _Number.learn(column)
    if isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric():
        return _Vector.learn(column)
    if dtype == pl.Binary:
        return PictureFeatures(name)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        words = column.cast(pl.String).drop_nulls()
        values = words.unique().sort().to_list()
        if 0 < len(values) <= _CHOICES and len(values) < len(words):
            return _Choice(name, tuple(values))
    return None


@dataclass(frozen=True)
class _Number:
    name: str
    mean: float
    deviation: float

    @classmethod
    def learn(cls, column: pl.Series) -> _Number:
        values = _floats(column)
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(column.name, 0.0, 1.0)
        return cls(column.name, float(known.mean()), float(known.std()) or 1.0)

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        values = _floats(frame.get_column(self.name))
        scaled = (np.where(np.isfinite(values), values, self.mean) - self.mean) / self.deviation
        # Far outliers would drown everything else.
        clipped: FloatArray = np.clip(scaled, -10.0, 10.0)[:, None]
        return clipped


def _floats(column: pl.Series) -> FloatArray:
    import polars as pl

    numbers = column.to_physical() if column.dtype.is_temporal() else column
    return numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()


@dataclass(frozen=True)
class _Choice:
    name: str
    values: tuple[str, ...]

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        import polars as pl

        column = frame.get_column(self.name).cast(pl.String)
        return np.column_stack([(column == value).fill_null(False).to_numpy() for value in self.values]).astype(float)


@dataclass(frozen=True)
class _Vector:
    name: str
    width: int

    @classmethod
    def learn(cls, column: pl.Series) -> _Vector | None:
        lengths = _as_list(column).list.len().drop_nulls().unique().to_list()
        if len(lengths) != 1:
            return None
        return cls(column.name, int(lengths[0]))

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        rows: list[Any] = _as_list(frame.get_column(self.name)).to_list()
        dense = np.zeros((len(rows), self.width), dtype=np.float32)
        for place, row in enumerate(rows):
            if row is None:
                continue
            if len(row) != self.width:
                raise ValueError(f"Column {self.name!r} held {self.width} numbers a row, row {place} has {len(row)}.")
            dense[place] = row
        return np.nan_to_num(dense)


def _as_list(column: pl.Series) -> pl.Series:
    import polars as pl

    dtype = column.dtype
    return column.arr.to_list() if isinstance(dtype, pl.Array) else column
