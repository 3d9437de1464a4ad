"""Where a learning curve goes: an inverse power law through the scores so far, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling.arrays import FloatArray

POINTS = 4
"""Scores that a curve needs at least."""

SPAN = 1.5
"""The last of them must have so many times the labels of the first."""

LEVEL = 0.9
"""Share of the cases in which an interval should hold the truth."""

STARTS = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0])
"""How late a curve may begin to bend, in labels seen so far: many classes are learned one after the other."""

_DRAWS = 4_000
_NOISE = 0.004
# Rounds share most of their labels, so that their errors are not their own: two count as one.
_WORTH = 0.5


@dataclass(frozen=True)
class Estimate:
    """A value and an interval that holds it in 90 % of cases."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Draws of what the scores so far may follow: score(n) = a - b * ((n + start) / (scale + start)) ** -c.

    Attributes
    ----------
    a, b, c, start
        (draws,) parameters; a is where the curve goes in the end, `start` how late it begins to bend.
    scale
        The most labels seen.
    offset
        (draws,) how far the hold-out may be off, from its size.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    start: FloatArray
    scale: float
    offset: FloatArray

    def score(self, labels: float) -> Estimate:
        """Return the score to expect with so many labels, in [0, 1]."""
        drawn = self.a - self.b * ((float(labels) + self.start) / (self.scale + self.start)) ** -self.c
        middle = float(np.clip(np.median(drawn), 0.0, 1.0))
        drawn = drawn + self.offset * np.sqrt(middle * (1.0 - middle))
        low, high = np.clip(np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]), 0.0, 1.0)
        return Estimate(middle, float(low), float(high))

    def labels_for(self, score: float) -> Estimate:
        """Return the labels that a measured score needs; infinite where the curve may stay below it."""
        above = self.a - score
        reach = np.full(len(self.a), np.inf)
        there = above > 1e-9
        with np.errstate(over="ignore"):
            far = (self.b[there] / above[there]) ** (1.0 / self.c[there])
        reach[there] = np.maximum(far * (self.scale + self.start[there]) - self.start[there], 0.0)
        low, middle, high = np.quantile(reach, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], method="higher")
        return Estimate(float(middle), float(low), float(high))


def fit_curve(labels: Sequence[float], scores: Sequence[float], judged: int, *, seed: int = 0) -> Curve | str:
    """Return what the scores of a hold-out may follow, or a sentence why that cannot be told.

    The posterior of a shifted inverse power law over a grid of its end, exponent and start: each point
    counts by its labels, the noise between rounds is estimated along with it.

    Parameters
    ----------
    labels, scores
        (p,) labels and the score measured with them, in [0, 1].
    judged
        Items of the hold-out, whose luck an interval includes.
    seed
        Of the draws.

    References
    ----------
    Cortes, Jackel, Solla, Vapnik and Denker (1993). Learning curves: asymptotic values and rate of
    convergence. NIPS.

    Examples
    --------
    >>> labels = [50, 100, 150, 200, 300]
    >>> curve = fit_curve(labels, [0.95 - 2 * n ** -0.5 for n in labels], judged=2000)
    >>> round(curve.score(1000).value, 2)
    0.88
    >>> fit_curve([50, 60], [0.7, 0.72], judged=2000)
    'A learning curve needs at least 4 scores to go by, there are 2.'
    """
    n, y = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    kept = n > 0
    n, y = n[kept], y[kept]
    if len(n) < POINTS:
        return f"A learning curve needs at least {POINTS} scores to go by, there are {len(n)}."
    if n.max() < SPAN * n.min():
        return f"From {n.min():,.0f} to {n.max():,.0f} labels is too short a way to tell where the curve goes."
    rng = np.random.default_rng(seed)
    weight = n / n.mean()
    scale = float(n.max())
    grid = np.meshgrid(np.linspace(0.0, 1.0, 101), np.geomspace(0.15, 2.0, 16), STARTS * scale, indexing="ij")
    a, c, start = (values.ravel() for values in grid)
    x = ((n[None, :] + start[:, None]) / (scale + start[:, None])) ** -c[:, None]
    gap = a[:, None] - y[None, :]
    precision = (weight * x * x).sum(axis=1)
    b = np.maximum((weight * x * gap).sum(axis=1) / precision, 0.0)
    worth = max(_WORTH * (len(n) - 2), 1.0)
    # The least noise keeps a curve that fits by luck from being believed too much.
    squares = _WORTH * (weight * (gap - b[:, None] * x) ** 2).sum(axis=1) + _NOISE**2 * worth
    logs = -0.5 * (worth + 1.0) * np.log(squares) - 0.5 * np.log(precision)
    chance = np.exp(logs - logs.max())
    drawn = rng.choice(len(a), size=_DRAWS, p=chance / chance.sum())
    noise = np.sqrt(squares[drawn] / rng.chisquare(worth + 1.0, _DRAWS))
    drawn_b = np.maximum(b[drawn] + noise / np.sqrt(_WORTH * precision[drawn]) * rng.normal(size=_DRAWS), 0.0)
    step = 0.01 * (rng.random(_DRAWS) - 0.5)
    offset = rng.normal(size=_DRAWS) / np.sqrt(max(judged, 1))
    ends = np.minimum(a[drawn] + step, 1.0)
    return Curve(ends, drawn_b, c[drawn], start[drawn], scale, offset)
