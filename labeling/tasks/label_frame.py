"""Labels as frames: a row an item, with the distribution of the source that the row names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl

from labeling.arrays import FloatArray, IntArray

OF_DISTRIBUTIONS = ("probabilities", "probabilities_note")
"""Columns of a frame of labels that are there where distributions are asked for."""


def schema(names: Sequence[str]) -> dict[str, pl.DataType]:
    """Return the columns of a frame of labels over some classes, and their types."""
    return {
        "item_id": pl.Int64(),
        "label": pl.String(),
        "source": pl.String(),
        "confidence": pl.Float64(),
        "annotators": pl.List(pl.String()),
        "labeled_at": pl.Datetime("us", "UTC"),
        "calibrated_on": pl.Int64(),
        "probabilities": pl.Struct({name: pl.Float64() for name in names}),
        "probabilities_note": pl.String(),
    }


def shares(proba: FloatArray, names: Sequence[str]) -> pl.Series:
    """(n,) distributions as structures by class name; null where a row is nan.

    Examples
    --------
    >>> shares(np.array([[0.2, 0.8], [np.nan, np.nan]]), ["ok", "bad"]).to_list()
    [{'ok': 0.2, 'bad': 0.8}, None]
    """
    frame = pl.DataFrame({name: proba[:, place] for place, name in enumerate(names)})
    unknown = pl.Series(np.isnan(proba).any(axis=1), dtype=pl.Boolean)
    return pl.select(pl.when(~unknown).then(frame.to_struct("probabilities"))).to_series().alias("probabilities")


def label_frame(
    ids: IntArray,
    positions: IntArray,
    source: str,
    confidence: FloatArray,
    names: Sequence[str],
    proba: FloatArray | None,
    at: datetime | None,
    judged: IntArray | None,
    note: str | None,
    *,
    probabilities: bool = True,
) -> pl.DataFrame:
    """Return a frame of labels of one source; without `proba` (n, k) no distribution is known.

    `positions` (n,) are those of the labels among `names`. `judged` (n,) counts the items with a known truth that the
    confidence was learned from, None where it is no estimate; without `probabilities` the frame has no such column.
    """
    columns = schema(names)
    frame = pl.DataFrame(
        {
            "item_id": pl.Series(ids, dtype=pl.Int64()),
            "label": pl.Series(names, dtype=pl.String()).gather(positions),
            "confidence": pl.Series(confidence, dtype=pl.Float64()),
            "calibrated_on": pl.Series([None] * len(ids) if judged is None else judged, dtype=pl.Int64()),
        }
    ).with_columns(
        pl.lit(source).alias("source"),
        pl.lit([], dtype=pl.List(pl.String())).alias("annotators"),
        pl.lit(at, dtype=pl.Datetime("us", "UTC")).alias("labeled_at"),
        pl.lit(note, dtype=pl.String()).alias("probabilities_note"),
    )
    if not probabilities:
        return frame.select([name for name in columns if name not in OF_DISTRIBUTIONS])
    blank = np.full((len(ids), len(names)), np.nan) if proba is None else proba
    return frame.with_columns(shares(blank, names)).select([*columns])
