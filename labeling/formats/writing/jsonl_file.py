"""JSON Lines: one object a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from labeling.formats.columns.plain import plain
from labeling.formats.export_format import About, ExportFormat


def _write(path: Path, batches: Iterator[pl.DataFrame], _about: About) -> int:
    rows = 0
    with path.open("xb") as file:
        for frame in batches:
            plain(frame).write_ndjson(file)
            rows += frame.height
    return rows


JSONL = ExportFormat(
    "jsonl",
    "JSON Lines, one object a line",
    "application/x-ndjson",
    ".jsonl",
    _write,
    chosen_by=(".jsonl", ".ndjson"),
)
