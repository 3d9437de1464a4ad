"""Features of pictures: small grey copies, in which shapes survive and noise does not."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

    from labeling.features import FloatArray


@dataclass(frozen=True)
class PictureFeatures:
    """Each picture as `side` x `side` grey values in [0, 1]; missing ones and such that cannot be read are 0.

    Nothing is learned from the items, so nothing can leak from a hold-out.

    Attributes
    ----------
    name
        The column of bytes it reads.
    side
        Pixels a side.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"picture": [None]}, schema={"picture": pl.Binary})
    >>> PictureFeatures("picture").transform(frame).shape
    (1, 256)
    """

    name: str
    side: int = 16

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        """(n, side * side) float32."""
        column = frame.get_column(self.name).to_list()
        dense = np.zeros((len(column), self.side * self.side), dtype=np.float32)
        for row, content in enumerate(column):
            if content:
                dense[row] = grey(content, self.side)
        return dense


def grey(content: bytes, side: int) -> npt.NDArray[np.float32]:
    """(side * side,) a picture as grey values in [0, 1]; zeros where it cannot be read."""
    from PIL import Image

    from labeling.images import check_image

    try:
        check_image(content)
        with Image.open(io.BytesIO(content)) as picture:
            small = picture.convert("L").resize((side, side), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError):
        # What was imported was checked; a picture cut short shows only when all of it is read.
        return np.zeros(side * side, dtype=np.float32)
    return np.asarray(small, dtype=np.float32).ravel() / np.float32(255.0)
