"""CSV, which spreadsheets open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from labeling.formats.columns.names import escape_formulas
from labeling.formats.columns.plain import flat
from labeling.formats.export_format import About, ExportFormat


def _write(path: Path, batches: Iterator[pl.DataFrame], about: About) -> int:
    rows = 0
    with path.open("xb") as file:
        for number, frame in enumerate(batches):
            text = escape_formulas(flat(frame), all_cells=about.escape_formulas)
            if number == 0:
                header = pl.DataFrame({"name": text.columns})
                names = escape_formulas(header, all_cells=about.escape_formulas)["name"]
                text = text.rename(dict(zip(text.columns, names, strict=True)))
            text.write_csv(file, include_header=number == 0)
            rows += frame.height
    return rows


CSV = ExportFormat("csv", "CSV, for spreadsheets", "text/csv", ".csv", _write, chosen_by=(".csv",), escapes=True)
