"""Parquet, which keeps every type."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from labeling.formats.export_format import About, ExportFormat


def arrow(frame: pl.DataFrame) -> Any:
    """Return the frame as an Arrow table of types that older readers know."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _write(path: Path, batches: Iterator[pl.DataFrame], _about: About) -> int:
    import pyarrow.parquet as parquet

    first = next(batches)
    rows = 0
    schema = arrow(first).schema
    with path.open("xb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for frame in itertools.chain([first], batches):
            writer.write_table(arrow(frame).cast(schema))
            rows += frame.height
    return rows


PARQUET = ExportFormat(
    "parquet",
    "Parquet, for Polars, pandas and Spark",
    "application/vnd.apache.parquet",
    ".parquet",
    _write,
    chosen_by=(".parquet", ".pq"),
)
