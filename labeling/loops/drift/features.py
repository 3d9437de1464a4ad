"""Features of a stream's records for drift detectors: numbers, choices, words, each by a test that suits it."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labeling.loops.drift.detectors import WINDOW, Change, DriftDetector, Trail

BUCKETS = 256
"""Words are counted by a hash of so many values."""

DIRECTIONS = 8
"""Embeddings are looked at along so many seeded directions."""

LEAST_RECORDS = 10
"""Words in fewer of the records compared are not looked at."""

CHOICES = 50
"""A column of words with more distinct values among the first records is read as text."""

_WORD = re.compile(r"\w+")
Row = Mapping[str, Any]
Values = Sequence[Any]


@dataclass(frozen=True)
class Column:
    """What is compared: the kind is number, choice (whatever can be counted) or unit (a number in [0, 1])."""

    name: str
    kind: str
    reference: Values
    recent: Values


def feature_change(detector: DriftDetector, trail: Trail) -> Change | None:
    """Return the clearest change of a detector over all columns, None where there is none.

    Its level is split over the columns it looks at, so that many columns raise no more false alarms than one.

    Examples
    --------
    >>> from labeling.loops.drift.detectors import KolmogorovSmirnov
    >>> trail = Trail().after([{"price": 1.0 + i % 7, "note": "fine"} for i in range(200)])
    >>> detector = KolmogorovSmirnov(on="features")
    >>> change = feature_change(detector, trail.after([{"price": 9.0, "note": "fine"}] * 200))
    >>> change.column, change.after
    ('price', 9.0)
    """
    if trail.apart <= 0:
        return None
    recent = trail.recent[-trail.apart :]
    units = "unit" in detector.takes
    every = as_units(trail.reference, recent) if units else compared(trail.reference, recent[-WINDOW:])
    columns = [column for column in every if column.kind in detector.takes]
    found = []
    for column in columns:
        change = detector.look(column.reference, column.recent, len(columns))
        if change is not None:
            found.append(replace(change, column=column.name))
    return min(found, key=lambda change: change.p or 0.0, default=None)


def compared(reference: Sequence[Row], recent: Sequence[Row]) -> Iterator[Column]:
    """Yield what two windows of records are compared by: numbers, choices, and each word by whether it is there."""
    for name, first, last in _columns(reference, recent):
        kind = _kind(first, last)
        if kind == "number":
            a, b = _numbers(first), _numbers(last)
            yield Column(name, "number", a.tolist(), b.tolist())
            if not np.isfinite(a).all() or not np.isfinite(b).all():
                yield Column(f"{name} is there", "choice", np.isfinite(a).tolist(), np.isfinite(b).tolist())
        elif kind == "choice":
            yield Column(name, "choice", _texts(first), _texts(last))
        elif kind == "text":
            yield from _words(name, first, last)
        elif kind == "vector":
            a, b = _projected(first, last)
            yield from (Column(f"{name}, direction {d}", "number", a[:, d], b[:, d]) for d in range(a.shape[1]))


def as_units(reference: Sequence[Row], recent: Sequence[Row]) -> Iterator[Column]:
    """Yield each column as numbers in [0, 1], for detectors that go through values one by one.

    Numbers by a logistic curve about the reference; choices by how frequent they were in it; texts by the share of
    their words that were not in it.

    Examples
    --------
    >>> (column,) = as_units([{"text": "a b"}] * 3 + [{"text": f"b {i}"} for i in range(60)], [{"text": "b new words"}])
    >>> column.recent[0]
    0.6666666666666666
    """
    for name, first, last in _columns(reference, recent):
        kind = _kind(first, last)
        if kind == "number":
            known = _numbers(first)
            known = known[np.isfinite(known)]
            mean, deviation = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
            values = np.nan_to_num((_numbers(last) - mean) / deviation)
            yield Column(name, "unit", (), (1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0)))).tolist())
        elif kind == "choice":
            shares = Counter(_texts(first))
            yield Column(name, "unit", (), [shares[value] / len(first) for value in _texts(last)])
        elif kind == "text":
            seen = {word for text in first for word in words_of(text)}
            shares_new = [sum(word not in seen for word in words_of(t)) / max(1, len(words_of(t))) for t in last]
            yield Column(name, "unit", (), shares_new)
        elif kind == "vector":
            a, b = _projected(first, last)
            scaled = (b - a.mean(axis=0)) / np.maximum(a.std(axis=0), 1e-9)
            units = 1.0 / (1.0 + np.exp(-np.clip(scaled, -30.0, 30.0)))
            yield from (Column(f"{name}, direction {d}", "unit", (), units[:, d]) for d in range(units.shape[1]))


def words_of(text: object) -> set[str]:
    """Return the words of a text, in lower case, each once."""
    return set(_WORD.findall(str(text or "").lower()))


def _columns(reference: Sequence[Row], recent: Sequence[Row]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    names = dict.fromkeys(name for rows in (reference, recent) for row in rows for name in row)
    for name in names:
        yield name, [row.get(name) for row in reference], [row.get(name) for row in recent]


def _kind(first: Values, last: Values) -> str | None:
    """Return what a column holds; dates only ever advance, and pictures are not looked at."""
    values = [value for value in (*first, *last) if value is not None]
    if not values:
        return None
    if all(isinstance(value, bool) for value in values):
        return "choice"
    if all(isinstance(value, int | float) for value in values):
        return "number"
    if all(isinstance(value, str) for value in values):
        return "choice" if len({value for value in first if value is not None}) <= CHOICES else "text"
    if all(isinstance(value, list | tuple) and value for value in values):
        width = len(values[0])
        numeric = all(len(value) == width and isinstance(value[0], int | float) for value in values)
        return "vector" if numeric else None
    return None


def _numbers(values: Values) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([math.nan if value is None else float(value) for value in values])


def _texts(values: Values) -> list[str]:
    return ["nothing" if value is None else str(value) for value in values]


def _words(name: str, first: Values, last: Values) -> Iterator[Column]:
    """Yield a column for each hash of words that enough records hold, named by the word that changed most."""
    holds: dict[int, tuple[list[bool], list[bool]]] = defaultdict(lambda: ([False] * len(first), [False] * len(last)))
    change: dict[int, Counter[str]] = defaultdict(Counter)
    for side, texts in enumerate((first, last)):
        for row, text in enumerate(texts):
            for word in words_of(text):
                bucket = zlib.crc32(word.encode()) % BUCKETS
                holds[bucket][side][row] = True
                change[bucket][word] += 2 * side - 1
    for bucket in sorted(holds):
        before, after = holds[bucket]
        if sum(before) + sum(after) >= LEAST_RECORDS:
            word = max(sorted(change[bucket]), key=lambda word: abs(change[bucket][word]))
            yield Column(f"{name}: {word!r}", "choice", before, after)


def _projected(first: Values, last: Values) -> tuple[Any, Any]:
    """(n, directions) both sides along the same seeded directions."""
    width = len(next(value for value in (*first, *last) if value is not None))
    rows = [[[0.0] * width if value is None else value for value in side] for side in (first, last)]
    directions = np.random.default_rng(0).normal(size=(width, min(width, DIRECTIONS)))
    a, b = (np.asarray(side, dtype=np.float64).reshape(-1, width) @ directions for side in rows)
    return a, b
