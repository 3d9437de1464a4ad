"""Texts that say almost the same: found exactly, by the rarest of their words and pairs of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.arrays import BoolArray, FloatArray, IntArray
from labeling.store.snapshots import cached
from labeling.store.texts.words import HashArray, hashed_words

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.items import Items

SIMILAR = 0.8
"""Texts are near-duplicates that share at least this much of all words and pairs of words they have."""

LISTED = 32
"""Texts that share a rare word are all compared with each other up to so many, else with so many neighbours."""

_ROWS = 50_000
_PAIRS = 200_000
_TOKEN_BITS = 44
_LEVEL_BITS = 5
_COUNTERS = 24
_TOKEN_MASK = np.uint64((1 << _TOKEN_BITS) - 1)
_COUNTER_SHIFT = np.uint64(_TOKEN_BITS - _COUNTERS)


@dataclass(frozen=True)
class Tokens:
    """Words and pairs of adjacent words of each text, as hashes.

    `words` are the hashes of all words in order, those of text i at `starts[i]:starts[i + 1]`.
    """

    words: HashArray
    starts: IntArray

    @classmethod
    def of(cls, texts: pl.Series, executor: Engine = None) -> Tokens:
        """Read texts, where an executor runs; case, punctuation and addresses of web pages do not count."""
        return cls(*hashed_words(texts, executor))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: IntArray) -> tuple[IntArray, HashArray, IntArray]:
        """Return the words of some texts: which of `rows`, the hash, the place in the text."""
        counts = self.starts[rows + 1] - self.starts[rows]
        owner = np.repeat(np.arange(len(rows)), counts)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return owner, self.words[self.starts[rows][owner] + place], place

    def bag(self, rows: IntArray) -> tuple[IntArray, HashArray]:
        """Return words and pairs of words of some texts: which of `rows`, and a hash of `_TOKEN_BITS` bits."""
        owner, words, _ = self.take(rows)
        same = owner[1:] == owner[:-1]
        pairs = _mixed(words[:-1][same] * np.uint64(3) + _mixed(words[1:][same]))
        hashes = np.concatenate([words, pairs]) >> np.uint64(64 - _TOKEN_BITS)
        return np.concatenate([owner, owner[1:][same]]), hashes

    def sets(self, rows: IntArray) -> tuple[IntArray, HashArray]:
        """Return `bag`, sorted by text and hash, each once."""
        owner, hashes = self.bag(rows)
        # One key sorts faster than two.
        key = np.sort((owner.astype(np.uint64) << np.uint64(_TOKEN_BITS)) | hashes)
        key = key[_changes(key)]
        return (key >> np.uint64(_TOKEN_BITS)).astype(np.int64), key & _TOKEN_MASK


def _changes(values: npt.NDArray[np.generic]) -> BoolArray:
    """(n,) true for the first of each run of equal values."""
    return np.concatenate([np.ones(min(len(values), 1), dtype=bool), values[1:] != values[:-1]])


@dataclass(frozen=True)
class NearDuplicates:
    """Groups of texts that say almost the same.

    Attributes
    ----------
    group
        (n,) integers: texts of one group share one, which is the row of its first text; -1 alone.
    tokens
        What the texts were compared by.
    """

    group: IntArray
    tokens: Tokens

    @cached_property
    def _members(self) -> tuple[IntArray, IntArray]:
        rows = np.flatnonzero(self.group >= 0)
        rows = rows[np.argsort(self.group[rows], kind="stable")]
        return self.group[rows], rows

    def alike(self, row: int, similar: float = SIMILAR) -> list[tuple[int, float]]:
        """Return the near-duplicates of one text with their similarity, the most similar first."""
        return self.alike_each(np.array([row]), np.ones(len(self.group), dtype=bool), similar)[0]

    def alike_each(
        self, rows: IntArray, among: BoolArray, similar: float = SIMILAR, most: int | None = None
    ) -> list[list[tuple[int, float]]]:
        """Return the near-duplicates of each of some texts, as `alike` does, of those that (n,) `among` marks.

        Where `most` is given, the most similar so many of each.
        """
        groups, members = self._members
        left, right = (np.searchsorted(groups, self.group[rows], side) for side in ("left", "right"))
        counts = np.where(self.group[rows] >= 0, right - left, 0)
        asked = np.repeat(np.arange(len(rows)), counts)
        others = members[np.repeat(left - (np.cumsum(counts) - counts), counts) + np.arange(len(asked))]
        wanted = among[others] & (others != rows[asked])
        asked, others = asked[wanted], others[wanted]
        found = similarity(self.tokens, rows[asked], others)
        near = np.flatnonzero(found >= similar - 1e-9)
        near = near[np.lexsort((others[near], -found[near], asked[near]))]
        if most is not None:
            owner = asked[near]
            near = near[np.arange(len(near)) - np.searchsorted(owner, owner) < most]
        likes: list[list[tuple[int, float]]] = [[] for _ in rows]
        for place in near:
            likes[asked[place]].append((int(others[place]), float(found[place])))
        return likes


def near_duplicates(texts: pl.Series, similar: float = SIMILAR, executor: Engine = None) -> NearDuplicates:
    """Group texts that share `similar` of the words and pairs of adjacent words that they have (Jaccard).

    Whatever is linked by such pairs is one group. A pair can only be that similar if the two share one of
    their rarest tokens (prefix filtering), so that only such pairs are compared: nothing is missed by
    chance. Where more than `LISTED` texts share a token, each is compared with the first and with its
    neighbours in the order of their words.

    Parameters
    ----------
    texts
        (n,) texts; empty ones, and such without a word, are alike to nothing.
    similar
        In (0.5, 1].
    executor
        Where the texts are taken apart, slice by slice; what they share is found here.

    References
    ----------
    Chaudhuri, Ganti and Kaushik (2006). A primitive operator for similarity joins in data cleaning. ICDE.

    Examples
    --------
    >>> texts = pl.Series(["Win a free phone now!", "win a free phone NOW", "see you at the office tomorrow"])
    >>> near_duplicates(texts).group.tolist()
    [0, 0, -1]
    """
    if not 0.5 < similar <= 1.0:
        raise ValueError(f"similar must lie above 0.5 and be at most 1, got {similar!r}.")
    tokens = Tokens.of(texts, executor)
    first = _equal_texts(tokens)
    copies = np.flatnonzero(first != np.arange(len(first)))
    links = [(copies, first[copies])]
    if similar < 1.0:
        words = np.diff(tokens.starts)
        links += list(_similar_pairs(tokens, np.flatnonzero((first == np.arange(len(first))) & (words > 1)), similar))
    return NearDuplicates(_components(len(tokens), links), tokens)


def similarity(tokens: Tokens, left: IntArray, right: IntArray) -> FloatArray:
    """(p,) what pairs of texts share of all tokens they have (Jaccard); 0 where they have none."""
    found = np.zeros(len(left))
    for top in range(0, len(left), _PAIRS):
        a, b = left[top : top + _PAIRS], right[top : top + _PAIRS]
        rows, place = np.unique(np.concatenate([a, b]), return_inverse=True)
        sets = _binary(tokens, rows)
        one, two = sets[place[: len(a)]], sets[place[len(a) :]]
        shared = np.asarray(one.multiply(two).sum(axis=1)).ravel()
        whole = np.diff(one.indptr) + np.diff(two.indptr) - shared
        found[top : top + _PAIRS] = np.divide(shared, whole, out=np.zeros(len(a)), where=whole > 0)
    return found


def _binary(tokens: Tokens, rows: IntArray) -> Any:
    """(rows, tokens) 1 where a text has a token."""
    from scipy.sparse import csr_array

    parts = [tokens.sets(rows[top : top + _ROWS]) for top in range(0, len(rows), _ROWS)]
    sizes = [min(_ROWS, len(rows) - top) for top in range(0, len(rows), _ROWS)]
    counts = np.concatenate([np.bincount(part[0], minlength=size) for part, size in zip(parts, sizes, strict=True)])
    hashes = np.concatenate([hashes for _, hashes in parts]).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    matrix = csr_array((np.ones(len(hashes), dtype=np.int32), hashes, indptr), shape=(len(rows), 1 << _TOKEN_BITS))
    # Each row is sorted and holds each token once; without that scipy would want memory for every column.
    matrix.has_canonical_format = True
    return matrix


def _mixed(hashes: HashArray) -> HashArray:
    """Hashes whose bits depend on all bits of the given ones (splitmix64)."""
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))


def _equal_texts(tokens: Tokens) -> IntArray:
    """(n,) the first text with the very same words in the same order; itself where there is none."""
    n = len(tokens)
    sums = np.zeros(n, dtype=np.uint64)
    for top in range(0, n, _ROWS):
        rows = np.arange(top, min(top + _ROWS, n))
        _, words, place = tokens.take(rows)
        totals = np.cumsum(_mixed(words + place.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)), dtype=np.uint64)
        totals = np.concatenate([np.zeros(1, dtype=np.uint64), totals])
        ends = tokens.starts[rows + 1] - tokens.starts[top]
        sums[rows] = totals[ends] - totals[tokens.starts[rows] - tokens.starts[top]]
    order = np.argsort(sums, kind="stable")
    starts = _changes(sums[order])
    first = np.empty(n, dtype=np.int64)
    first[order] = order[starts][np.cumsum(starts) - 1]
    silent = np.flatnonzero(np.diff(tokens.starts) == 0)
    first[silent] = silent
    return first


def _similar_pairs(tokens: Tokens, rows: IntArray, similar: float) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pairs of texts that are similar enough."""
    if not len(rows):
        return
    rare = _Rare.of(tokens, rows, similar)
    pairs = _candidates(rare.owner, rare.token, len(rows), lambda a, b: rare.may_be_similar(a, b, similar))
    for top in range(0, len(pairs), _PAIRS):
        left, right = rows[pairs[top : top + _PAIRS]].T
        close = similarity(tokens, left, right) >= similar - 1e-9
        yield left[close], right[close]


