"""What is handed out of labeling functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl


class FunctionNotLoaded(LookupError):
    """A labeling function's code is not in this process, and its votes are not all cached."""


@dataclass(frozen=True)
class FunctionInfo:
    """A labeling function as the project knows it; `loaded` tells whether it can run here.

    One is `paused` whose class was split or retired: it votes for nothing until it is added for another class.
    """

    name: str
    expert: str | None
    kind: str
    label: str | None
    version: int
    spec: Mapping[str, Any]
    loaded: bool
    created_at: datetime
    paused: bool = False


@dataclass(frozen=True)
class FunctionsReport:
    """Which functions `add_functions` added, changed (a new version), or found unchanged."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True)
class FunctionPreview:
    """What a labeling function would do, before it is saved.

    Coverage, overlaps and conflicts are shares of all items; `accuracy` is over
    the `gold_matches` matched items whose development gold is known.
    """

    matches: int
    coverage: float
    overlaps: float
    conflicts: float
    accuracy: float | None
    gold_matches: int
    faults: int
    first_fault: str | None
    examples: pl.DataFrame
