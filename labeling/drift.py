"""Whether a stream changed: its answers contradict the model more often, or the model's confidence is another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST = 15
"""So many errors at least are compared on either side."""

ALARM = 10.0
"""Log-likelihood ratio from which on a rise counts: about 1 in 100,000 at a single place."""

CONFIDENCES = 200
"""So many confidences are compared with as many earlier ones."""

P_VALUE = 1e-5


@dataclass(frozen=True)
class Rise:
    """Errors became more frequent: the place from which on, and their shares before and after."""

    start: int
    before: float
    after: float


def error_rise(wrong: Sequence[bool]) -> Rise | None:
    """Find where errors became more frequent, None where they did not.

    The generalised likelihood ratio of two shares of errors against one, over all places to split.

    Parameters
    ----------
    wrong
        (n,) whether the model was wrong, oldest first.

    References
    ----------
    Siegmund and Venkatraman (1995). Using the generalized likelihood ratio statistic for sequential
    detection of a change-point. Annals of Statistics 23(1).

    Examples
    --------
    >>> error_rise([False] * 30 + [True] * 20)
    Rise(start=30, before=0.0, after=1.0)
    >>> error_rise([False, True] * 25) is None
    True
    """
    n = len(wrong)
    if n < 2 * LEAST:
        return None
    counts = np.cumsum(np.asarray(wrong, dtype=np.float64))
    start = np.arange(LEAST, n - LEAST + 1)
    errors = counts[start - 1]
    before, after = errors / start, (counts[-1] - errors) / (n - start)
    whole = counts[-1] / n
    ratio = start * _divergence(before, whole) + (n - start) * _divergence(after, whole)
    ratio[after <= before] = 0.0
    best = int(ratio.argmax())
    if ratio[best] < ALARM:
        return None
    return Rise(int(start[best]), float(before[best]), float(after[best]))


def _divergence(p: FloatArray, q: float) -> FloatArray:
    """Kullback-Leibler divergence of two shares, in nats; 0 log 0 is 0."""
    tiny = 1e-12
    with_errors = p * np.log(np.maximum(p, tiny) / max(q, tiny))
    without = (1.0 - p) * np.log(np.maximum(1.0 - p, tiny) / max(1.0 - q, tiny))
    total: FloatArray = with_errors + without
    return total


def other_confidence(reference: Sequence[float], recent: Sequence[float]) -> float | None:
    """Return the p-value of the Kolmogorov-Smirnov test where two samples differ clearly, else None.

    Examples
    --------
    >>> even = [i / 200 for i in range(200)]
    >>> other_confidence(even, even) is None
    True
    >>> other_confidence(even, [x / 2 for x in even]) < 1e-5
    True
    """
    from scipy.stats import ks_2samp

    p = float(ks_2samp(reference, recent, method="asymp").pvalue)
    return p if p < P_VALUE else None
