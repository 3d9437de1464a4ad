"""A committed ranking as bytes, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.arrays import IntArray, inflate
from labeling.loops.rounds.scoring import Predicted
from labeling.store.label_set import LabelSet
from strategies import Pick

TOP_CLASSES = 5


@dataclass(frozen=True)
class Ranked:
    """One entry of a committed ranking."""

    item_id: int
    score: float
    strategy: str
    probability: float
    parts: Mapping[str, float]
    probabilities: Mapping[int, float]
    why: Mapping[str, Any] | None = None

    @property
    def predicted(self) -> int | None:
        """The class id that the model holds likeliest, None if several are."""
        if not self.probabilities:
            return None
        best = max(self.probabilities.values())
        likeliest = [label for label, p in self.probabilities.items() if p >= best - 1e-9]
        return likeliest[0] if len(likeliest) == 1 else None


def dump_ranking(
    picks: Sequence[Pick], candidates: IntArray, ids: IntArray, predicted: Predicted | None, labels: LabelSet
) -> bytes:
    """Encode picks, best first, with the probabilities of their likeliest classes where there is a model."""
    chosen = candidates[np.array([pick.index for pick in picks], dtype=np.int64)]
    proba = None if predicted is None or not len(chosen) else predicted.of(chosen)
    rows = []
    for place, (pick, row) in enumerate(zip(picks, chosen.tolist(), strict=True)):
        likeliest: dict[str, float] = {}
        if proba is not None:
            top = np.argsort(-proba[place], kind="stable")[:TOP_CLASSES]
            likeliest = {str(labels.ids[c]): round(float(proba[place, c]), 6) for c in top}
        parts = {name: round(float(value), 6) for name, value in pick.parts.items()}
        rows.append([int(ids[row]), float(pick.score), pick.strategy, float(pick.probability), parts, likeliest])
    return zlib.compress(json.dumps(rows).encode(), 1)


def load_ranking(data: bytes) -> list[Ranked]:
    """Decode a committed ranking, best first."""
    return [
        Ranked(item, score, strategy, probability, parts, {int(label): p for label, p in likeliest.items()}, *why)
        for item, score, strategy, probability, parts, likeliest, *why in json.loads(inflate(data))
    ]
