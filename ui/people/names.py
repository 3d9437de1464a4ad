"""What people are called on the pages."""

from __future__ import annotations

import polars as pl

ERASED = "erased"
"""How somebody is shown whose name was erased."""


def labels(people: pl.DataFrame, *, erased: bool = False) -> dict[str, str]:
    """Return of each person, by UUID, what to call them in a menu, no two alike; without those who were erased.

    Examples
    --------
    >>> people = pl.DataFrame({"person": ["a7", "b8", "c9"], "name": ["ann", "ann", None]})
    >>> labels(people, erased=True)
    {'a7': 'ann (a7)', 'b8': 'ann (b8)', 'c9': 'erased (c9)'}
    """
    names = people["name"].to_list()
    found: dict[str, str] = {}
    for person, name in people.select("person", "name").iter_rows():
        if name is None and not erased:
            continue
        alone = name is not None and names.count(name) == 1
        label = name if alone else f"{name or ERASED} ({person[:8]})"
        found[person] = label if label not in found.values() else f"{label} ({person})"
    return found
