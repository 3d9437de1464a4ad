"""Loops: their settings, refits with the ranking they committed, and queries."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, case, func, insert, select
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.facts.asking.leases import of_holder
from storage.facts.asking.refit_blocks import blocks_of, replace_blocks
from storage.facts.people.standing import ANSWERS
from storage.records import LoopChange, LoopRecord, QueryRecord, RefitBlock, RefitRecord
from storage.schema import database_clock

if TYPE_CHECKING:
    from storage.facts.asking.leases import LeaseFacts
    from storage.facts.people.annotations import AnnotationFacts
    from storage.records import Holder
    from storage.transactions import Transactions, Write

BLOBS = ("ranking", "predictions", "held_back", "model")
"""Columns of a refit that are read alone."""


class LoopFacts:
    """The loops of one project."""

    def __init__(self, transactions: Transactions, annotations: AnnotationFacts, leases: LeaseFacts) -> None:
        self._transactions = transactions
        self._annotations = annotations
        self._leases = leases
        self._project_id = transactions.project.id

    def add(self, name: str, kind: str, settings: Mapping[str, Any]) -> LoopRecord | None:
        """Make a loop; return None if one of that name exists."""
        try:
            with self._transactions.write() as write:
                write.fact(tables.loops, name=name, kind=kind, settings=dict(settings))
        except IntegrityError:
            return None
        return self.get(name)

    def get(self, name: str) -> LoopRecord | None:
        """Return a loop by its name."""
        return next((loop for loop in self.all() if loop.name == name), None)

    def all(self) -> list[LoopRecord]:
        """Return the loops in the order they were made."""
        return list(self._transactions.kept("loops", [tables.loops], self._all))

    def _all(self, connection: Connection) -> tuple[LoopRecord, ...]:
        table = tables.loops
        statement = select(table).where(table.c.project_id == self._project_id).order_by(table.c.id)
        rows = connection.execute(statement).all()
        return tuple(LoopRecord(row.id, row.uuid, row.name, row.kind, row.settings, row.created_at) for row in rows)

    def change(
        self, write: Write, loop_id: int, kind: str, annotator_id: int | None, details: Mapping[str, Any]
    ) -> None:
        """Add a change of a loop inside `write`."""
        write.fact(tables.loop_changes, loop_id=loop_id, kind=kind, annotator_id=annotator_id, details=dict(details))

    def changes(self, loop_id: int) -> list[LoopChange]:
        """Return the changes of a loop, oldest first."""
        kept = self._transactions.kept
        return list(kept(("changes", loop_id), [tables.loop_changes], lambda each: self._changes(each, loop_id)))

    def _changes(self, connection: Connection, loop_id: int) -> tuple[LoopChange, ...]:
        table, people = tables.loop_changes, tables.annotators
        rows = connection.execute(
            select(table, people.c.name.label("annotator"))
            .outerjoin(people, people.c.id == table.c.annotator_id)
            .where(table.c.loop_id == loop_id)
            .order_by(table.c.id)
        ).all()
        return tuple(LoopChange(row.seq, row.kind, row.annotator, row.details, row.created_at) for row in rows)

    def add_refit(
        self, loop_id: int, round_: int, values: Mapping[str, Any], blocks: Sequence[RefitBlock] = ()
    ) -> RefitRecord | None:
        """Commit a refit and its distributions; return None if somebody else committed that round."""
        try:
            with self._transactions.write() as write:
                refit_id = write.fact(tables.refits, loop_id=loop_id, round=round_, **values)
                replace_blocks(write.connection, loop_id, refit_id, blocks)
        except IntegrityError:
            return None
        return self.last_refit(loop_id)

    def refits(self, loop_id: int) -> list[RefitRecord]:
        """Return the refits of a loop, oldest first."""
        with self._transactions.read() as connection:
            rows = connection.execute(
                _refits().where(tables.refits.c.loop_id == loop_id).order_by(tables.refits.c.round)
            )
            return [_refit(row) for row in rows]

    def last_refit(self, loop_id: int) -> RefitRecord | None:
        """Return the newest refit of a loop."""
        with self._transactions.read() as connection:
            return self.newest_refit(connection, loop_id)

    def newest_refit(self, connection: Connection, loop_id: int) -> RefitRecord | None:
        """Return the newest refit inside an open transaction."""
        name = ("newest refit", loop_id)
        return self._transactions.kept_in(connection, name, [tables.refits], lambda each: self._newest(each, loop_id))

    def _newest(self, connection: Connection, loop_id: int) -> RefitRecord | None:
        table = tables.refits
        row = connection.execute(
            _refits().where(table.c.loop_id == loop_id).order_by(table.c.round.desc()).limit(1)
        ).first()
        return None if row is None else _refit(row)

    def ranking(self, refit_id: int) -> tuple[bytes, bytes]:
        """Return the ranking and the predictions that a refit committed."""
        table = tables.refits
        with self._transactions.read() as connection:
            row = connection.execute(select(table.c.ranking, table.c.predictions).where(table.c.id == refit_id)).one()
        return row.ranking, row.predictions

    def held_back(self, refit_id: int) -> bytes | None:
        """Return the groups that a refit held back, None where it held back none."""
        table = tables.refits
        with self._transactions.read() as connection:
            found: bytes | None = connection.scalar(select(table.c.held_back).where(table.c.id == refit_id))
        return found

    def model(self, refit_id: int) -> bytes | None:
        """Return the model that a refit stored for the next one to start from, None where it stored none."""
        table = tables.refits
        with self._transactions.read() as connection:
            found: bytes | None = connection.scalar(select(table.c.model).where(table.c.id == refit_id))
        return found

    def last_predictions(self, distributions: bool = True) -> tuple[RefitRecord, bytes, list[RefitBlock]] | None:
        """Return the newest refit that trained, its labels with confidence, and its distributions, in one read.

        Refits that were made before distributions were kept have none; where they are not wanted, they stay unread.
        """
        table = tables.refits
        with self._transactions.read() as connection:
            statement = _refits().where(table.c.project_id == self._project_id).order_by(table.c.seq.desc())
            record = next((_refit(row) for row in connection.execute(statement) if row.metrics["trained"]), None)
            if record is None:
                return None
            packed: bytes = connection.execute(select(table.c.predictions).where(table.c.id == record.id)).scalar_one()
            return record, packed, blocks_of(connection, record.id) if distributions else []

    def refit_blocks(self, refit_id: int) -> list[RefitBlock]:
        """Return the distributions of a refit, none where a newer one of its loop stands for it."""
        with self._transactions.read() as connection:
            return blocks_of(connection, refit_id)

    def keeps_distributions(self, refit_id: int) -> bool:
        """Tell whether there are distributions of a refit."""
        table = tables.refit_blocks
        with self._transactions.read() as connection:
            return connection.scalar(select(table.c.block).where(table.c.refit_id == refit_id).limit(1)) is not None

    def queries(self, connection: Connection, *conditions: Any) -> list[QueryRecord]:
        """Return the queries that meet the conditions, in rank order."""
        table = tables.queries
        rows = connection.execute(
            select(table, tables.annotators.c.name.label("annotator"), tables.refits.c.round)
            .join(tables.annotators, tables.annotators.c.id == table.c.annotator_id)
            .join(tables.refits, tables.refits.c.id == table.c.refit_id)
            .where(table.c.project_id == self._project_id, *conditions)
            .order_by(tables.refits.c.round, table.c.rank, table.c.id)
        )
        return [_query(row) for row in rows]

    def asked(self, loop_id: int) -> list[QueryRecord]:
        """Return every query of a loop, in the order of rounds and ranks."""
        with self._transactions.read() as connection:
            return self.asked_in(connection, loop_id)

    def asked_in(self, connection: Connection, loop_id: int) -> list[QueryRecord]:
        """Return every query of a loop inside an open transaction, in the order of rounds and ranks."""
        return self.queries(connection, tables.queries.c.loop_id == loop_id)

    def query(self, connection: Connection, query_id: int) -> QueryRecord | None:
        """Return a query by its id."""
        found = self.queries(connection, tables.queries.c.id == query_id)
        return found[0] if found else None

    def open_queries(self, connection: Connection, loop_id: int, holder: Holder) -> list[QueryRecord]:
        """Return the queries that a holder has a live lease on, in rank order."""
        table = tables.leases
        live = (table.c.loop_id == loop_id, of_holder(holder), table.c.expires_at >= database_clock())
        held = tables.queries.c.id.in_(select(table.c.query_id).where(*live))
        return self.queries(connection, held, self._annotations.persons.merged(connection).is_named(holder.annotator))

    def expired_queries(self, connection: Connection, loop_id: int, annotator: str) -> list[QueryRecord]:
        """Return the queries of a person, whichever holder had them, whose lease ran out and was not taken since."""
        table = tables.leases
        gone = (table.c.loop_id == loop_id, table.c.expires_at < database_clock())
        held = tables.queries.c.id.in_(select(table.c.query_id).where(*gone))
        return self.queries(connection, held, self._annotations.persons.merged(connection).is_named(annotator))

    def add_queries(self, write: Write, values: Sequence[Mapping[str, Any]]) -> list[QueryRecord]:
        """Add queries inside `write`, and return them in rank order."""
        own = {"project_id": write.project_id, "seq": write.seq, "created_at": write.now}
        rows = [own | {"uuid": str(uuid.uuid4())} | dict(each) for each in values]
        write.connection.execute(insert(tables.queries), rows)
        return self.queries(write.connection, tables.queries.c.uuid.in_([row["uuid"] for row in rows]))

    def tally(self, connection: Connection, loop_id: int, since: int | None = None) -> dict[str, int]:
        """Count a loop's current annotations by kind, and the unanswered items on live leases under "open".

        `since` counts only annotations that came after that write.
        """
        standing = self._annotations.standing
        counts = dict.fromkeys((*ANSWERS, "skip"), 0) | standing.tally(connection, loop_id, since)
        items = self._leases.of_loop(connection, loop_id)
        # An item that is answered already and open again (an answer to correct) is counted once.
        return counts | {"open": len(items) - len(standing.answered_among(connection, items))}

    def pace(self, loop_id: int, annotator_id: int, *, least: float, last: int = 50) -> tuple[int, float]:
        """Return how many of a person's newest answers took at least so many seconds, and their seconds in all."""
        table = tables.annotations
        with self._transactions.read() as connection:
            newest = (
                select(case((table.c.seconds > 120.0, 120.0), else_=table.c.seconds).label("seconds"))
                .where(table.c.annotator_id.in_(self._annotations.persons.merged(connection).same(annotator_id)))
                .where(table.c.loop_id == loop_id, table.c.kind.in_(ANSWERS), table.c.seconds >= least)
                .order_by(table.c.id.desc())
                .limit(last)
                .subquery()
            )
            row = connection.execute(select(func.count(), func.coalesce(func.sum(newest.c.seconds), 0.0))).one()
        return int(row[0]), float(row[1])


def _refits() -> Select[Any]:
    return select(*(column for column in tables.refits.c if column.name not in BLOBS))


def _refit(row: Any) -> RefitRecord:
    return RefitRecord(
        row.id,
        row.uuid,
        row.round,
        row.seq,
        row.saw,
        row.weak_run_id,
        tuple(row.label_ids),
        row.strategy,
        row.metrics,
        tuple(row.notes),
        row.seconds,
        row.created_at,
    )


def _query(row: Any) -> QueryRecord:
    return QueryRecord(
        id=row.id,
        uuid=row.uuid,
        loop_id=row.loop_id,
        refit_id=row.refit_id,
        round=row.round,
        annotator=row.annotator,
        annotator_id=row.annotator_id,
        item_id=row.item_id,
        rank=row.rank,
        score=row.score,
        parts=row.parts,
        probability=row.probability,
        strategy=row.strategy,
        predicted=row.predicted,
        probabilities=row.probabilities,
        why=row.why,
        created_at=row.created_at,
    )
