"""Two labeling functions side by side: which votes were gained, lost, flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.arrays import NO_VOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = 10

CHANGES = ("gained", "lost", "flipped")


@dataclass(frozen=True)
class FunctionComparison:
    """What changes from an old function to a new one, in items.

    Attributes
    ----------
    gained, lost, flipped
        Items on which only the new one votes, only the old one, both but for
        different classes.
    same
        Items on which both cast the same vote.
    old_accuracy, new_accuracy
        On items with development gold that the function votes on; None without any.
    examples
        Up to ten items a change: change, before, after, gold, and the items' columns.
    """

    gained: int
    lost: int
    flipped: int
    same: int
    old_accuracy: float | None
    new_accuracy: float | None
    examples: pl.DataFrame

    def __str__(self) -> str:
        return f"{self.gained:,} gained, {self.lost:,} lost, {self.flipped:,} flipped, {self.same:,} the same"


def compare_votes(
    old: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
    gold: npt.NDArray[np.int64],
    frame: pl.DataFrame,
    labels: Sequence[str],
) -> FunctionComparison:
    """Compare two columns of votes (n,) on the items of `frame`, n rows.

    Examples
    --------
    >>> frame = pl.DataFrame({"item_id": [1, 2, 3, 4]})
    >>> votes = np.array([0, -1, 1, -1]), np.array([1, 0, 1, -1])
    >>> str(compare_votes(*votes, np.array([1, -1, -1, -1]), frame, ["ok", "offensive"]))
    '1 gained, 0 lost, 1 flipped, 1 the same'
    """
    before, after = old != NO_VOTE, new != NO_VOTE
    where = {"gained": ~before & after, "lost": before & ~after, "flipped": before & after & (old != new)}
    names = np.array([*labels, None], dtype=object)
    parts = []
    for change in CHANGES:
        rows = np.flatnonzero(where[change])[:EXAMPLES]
        columns = {name: pl.Series(names[votes[rows]].tolist(), dtype=pl.String) for name, votes in
                   (("before", old), ("after", new), ("gold", gold))}  # fmt: skip
        own = frame[rows].rename({name: f"item:{name}" for name in frame.columns if name in (*columns, "change")})
        parts.append(own.select(pl.lit(change).alias("change"), *(s.alias(n) for n, s in columns.items()), pl.all()))
    return FunctionComparison(
        gained=int(where["gained"].sum()),
        lost=int(where["lost"].sum()),
        flipped=int(where["flipped"].sum()),
        same=int((before & after & (old == new)).sum()),
        old_accuracy=_accuracy(old, gold),
        new_accuracy=_accuracy(new, gold),
        examples=pl.concat(parts, how="vertical"),
    )


def _accuracy(votes: npt.NDArray[np.int64], gold: npt.NDArray[np.int64]) -> float | None:
    judged = (votes != NO_VOTE) & (gold != NO_VOTE)
    return float((votes[judged] == gold[judged]).mean()) if judged.any() else None
