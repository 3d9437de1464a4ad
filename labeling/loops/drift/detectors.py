"""Whether a stream changed: what a detector is told and says, and those that need scipy at most.

A detector keeps nothing: it is a function of the values since the last change, of which so many are kept as it says
it needs. They are in the ledger, so a consumer that is killed looks at the same ones again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from labeling.arrays import FloatArray

Signal = Literal["error", "confidence", "features"]
Look = TypeVar("Look", bound="DriftDetector")

WINDOW = 200
"""So many of the first values since the last change are kept to compare with."""


@dataclass(frozen=True)
class Change:
    """Values became others.

    Attributes
    ----------
    before, after
        The mean of the values before and after; a share where they say yes or no.
    start
        The place among the latest values from which on they differ.
    p
        The p-value where a test gave one, corrected for the number of columns.
    column
        What differs, where features were compared.
    """

    before: float
    after: float
    start: int = 0
    p: float | None = None
    column: str | None = None


@dataclass(frozen=True)
class Trail:
    """The values of one signal since the last change, as far as detectors need them.

    Attributes
    ----------
    start
        The position of the first value.
    position
        The position after the last one.
    reference
        The first `WINDOW` of them.
    recent
        The latest, from `begin` on.
    memory
        How many of the latest are needed.

    Examples
    --------
    >>> trail = Trail(memory=3).after([1, 2, 3, 4, 5, 6, 7])
    >>> trail.recent, trail.begin
    ((4, 5, 6, 7), 3)
    """

    start: int = 0
    position: int = 0
    reference: tuple[Any, ...] = ()
    recent: tuple[Any, ...] = ()
    memory: int = WINDOW

    @property
    def begin(self) -> int:
        """The position of the first of the latest values: the same however the stream was cut into batches."""
        return begin_of(self.start, self.position, self.memory)

    @property
    def apart(self) -> int:
        """How many of the latest values do not belong to the reference."""
        return min(len(self.recent), self.position - self.start - WINDOW)

    def after(self, values: Sequence[Any]) -> Trail:
        """Return the trail with so many more values."""
        reference = (*self.reference, *values[: WINDOW - len(self.reference)])
        if len(self.reference) >= WINDOW:
            reference = self.reference
        position = self.position + len(values)
        keep = position - begin_of(self.start, position, self.memory)
        return replace(self, position=position, reference=reference, recent=(*self.recent, *values)[-keep:])

    def restarted(self) -> Trail:
        """Compare anew from here on."""
        return Trail(start=self.position, position=self.position, memory=self.memory)


def begin_of(start: int, position: int, memory: int) -> int:
    """Return the position from which on values are kept: `memory` of them at least, twice as many at most."""
    return max(start, (position // memory - 1) * memory)


@dataclass(frozen=True)
class DriftDetector:
    """Looks for a change in one signal of a stream; subclasses are frozen dataclasses.

    Attributes
    ----------
    on
        error: whether the model was wrong on what was answered since. confidence: of the model in its prediction.
        features: the columns of the records themselves, which needs neither answers nor a model.
    """

    on: Signal = "error"

    signals: ClassVar[tuple[Signal, ...]] = ("error", "confidence", "features")
    takes: ClassVar[tuple[str, ...]] = ()
    """Kinds of columns that are compared as they are; others are not."""

    def __post_init__(self) -> None:
        if self.on not in self.signals:
            raise ValueError(
                f"{type(self).__name__} looks at {' or '.join(map(repr, self.signals))}, got on={self.on!r}."
            )

    @property
    def memory(self) -> int:
        """How many of the latest values it needs."""
        return WINDOW

    def look(self, reference: Sequence[Any], recent: Sequence[Any], tests: int = 1) -> Change | None:
        """Return the change, None where there is none.

        Parameters
        ----------
        reference
            The first values since the last change.
        recent
            The latest ones, oldest first.
        tests
            How many columns are looked at beside each other.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no look().")


