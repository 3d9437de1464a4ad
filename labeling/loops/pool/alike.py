"""The verbs of a pool loop for near-duplicates: an answer is offered for what says almost the same."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from labeling.loops.pool.base import LoopBase, annotator_name
from labeling.loops.records import Alike, Query
from labeling.people.annotations import Annotation
from labeling.store.holdout import holdout_ids
from labeling.store.near_duplicates import near_duplicates_of
from storage import ANSWERS

if TYPE_CHECKING:
    from storage.records import AnnotationRecord

ALIKE = "alike"


class AlikeVerbs(LoopBase):
    """What resembles an item, and taking its answer over."""

    def alike(self, query: Query | int, limit: int = 100) -> list[Alike]:
        """Return near-duplicates of an item that its answer may hold for as well, the most similar first.

        Only such as nobody answered or is asked right now, and that are not held out. Nothing is recorded:
        `tell_alike` does that for those that a person chose.

        Parameters
        ----------
        query
            A query, whose near-duplicates were noted when it was ranked; or the id of an item.
        limit
            At most so many.

        Returns
        -------
        list[Alike]
            item_id, similarity (the share of words and pairs of words that both texts have), item.
        """
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

    def tell_alike(
        self,
        source: Annotation | Query,
        item_ids: Sequence[int],
        *,
        annotator: str | None = None,
        uuid: str | None = None,
    ) -> list[Annotation]:
        """Record the answer to one item for near-duplicates of it that a person chose, in one step.

        Each gets an annotation of its own that says where the answer was taken over from (`origin` "alike"
        in `Project.annotations`, `taken_over` in an export). These are labels to learn from, but cost
        nobody's time: they count neither towards a budget nor towards a round. `undo` takes back all of one
        step; to take back one of them, ask for it and answer otherwise.

        Parameters
        ----------
        source
            The answer, or the query that was answered: a class, unsure, or a discard.
        item_ids
            Some of those that `alike` offers. What somebody answered or was asked in between is left out.
        annotator
            Who says so, default who answered.
        uuid
            The sender's own id of this step: what is sent twice is stored once.

        Returns
        -------
        list[Annotation]
            Those recorded.

        Raises
        ------
        ValueError
            The query has no answer that stands, or an item is no near-duplicate.
        """
        ledger, step = self._ledger, uuid or str(uuids.uuid4())
        query_id = source.query_id if isinstance(source, Annotation) else source.id
        with ledger.read() as connection:
            before = [] if uuid is None else ledger.annotations.of_step(connection, uuid)
            answer = None if query_id is None else ledger.annotations.answer_to(connection, query_id)
            asked = None if query_id is None else ledger.loops.query(connection, query_id)
        if before:
            return [self._annotation(record) for record in before]
        if answer is None or answer.kind not in ANSWERS or answer.loop_id != self._record.id:
            raise ValueError(
                f"The query {query_id!r} of the loop {self.name!r} has no answer to take over. Tell it first."
            )
        likes = None if asked is None or asked.why is None else asked.why.get("alike")
        wanted = list(dict.fromkeys(int(item) for item in item_ids))
        strange = set(wanted) - {item for item, _ in likes or ()}
        if strange:
            # More than were noted, or imported since.
            strange -= {item for item, _ in self._similar(answer.item_id)}
        if strange:
            raise ValueError(
                f"The item {min(strange)} is no near-duplicate of the item {answer.item_id}. "
                "Choose among those that alike() returns."
            )
        return self._take_over(answer, wanted, annotator_name(annotator or answer.annotator or ""), step)

    def _take_over(self, answer: AnnotationRecord, wanted: list[int], annotator: str, step: str) -> list[Annotation]:
        ledger = self._ledger
        with ledger.write() as write:
            held = holdout_ids(ledger) | ledger.items.erased()
            taken = ledger.loops.taken(write.connection, wanted)
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
                loop_id=self._record.id,
            )
            records = ledger.annotations.of_step(write.connection, step)
        return [self._annotation(record) for record in records]

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
            taken = self._ledger.loops.taken(connection, item_ids)
        return set(item_ids) - taken - self._queue.gone()
