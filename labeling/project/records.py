"""What a project says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ProjectInfo:
    """A project as a list shows it."""

    name: str
    description: str
    created_at: datetime
    items: int
    labeled: int
    archived: bool = False


@dataclass(frozen=True)
class ProjectStatus:
    """Where a project stands, in counts."""

    items: int
    gold: int
    holdout: int
    functions: int
    weak_runs: int
    loops: int
    human: int
    weak: int
    model: int
    version: int