@dataclass(frozen=True)
class _Rare:
    """The rarest tokens of each text, and what tells cheaply that two texts cannot be similar.

    Two texts are similar only if they share a token of these. `bits` are 128 that the tokens of a text set:
    bits that differ count tokens that differ, some of them together, so that what is ruled out is so for sure.
    """

    owner: IntArray
    token: HashArray
    sizes: IntArray
    bits: HashArray

    @classmethod
    def of(cls, tokens: Tokens, rows: IntArray, similar: float) -> _Rare:
        """Read the tokens of `rows`; owners are places in these, sorted by token."""
        level = _levels(tokens, rows)
        sizes, bits = np.zeros(len(rows), dtype=np.int64), np.zeros((2, len(rows)), dtype=np.uint64)
        shift, found = np.uint64(_TOKEN_BITS - _LEVEL_BITS), []
        for top in range(0, len(rows), _ROWS):
            owner, hashes = tokens.bag(rows[top : top + _ROWS])
            # Any order of the tokens will do that is the same in all texts: rare before frequent, then by hash.
            ranked = (level(hashes) << shift) | (hashes >> np.uint64(_LEVEL_BITS))
            key = np.sort((owner.astype(np.uint64) << np.uint64(_TOKEN_BITS)) | ranked)
            key = key[_changes(key)]
            owner, ranked = (key >> np.uint64(_TOKEN_BITS)).astype(np.int64), key & _TOKEN_MASK
            starts = np.flatnonzero(_changes(owner))
            size = np.diff(np.append(starts, len(key)))
            sizes[top : top + len(size)] = size
            bit = np.uint64(1) << (ranked & np.uint64(63))
            upper = (ranked & np.uint64(64)) > 0
            bits[0, top : top + len(size)] = np.bitwise_or.reduceat(bit * ~upper, starts)
            bits[1, top : top + len(size)] = np.bitwise_or.reduceat(bit * upper, starts)
            prefix = size - np.ceil(similar * size - 1e-9).astype(np.int64) + 1
            # Tokens of level 0 nobody else has.
            kept = (np.arange(len(key)) < np.repeat(starts + prefix, size)) & ((ranked >> shift) > 0)
            found.append((top + owner[kept], ranked[kept]))
        owners, ranked = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(ranked, kind="stable")
        return cls(owners[order], ranked[order], sizes, bits)

    def may_be_similar(self, a: IntArray, b: IntArray, similar: float) -> BoolArray:
        """(p,) false where the texts share less than `similar` of their tokens."""
        apart = np.abs(self.sizes[a] - self.sizes[b])
        differ = sum(np.bitwise_count(half[a] ^ half[b]).astype(np.int64) for half in self.bits)
        most = (1.0 - similar) / (1.0 + similar) * (self.sizes[a] + self.sizes[b]) + 1e-9
        return np.asarray(np.maximum(apart, differ) <= most)


