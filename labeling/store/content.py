"""What an item holds, as the ledger keeps it: one encoding and one hash, for imports and for streams.

Two items with the same content have the same hash, however they came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl


def encoded(names: Sequence[str]) -> pl.Expr:
    """The columns of each row as one JSON text.

    Examples
    --------
    >>> pl.DataFrame({"n": [1], "text": ["a"]}).select(encoded(["n", "text"])).item()
    '{"n":1,"text":"a"}'
    """
    return pl.struct(names).struct.json_encode() if names else pl.lit("{}")


def encoded_record(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return some values of one record as JSON, as `encoded` writes them; what is not there is null.

    Examples
    --------
    >>> encoded_record({"text": "a", "n": 1}, ["n", "text"])
    '{"n":1,"text":"a"}'
    """
    return "{" + ",".join(f"{_encoded(name)}:{_encoded(record.get(name))}" for name in names) + "}"


def _encoded(value: Any) -> str:
    if isinstance(value, float):
        # Polars writes 1e-7 where Python writes 1e-07.
        return repr(value).replace("e-0", "e-")
    if isinstance(value, list):
        return "[" + ",".join(map(_encoded, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=_moment)


def _moment(value: date | datetime) -> str:
    """Return a date or moment as Polars writes it: thousandths where those are enough."""
    if not isinstance(value, datetime):
        return value.isoformat()
    parts = "seconds" if value.microsecond == 0 else "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    return value.isoformat(" " if value.tzinfo is None else "T", parts)


def content_hash(data: str, private: str | None, image: bytes | None) -> bytes:
    """Return 16 bytes that say what an item holds: its columns and its private ones as JSON, its picture."""
    digest = hashlib.blake2b(data.encode(), digest_size=16)
    if private is not None:
        digest.update(b"\x00" + private.encode())
    if image is not None:
        digest.update(b"\x01" + image)
    return digest.digest()
