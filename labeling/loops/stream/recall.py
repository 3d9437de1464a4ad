"""What a stream looks at again and again: items as a frame, read once while they stand."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


class Recall:
    """Reads items from the ledger, and keeps those of the last time: the next time most are the same."""

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._version = -1
        self._frame = pl.DataFrame()

    def some(self, item_ids: Collection[int]) -> pl.DataFrame:
        """Return some items in item order, as `Items.some` does, and keep them in place of those before."""
        self._frame = self.few(item_ids)
        return self._frame

    def few(self, item_ids: Collection[int]) -> pl.DataFrame:
        """Return a few items in item order, and keep them beside those before."""
        items, ledger = self._store.items, self._store.ledger
        with ledger.view():
            version = ledger.items.changed()
            if version != self._version:
                self._version, self._frame = version, items.some(sorted(item_ids))
                return self._frame
            kept = self._frame["item_id"].to_list()
            new = set(item_ids).difference(kept)
            if new:
                found = items.some(sorted(new))
                if found.schema != self._frame.schema:
                    # An import came in between, where a transaction sees what others commit.
                    self._version = -1
                    return items.some(sorted(item_ids))
                self._frame = pl.concat([self._frame, found]).sort("item_id")
        wanted = set(item_ids)
        if wanted.issuperset(kept):
            return self._frame
        return self._frame.filter(pl.Series([item in wanted for item in self._frame["item_id"].to_list()]))
