"""What an export would hold and did hold; where labels come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

LabelSource = Literal["human", "weak", "model", "gold"]
"""Where a label comes from."""


@dataclass(frozen=True)
class ExportPreview:
    """What an export would hold.

    Attributes
    ----------
    rows, items
        How many rows, and how many items they are of: duplicates are rows of one item.
    counts
        label, source, split, rows: how many rows of each; label and source are null where there is no label.
    columns
        The columns of the items that leave, in their order; `private` are those of them that are private.
    first
        The first rows, without pictures and votes.
    """

    rows: int
    items: int
    counts: pl.DataFrame = field(repr=False)
    columns: tuple[str, ...]
    private: tuple[str, ...]
    first: pl.DataFrame = field(repr=False)


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote."""

    rows: int
    path: str
    sha256: str | None
    sources: Mapping[str, int]
