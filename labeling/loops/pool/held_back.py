"""Groups of items that do not belong, or do: judged in one step."""

from __future__ import annotations

import json
import uuid as uuids
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.arrays import IntArray, inflate
from labeling.loops.pool.queue import Queue
from labeling.loops.records import HeldGroup
from labeling.people.answers import annotator_name, check_items, check_same
from storage import WELCOME
from strategies import OutlierGuard, Strategy

if TYPE_CHECKING:
    from labeling.loops.rounds.learning import Learning
    from labeling.store.project_store import ProjectStore


GROUP = "group"

EMPTY, ALONE, APART = "empty", "unlike the rest", "cluster apart"

SHOWN = 12
"""Items of a group that `groups` shows."""

SAMPLE = 20_000
"""Items that groups are looked for among where no machine holds the pool whole."""


class HeldBack:
    """Groups of items that the newest refit held back, and what a person says of them.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    queue
        The loop's queue, with the loop's place in the ledger.
    """

    def __init__(self, store: ProjectStore, queue: Queue) -> None:
        self._store = store
        self._ledger = store.ledger
        self._queue = queue

    def groups(self, shown: int = SHOWN) -> list[HeldGroup]:
        """Return the groups of items that the newest refit held back, the largest first."""
        last = self._ledger.loops.last_refit(self._queue.loop_id)
        stored = None if last is None else self._ledger.loops.held_back(last.id)
        if last is None or stored is None:
            return []
        gone = self._judged()
        found = []
        for number, group in enumerate(_load(stored)):
            ids = group["items"][~np.isin(group["items"], gone)]
            if len(ids):
                chosen = ids[np.linspace(0, len(ids) - 1, min(shown, len(ids))).round().astype(np.int64)]
                items = self._store.items.some(chosen.tolist(), image=True).to_dicts()
                found.append(HeldGroup(f"{last.round}-{number}", group["kind"], len(ids), tuple(items)))
        return sorted(found, key=lambda group: -group.size)

    def group_items(self, group_id: str, start: int = 0, n: int = SHOWN) -> list[dict[str, Any]]:
        """Return the items of a group that are still open, some at a time."""
        ids = self._group(group_id)["items"]
        ids = ids[~np.isin(ids, self._judged())][start : start + n]
        return self._store.items.some(ids.tolist(), image=True).to_dicts()

    def discard(
        self,
        group_id: str,
        annotator: str,
        *,
        only: Iterable[int] | None = None,
        but: Iterable[int] = (),
        uuid: str | None = None,
    ) -> int:
        """Take a whole group out of the pool: its items do not belong here. Return how many there were."""
        if only is None and self._group(group_id)["kind"] == ALONE:
            raise ValueError(
                f"The items of {group_id!r} have nothing in common, so that many of them may belong: they cannot be "
                "discarded as one. Name those that do not belong with only=[...]."
            )
        return self._judge(group_id, annotator, "discard", only, but, uuid)

    def welcome(
        self,
        group_id: str,
        annotator: str,
        *,
        only: Iterable[int] | None = None,
        but: Iterable[int] = (),
        uuid: str | None = None,
    ) -> int:
        """Say that a whole group belongs: from the next refit on it is asked like anything else."""
        return self._judge(group_id, annotator, WELCOME, only, but, uuid)

    def _judge(
        self,
        group_id: str,
        annotator: str,
        kind: str,
        only: Iterable[int] | None,
        but: Iterable[int],
        uuid: str | None,
    ) -> int:
        annotator, ledger = annotator_name(annotator), self._ledger
        ids = self._group(group_id)["items"]
        if only is not None:
            ids = ids[np.isin(ids, list(only))]
        ids = ids[~np.isin(ids, list(but))]
        with ledger.write() as write:
            before = [] if uuid is None else ledger.annotations.of_step(write.connection, uuid)
            if before:
                said = (self._queue.loop_id, ledger.annotations.called(write.connection, annotator), kind, GROUP)
                check_same(before[0], said, ("loop_id", "annotator", "kind", "origin"))
                check_items(before, ids.tolist())
                return len(before)
            person = ledger.annotations.annotator(write.connection, annotator)
            gone = ledger.annotations.standing.answered(write.connection)
            gone |= ledger.annotations.standing.welcome(write.connection)
            gone |= ledger.items.withdrawn_in(write.connection)
            if kind == "discard":
                # Who works on one of them says it better.
                gone |= ledger.leases.items_in(write.connection)
            open_ = ids[~np.isin(ids, np.fromiter(gone, dtype=np.int64, count=len(gone)))].tolist()
            if open_:
                ledger.annotations.add_many(
                    write,
                    open_,
                    annotator_id=person,
                    kind=kind,
                    step=uuid or str(uuids.uuid4()),
                    origin=GROUP,
                    loop_id=self._queue.loop_id,
                )
        return len(open_)

    def _group(self, group_id: str) -> dict[str, Any]:
        round_, _, number = str(group_id).partition("-")
        refits = {str(refit.round): refit.id for refit in self._ledger.loops.refits(self._queue.loop_id)}
        stored = self._ledger.loops.held_back(refits[round_]) if round_ in refits else None
        groups = [] if stored is None else _load(stored)
        if not number.isdigit() or int(number) >= len(groups):
            known = ", ".join(group.id for group in self.groups(shown=1)) or "none now"
            raise LookupError(
                f"There is no group {group_id!r} in the loop {self._queue.loop_name!r}; there are: {known}."
            )
        return groups[int(number)]

    def _judged(self) -> IntArray:
        """Return the items that were answered, discarded, welcomed, held out or erased."""
        standing = self._ledger.annotations.standing
        with self._ledger.read() as connection:
            gone = standing.answered(connection) | standing.welcome(connection) | self._queue.gone()
        return np.fromiter(gone, dtype=np.int64, count=len(gone))


def guards(strategy: Strategy) -> Iterator[OutlierGuard]:
    """Yield the guards in a strategy, the outermost first."""
    if isinstance(strategy, OutlierGuard):
        yield strategy
    for part in strategy.parts():
        yield from guards(part)


def held_back(strategy: Strategy, learning: Learning, candidates: IntArray) -> bytes | None:
    """Return what the first guard of a strategy holds back of the candidates, encoded; None where nothing is.

    Clusters come with their items, what is alone or empty as one group each. Where the pool is scored in slices,
    which never hold it whole, the groups are those of a sample.
    """
    guard = next(guards(strategy), None)
    if guard is None or not len(candidates):
        return None
    if learning.sliced and len(candidates) > SAMPLE:
        rng = np.random.default_rng([learning.seed, learning.round, 5])
        candidates = np.sort(rng.choice(candidates, SAMPLE, replace=False))
    number = guard.groups(learning.pool(candidates))
    ids = learning.ids[candidates]
    groups = []
    for group in np.unique(number[number >= 0]).tolist():
        kind = EMPTY if group == 0 else ALONE if group == 1 else APART
        items = np.sort(ids[number == group])
        groups.append({"kind": kind, "items": np.diff(items, prepend=0).tolist()})
    return zlib.compress(json.dumps(groups).encode(), 6) if groups else None


def _load(stored: bytes) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads(inflate(stored))
    return [{"kind": group["kind"], "items": np.cumsum(group["items"], dtype=np.int64)} for group in groups]
