"""Class distributions as a refit keeps them: two bytes a number, in compressed blocks of items."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from labeling.arrays import BLOCK, FloatArray, IntArray, inflate, pack, unpack
from storage.records import RefitBlock

MODEL, FOLDS = "model", "folds"


def dump(proba: npt.NDArray[np.floating]) -> bytes:
    """Compress (n, k) distributions; rows of nan are kept as such.

    High and low bytes are kept apart: the high ones repeat, and compress.
    """
    halves = np.ascontiguousarray(proba, dtype="<f2")
    return zlib.compress(np.ascontiguousarray(halves.view(np.uint8).reshape(-1, 2).T).tobytes(), 1)


def load(data: bytes, k: int) -> FloatArray:
    """(n, k) the distributions that `dump` compressed; rows sum to 1, or are nan.

    A half has three digits, few for what is almost certain: the largest number of a row is what the others leave.

    Examples
    --------
    >>> load(dump(np.array([[0.99995, 0.00005], [0.25, 0.75]])), 2).round(6)
    array([[9.9995e-01, 5.0000e-05],
           [2.5000e-01, 7.5000e-01]])
    """
    planes = np.frombuffer(inflate(data), dtype=np.uint8).reshape(2, -1)
    proba = np.ascontiguousarray(planes.T).view("<f2").reshape(-1, k).astype(np.float64)
    rows, best = np.arange(len(proba)), proba.argmax(axis=1) if len(proba) else np.zeros(0, dtype=np.int64)
    proba[rows, best] = 0.0
    rest = proba.sum(axis=1)
    proba[rows, best] = np.maximum(1.0 - rest, proba.max(axis=1, initial=0.0))
    proba[np.isnan(rest)] = np.nan
    normalized: FloatArray = proba / proba.sum(axis=1, keepdims=True)
    return normalized


def in_pieces(proba: npt.NDArray[np.floating]) -> list[tuple[int, bytes]]:
    """Return the distributions of up to 65,536 rows at a time: how many rows, and their bytes."""
    parts = (proba[start : start + BLOCK] for start in range(0, len(proba), BLOCK))
    return [(len(part), dump(part)) for part in parts]


def blocks(kind: str, ids: IntArray, pieces: Iterable[tuple[int, bytes]]) -> list[RefitBlock]:
    """Return the blocks of distributions in item order, given as numbers of rows and their bytes."""
    made, start = [], 0
    for number, (rows, data) in enumerate(pieces):
        made.append(RefitBlock(kind, number, pack(ids[start : start + rows], "<i8"), data))
        start += rows
    return made


def read(
    found: Sequence[RefitBlock], kind: str, label_ids: Sequence[int], positions: Mapping[int, int], k: int
) -> tuple[IntArray, FloatArray] | None:
    """(n,) items and (n, k) distributions over the classes of now; None where there are no such blocks.

    Parameters
    ----------
    found, kind
        Blocks of a refit, and which of them to read.
    label_ids
        The classes that the refit knew, in its order.
    positions, k
        Where each class of now is, and how many there are. What was said of a class that is no more is left out.
    """
    own = [block for block in found if block.kind == kind]
    if not own:
        return None
    ids = np.concatenate([unpack(block.item_ids, "<i8") for block in own])
    then = np.concatenate([load(block.probabilities, len(label_ids)) for block in own])
    proba = np.zeros((len(ids), k))
    for column, label_id in enumerate(label_ids):
        if label_id in positions:
            proba[:, positions[label_id]] += then[:, column]
    total = proba.sum(axis=1, keepdims=True)
    return ids, np.divide(proba, total, out=np.full_like(proba, np.nan), where=total > 0)
