"""Items that are open again since the class of their answers was split."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from storage import tables
from storage.facts.people.annotations import NO_ANSWERS, standing_in

if TYPE_CHECKING:
    from storage.facts.people.annotations import AnnotationFacts
    from storage.transactions import Transactions, Write

SPLIT = "split"
"""Where what was taken back comes from, when its class was split."""


class ReopenedFacts:
    """The reopened items of one project."""

    def __init__(self, transactions: Transactions, annotations: AnnotationFacts) -> None:
        self._annotations = annotations
        self._project_id = transactions.project.id

    def take_back(self, write: Write, label_ids: Sequence[int]) -> int:
        """Take back, inside `write`, every answer that names one of these classes and what its person said before.

        Each is taken back in the name of who gave it, so that the item is open again and nothing older stands instead.

        Returns
        -------
        int
            How many items are open again.
        """
        table, labels = tables.annotations, tables.annotation_labels
        merged = self._annotations.persons.merged(write.connection)
        own = (table.c.project_id == self._project_id, table.c.kind.not_in(NO_ANSWERS), standing_in(table))
        named = (
            select(table.c.item_id, table.c.annotator_id)
            .join(labels, labels.c.annotation_id == table.c.id)
            .where(
                table.c.id.in_(self._annotations.current_ids(None, merged)),
                table.c.kind == "answer",
                labels.c.label_id.in_(label_ids),
            )
        )
        pairs = {(row.item_id, merged.lead(row.annotator_id)) for row in write.connection.execute(named)}
        statement = select(table.c.id, table.c.item_id, table.c.annotator_id, table.c.loop_id).where(*own)
        rows = write.connection.execute(statement.order_by(table.c.item_id, table.c.id)).all() if pairs else ()
        together: dict[tuple[int, int | None], list[tuple[int, int]]] = {}
        for row in rows:
            if (row.item_id, merged.lead(row.annotator_id)) in pairs:
                together.setdefault((row.annotator_id, row.loop_id), []).append((row.item_id, row.id))
        step = str(uuids.uuid4())
        for (person, loop), taken in together.items():
            self._annotations.add_many(
                write,
                [item for item, _ in taken],
                annotator_id=person,
                kind="undo",
                step=step,
                origin=SPLIT,
                loop_id=loop,
                undoes=[id_ for _, id_ in taken],
            )
        return len({item for item, _ in pairs})

    def items(self, connection: Connection) -> dict[int, int | None]:
        """Return the items that splits of classes opened again, oldest first, with the loop that had asked them.

        Of several the first; None where nobody here had asked them. What was answered since is among them.
        """
        table = tables.annotations
        rows = connection.execute(
            select(table.c.item_id, table.c.loop_id)
            .where(table.c.project_id == self._project_id, table.c.kind == "undo", table.c.origin == SPLIT)
            .order_by(table.c.id)
        )
        found: dict[int, int | None] = {}
        for row in rows:
            if found.get(row.item_id) is None:
                found[row.item_id] = row.loop_id
        return found
