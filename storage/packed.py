"""Compressed bytes that are damaged: the row that holds them is looked for, and named."""

from __future__ import annotations

from storage.damage import message, named
from storage.database import StorageError, engines


def damaged_bytes() -> StorageError:
    """Return the error for bytes that this process read from a database and cannot unpack; it names their row."""
    for engine in engines():
        if found := named(engine):
            return StorageError(message(engine, found))
    return StorageError(
        "What a database keeps is damaged and cannot be read. python -m labeling verify says where; use a backup."
    )
