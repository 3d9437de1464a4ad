"""Arrays as the ledger keeps them: little-endian, compressed, in blocks of item ids."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 65_536
"""Item ids a block: block b holds the items b * BLOCK up to, not including, (b + 1) * BLOCK."""

NOT_RUN = -2
"""In stored votes: the function never saw the item. -1 is an abstain."""

NO_LABEL = -1


def pack(values: npt.NDArray[Any], dtype: str) -> bytes:
    """Compress an array; `dtype` is a numpy type with its byte order, such as "<i2"."""
    return zlib.compress(np.ascontiguousarray(values, dtype=np.dtype(dtype)).tobytes(), 1)


def unpack(data: bytes, dtype: str) -> npt.NDArray[Any]:
    """Return the array that `pack` compressed, flat.

    Examples
    --------
    >>> unpack(pack(np.array([3, -1]), "<i2"), "<i2")
    array([ 3, -1], dtype=int16)
    """
    return np.frombuffer(zlib.decompress(data), dtype=np.dtype(dtype))


def to_positions(ids: npt.NDArray[Any], positions: dict[int, int]) -> npt.NDArray[np.int64]:
    """Map class ids to positions; negative ids stay, ids of no class become -1.

    Examples
    --------
    >>> to_positions(np.array([7, -1, 4]), {4: 0, 7: 1})
    array([ 1, -1,  0])
    """
    top = max([*positions, int(ids.max(initial=0))])
    table = np.full(top + 1, NO_LABEL, dtype=np.int64)
    for id_, position in positions.items():
        table[id_] = position
    return np.where(ids < 0, ids, table[np.maximum(ids, 0)])
