"""What the other strategies have to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from strategies.base import Pick, Strategy, batch_size, by_key
from strategies.pool import FloatArray, Pool


@dataclass(frozen=True)
class Random(Strategy):
    """Ask anything: every item is equally likely.

    Without a generator the draw is that of seed 0.

    Examples
    --------
    >>> [pick] = Random().select(Pool(key=[7, 8, 9, 10]), 1, np.random.default_rng(0))
    >>> pick.probability
    0.25
    """

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) uniform draws in [0, 1)."""
        generator = np.random.default_rng(0) if rng is None else rng
        return by_key(pool, generator.random(len(pool)))

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """N distinct items; each was as likely as any other."""
        n = batch_size(pool, n)
        return [replace(pick, probability=n / len(pool)) for pick in super().choose(pool, n, rng)]
