"""Unique rows of votes with their counts.

Ten million posts under forty rules share some hundred thousand patterns of votes: label models are fitted on those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray, VoteArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


WORD = 64


@dataclass(frozen=True, eq=False)
class Patterns:
    """Unique patterns of votes, with the gold class as part of the pattern.

    Attributes
    ----------
    values
        Class positions, shape (u, m); -1 abstains.
    counts
        How many items show each pattern, shape (u,).
    gold
        Known class positions, shape (u,); -1 unknown.
    k
        Number of classes.
    inverse
        Pattern of each item, shape (n,); None once patterns of several batches were joined.
    """

    values: VoteArray
    counts: FloatArray
    gold: IntArray
    k: int
    inverse: IntArray | None = None

    @staticmethod
    def of(values: VoteArray, gold: IntArray | None, k: int) -> "Patterns":
        """Patterns of votes (n, m) for k classes, and of the known classes (n,), -1 where unknown.

        Examples
        --------
        >>> found = Patterns.of(np.array([[0, 1], [-1, 1], [0, 1]]), None, 2)
        >>> found.values.tolist(), found.counts.tolist()
        ([[-1, 1], [0, 1]], [1.0, 2.0])
        """
        known = np.full(len(values), NO_VOTE, np.int64) if gold is None else gold
        return _unique(values, known, np.ones(len(values)), k, keep_inverse=True)

    @staticmethod
    def concat(parts: Sequence["Patterns"]) -> "Patterns":
        """Join the patterns of several batches of the same sources.

        Examples
        --------
        >>> one = Patterns.of(np.array([[0, 1], [-1, 1]]), None, 2)
        >>> Patterns.concat([one, one]).counts.tolist()
        [2.0, 2.0]
        """
        return _unique(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.gold for part in parts]),
            np.concatenate([part.counts for part in parts]),
            parts[0].k,
            keep_inverse=False,
        )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def voted(self) -> BoolArray:
        """Where anybody voted, shape (u,)."""
        return np.asarray(self.class_counts.sum(axis=1) > 0)

    @property
    def known(self) -> BoolArray:
        """Where the gold class is known, shape (u,)."""
        return np.asarray(self.gold != NO_VOTE)

    @cached_property
    def one_hot(self) -> "csr_array":
        """Votes as ones, sparse, shape (u, m * k): column ``j * k + l`` where source j votes for class l."""
        from scipy.sparse import csr_array

        rows, columns = np.nonzero(self.values != NO_VOTE)
        places = columns * self.k + self.values[rows, columns]
        shape = (len(self), self.values.shape[1] * self.k)
        return csr_array((np.ones(len(rows)), (rows, places)), shape=shape)

    @cached_property
    def class_counts(self) -> IntArray:
        """Votes for each class, shape (u, k)."""
        return class_counts(self.values, self.k)


def class_counts(values: VoteArray, k: int) -> IntArray:
    """Count the votes for each class in each row.

    Examples
    --------
    >>> class_counts(np.array([[0, 1, 1, -1]]), 3)
    array([[1, 2, 0]])
    """
    n, m = values.shape
    if k > 8:
        counts = np.zeros((n, k), dtype=np.int64)
        for column in values.T:
            rows = np.flatnonzero(column != NO_VOTE)
            counts[rows, column[rows]] += 1
        return counts
    # Adding bytes is several times faster than adding integers; they overflow beyond 255 sources.
    small = np.zeros((k, n), dtype=np.uint8 if m < 256 else np.uint32)
    for column in values.T:
        for position in range(k):
            small[position] += (column == position).view(np.uint8)
    return small.T.astype(np.int64)


def _unique(values: VoteArray, gold: IntArray, weights: FloatArray, k: int, *, keep_inverse: bool) -> Patterns:
    """Find the unique rows of votes and gold, in an order that depends on their content alone."""
    words = _pack([*values.T, gold], len(values), k)
    if len(words) == 1:
        _, first, inverse = np.unique(words[0], return_index=True, return_inverse=True)
    else:
        _, first, inverse = np.unique(_mix(words), return_index=True, return_inverse=True)
        if any(not np.array_equal(word, word[first][inverse]) for word in words):
            _, first, inverse = np.unique(np.stack(words, axis=1), axis=0, return_index=True, return_inverse=True)
            inverse = inverse.ravel()
    counts = np.bincount(inverse, weights=weights, minlength=len(first)).astype(np.float64)
    return Patterns(
        np.ascontiguousarray(values[first]), counts, gold[first], k, inverse.astype(np.int64) if keep_inverse else None
    )


def _pack(columns: Sequence[np.ndarray[Any, Any]], n: int, k: int) -> list[np.ndarray[Any, np.dtype[np.uint64]]]:
    """Write each row of positions as a few 64-bit words: equal rows, equal words."""
    bits = max(int(k).bit_length(), 1)
    per_word = WORD // bits
    words = []
    for start in range(0, len(columns), per_word):
        word = np.zeros(n, dtype=np.uint64)
        for column in columns[start : start + per_word]:
            word <<= np.uint64(bits)
            word |= (column + np.int64(1)).astype(np.uint64)
        words.append(word)
    return words


def _mix(words: Sequence[np.ndarray[Any, np.dtype[np.uint64]]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Hash several words into one (the finalizer of splitmix64)."""
    mixed = np.zeros(len(words[0]), dtype=np.uint64)
    for word in words:
        mixed = splitmix(mixed ^ word)
    return mixed


def splitmix(value: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Scatter 64-bit numbers evenly: the same number always lands in the same place.

    References
    ----------
    Steele, Lea and Flood (2014). Fast splittable pseudorandom number generators. OOPSLA.
    """
    mixed = value + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
