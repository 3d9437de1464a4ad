"""Learning curves: what strategies reach with how many labels, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.arrays import FloatArray

METRICS = ("accuracy", "f1_macro", "calibration_error")
_SCHEMA: dict[str, Any] = {
    "strategy": pl.String(),
    "seed": pl.Int64(),
    "round": pl.Int64(),
    "labels": pl.Int64(),
    **dict.fromkeys(METRICS, pl.Float64()),
    "seconds": pl.Float64(),
}
_SUMMARY: dict[str, Any] = {
    "strategy": pl.String(),
    **dict.fromkeys(("area", "area_low", "area_high", "final", "final_low", "final_high"), pl.Float64()),
    **dict.fromkeys(("gain", "gain_low", "gain_high"), pl.Float64()),
    "target": pl.Float64(),
    "labels_to_reach": pl.Float64(),
    "share_of_baseline": pl.Float64(),
    "seconds": pl.Float64(),
}


@dataclass(frozen=True)
class Curves:
    """The runs of a simulation, and what they say.

    Attributes
    ----------
    runs
        A row a strategy, seed and round: strategy, seed, round, labels, accuracy, f1_macro,
        calibration_error (all on the hold-out), seconds.
    names
        The strategies in the order they were given.
    baseline
        What the others are compared with: random questions, where they were among them.
    """

    runs: pl.DataFrame
    names: tuple[str, ...]
    baseline: str | None = None

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]], names: Sequence[str], baseline: str | None = None) -> Curves:
        """Make curves from one mapping a round."""
        return cls(pl.DataFrame(list(rows), schema=_SCHEMA), tuple(names), baseline)

    def frame(self) -> pl.DataFrame:
        """Return every run: a row a strategy, seed and round."""
        return self.runs

    def mean(self, metric: str = "accuracy") -> pl.DataFrame:
        """Return the mean over the seeds, with its interval of 95 %: strategy, labels, mean, low, high."""
        _check(metric)
        rows = []
        for name in self.names:
            for labels, part in self.runs.filter(pl.col("strategy") == name).group_by("labels", maintain_order=True):
                rows.append((name, labels[0], *share_interval(part[metric].to_numpy())))
        schema = {"strategy": pl.String(), "labels": pl.Int64()} | dict.fromkeys(("mean", "low", "high"), pl.Float64())
        return pl.DataFrame(rows, schema=schema, orient="row")

    def summary(self, metric: str = "accuracy", *, target: float | None = None) -> pl.DataFrame:
        """Return a row a strategy, the largest area first.

        Parameters
        ----------
        metric
            "accuracy" or "f1_macro".
        target
            The score that `labels_to_reach` is about; default what the baseline ends with, without one
            the lowest of what the strategies end with.

        Returns
        -------
        pl.DataFrame
            strategy; area (mean height of the curve) and final (its last point), means over the seeds
            with intervals of 95 %; gain (area less the baseline's, paired by seed); target;
            labels_to_reach (from where on the mean curve stays at the target, null if it ends below);
            share_of_baseline (of the labels that the baseline needs for it); seconds a round.
        """
        _check(metric)
        areas = {name: self._areas(name, metric) for name in self.names}
        means = {name: self._mean_curve(name, metric) for name in self.names}
        if target is None:
            ends = {name: float(scores[-1]) for name, (_, scores) in means.items()}
            target = ends[self.baseline] if self.baseline is not None else min(ends.values())
        needed = {name: labels_to_reach(*means[name], target) for name in self.names}
        reference = None if self.baseline is None else needed[self.baseline]
        rows = []
        for name in self.names:
            own = self.runs.filter(pl.col("strategy") == name)
            last = own.group_by("seed", maintain_order=True).last()
            gain: tuple[float | None, ...] = (None, None, None)
            if self.baseline is not None and name != self.baseline:
                gain = mean_interval(areas[name] - areas[self.baseline])
            labels = needed[name]
            share = labels / reference if labels is not None and reference else None
            seconds = float(own["seconds"].to_numpy().mean())
            scores = (*share_interval(areas[name]), *share_interval(last[metric].to_numpy()), *gain)
            rows.append((name, *scores, target, labels, share, seconds))
        frame = pl.DataFrame(rows, schema=_SUMMARY, orient="row")
        return frame.sort("area", descending=True, maintain_order=True)

    def _areas(self, name: str, metric: str) -> FloatArray:
        """(seeds,) area under each run's curve."""
        runs = self.runs.filter(pl.col("strategy") == name).group_by("seed", maintain_order=True)
        return np.array([area(part["labels"].to_numpy(), part[metric].to_numpy()) for _, part in runs])

    def _mean_curve(self, name: str, metric: str) -> tuple[FloatArray, FloatArray]:
        own = self.runs.filter(pl.col("strategy") == name)
        mean = own.group_by("labels").agg(pl.col(metric).mean()).sort("labels")
        return mean["labels"].to_numpy().astype(np.float64), mean[metric].to_numpy()

    def plot(self, metric: str = "accuracy") -> Any:
        """Return a picture (an Altair chart): a line a strategy, its interval as a band."""
        import altair as alt

        frame = self.mean(metric)
        base = alt.Chart(frame).encode(
            x=alt.X("labels:Q", title="labels"), color=alt.Color("strategy:N", sort=list(self.names), title=None)
        )
        scale = alt.Scale(zero=False)
        line = base.mark_line().encode(y=alt.Y("mean:Q", title=metric, scale=scale))
        band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
        return band + line

    def __repr__(self) -> str:
        return f"Curves of {', '.join(self.names)} over {self.runs['seed'].n_unique()} seeds\n{self.summary()}"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def _check(metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"Curves hold {', '.join(map(repr, METRICS))}, got {metric!r}.")


def area(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Mean height of a curve: the area under it, divided by its width.

    Examples
    --------
    >>> area([10, 20, 40], [0.5, 0.7, 0.9])
    0.7333333333333333
    """
    x, y = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if len(x) == 1:
        return float(y[0])
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))


def labels_to_reach(labels: npt.ArrayLike, scores: npt.ArrayLike, target: float) -> float | None:
    """How many labels a curve needs to reach a score and keep it; None if it never does.

    Read off the line between its points. A score that the first few labels reach by luck, and more
    lose again, does not count: with rare classes, saying the commonest one always is such luck.

    Examples
    --------
    >>> labels_to_reach([10, 20, 40], [0.25, 0.5, 1.0], 0.75)
    30.0
    >>> labels_to_reach([10, 20, 40], [0.8, 0.5, 1.0], 0.75)
    30.0
    """
    x, y = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    below = np.flatnonzero(y < target)
    at = int(below[-1]) + 1 if len(below) else 0
    if at == len(y):
        return None
    if at == 0:
        return float(x[0])
    return float(x[at - 1] + (x[at] - x[at - 1]) * (target - y[at - 1]) / (y[at] - y[at - 1]))


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> tuple[float, float | None, float | None]:
    """Mean and its interval by Student's t; one value alone has none.

    Examples
    --------
    >>> mean_interval([0.5])
    (0.5, None, None)
    >>> [round(bound, 3) for bound in mean_interval([0.4, 0.5, 0.6])]
    [0.5, 0.252, 0.748]
    """
    from scipy.stats import t

    given = np.asarray(values, dtype=np.float64)
    mean = float(given.mean())
    if len(given) < 2:
        return mean, None, None
    half = float(t.ppf(0.5 + level / 2, len(given) - 1) * given.std(ddof=1) / np.sqrt(len(given)))
    return mean, mean - half, mean + half


def share_interval(values: npt.ArrayLike) -> tuple[float, float | None, float | None]:
    """`mean_interval` of values in [0, 1], where it ends there too.

    Examples
    --------
    >>> [round(bound, 3) for bound in share_interval([0.9, 1.0])]
    [0.95, 0.315, 1.0]
    """
    mean, low, high = mean_interval(values)
    return mean, None if low is None else max(low, 0.0), None if high is None else min(high, 1.0)
