"""Items that more people are to answer, where several are wanted: each is asked of another person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from labeling.loops.refits.ranking import Ranked
from labeling.store.overlap import Overlap, overlap_of
from labeling.tasks import single

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import AnnotationRecord, QueryRecord
    from storage.transactions import Connection

AGAIN = "asked of several people"
"""The strategy of a question that somebody else was asked before."""


class SharedItems:
    """The items of one loop that some have answered, and more are to answer.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    loop_id
        The loop's id in the ledger.
    """

    def __init__(self, store: ProjectStore, loop_id: int) -> None:
        self._store = store
        self._ledger = store.ledger
        self._loop_id = loop_id

    def overlap(self, connection: Connection) -> Overlap:
        """Return how many people answer an item now."""
        return overlap_of(self._ledger, connection)

    def missing(self, connection: Connection) -> dict[int, int]:
        """Return how many answers each item lacks that somebody has answered in this loop, in the order asked."""
        overlap = self.overlap(connection)
        if not overlap.several:
            return {}
        answered = self._ledger.annotations.standing.answered_in(connection, self._loop_id)
        lacking = {item: overlap.wanted(item) - len(people) for item, people in answered.items()}
        lacking = {item: n for item, n in lacking.items() if n > 0}
        if overlap.rule == "all" or not lacking:
            return lacking
        asked = self._first_asked(connection)
        # By position, since classes that were merged are one.
        positions = self._store.label_set.positions()
        said = self._said(connection, positions)
        return {
            item: n
            for item, n in lacking.items()
            if (query := asked.get(item)) is not None
            and overlap.allows(_position(query.predicted, positions), query.probabilities, said.get(item, frozenset()))
        }

    def for_person(self, connection: Connection, annotator_id: int, gone: Collection[int]) -> list[tuple[int, Ranked]]:
        """Return what a person is asked after others: neither answered nor held by them, and not held by enough."""
        missing = {item: n for item, n in self.missing(connection).items() if item not in gone}
        if not missing:
            return []
        annotator_id = self._ledger.persons.merged(connection).lead(annotator_id)
        answered = self._ledger.annotations.standing.answered_in(connection, self._loop_id)
        skipped = self._ledger.annotations.standing.skipped(connection, annotator_id)
        holding = self._ledger.leases.holding(connection, list(missing))
        asked = self._first_asked(connection)
        found: list[tuple[int, Ranked]] = []
        for item, n in missing.items():
            others = holding.get(item, set()) - answered.get(item, set())
            if annotator_id in answered.get(item, set()) | others or item in skipped or len(others) >= n:
                continue
            if (query := asked.get(item)) is not None:
                found.append((query.rank, _again(query)))
        return found

    def _first_asked(self, connection: Connection) -> dict[int, QueryRecord]:
        """Return the first question about each item of this loop."""
        found: dict[int, QueryRecord] = {}
        for query in sorted(self._ledger.loops.asked_in(connection, self._loop_id), key=lambda query: query.id):
            found.setdefault(query.item_id, query)
        return found

    def _said(self, connection: Connection, positions: Mapping[int, int]) -> dict[int, frozenset[int]]:
        """Return the positions of the classes that people have named of each item."""
        found: dict[int, set[int]] = {}
        records: list[AnnotationRecord] = self._ledger.annotations.current_in(connection)
        for record in records:
            if (said := single.position(record, positions)) is not None:
                found.setdefault(record.item_id, set()).add(said)
        return {item: frozenset(said) for item, said in found.items()}


def _position(class_id: int | None, positions: Mapping[int, int]) -> int | None:
    return None if class_id is None else positions.get(class_id)


def _again(query: QueryRecord) -> Ranked:
    likeliest = {int(label): p for label, p in query.probabilities.items()}
    return Ranked(query.item_id, query.score, AGAIN, query.probability or 1.0, dict(query.parts), likeliest)