def _levels(tokens: Tokens, rows: IntArray) -> Callable[[HashArray], HashArray]:
    """Return how frequent tokens are by their hashes, by powers of two; 0 means that a token occurs once."""
    blocks = (tokens.bag(rows[top : top + 5 * _ROWS])[1] >> _COUNTER_SHIFT for top in range(0, len(rows), 5 * _ROWS))
    # Few texts have few counters: to make all of them would take longer than all else.
    few = int(np.diff(tokens.starts)[rows].sum()) < (1 << _COUNTERS) // 16
    counters, counts = np.zeros(0, dtype=np.uint64), np.zeros(0 if few else 1 << _COUNTERS, dtype=np.int64)
    if few:
        counters, counts = np.unique(np.concatenate(list(blocks)), return_counts=True)
    for block in blocks:
        counts += np.bincount(block.astype(np.int64), minlength=len(counts))
    level = np.frexp(np.maximum(counts - 1, 0).astype(np.float32))[1].astype(np.uint64)
    if few:
        return lambda hashes: level[np.searchsorted(counters, hashes >> _COUNTER_SHIFT)]
    return lambda hashes: level[(hashes >> _COUNTER_SHIFT).astype(np.int64)]


def _candidates(owner: IntArray, token: HashArray, n: int, keep: Callable[[IntArray, IntArray], BoolArray]) -> IntArray:
    """(p, 2) pairs of owners that share a token and are kept; each pair once, lower one first."""
    count = len(owner)
    starts = np.flatnonzero(_changes(token))
    length = np.diff(np.append(starts, count))
    first = np.repeat(starts, length)
    found = [np.zeros(0, dtype=np.int64)]

    def add(here: IntArray, there: IntArray) -> None:
        a, b = owner[here], owner[there]
        kept = keep(a, b)
        found.append(np.minimum(a, b)[kept] * np.int64(n) + np.maximum(a, b)[kept])

    for step in range(1, min(LISTED, int(length.max(initial=1)) - 1) + 1):
        here = np.flatnonzero(first[: count - step] == first[step:])
        add(here, here + step)
    far = np.flatnonzero(np.arange(count) - first > LISTED)
    add(first[far], far)
    key = np.sort(np.concatenate(found))
    key = key[_changes(key)]
    return np.column_stack([key // n, key % n])


def _components(n: int, links: list[tuple[IntArray, IntArray]]) -> IntArray:
    """(n,) the first row of each row's connected component, -1 for those alone."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = (np.concatenate(column) for column in zip(*links, strict=True))
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    number = connected_components(graph, directed=False)[1]
    first = np.full(int(number.max(initial=-1)) + 1, n, dtype=np.int64)
    np.minimum.at(first, number, np.arange(n))
    group = first[number]
    return np.where(np.bincount(number, minlength=len(first))[number] == 1, -1, group).astype(np.int64)


def joined(n: int, groupings: Sequence[IntArray]) -> IntArray:
    """(n,) one group for whatever is linked by a group of any grouping; it is named by its first row.

    Examples
    --------
    >>> joined(5, [np.array([0, 0, -1, -1, -1]), np.array([-1, 7, 7, -1, -1])]).tolist()
    [0, 0, 0, 3, 4]
    """
    links = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    for group in groupings:
        rows = np.flatnonzero(group >= 0)
        rows = rows[np.argsort(group[rows], kind="stable")]
        same = group[rows[1:]] == group[rows[:-1]]
        links.append((rows[1:][same], rows[:-1][same]))
    group = _components(n, links)
    return np.where(group < 0, np.arange(n), group)


def near_duplicates_of(items: Items, executor: Engine = None) -> NearDuplicates | None:
    """Return the near-duplicates among a project's texts, rows in item order; None where there is no text.

    They are kept in this process while the items stand.
    """
    text = items.columns().named("text")
    if text is None:
        return None

    def make() -> NearDuplicates:
        return near_duplicates(items.frame()[text], executor=executor)

    return cached(items.project, "near-duplicates", items.version, make)


def near_groups(items: Items, executor: Engine = None) -> Callable[[], IntArray] | None:
    """Return how to get (n,) the group of near-duplicates of each item, -1 for none; None without texts."""
    if items.columns().named("text") is None:
        return None

    def groups() -> IntArray:
        near = near_duplicates_of(items, executor)
        return np.zeros(0, dtype=np.int64) if near is None else near.group

    return groups


def together(items: Items, executor: Engine = None) -> IntArray:
    """Return (n,) which items are never parted, by their first row: those of a group, and near-duplicates."""
    frame, own, near = items.frame(), items.columns().named("group"), near_duplicates_of(items, executor)
    parts = [] if near is None else [near.group]
    if own is not None:
        parts.append((frame[own].rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy())
    return joined(frame.height, parts)
