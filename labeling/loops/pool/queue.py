"""The queue of a loop: who is asked what, each item to one person at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.loops.pool.shared_items import SharedItems
from labeling.loops.records import Query
from labeling.loops.refits.ranking import Ranked, load_ranking
from labeling.loops.refits.why import why_of
from labeling.store.holdout import holdout_ids
from labeling.store.label_set import SPLIT
from labeling.tasks import single
from storage import ANSWERS

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import Holder, QueryRecord, RefitRecord
    from storage.transactions import Connection, Turn

LEASE_SECONDS = 1800.0
"""How long an annotator who does nothing holds the items that were asked."""

REOPENED = "class was split"
"""The strategy of a question that is asked again since its label is no more."""

SCAN = 256
UNLIMITED = 1_000_000_000


class Queue:
    """Opens queries from the newest ranking, under leases, within the budget."""

    def __init__(self, store: ProjectStore, loop_id: int, loop_name: str, budget: Callable[[], int | None]) -> None:
        self.store = store
        self.ledger = store.ledger
        self.loop_id = loop_id
        self.loop_name = loop_name
        self._budget = budget
        self.shared = SharedItems(store, loop_id)
        self._rankings: dict[int, list[Ranked]] = {}

    @property
    def budget(self) -> int | None:
        """The label budget as it is now."""
        return self._budget()

    def open(self, connection: Connection, holder: Holder) -> list[QueryRecord]:
        """Return the queries that somebody holds, in rank order; their time starts again."""
        records = self.ledger.loops.open_queries(connection, self.loop_id, holder)
        if records:
            self.ledger.leases.extend(connection, self.loop_id, records[0].annotator_id, holder)
        return records

    def take(
        self, turn: Turn, holder: Holder, n: int, last: RefitRecord, *, skipped_too: bool, more: bool = False
    ) -> list[QueryRecord]:
        """Open up to n queries from the ranking of a refit; with `more` beside those open, else only if none are.

        What another holder of the same person had, whose time ran out, comes first.

        Where the ranking is used up and the pool is not, what was skipped is only
        asked again with `skipped_too`; a new ranking would come first.
        """
        loops, connection = self.ledger.loops, turn.connection
        records = [] if more else loops.open_queries(connection, self.loop_id, holder)
        n = min(n, self.left(connection))
        if records or not n:
            return records
        gone = self.gone()
        person = self.ledger.annotations.annotator(connection, holder.annotator)
        overlap = self.shared.overlap(connection)
        left = self._left_over(connection, holder, gone)[:n]
        if left:
            people = {query.item_id: overlap.wanted(query.item_id) for query in left}
            self.ledger.leases.take(connection, left, person, self.loop_id, holder, people)
            return left
        chosen = self.shared.for_person(connection, person, gone)[:n]
        if len(chosen) < n:
            ranking = self._reopened(connection, gone)
            again = {entry.item_id for _, entry in ranking} | gone
            ranking += [pair for pair in enumerate(self.ranking(last)) if pair[1].item_id not in again]
            skipped = self.ledger.annotations.standing.skipped(connection, person)
            skipped = {item: at for item, at in skipped.items() if item not in gone}
            skipped_too = skipped_too or int(last.metrics["ranked"]) >= int(last.metrics["candidates"])
            chosen += self._choose(connection, ranking, n - len(chosen), skipped, skipped_too)
        if not chosen:
            return []
        records = loops.add_queries(turn.stamp(), [self._values(last, person, *pair) for pair in chosen])
        people = {entry.item_id: overlap.wanted(entry.item_id) for _, entry in chosen}
        self.ledger.leases.take(connection, records, person, self.loop_id, holder, people)
        return records

    def _left_over(self, connection: Connection, holder: Holder, gone: Collection[int]) -> list[QueryRecord]:
        """Return what was asked of a person whose time ran out, and that nobody has answered or holds since."""
        expired = self.ledger.loops.expired_queries(connection, self.loop_id, holder.annotator)
        taken = self.ledger.leases.taken(connection, [query.item_id for query in expired]) if expired else set()
        return [query for query in expired if query.item_id not in taken and query.item_id not in gone]

    def gone(self) -> frozenset[int]:
        """Return the items that are never asked: held out, erased, or gone with their import."""
        items = self.ledger.items
        return holdout_ids(self.ledger) | items.erased() | items.withdrawn()

    def left(self, connection: Connection) -> int:
        """Return how many queries the budget still allows to be opened."""
        budget = self.budget
        if budget is None:
            return UNLIMITED
        tally = self.ledger.loops.tally(connection, self.loop_id)
        return max(0, budget - answers(tally) - tally["open"])

    def _reopened(self, connection: Connection, gone: Collection[int]) -> list[tuple[int, Ranked]]:
        """Return what this loop asks before all else: items whose class was split, and that it had asked."""
        if not any(label.state == SPLIT for label in self.store.label_set.former):
            return []
        found = self.ledger.reopened.items(connection)
        items = [item for item, loop in found.items() if loop in (None, self.loop_id) and item not in gone]
        return [(place - len(items), Ranked(item, 0.0, REOPENED, 1.0, {}, {})) for place, item in enumerate(items)]

    def _choose(
        self,
        connection: Connection,
        ranking: list[tuple[int, Ranked]],
        n: int,
        skipped: dict[int, int],
        skipped_too: bool,
    ) -> list[tuple[int, Ranked]]:
        """Return up to n entries of the ranking that nobody has; what this person skipped comes last."""
        fresh = [(rank, entry) for rank, entry in ranking if entry.item_id not in skipped]
        chosen = self._free(connection, fresh, n)
        if chosen or not skipped_too:
            return chosen
        again = {entry.item_id: (rank, entry) for rank, entry in ranking if entry.item_id in skipped}
        # A skipped item that the newest ranking does not list still comes back.
        after = 1 + max((rank for rank, _ in ranking), default=-1)
        for place, item in enumerate(sorted(skipped.keys() - again.keys())):
            again[item] = (after + place, Ranked(item, 0.0, "skipped before", 1.0, {}, {}))
        return self._free(connection, [again[item] for item in sorted(again, key=skipped.__getitem__)], n)

    def _free(self, connection: Connection, entries: list[tuple[int, Ranked]], n: int) -> list[tuple[int, Ranked]]:
        """Return the first n entries that nobody has answered or holds."""
        chosen: list[tuple[int, Ranked]] = []
        for start in range(0, len(entries), SCAN):
            part = entries[start : start + SCAN]
            taken = self.ledger.leases.taken(connection, [entry.item_id for _, entry in part])
            chosen += [pair for pair in part if pair[1].item_id not in taken]
            if len(chosen) >= n:
                break
        return chosen[:n]

    def _values(self, last: RefitRecord, person: int, rank: int, entry: Ranked) -> dict[str, Any]:
        """Return a question as the ledger keeps it."""
        return {
            "loop_id": self.loop_id,
            "refit_id": last.id,
            "annotator_id": person,
            "item_id": entry.item_id,
            "purpose": "learn",
            "rank": rank,
            "score": entry.score,
            "parts": dict(entry.parts),
            "probability": entry.probability,
            "strategy": entry.strategy,
            "predicted": entry.predicted,
            "probabilities": {str(label): p for label, p in entry.probabilities.items()},
            "why": None if entry.why is None else dict(entry.why),
        }

    def holders(self) -> pl.DataFrame:
        """Return who holds questions of the loop, how many, since when, and for how many seconds more."""
        return pl.DataFrame(
            [
                (held.annotator, held.holder, held.questions, held.since, held.seconds)
                for held in self.ledger.leases.holders(self.loop_id)
            ],
            schema={
                "annotator": pl.String(),
                "holder": pl.String(),
                "questions": pl.Int64(),
                "since": pl.Datetime("us", "UTC"),
                "seconds": pl.Float64(),
            },
            orient="row",
        )

    def why_nothing(self) -> str:
        """Return why nothing could be opened."""
        with self.ledger.read() as connection:
            tally = self.ledger.loops.tally(connection, self.loop_id)
        budget = self.budget
        left = None if budget is None else budget - answers(tally)
        if self.ledger.items.counts()[0] == 0:
            return "There are no items. Import some with add_items()."
        if left is not None and tally["open"] >= left:
            return (
                f"The {left} answers left in the budget of {budget} are with other annotators. "
                "They come back when whoever has them is gone."
            )
        with self.ledger.read() as connection:
            shared = bool(self.shared.missing(connection))
        if shared and not self.store.open_items():
            return "Everything left needs the answer of somebody else: you have answered it."
        if tally["open"]:
            return "Everything left is being worked on by other annotators. Try again when they are done."
        return "Nothing is ranked right now: the model is learning. Try again in a moment."

    def ranking(self, refit: RefitRecord) -> list[Ranked]:
        """Return what a refit ranked, best first."""
        if refit.id not in self._rankings:
            self._rankings = {refit.id: load_ranking(self.ledger.loops.ranking(refit.id)[0])}
        return self._rankings[refit.id]

    def queries(self, records: Sequence[QueryRecord]) -> list[Query]:
        """Return queries with their items and the present names of classes."""
        if not records:
            return []
        labels = self.store.label_set
        known = labels.names_by_id()
        frame = self.store.items.some([record.item_id for record in records], image=True)
        items = {row["item_id"]: row for row in frame.iter_rows(named=True)}
        return [
            Query(
                id=record.id,
                uuid=record.uuid,
                loop=self.loop_name,
                annotator=record.annotator or "",
                item_id=record.item_id,
                item={key: value for key, value in items.get(record.item_id, {}).items() if key != "item_id"},
                score=record.score,
                parts=record.parts,
                strategy=record.strategy,
                round=record.round,
                rank=record.rank,
                predicted=None if record.predicted is None else known.get(record.predicted),
                probabilities=single.added(record.probabilities, known),
                why=why_of(record, known),
            )
            for record in records
        ]


def answers(tally: dict[str, int]) -> int:
    """Return how many of the counted annotations cost a person's time."""
    return sum(tally[kind] for kind in ANSWERS)
