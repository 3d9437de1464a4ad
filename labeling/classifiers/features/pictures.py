"""Features of pictures: small grey copies, in which shapes survive and noise does not."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

    from labeling.classifiers.features.text import FloatArray


@dataclass(frozen=True)
class PictureFeatures:
    """Each picture as `side` x `side` grey or colour values in [0, 1]; missing ones and such that cannot be read are 0.

    Nothing is learned from the items, so nothing can leak from a hold-out.

    Attributes
    ----------
    name
        The column of bytes it reads.
    side
        Pixels a side.
    colour
        Red, then green, then blue, instead of grey.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"picture": [None]}, schema={"picture": pl.Binary})
    >>> PictureFeatures("picture").transform(frame).shape
    (1, 256)
    """

    name: str
    side: int = 16
    colour: bool = False

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        """(n, side * side) float32, three times that in colour."""
        column = frame.get_column(self.name).to_list()
        dense = np.zeros((len(column), self.side * self.side * (3 if self.colour else 1)), dtype=np.float32)
        for row, content in enumerate(column):
            if content:
                dense[row] = small(content, self.side, colour=self.colour)
        return dense


@dataclass(frozen=True)
class PixelFeatures:
    """A column of lists of pixel values, scaled to [0, 1]; missing rows are 0.

    Attributes
    ----------
    name
        The column.
    width
        Values a picture.
    low, high
        Smallest and largest value seen where it was learned.
    """

    name: str
    width: int
    low: float
    high: float

    @classmethod
    def learn(cls, column: pl.Series, *, channels: int = 1) -> PixelFeatures:
        """Learn the range of the values.

        Raises
        ------
        ValueError
            The lists differ in length, or hold no square pictures.
        """
        lists = _lists(column)
        lengths = lists.list.len().drop_nulls().unique().to_list()
        side = math.isqrt(int(lengths[0]) // channels) if len(lengths) == 1 else 0
        if not side or side * side * channels != lengths[0]:
            found = ", ".join(str(length) for length in sorted(lengths)[:3]) or "none"
            raise ValueError(
                f"Column {column.name!r} holds no square pictures of one size with {channels} channels: "
                f"lengths of its lists are {found}."
            )
        values = lists.explode().drop_nulls().to_numpy()
        return cls(column.name, int(lengths[0]), float(values.min()), float(values.max()))

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        """(n, width) float32."""
        dense = np.full((frame.height, self.width), self.low, dtype=np.float32)
        for place, row in enumerate(_lists(frame.get_column(self.name)).to_list()):
            if row is None:
                continue
            if len(row) != self.width:
                raise ValueError(f"Column {self.name!r} held {self.width} values a row, row {place} has {len(row)}.")
            dense[place] = row
        return (np.nan_to_num(dense) - np.float32(self.low)) / np.float32(self.high - self.low or 1.0)


def _lists(column: pl.Series) -> pl.Series:
    import polars as pl

    return column.arr.to_list() if isinstance(column.dtype, pl.Array) else column


def picture_column(schema: Mapping[str, pl.DataType], column: str | None) -> str:
    """The column of pictures: the one named, else the only one of bytes.

    Raises
    ------
    ValueError
        There is no such column, it holds no pictures, or none is named and there are several.
    """
    import polars as pl

    columns = ", ".join(schema) or "none"
    if column is None:
        found = [name for name, dtype in schema.items() if dtype == pl.Binary]
        if len(found) == 1:
            return found[0]
        many = f"several columns of pictures ({', '.join(found)})" if found else f"no column of pictures (of {columns})"
        raise ValueError(f"There are {many}. Name one: PictureClassifier(column=...).")
    if column not in schema:
        raise ValueError(f"No column {column!r} (columns: {columns}).")
    dtype = schema[column]
    if dtype != pl.Binary and not (isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric()):
        raise ValueError(f"Column {column!r} holds {dtype}, no pictures: bytes, or lists of pixel values.")
    return column


def grey(content: bytes, side: int) -> npt.NDArray[np.float32]:
    """(side * side,) a picture as grey values in [0, 1]; zeros where it cannot be read."""
    return small(content, side, colour=False)


def small(content: bytes, side: int, *, colour: bool) -> npt.NDArray[np.float32]:
    """(channels * side * side,) a picture as values in [0, 1]; zeros where it cannot be read."""
    from PIL import Image

    from labeling.formats.reading.pictures import FORMATS, check_image

    try:
        check_image(content)
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            copy = picture.convert("RGB" if colour else "L").resize((side, side), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError):
        # What was imported was checked; a picture cut short shows only when all of it is read.
        return np.zeros(side * side * (3 if colour else 1), dtype=np.float32)
    pixels = np.asarray(copy, dtype=np.float32) / np.float32(255.0)
    return (pixels.transpose(2, 0, 1) if colour else pixels).ravel()
