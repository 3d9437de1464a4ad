"""Near-duplicates of an item: an answer is offered for what says almost the same."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from labeling.loops.pool.queue import Queue
from labeling.loops.records import Alike, Query
from labeling.people.annotations import Annotation
from labeling.people.answers import Answers, annotator_name, check_items, check_same
from labeling.store.holdout import holdout_ids
from labeling.store.near_duplicates import near_duplicates_of
from storage import ANSWERS

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import AnnotationRecord
    from storage.transactions import Connection

ALIKE = "alike"


class NearDuplicateAnswers:
    """What resembles an item, and taking its answer over.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    answers
        Records what people say in the loop.
    queue
        The loop's queue, with the loop's place in the ledger.
    """

    def __init__(self, store: ProjectStore, answers: Answers, queue: Queue) -> None:
        self._store = store
        self._ledger = store.ledger
        self._answers = answers
        self._queue = queue

    def offered(self, query: Query | int, limit: int = 100) -> list[Alike]:
        """Return near-duplicates of an item that its answer may hold for as well, the most similar first."""
        found = self._similar(query)
        free = self._free([item for item, _ in found])
        chosen = [(item, similar) for item, similar in found if item in free][:limit]
        frame = self._store.items.some([item for item, _ in chosen], image=True)
        items = {row["item_id"]: row for row in frame.iter_rows(named=True)}
        return [
            Alike(item, similar, {key: value for key, value in items[item].items() if key != "item_id"})
            for item, similar in chosen
            if item in items
        ]

    def take_over(
        self,
        source: Annotation | Query,
        item_ids: Sequence[int],
        *,
        annotator: str | None = None,
        uuid: str | None = None,
    ) -> list[Annotation]:
        """Record the answer to one item for near-duplicates of it that a person chose, in one step."""
        ledger, step = self._ledger, uuid or str(uuids.uuid4())
        with ledger.read() as connection:
            query_id = self._query_id(connection, source)
            before = [] if uuid is None else ledger.annotations.of_step(connection, uuid)
            answer = None if query_id is None else ledger.annotations.answer_to(connection, query_id)
            asked = None if query_id is None else ledger.loops.query(connection, query_id)
        wanted = list(dict.fromkeys(int(item) for item in item_ids))
        if before:
            who = annotator_name(annotator or before[0].annotator or "")
            with ledger.read() as connection:
                who = ledger.annotations.called(connection, who)
            said = (self._queue.loop_id, query_id, who, ALIKE)
            check_same(before[0], said, ("loop_id", "from_query_id", "annotator", "origin"))
            check_items(before, wanted)
            return [self._answers.annotation(record) for record in before]
        if answer is None or answer.kind not in ANSWERS or answer.loop_id != self._queue.loop_id:
            raise ValueError(
                f"The query {query_id!r} of the loop {self._queue.loop_name!r} has no answer to take over. "
                "Tell it first."
            )
        if any(self._store.label_set.current(id_) is None for id_ in answer.label_ids):
            gone = self._store.label_set.name_of(answer.label_ids[0])
            raise ValueError(
                f"The answer {gone!r} names no label any more. Answer the query again, then take that over."
            )
        likes = None if asked is None or asked.why is None else asked.why.get("alike")
        strange = set(wanted) - {item for item, _ in likes or ()}
        if strange:
            # More than were noted, or imported since.
            strange -= {item for item, _ in self._similar(answer.item_id)}
        if strange:
            raise ValueError(
                f"The item {min(strange)} is no near-duplicate of the item {answer.item_id}. "
                "Choose among those that alike() returns."
            )
        return self._write(answer, wanted, annotator_name(annotator or answer.annotator or ""), step)

    def _write(self, answer: AnnotationRecord, wanted: list[int], annotator: str, step: str) -> list[Annotation]:
        ledger = self._ledger
        with ledger.write() as write:
            now = None if answer.query_id is None else ledger.annotations.answer_to(write.connection, answer.query_id)
            if now is None or now.id != answer.id:
                raise ValueError(
                    f"The answer {answer.uuid!r} stands no more; nothing was taken over. Look at it again."
                )
            held = holdout_ids(ledger) | ledger.items.erased()
            taken = ledger.leases.taken(write.connection, wanted)
            chosen = [item for item in wanted if item not in taken and item not in held]
            person = ledger.annotations.annotator(write.connection, annotator)
            ledger.annotations.add_many(
                write,
                chosen,
                annotator_id=person,
                kind=answer.kind,
                step=step,
                origin=ALIKE,
                label_ids=answer.label_ids,
                from_query_id=answer.query_id,
                loop_id=self._queue.loop_id,
            )
            records = ledger.annotations.of_step(write.connection, step)
        return [self._answers.annotation(record) for record in records]

    def _query_id(self, connection: Connection, source: Annotation | Query) -> int | None:
        """Return the id that this database has for a query; those of queries of other databases mean others here."""
        if isinstance(source, Query):
            return self._answers.asked(connection, source).query_id
        found = self._ledger.annotations.by_uuid(connection, str(source.uuid))
        if found is None or found.project_id != self._ledger.project.id:
            raise ValueError(f"The project {self._store.name!r} has no answer {source.uuid!r}. Tell it here first.")
        return found.query_id

    def _similar(self, query: Query | int) -> list[tuple[int, float]]:
        """Return item and similarity of the near-duplicates of an item."""
        if isinstance(query, Query) and query.why is not None:
            return list(query.why.alike)
        near = near_duplicates_of(self._store.items)
        if near is None:
            return []
        item = query.item_id if isinstance(query, Query) else query
        ids = self._store.items.frame()["item_id"].to_numpy()
        row = int(np.searchsorted(ids, item))
        if row >= len(ids) or ids[row] != item:
            raise LookupError(f"There is no item {item!r} in the project {self._store.name!r}.")
        return [(int(ids[other]), similar) for other, similar in near.alike(row)]

    def _free(self, item_ids: Sequence[int]) -> set[int]:
        """Return which of the items nobody has answered, holds, or may not be asked."""
        with self._ledger.read() as connection:
            taken = self._ledger.leases.taken(connection, item_ids)
        return set(item_ids) - taken - self._queue.gone()
