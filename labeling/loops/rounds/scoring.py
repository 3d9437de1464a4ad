"""What a refit makes of the pool: what to ask, and what the model says of every item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.arrays import FloatArray, IntArray
from labeling.loops.rounds.distributions import in_pieces
from labeling.loops.rounds.learning import Learning
from strategies import Pick, Strategy


@dataclass(frozen=True)
class Predicted:
    """What a model says of every item.

    Attributes
    ----------
    best
        (n,) position of the likeliest class.
    confidence
        (n,) its probability.
    uncertainty
        Mean entropy over the pool, divided by log k; None where the pool is empty.
    of
        Probabilities of some rows: (r,) rows to (r, k).
    pieces
        The distributions of all items as the ledger keeps them: numbers of rows, and their bytes.
    """

    best: IntArray
    confidence: FloatArray
    uncertainty: float | None
    of: Callable[[IntArray], FloatArray]
    pieces: Sequence[tuple[int, bytes]]


@dataclass(frozen=True)
class Scored:
    """The picks, best first, `index` counting in the candidates; and predictions where there is a model."""

    picks: Sequence[Pick]
    predicted: Predicted | None


def score(learning: Learning, strategy: Strategy, candidates: IntArray, n: int, rng: np.random.Generator) -> Scored:
    """Choose `n` of the candidates, and predict all items, in one piece."""
    picks = strategy.select(learning.pool(candidates), n, rng) if n else []
    if learning.model is None:
        return Scored(picks, None)
    best = learning.proba.argmax(axis=1)
    confidence = learning.proba[np.arange(len(best)), best]
    total, count = entropy_sum(learning.proba[candidates]), len(candidates)
    uncertainty = total / count if count else None
    return Scored(picks, Predicted(best, confidence, uncertainty, learning.proba_of, in_pieces(learning.proba)))


def entropy_sum(proba: FloatArray) -> float:
    """Return the sum of the entropies of the rows, in units of log k.

    Examples
    --------
    >>> entropy_sum(np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]))
    2.0
    """
    logs = np.log(proba, out=np.zeros_like(proba), where=proba > 0)
    return float(-(proba * logs).sum() / np.log(proba.shape[1]))
