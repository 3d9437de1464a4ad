"""Which items are held out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from labeling.arrays import unpack

if TYPE_CHECKING:
    from storage.ledger import Ledger


def holdout_ids(ledger: Ledger) -> frozenset[int]:
    """Return the items that score classifiers and are never asked."""
    record = ledger.items.holdout()
    return frozenset() if record is None else _ids(record.item_ids) - ledger.items.withdrawn()


@lru_cache(maxsize=8)
def _ids(packed: bytes) -> frozenset[int]:
    return frozenset(unpack(packed, "<i8").tolist())
