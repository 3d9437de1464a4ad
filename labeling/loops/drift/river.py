"""Drift detectors of river, told the values since the last change; river is imported when they look.

pip install 'tally-labeling[river]'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from labeling.extras import extra
from labeling.loops.drift.detectors import Change, DriftDetector, Signal

if TYPE_CHECKING:
    from river.base import BinaryDriftDetector
    from river.base import DriftDetector as RiverDetector

UNSEEN = 50
"""So many values come between two looks."""

REMEMBERED = 1000
"""Detectors that go through values one by one begin at most twice as many values back."""


@dataclass(frozen=True)
class _River(DriftDetector):
    """Goes through the values one by one, as river does; features come as numbers in [0, 1]."""

    takes: ClassVar[tuple[str, ...]] = ("unit",)

    @property
    def memory(self) -> int:
        """How many of the latest values it needs."""
        return REMEMBERED

    def look(self, reference: Sequence[Any], recent: Sequence[Any], tests: int = 1) -> Change | None:
        """Return a change where the detector finds one; errors that become fewer are none."""
        values = np.asarray(recent, dtype=np.float64)
        detector, rises = self.detector(tests), self.on == "error"
        for place, value in enumerate(values.tolist(), start=1):
            detector.update(value)
            if detector.drift_detected:
                found = split(values[:place])
                if found is not None and not (rises and found.after <= found.before):
                    return found
        return None

    def detector(self, tests: int) -> RiverDetector | BinaryDriftDetector:
        """Return river's detector, its level split over so many columns."""
        raise NotImplementedError(f"{type(self).__name__} defines no detector().")


@dataclass(frozen=True)
class ADWIN(_River):
    """A window that shrinks where two parts of it have different means.

    Attributes
    ----------
    delta
        Chance of an alarm without a change, at each look.

    References
    ----------
    Bifet and Gavaldà (2007). Learning from time-changing data with adaptive windowing. SIAM SDM.

    Examples
    --------
    >>> change = ADWIN().look([], [0.0] * 100 + [1.0] * 100)
    >>> change.start, change.before, change.after
    (100, 0.0, 1.0)
    """

    delta: float = 0.002

    def __post_init__(self) -> None:
        super().__post_init__()
        _share("delta", self.delta)

    def detector(self, tests: int) -> RiverDetector:
        """Return river's detector, its level split over so many columns."""
        made: RiverDetector = extra("river.drift", "ADWIN").ADWIN(delta=self.delta / tests)
        return made


@dataclass(frozen=True)
class PageHinkley(_River):
    """The sum of deviations from the mean leaves its lowest or highest point far behind.

    The threshold is a sum, not a level: with features it is raised by the logarithm of the number of columns.

    Attributes
    ----------
    threshold
        The sum from which on it counts.
    delta
        Deviations that are tolerated.
    least
        Values before the first alarm.

    References
    ----------
    Page (1954). Continuous inspection schemes. Biometrika 41.

    Examples
    --------
    >>> PageHinkley().look([], [0.0] * 100 + [1.0] * 60).start
    100
    """

    threshold: float = 15.0
    delta: float = 0.05
    least: int = 30

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threshold <= 0.0 or self.delta < 0.0 or self.least < 1:
            raise ValueError(
                f"threshold must be above 0, delta at least 0 and least at least 1, "
                f"got {self.threshold}, {self.delta} and {self.least}."
            )

    def detector(self, tests: int) -> RiverDetector:
        """Return river's detector, its threshold raised for so many columns."""
        made: RiverDetector = extra("river.drift", "PageHinkley").PageHinkley(
            min_instances=self.least,
            delta=self.delta,
            threshold=self.threshold * (1.0 + float(np.log(tests))),
            mode="up" if self.on == "error" else "both",
        )
        return made


@dataclass(frozen=True)
class DDM(_River):
    """The share of errors rises so many deviations above its lowest.

    Attributes
    ----------
    deviations
        From which on it counts.
    least
        Answers before the first alarm.

    References
    ----------
    Gama, Medas, Castillo and Rodrigues (2004). Learning with drift detection. SBIA.

    Examples
    --------
    >>> DDM().look([], [0.0, 0.0, 0.0, 1.0] * 25 + [1.0] * 40).start
    99
    """

    deviations: float = 3.0
    least: int = 30

    signals: ClassVar[tuple[Signal, ...]] = ("error",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deviations <= 0.0 or self.least < 1:
            raise ValueError(
                f"deviations must be above 0 and least at least 1, got {self.deviations} and {self.least}."
            )

    def detector(self, tests: int) -> BinaryDriftDetector:
        """Return river's detector."""
        made: BinaryDriftDetector = extra("river.drift.binary", "DDM").DDM(
            warm_start=self.least,
            warning_threshold=min(2.0, self.deviations),
            drift_threshold=self.deviations,
        )
        return made


@dataclass(frozen=True)
class KSWIN(_River):
    """The newest values of a window are distributed otherwise than a sample of the older ones.

    Some milliseconds a record, as each value is a test of its own: ADWIN and KolmogorovSmirnov are far faster.

    Attributes
    ----------
    level
        The p-value below which they count as others, at each value.
    window, newest
        Values in the window, and how many of them are the newest.
    seed
        Of the sample.

    References
    ----------
    Raab, Heusinger and Schleif (2020). Reactive soft prototype computing for concept drift streams.
    Neurocomputing 416.

    Examples
    --------
    >>> even = [i * 37 % 97 / 97 for i in range(97)]
    >>> KSWIN(on="confidence").look([], even + [x + 2.0 for x in even]).start
    97
    """

    level: float = 1e-4
    window: int = 100
    newest: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _share("level", self.level)
        if not 1 <= self.newest < self.window:
            raise ValueError(f"newest must lie between 1 and window - 1, got {self.newest} of {self.window}.")

    @property
    def memory(self) -> int:
        """How many of the latest values it needs."""
        # The window has to be full before the values that nobody looked at yet.
        return self.window + UNSEEN

    def detector(self, tests: int) -> RiverDetector:
        """Return river's detector, its level split over so many columns."""
        made: RiverDetector = extra("river.drift", "KSWIN").KSWIN(
            alpha=self.level / tests, window_size=self.window, stat_size=self.newest, seed=self.seed
        )
        return made


def _share(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie in (0, 1), got {value}.")


def split(values: np.ndarray[Any, np.dtype[np.float64]]) -> Change | None:
    """Return the place where the means before and after differ most for their numbers, None for fewer than two values.

    Examples
    --------
    >>> split(np.array([0.0, 0.0, 0.0, 1.0]))
    Change(before=0.0, after=1.0, start=3, p=None, column=None)
    """
    n = len(values)
    if n < 2:
        return None
    start = np.arange(1, n)
    sums = np.cumsum(values)
    before, after = sums[:-1] / start, (sums[-1] - sums[:-1]) / (n - start)
    best = int((start * (n - start) * (before - after) ** 2).argmax())
    return Change(float(before[best]), float(after[best]), int(start[best]))
