"""What is kept in this process of a few projects: frames and arrays, each while what it was made of stands."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Snapshots:
    """Frames of a few projects, each kept while the items it was made of stand."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Any:
        """Return what is kept under a key, None if nothing is."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[Any, ...], value: Any) -> None:
        """Keep a value in place of what was kept of an older version."""
        with self._lock:
            # An older state of the same thing will not be asked for again.
            for old in [k for k in self._kept if k[:2] == key[:2]]:
                del self._kept[old]
            self._kept[key] = value
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def drop(self, project: str, what: str) -> None:
        """Keep something of a project no longer, whatever its version."""
        with self._lock:
            for old in [k for k in self._kept if k[:2] == (project, what)]:
                del self._kept[old]


snapshots = Snapshots(24)

tallies = Snapshots(512)
"""Counts, small enough to be kept of many projects."""


def cached(project: str, what: str, version: Any, make: Callable[[], T], kept: Snapshots = snapshots) -> T:
    """Return what `make` makes, kept in this process under a project's place, a name and a version.

    Examples
    --------
    >>> own = Snapshots(2)
    >>> cached("p", "sum", 1, lambda: 2 + 3, own), cached("p", "sum", 1, lambda: 0, own)
    (5, 5)
    >>> cached("p", "sum", 2, lambda: 7, own)
    7
    """
    key = (project, what, version)
    found: T | None = kept.get(key)
    if found is None:
        found = make()
        kept.put(key, found)
    return found
