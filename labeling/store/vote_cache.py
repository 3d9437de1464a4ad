"""Votes of a project's functions, computed once: kept in this process, and in the ledger by blocks.

A new function computes one column, new items one batch, a restart nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.arrays import BLOCK, NOT_RUN, IntArray, pack, unpack
from labeling.functions.base import LabelingFunction
from labeling.functions.rules import KINDS, forms_mark
from labeling.store.label_set import LabelSet
from labeling.store.snapshots import cached
from labeling.votes.applying import votes_of_frame
from storage.records import FunctionRecord, VoteBlock

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.items import Items
    from storage.ledger import Ledger

IdArray = npt.NDArray[np.int16]


def spec_fingerprint(spec: Mapping[str, Any]) -> str:
    """Return the fingerprint of a rule that is data, from its spec as the ledger keeps it."""
    written = json.dumps(spec, sort_keys=True) + forms_mark(spec.get("words", ()))
    return hashlib.sha256(written.encode()).hexdigest()


def _keeps_votes(record: FunctionRecord) -> bool:
    """Whether the ledger's votes of a function are those that it has today; a rule of before may mean more now."""
    if record.kind in KINDS and forms_mark(record.spec.get("words", ())):
        return record.fingerprint == spec_fingerprint(record.spec)
    return record.fingerprint is not None


@dataclass(frozen=True)
class VoteColumn:
    """The votes of one function version: the class id at each item id, -1 abstains, -2 not run."""

    dense: IdArray
    faults: tuple[Mapping[str, Any], ...] = ()
    seconds: float = 0.0

    def upto(self, top: int) -> VoteColumn:
        """Return the same votes with room for item ids up to `top`."""
        short = top + 1 - len(self.dense)
        if short <= 0:
            return self
        longer = np.concatenate([self.dense, np.full(short, NOT_RUN, dtype=np.int16)])
        return VoteColumn(longer, self.faults, self.seconds)

    def fault(self) -> Mapping[str, Any] | None:
        """Return how many items failed, and the first of them."""
        if not self.faults:
            return None
        return {**self.faults[0], "count": sum(fault["count"] for fault in self.faults)}

    def outdated(self, labels: LabelSet) -> bool:
        """Tell whether a fault may have been a vote for a class that there was not yet."""
        return any(fault["label_set"] < labels.version for fault in self.faults)


class VoteStore:
    """Looks votes up where they are kept, and runs functions on the items they have not seen."""

    def __init__(self, ledger: Ledger, items: Items) -> None:
        self._ledger = ledger
        self._items = items

    def columns(
        self,
        wanted: Sequence[tuple[FunctionRecord, LabelingFunction | None]],
        ids: IntArray,
        labels: LabelSet,
        text: str | None,
        progress: bool = False,
        executor: Engine = None,
    ) -> list[VoteColumn]:
        """Return a column a record; a function that is None is not run, its unknown votes stay -2.

        `ids` (n,) are the items, ascending. What they hold is read only where a function has to run; it runs where
        the executor does.
        """
        top = int(ids.max(initial=0))
        kept: dict[int, VoteColumn] = cached(self._ledger.place, "votes", None, dict)
        found = {
            record.version_id: (kept.get(record.version_id) or self._stored(record)).upto(top) for record, _ in wanted
        }
        for record, function in wanted:
            if function is not None and found[record.version_id].outdated(labels):
                found[record.version_id] = VoteColumn(np.full(top + 1, NOT_RUN, dtype=np.int16))
        groups: dict[bytes, list[tuple[FunctionRecord, LabelingFunction]]] = {}
        for record, function in wanted:
            todo = found[record.version_id].dense[ids] == NOT_RUN
            if function is not None and todo.any():
                groups.setdefault(np.packbits(todo).tobytes(), []).append((record, function))
        for bits, members in groups.items():
            rows = np.flatnonzero(np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=len(ids)))
            self._run(members, self._items.part(ids[rows]), found, labels, text, progress, executor)
        for record, _ in wanted:
            if record.fingerprint is not None:
                kept[record.version_id] = found[record.version_id]
        return [found[record.version_id] for record, _ in wanted]

    def _stored(self, record: FunctionRecord) -> VoteColumn:
        """Return what the ledger keeps of a function version."""
        blocks = self._ledger.functions.votes(record.version_id) if _keeps_votes(record) else []
        top = max((block.block + 1 for block in blocks), default=0) * BLOCK
        dense = np.full(top, NOT_RUN, dtype=np.int16)
        for block in blocks:
            dense[block.block * BLOCK : (block.block + 1) * BLOCK] = unpack(block.votes, "<i2")
        faults = tuple(block.faults for block in {block.block: block for block in blocks}.values() if block.faults)
        return VoteColumn(dense, faults, sum(block.seconds for block in blocks))

    def _run(
        self,
        members: Sequence[tuple[FunctionRecord, LabelingFunction]],
        part: pl.DataFrame,
        found: dict[int, VoteColumn],
        labels: LabelSet,
        text: str | None,
        progress: bool,
        executor: Engine,
    ) -> None:
        """Run functions that miss the same items on those, and keep what they voted."""
        functions = [function for _, function in members]
        ids = part["item_id"].to_numpy()
        votes = votes_of_frame(functions, part, labels.names, text=text, executor=executor, progress=progress)
        class_ids = np.array([*labels.ids, -1], dtype=np.int16)
        blocks: list[VoteBlock] = []
        for j, (record, _) in enumerate(members):
            before = found[record.version_id]
            dense = before.dense.copy()
            dense[ids] = class_ids[votes.values[:, j]]
            fault = votes.faults[j]
            failed: tuple[Mapping[str, Any], ...] = ()
            if fault is not None:
                first = int(ids[fault.first_row])
                about = {"count": fault.count, "first_item": first, "error": fault.error}
                failed = (about | {"label_set": labels.version, "block": int(ids.min() // BLOCK)},)
            found[record.version_id] = VoteColumn(dense, before.faults + failed, before.seconds + votes.seconds[j])
            if _keeps_votes(record):
                blocks += _blocks(record, dense, ids, before.faults + failed, votes.seconds[j])
        # A project that was archived can be looked at; what it takes to do so is not kept.
        if blocks and self._ledger.archived_at() is None:
            self._ledger.functions.add_votes(blocks)


def _blocks(
    record: FunctionRecord, dense: IdArray, ran: IntArray, faults: tuple[Mapping[str, Any], ...], seconds: float
) -> list[VoteBlock]:
    """Return the blocks to keep of those that a run touched; a later block supersedes an earlier one.

    Of a rule, which any process can run again, only full blocks are kept.
    """
    touched = np.unique(ran // BLOCK).tolist()
    kept = []
    for number in touched:
        end = (number + 1) * BLOCK
        if record.kind in KINDS and end > len(dense):
            continue
        votes = np.full(BLOCK, NOT_RUN, dtype=np.int16)
        inside = dense[number * BLOCK : end]
        votes[: len(inside)] = inside
        # Where a run failed is told once, with its first block, and again when that is superseded.
        failed = tuple(fault for fault in faults if fault["block"] == number)
        told = dict(VoteColumn(dense, failed).fault() or {})
        through = min(end, len(dense)) - 1
        kept.append(VoteBlock(record.version_id, number, through, pack(votes, "<i2"), told, seconds / len(touched)))
    return kept
