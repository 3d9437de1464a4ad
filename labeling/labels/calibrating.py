"""The chance that a label is right, learned from items whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.arrays import NO_VOTE, FloatArray, IntArray

ENOUGH = 20
"""Below so many judged labels, all labels of a source have the same chance."""

SHRINKAGE = 10.0
"""How much the weights are held to `WEAK` and `MODEL`; see docs/decisions.md for what it was chosen by."""

WEAK = (0.5, 1.0, 0.0, 0.0, 0.0)
MODEL = (1.0, 0.5, 0.0, 0.0, 0.0)
"""What is believed of weak labels and of a model before anything is known: what a source states of itself and what
the other one states, for it or against it, as weights of log-odds; then agreement, being alone, the level."""

_FREE = 0.01
_EDGE = 1e-4
_ITERATIONS = 50


@dataclass(frozen=True)
class Claims:
    """What a source says of items: class positions (n,), -1 where it says nothing, and how sure it states to be."""

    positions: IntArray
    stated: FloatArray


@dataclass(frozen=True)
class Chances:
    """The chance (n,) that each claim is right; learned from `judged` items, as stated where these are none."""

    chance: FloatArray
    judged: int


def flat_chances(claims: Claims, truth: IntArray) -> Chances:
    """Return one chance for all claims: the share that was right, with one right and one wrong added.

    Examples
    --------
    >>> claims = Claims(np.array([0, 1, 1]), np.array([0.9, 0.8, 0.7]))
    >>> flat_chances(claims, np.array([0, 1, -1])).chance
    array([0.75, 0.75, 0.75])
    """
    judged = (truth != NO_VOTE) & (claims.positions != NO_VOTE)
    count = int(judged.sum())
    if not count:
        return Chances(claims.stated, 0)
    right = int((claims.positions[judged] == truth[judged]).sum())
    return Chances(np.full(len(claims.stated), (right + 1) / (count + 2)), count)


def chances(
    now: Claims,
    then: Claims,
    truth: IntArray,
    prior: tuple[float, ...],
    *,
    other_now: Claims | None = None,
    other_then: Claims | None = None,
) -> Chances:
    """Return the chance that each claim is right, by logistic regression on items whose truth is known.

    It looks at how sure the source states to be, and whether the other source agrees and how sure that one is.

    Parameters
    ----------
    now, then
        What is claimed, and what was claimed of the same items without their truth being known to the source.
    truth
        (n,) class positions, -1 where unknown.
    prior
        Weights that few truths hardly move away from: `WEAK` or `MODEL`.
    other_now, other_then
        The same of the other source, where there is one.
    """
    judged = (truth != NO_VOTE) & (then.positions != NO_VOTE)
    count = int(judged.sum())
    right = then.positions[judged] == truth[judged]
    if count < ENOUGH or right.all() or not right.any():
        same = flat_chances(then, truth)
        return Chances(np.where(count > 0, same.chance, now.stated), count)
    weights = _fitted(_features(then, other_then)[judged], right.astype(np.float64), np.array(prior))
    return Chances(_sigmoid(_features(now, other_now) @ weights), count)


def _features(own: Claims, other: Claims | None) -> FloatArray:
    """(n, 5): own log-odds, those of the other for or against, agreement (1 or -1), being alone, 1."""
    n = len(own.stated)
    if other is None:
        other = Claims(np.full(n, NO_VOTE, dtype=np.int64), np.full(n, 0.5))
    both = other.positions != NO_VOTE
    agree = np.where(both, np.where(own.positions == other.positions, 1.0, -1.0), 0.0)
    others = np.where(both, other.stated, 0.5)
    return np.column_stack([_log_odds(own.stated), agree * _log_odds(others), agree, ~both, np.ones(n)])


def _log_odds(p: FloatArray) -> FloatArray:
    kept = np.clip(np.nan_to_num(p, nan=0.5), _EDGE, 1 - _EDGE)
    odds: FloatArray = np.log(kept / (1 - kept))
    return odds


def _sigmoid(z: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -30, 30))))


def _fitted(X: FloatArray, right: FloatArray, prior: FloatArray) -> FloatArray:
    """Weights of the regression, by Newton's method; the level alone is free of the prior."""
    held = np.full(len(prior), SHRINKAGE)
    held[-1] = _FREE
    weights = prior.copy()
    for _ in range(_ITERATIONS):
        p = _sigmoid(X @ weights)
        gradient = X.T @ (p - right) + held * (weights - prior)
        curvature = (X * (p * (1 - p))[:, None]).T @ X + np.diag(held)
        step = np.linalg.solve(curvature, gradient)
        # Far from the optimum the curvature says little: short steps get there safely.
        size = float(np.abs(step).max())
        weights = weights - step * min(1.0, 3.0 / max(size, 1e-12))
        if size < 1e-8:
            break
    return weights
