"""Distributions whose largest probability is a stated chance: raised to a power, so that no order changes."""

from __future__ import annotations

import numpy as np

from labeling.arrays import FloatArray, IntArray

MARGIN = 1e-3
"""A likeliest class stays ahead of an even chance by this share of what is above it, so that it stays the likeliest."""

_SMALLEST = 1e-6
_CLOSE = 1e-9
_STEPS = 60
_STEEPEST = 1e4
"""Powers above are asked for where classes are as good as tied, and would leave nothing to those below."""
_ROWS = 4096


def led_by(proba: FloatArray, best: IntArray) -> FloatArray:
    """(n, k) the same distributions, class `best` of each row ahead of the others by at least a millionth.

    Rounding to few digits can tie the likeliest classes; the label says which of them was ahead.

    Examples
    --------
    >>> led_by(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([1, 1])).round(7)
    array([[0.4999998, 0.5000002],
           [0.2      , 0.8      ]])
    """
    rows = np.arange(len(proba))
    ahead = proba.copy()
    ahead[rows, best] = np.maximum(proba[rows, best], proba.max(axis=1, initial=0.0) * (1 + _SMALLEST))
    # A class that is ahead already is not raised.
    others = proba.copy()
    others[rows, best] = 0.0
    clear = proba[rows, best] > others.max(axis=1, initial=0.0) * (1 + _SMALLEST)
    ahead[clear] = proba[clear]
    led: FloatArray = ahead / ahead.sum(axis=1, keepdims=True)
    return led


def least(k: int) -> float:
    """The lowest chance that a likeliest class of k states: hardly more than all classes have.

    Examples
    --------
    >>> least(2)
    0.5005
    """
    return 1.0 if k == 1 else (1 + MARGIN * (k - 1)) / k


def tempered(proba: FloatArray, chance: FloatArray) -> FloatArray:
    """(n, k) each row raised to the power at which its largest probability is `chance` (n,), and normalised.

    The chance is kept from `least(k)` to just below 1. Zeros count as a millionth: without that, no power
    would make a claim of 1 any less. Where the likeliest classes are as good as tied no power makes one of them
    likelier: the first of them then takes the chance, and the others share the rest as they did.

    Examples
    --------
    >>> tempered(np.array([[0.9, 0.1], [1.0, 0.0], [0.6, 0.4]]), np.array([0.8, 0.8, 0.3])).round(4)
    array([[0.8   , 0.2   ],
           [0.8   , 0.2   ],
           [0.5005, 0.4995]])
    >>> tempered(np.array([[0.4, 0.4, 0.2]]), np.array([0.7])).round(4)
    array([[0.7, 0.2, 0.1]])
    """
    n, k = proba.shape
    if not n or k == 1:
        return proba.copy()
    wanted = np.clip(chance, least(k), 1 - _SMALLEST)
    result = np.empty_like(proba, dtype=np.float64)
    for start in range(0, n, _ROWS):
        part = slice(start, start + _ROWS)
        result[part] = _raised(proba[part], wanted[part])
    return result


def _raised(proba: FloatArray, wanted: FloatArray) -> FloatArray:
    logs = np.log(proba + _SMALLEST)
    logs -= logs.max(axis=1, keepdims=True)
    target = -np.log(wanted)
    # The two likeliest classes alone would need this power; the others only add to it.
    second = np.minimum(np.partition(logs, -2, axis=1)[:, -2], -_SMALLEST)
    power = np.maximum(np.log(1 / wanted - 1) / second, 0.0)
    left = np.arange(len(logs))
    # log(sum(exp(t * logs))) falls and bends upwards in t: Newton from the left never passes the root.
    for _ in range(_STEPS):
        raised = np.exp(power[left, None] * logs[left])
        total = raised.sum(axis=1)
        over = np.log(total) - target[left]
        slope = (raised * logs[left]).sum(axis=1) / total
        # A step of nothing where the likeliest classes are tied: no power parts them.
        power[left] -= np.divide(over, slope, out=np.zeros_like(over), where=slope < 0)
        left = left[(over > _CLOSE) & (power[left] <= _STEEPEST)]
        if not len(left):
            break
    result = np.exp(np.minimum(power, _STEEPEST)[:, None] * logs)
    result /= result.sum(axis=1, keepdims=True)
    tied = np.flatnonzero((power > _STEEPEST) | (np.abs(result.max(axis=1) - wanted) > _CLOSE * 10))
    result[tied] = _parted(proba[tied], wanted[tied])
    return np.asarray(result)


def _parted(proba: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return distributions whose likeliest class has a chance and whose others share the rest as they do."""
    rows, best = np.arange(len(proba)), proba.argmax(axis=1)
    others = proba + _SMALLEST
    others[rows, best] = 0.0
    others *= ((1 - wanted) / others.sum(axis=1))[:, None]
    others[rows, best] = wanted
    return np.asarray(others)
