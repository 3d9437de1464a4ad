"""What a pool loop was made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.classifiers.base import Classifier
from labeling.executors import Engine
from strategies import Strategy


@dataclass(frozen=True)
class Settings:
    """What a loop was made with; a blind one checks labels, trains nothing and suggests nothing.

    `candidates` of the pool are ranked, drawn anew each round; None: all. The executor is where the pool is scored,
    slice by slice; it is never stored.
    """

    strategy: Strategy
    classifier: Classifier
    batch_size: int
    seed: int
    blind: bool = False
    candidates: int | None = None
    regions: Mapping[str, Any] = field(default_factory=dict, compare=False)
    executor: Engine = field(default=None, compare=False)
