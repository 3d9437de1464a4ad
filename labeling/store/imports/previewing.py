"""What an import would do with the first rows of a source."""

from __future__ import annotations

import polars as pl

from labeling.formats.mapping import Mapping, prepare_items
from labeling.formats.reading.delimited import Rejected
from labeling.formats.reading.offers import offers
from labeling.formats.reading.tables import Table
from labeling.store.imports.reports import ImportPreview

LOOKED_AT = 1000
"""Rows that a preview reads."""

SHOWN = 20
"""Rows that it shows."""


def preview_of(table: Table, mapping: Mapping) -> ImportPreview:
    """Return the first rows of a table, and what of it would be rejected: unreadable rows, pictures, repeated ids."""
    ready = prepare_items(table, mapping)
    rejected = [*ready.rejected, *_repeated_ids(ready.frame, ready.id, ready.lines)]
    looked_at = table.frame.height + len(table.rejected)
    found = () if table.is_export else offers(table.frame)
    in_order = tuple(sorted(rejected, key=lambda row: row.line))
    return ImportPreview(table, mapping, table.frame.head(SHOWN), in_order, looked_at, found)


def _repeated_ids(frame: pl.DataFrame, ids: pl.Series | None, lines: pl.Series) -> list[Rejected]:
    if ids is None or not frame.width:
        return []
    content = frame.select(pl.struct(~pl.selectors.binary()).struct.json_encode().alias("content")).to_series()
    rows = pl.DataFrame({"id": ids, "content": content, "line": lines}).filter(pl.col("id") != "")
    other = rows.filter(pl.col("content") != pl.col("content").first().over("id"))
    return [
        Rejected(line, f"the id {own!r} stands on an earlier line with other content")
        for line, own in other.select("line", "id").iter_rows()
    ]
