"""Names for the arrays that the engine passes around, and arrays as the ledger keeps them.

``L`` is a label matrix, shape (n items, m sources): class positions 0..k-1,
-1 abstains, int8 up to 127 classes and int16 beyond.
"""

import zlib
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

INT8_CLASSES = 127

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
VoteArray = NDArray[np.signedinteger[Any]]

NO_VOTE = -1
"""In votes and labels: no class. Functions abstain so, label models leave items without a label so."""

BLOCK = 65_536
"""Item ids a block: block b holds the items b * BLOCK up to, not including, (b + 1) * BLOCK."""

NOT_RUN = -2
"""In stored votes: the function never saw the item. -1 is an abstain."""


def vote_dtype(classes: int) -> type[np.int8] | type[np.int16]:
    """Smallest integer type that holds the positions of so many classes.

    Examples
    --------
    >>> vote_dtype(2).__name__, vote_dtype(200).__name__
    ('int8', 'int16')
    """
    if classes > np.iinfo(np.int16).max:
        raise ValueError(f"A label set holds at most {np.iinfo(np.int16).max} classes, got {classes}.")
    return np.int8 if classes <= INT8_CLASSES else np.int16


def pack(values: NDArray[Any], dtype: str) -> bytes:
    """Compress an array; `dtype` is a numpy type with its byte order, such as "<i2"."""
    return zlib.compress(np.ascontiguousarray(values, dtype=np.dtype(dtype)).tobytes(), 1)


def inflate(data: bytes) -> bytes:
    """Return the bytes that were compressed for a database.

    Raises
    ------
    storage.StorageError
        They are damaged; the message names the row.
    """
    try:
        return zlib.decompress(data)
    except zlib.error:
        from storage.transactions import damaged_bytes

        raise damaged_bytes() from None


def unpack(data: bytes, dtype: str) -> NDArray[Any]:
    """Return the array that `pack` compressed, flat.

    Examples
    --------
    >>> unpack(pack(np.array([3, -1]), "<i2"), "<i2")
    array([ 3, -1], dtype=int16)
    """
    return np.frombuffer(inflate(data), dtype=np.dtype(dtype))


def to_positions(ids: NDArray[Any], positions: dict[int, int]) -> NDArray[np.int64]:
    """Map class ids to positions; negative ids stay, ids of no class become -1.

    Examples
    --------
    >>> to_positions(np.array([7, -1, 4]), {4: 0, 7: 1})
    array([ 1, -1,  0])
    """
    top = max([*positions, int(ids.max(initial=0))])
    table = np.full(top + 1, NO_VOTE, dtype=np.int64)
    for id_, position in positions.items():
        table[id_] = position
    return np.where(ids < 0, ids, table[np.maximum(ids, 0)])


def known_where(known: pl.Series, values: NDArray[np.floating]) -> pl.Series:
    """(n,) values, null where nothing is known.

    Examples
    --------
    >>> known_where(pl.Series([True, False]), np.array([0.75, 0.5])).to_list()
    [0.75, None]
    """
    return pl.select(pl.when(known).then(pl.Series(values))).to_series()
