"""Columns as text formats hold them: bytes as base64, times as ISO 8601, structures as JSON."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from labeling.formats.columns.names import BYTES_PREFIX


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Write bytes as base64, and times as ISO 8601, which no format of text has a type for."""
    return frame.with_columns(
        (pl.lit(BYTES_PREFIX) + cs.binary().bin.encode("base64")).name.keep(),
        (cs.temporal() - cs.duration()).dt.to_string("iso:strict"),
        cs.float().fill_nan(None),
    )


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Write what is not one value a cell, lists and structures, as JSON too."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    encoded = []
    for name in nested:
        text = pl.struct(pl.col(name).alias("v")).struct.json_encode()
        encoded.append(pl.when(pl.col(name).is_not_null()).then(text.str.slice(5).str.head(-1)).alias(name))
    return plain(frame).with_columns(encoded)