@dataclass(frozen=True)
class ErrorRise(DriftDetector):
    """Answers contradict the model more often: the generalised likelihood ratio of two shares of errors against one.

    It looks at all places to split, says which one, and needs no window.

    Attributes
    ----------
    alarm
        Log-likelihood ratio from which on a rise counts; 10 is about 1 in 100,000 at a single place.
    least
        Answers that are compared on either side, at least.

    References
    ----------
    Siegmund and Venkatraman (1995). Using the generalized likelihood ratio statistic for sequential
    detection of a change-point. Annals of Statistics 23(1).

    Examples
    --------
    >>> ErrorRise().look([], [False] * 30 + [True] * 20)
    Change(before=0.0, after=1.0, start=30, p=None, column=None)
    >>> ErrorRise().look([], [False, True] * 25) is None
    True
    """

    alarm: float = 10.0
    least: int = 15

    signals: ClassVar[tuple[Signal, ...]] = ("error",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alarm <= 0.0 or self.least < 1:
            raise ValueError(f"alarm must be above 0 and least at least 1, got {self.alarm} and {self.least}.")

    @property
    def memory(self) -> int:
        """How many of the latest answers it needs."""
        return 500

    def look(self, reference: Sequence[Any], recent: Sequence[Any], tests: int = 1) -> Change | None:
        """Return the likeliest place of a rise, None where there is none."""
        n = len(recent)
        if n < 2 * self.least:
            return None
        counts = np.cumsum(np.asarray(recent, dtype=np.float64))
        start = np.arange(self.least, n - self.least + 1)
        errors = counts[start - 1]
        before, after = errors / start, (counts[-1] - errors) / (n - start)
        whole = counts[-1] / n
        ratio = start * _divergence(before, whole) + (n - start) * _divergence(after, whole)
        ratio[after <= before] = 0.0
        best = int(ratio.argmax())
        if ratio[best] < self.alarm:
            return None
        return Change(float(before[best]), float(after[best]), int(start[best]))


def _divergence(p: FloatArray, q: float) -> FloatArray:
    """Kullback-Leibler divergence of two shares, in nats; 0 log 0 is 0."""
    tiny = 1e-12
    with_errors = p * np.log(np.maximum(p, tiny) / max(q, tiny))
    without = (1.0 - p) * np.log(np.maximum(1.0 - p, tiny) / max(1.0 - q, tiny))
    total: FloatArray = with_errors + without
    return total


@dataclass(frozen=True)
class _Windows(DriftDetector):
    """Compares the latest values with the first ones since the last change.

    Attributes
    ----------
    window
        So many are compared with as many, at most 200.
    level
        The p-value below which they count as others, split over the columns (Holm). It is looked at every 50
        records and every answer, so it should be small.
    """

    window: int = WINDOW
    level: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 20 <= self.window <= WINDOW:
            raise ValueError(f"window must lie between 20 and {WINDOW}, got {self.window}.")
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level must lie in (0, 1), got {self.level}.")

    def look(self, reference: Sequence[Any], recent: Sequence[Any], tests: int = 1) -> Change | None:
        """Return a change where the test finds one."""
        first, last = list(reference[: self.window]), list(recent[-self.window :])
        if min(len(first), len(last)) < self.window:
            return None
        p, before, after = self.test(first, last)
        if p * tests >= self.level or (self.on == "error" and after <= before):
            return None
        return Change(before, after, max(0, len(recent) - self.window), min(1.0, p * tests))

    def test(self, first: list[Any], last: list[Any]) -> tuple[float, float, float]:
        """Return the p-value, and a mean or share of either window."""
        raise NotImplementedError(f"{type(self).__name__} defines no test().")


@dataclass(frozen=True)
class KolmogorovSmirnov(_Windows):
    """The latest numbers are distributed otherwise than the first: a two-sample test between windows.

    Records are taken for independent of each other. Where they follow daily rhythms or trends, as prices do,
    features differ between any two windows.

    References
    ----------
    Hodges (1958). The significance probability of the Smirnov two-sample test. Arkiv för Matematik 3.

    Examples
    --------
    >>> even = [i / 200 for i in range(200)]
    >>> KolmogorovSmirnov().look(even, even) is None
    True
    >>> change = KolmogorovSmirnov().look(even, [x / 2 for x in even])
    >>> round(change.before, 2), round(change.after, 2), change.p < 1e-5
    (0.5, 0.25, True)
    """

    on: Signal = "confidence"

    signals: ClassVar[tuple[Signal, ...]] = ("confidence", "features")
    takes: ClassVar[tuple[str, ...]] = ("number",)

    def test(self, first: list[Any], last: list[Any]) -> tuple[float, float, float]:
        """Return the p-value of the two-sided test, and the means; missing numbers are left out."""
        from scipy.stats import ks_2samp

        a, b = (np.asarray(values, dtype=np.float64) for values in (first, last))
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        if not len(a) or not len(b):
            return 1.0, 0.0, 0.0
        return float(ks_2samp(a, b, method="asymp").pvalue), float(a.mean()), float(b.mean())


@dataclass(frozen=True)
class ChiSquare(_Windows):
    """Other shares of the values of a choice, of the words of a text, of errors: a test between windows.

    Words count once a record; those in fewer than 10 of the records compared are not looked at. Numbers are looked
    at for whether they are missing.

    References
    ----------
    Pearson (1900). On the criterion that a given system of deviations from the probable … Phil. Mag. 50.

    Examples
    --------
    >>> change = ChiSquare(on="features", window=100).look(["a"] * 90 + ["b"] * 10, ["a"] * 40 + ["b"] * 60)
    >>> change.before, change.after, change.p < 1e-5
    (0.9, 0.4, True)
    """

    on: Signal = "features"

    signals: ClassVar[tuple[Signal, ...]] = ("features", "error")
    takes: ClassVar[tuple[str, ...]] = ("choice",)

    def test(self, first: list[Any], last: list[Any]) -> tuple[float, float, float]:
        """Return the p-value, and the shares of the value that changed most."""
        from scipy.stats import chi2_contingency

        values = sorted({*first, *last}, key=str)
        table = np.array([[each.count(value) for value in values] for each in (first, last)], dtype=np.float64)
        rare = table.sum(axis=0) < 10.0
        if rare.sum() > 1:
            table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
        if table.shape[1] < 2:
            return 1.0, 1.0, 1.0
        shares = table / table.sum(axis=1, keepdims=True)
        most = len(values) - 1 if values == [False, True] else int(np.abs(shares[1] - shares[0]).argmax())
        return float(chi2_contingency(table).pvalue), float(shares[0, most]), float(shares[1, most])
