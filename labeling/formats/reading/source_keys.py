"""A key of each row of a source over all its columns as they were read, whatever part they play."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labeling.formats.reading.tables import Table


def source_keys(table: Table) -> pl.Series:
    r"""Return (n,) a key of 16 bytes of each row: the same for the same cells under the same column names.

    Numbers count as they are written, so that a column which is text in one reading and numbers in the next gives
    the same key.

    Examples
    --------
    >>> from labeling.formats.reading.tables import read_source
    >>> one = read_source(b"id,text\n7,a\n8,b\n", name="one.csv")
    >>> other = read_source(b"text,id\nb,8\na,7\n", name="other.csv")
    >>> (source_keys(one) == source_keys(other).reverse()).to_list()
    [True, True]
    """
    cells = pl.DataFrame([_cells(table, name) for name in sorted(table.frame.columns)])
    encoded = cells.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return pl.Series("source_key", _digests(encoded), dtype=pl.Binary())


def _cells(table: Table, name: str) -> pl.Series:
    """Return a column as JSON can hold it: bytes by their digest, plain values as their text."""
    series = table.frame[name]
    if series.dtype == pl.Binary:
        digests = [None if value is None else hashlib.blake2b(value, digest_size=16).hexdigest() for value in series]
        return pl.Series(name, digests, dtype=pl.String())
    return series if series.dtype.is_nested() else table.text_of(name).alias(name)


def _digests(encoded: pl.Series) -> Iterator[bytes]:
    return (hashlib.blake2b(row, digest_size=16).digest() for row in encoded.cast(pl.Binary))
