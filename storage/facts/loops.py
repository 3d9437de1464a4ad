"""Loops: their settings, refits with the ranking they committed, queries, and leases."""

from __future__ import annotations

import os
import secrets
import socket
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from storage import tables
from storage.database import database_clock
from storage.facts.refit_blocks import blocks_of, replace_blocks
from storage.facts.standing import ANSWERS
from storage.records import LoopChange, LoopRecord, QueryRecord, RefitBlock, RefitRecord

if TYPE_CHECKING:
    from storage.facts.annotations import AnnotationFacts
    from storage.facts.items import ItemFacts
    from storage.transactions import Transactions, Write

REFIT_LEASE_SECONDS = 60.0

BLOBS = ("ranking", "predictions", "held_back", "model")
"""Columns of a refit that are read alone."""


class LoopFacts:
    """The loops of one project."""

    def __init__(self, transactions: Transactions, items: ItemFacts, annotations: AnnotationFacts) -> None:
        self._transactions = transactions
        self._items = items
        self._annotations = annotations
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
        table = tables.loops
        with self._transactions.read() as connection:
            statement = select(table).where(table.c.project_id == self._project_id).order_by(table.c.id)
            rows = connection.execute(statement).all()
        return [LoopRecord(row.id, row.uuid, row.name, row.kind, row.settings, row.created_at) for row in rows]

    def change(
        self, write: Write, loop_id: int, kind: str, annotator_id: int | None, details: Mapping[str, Any]
    ) -> None:
        """Add a change of a loop inside `write`."""
        write.fact(tables.loop_changes, loop_id=loop_id, kind=kind, annotator_id=annotator_id, details=dict(details))

    def changes(self, loop_id: int) -> list[LoopChange]:
        """Return the changes of a loop, oldest first."""
        table, people = tables.loop_changes, tables.annotators
        with self._transactions.read() as connection:
            rows = connection.execute(
                select(table, people.c.name.label("annotator"))
                .outerjoin(people, people.c.id == table.c.annotator_id)
                .where(table.c.loop_id == loop_id)
                .order_by(table.c.id)
            ).all()
        return [LoopChange(row.seq, row.kind, row.annotator, row.details, row.created_at) for row in rows]

    def take_refit_lease(self, loop_id: int, holder: str) -> bool:
        """Try to become the one process that refits a loop; also extends a lease that is held."""
        table = tables.refit_leases
        with self._transactions.unstamped() as connection:
            connection.execute(delete(table).where(table.c.loop_id == loop_id, table.c.expires_at < database_clock()))
            statement = (
                update(table)
                .where(table.c.loop_id == loop_id, table.c.holder == holder)
                .values(expires_at=database_clock() + REFIT_LEASE_SECONDS)
            )
            if connection.execute(statement).rowcount:
                return True
            values = {"loop_id": loop_id, "holder": holder, "expires_at": database_clock() + REFIT_LEASE_SECONDS}
            if connection.scalar(select(table.c.holder).where(table.c.loop_id == loop_id)) is not None:
                return False
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(values))
            except IntegrityError:
                return False
            return True

    def give_refit_lease(self, loop_id: int, holder: str) -> None:
        """Give the refit lease back."""
        table = tables.refit_leases
        with self._transactions.unstamped(archived=True) as connection:
            connection.execute(delete(table).where(table.c.loop_id == loop_id, table.c.holder == holder))

    def give_up_refit(self, loop_id: int, process: int) -> None:
        """Give back the refit lease of a process of this machine that ended without doing so."""
        table = tables.refit_leases
        mine = table.c.holder.startswith(_holder(process), autoescape=True)
        with self._transactions.unstamped() as connection:
            connection.execute(delete(table).where(table.c.loop_id == loop_id, mine))

    def refitting(self, loop_id: int) -> bool:
        """Tell whether some process refits the loop right now."""
        table = tables.refit_leases
        with self._transactions.read() as connection:
            statement = select(table.c.holder).where(table.c.loop_id == loop_id, table.c.expires_at >= database_clock())
            return connection.scalar(statement) is not None

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

    def open_queries(self, connection: Connection, loop_id: int, annotator_id: int) -> list[QueryRecord]:
        """Return the queries that an annotator holds a live lease on, in rank order."""
        leases = tables.leases
        held = select(leases.c.query_id).where(
            leases.c.loop_id == loop_id,
            leases.c.annotator_id == annotator_id,
            leases.c.expires_at >= database_clock(),
        )
        return self.queries(connection, tables.queries.c.id.in_(held))

    def add_query(self, write: Write, values: Mapping[str, Any]) -> int:
        """Add a query inside `write` and return its id."""
        return write.fact(tables.queries, **values)

    def lease(
        self,
        connection: Connection,
        *,
        item_id: int,
        annotator_id: int,
        query_id: int,
        loop_id: int,
        seconds: float,
        people: int = 1,
    ) -> None:
        """Reserve an item for a person, up to `people` at once; a lease that expired, or is one's own, gives way.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            Others hold the item, as many as may.
        """
        table = tables.leases
        here = and_(table.c.project_id == self._project_id, table.c.item_id == item_id)
        gone = or_(table.c.expires_at < database_clock(), table.c.annotator_id == annotator_id)
        connection.execute(delete(table).where(here, gone))
        slot = 0
        if people > 1:
            taken = set(connection.scalars(select(table.c.slot).where(here)))
            slot = next((number for number in range(people) if number not in taken), 0)
        values = {
            "project_id": self._project_id,
            "item_id": item_id,
            "slot": slot,
            "annotator_id": annotator_id,
            "query_id": query_id,
            "loop_id": loop_id,
            "expires_at": database_clock() + seconds,
        }
        connection.execute(insert(table).values(values))

    def holder(self, connection: Connection, item_id: int) -> int | None:
        """Return who holds a live lease on an item."""
        table = tables.leases
        return connection.scalar(
            select(table.c.annotator_id).where(
                table.c.project_id == self._project_id,
                table.c.item_id == item_id,
                table.c.expires_at >= database_clock(),
            )
        )

    def extend_leases(self, connection: Connection, loop_id: int, annotator_id: int, seconds: float) -> None:
        """Start the time of a person's live leases in a loop again."""
        table = tables.leases
        connection.execute(
            update(table)
            .where(
                table.c.loop_id == loop_id, table.c.annotator_id == annotator_id, table.c.expires_at >= database_clock()
            )
            .values(expires_at=database_clock() + seconds)
        )

    def leased(self) -> set[int]:
        """Return the items of the project that somebody holds."""
        with self._transactions.read() as connection:
            return self.leased_in(connection)

    def leased_in(self, connection: Connection) -> set[int]:
        """Return the items of the project that somebody holds, inside an open transaction."""
        table = tables.leases
        live = (table.c.project_id == self._project_id, table.c.expires_at >= database_clock())
        return set(connection.scalars(select(table.c.item_id).where(*live)))

    def release(self, connection: Connection, item_id: int, annotator_id: int, query_id: int) -> bool:
        """Give an item back: whatever the annotator holds of it, and whoever was asked the query.

        Returns
        -------
        bool
            Whether the query still had it.
        """
        table = tables.leases
        mine = or_(table.c.annotator_id == annotator_id, table.c.query_id == query_id)
        here = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        held = connection.scalars(delete(table).where(*here, mine).returning(table.c.query_id)).all()
        return query_id in held

    def passed_on(self, connection: Connection, query_id: int, annotator_id: int) -> bool:
        """Tell whether an item went to somebody else after a query was asked that this person never answered."""
        mine, other, said = tables.queries, aliased(tables.queries), tables.annotations
        in_time = select(said.c.id).where(
            said.c.query_id == query_id,
            said.c.annotator_id == annotator_id,
            said.c.kind.in_(ANSWERS),
            said.c.late.is_(None),
        )
        statement = (
            select(other.c.id)
            .join(mine, and_(mine.c.project_id == other.c.project_id, mine.c.item_id == other.c.item_id))
            .where(mine.c.id == query_id, other.c.id > query_id, other.c.annotator_id != annotator_id)
            .where(~in_time.exists())
            .limit(1)
        )
        return connection.scalar(statement) is not None

    def holding(self, connection: Connection, item_ids: Sequence[int]) -> dict[int, set[int]]:
        """Return who holds a live lease on each of the items."""
        table = tables.leases
        rows = connection.execute(
            select(table.c.item_id, table.c.annotator_id).where(
                table.c.project_id == self._project_id,
                table.c.item_id.in_(item_ids),
                table.c.expires_at >= database_clock(),
            )
        )
        found: dict[int, set[int]] = {}
        for row in rows:
            found.setdefault(row.item_id, set()).add(row.annotator_id)
        return found

    def taken(self, connection: Connection, item_ids: Sequence[int]) -> set[int]:
        """Return which of the items are answered, discarded, held by somebody, or gone with their import."""
        leases = tables.leases
        answered = self._annotations.standing.answered_among(connection, item_ids)
        answered |= self._items.withdrawn_in(connection).intersection(item_ids)
        held = connection.scalars(
            select(leases.c.item_id).where(
                leases.c.project_id == self._project_id,
                leases.c.item_id.in_(item_ids),
                leases.c.expires_at >= database_clock(),
            )
        )
        return {*answered, *held}

    def tally(self, connection: Connection, loop_id: int, since: int | None = None) -> dict[str, int]:
        """Count a loop's current annotations by kind, and the unanswered items on live leases under "open".

        `since` counts only annotations that came after that write.
        """
        leases, standing = tables.leases, self._annotations.standing
        counts = dict.fromkeys((*ANSWERS, "skip"), 0) | standing.tally(connection, loop_id, since)
        open_ = select(leases.c.item_id).where(leases.c.loop_id == loop_id, leases.c.expires_at >= database_clock())
        items = connection.scalars(open_).all()
        # An item that is answered already and open again (an answer to correct) is counted once.
        return counts | {"open": len(items) - len(standing.answered_among(connection, items))}

    def pace(self, loop_id: int, annotator_id: int, *, least: float, last: int = 50) -> tuple[int, float]:
        """Return how many of a person's newest answers took at least so many seconds, and their seconds in all."""
        table = tables.annotations
        newest = (
            select(case((table.c.seconds > 120.0, 120.0), else_=table.c.seconds).label("seconds"))
            .where(table.c.loop_id == loop_id, table.c.annotator_id == annotator_id)
            .where(table.c.kind.in_(ANSWERS), table.c.seconds >= least)
            .order_by(table.c.id.desc())
            .limit(last)
            .subquery()
        )
        with self._transactions.read() as connection:
            row = connection.execute(select(func.count(), func.coalesce(func.sum(newest.c.seconds), 0.0))).one()
        return int(row[0]), float(row[1])


def new_holder(process: int | None = None) -> str:
    """Return a name under which a process of this machine, default this one, wants to refit."""
    return _holder(os.getpid() if process is None else process) + secrets.token_hex(8)


def _holder(process: int) -> str:
    """What the names of a process of this machine begin with."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}-{process}-"


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
