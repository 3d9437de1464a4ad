"""Who works on what right now: items under leases that run out by the database's clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from storage import tables
from storage.facts.people.standing import ANSWERS
from storage.schema import database_clock
from storage.transactions import shared_of

if TYPE_CHECKING:
    from storage.facts.items import ItemFacts
    from storage.facts.people.annotations import AnnotationFacts
    from storage.records import Holder, QueryRecord
    from storage.transactions import Transactions


@dataclass(frozen=True)
class HolderRecord:
    """What somebody holds of a loop: how many questions, asked since when, and for how many seconds more."""

    annotator: str | None
    holder: str | None
    questions: int
    since: datetime
    seconds: float


class LeaseFacts:
    """The leases on items of one project."""

    def __init__(self, transactions: Transactions, items: ItemFacts, annotations: AnnotationFacts) -> None:
        self._transactions = transactions
        self._items = items
        self._annotations = annotations
        self._project_id = transactions.project.id

    def take(
        self,
        connection: Connection,
        queries: Sequence[QueryRecord],
        annotator_id: int,
        loop_id: int,
        holder: Holder,
        people: Mapping[int, int] | None = None,
    ) -> None:
        """Reserve the items of queries for a person; leases that expired, or are the person's own, give way.

        `people` says of how many people an item may be held at once, 1 where it says nothing.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            Others hold an item, as many as may.
        """
        table = tables.leases
        items = [query.item_id for query in queries]
        here = and_(table.c.project_id == self._project_id, table.c.item_id.in_(items))
        gone = or_(
            table.c.expires_at < database_clock(), table.c.annotator_id.in_(self._same(connection, annotator_id))
        )
        connection.execute(delete(table).where(here, gone))
        taken: dict[int, set[int]] = {}
        if people and max(people.values()) > 1:
            for row in connection.execute(select(table.c.item_id, table.c.slot).where(here)):
                taken.setdefault(row.item_id, set()).add(row.slot)
        rows = [
            {
                "project_id": self._project_id,
                "item_id": query.item_id,
                "slot": _free_slot(taken.get(query.item_id, set()), (people or {}).get(query.item_id, 1)),
                "annotator_id": annotator_id,
                "query_id": query.id,
                "loop_id": loop_id,
                "holder": holder.name,
            }
            for query in queries
        ]
        connection.execute(insert(table).values(expires_at=database_clock() + holder.seconds), rows)
        _forget_held(connection)

    def extend(self, connection: Connection, loop_id: int, annotator_id: int, holder: Holder) -> int:
        """Start the time of a holder's live leases in a loop again, none ends sooner; return how many there are."""
        table = tables.leases
        own = (
            table.c.loop_id == loop_id,
            table.c.annotator_id.in_(self._same(connection, annotator_id)),
            of_holder(holder),
        )
        live = update(table).where(*own, table.c.expires_at >= database_clock())
        later = database_clock() + holder.seconds
        return connection.execute(
            live.values(expires_at=case((table.c.expires_at < later, later), else_=table.c.expires_at))
        ).rowcount

    def held_by(self, connection: Connection, loop_id: int, annotator_ids: Collection[int]) -> int:
        """Return how many of a loop's items are held by one of these, whoever of them, under whatever holder."""
        table = tables.leases
        own = (table.c.loop_id == loop_id, table.c.annotator_id.in_(annotator_ids))
        return connection.scalar(select(func.count()).where(*own, table.c.expires_at >= database_clock())) or 0

    def items(self) -> set[int]:
        """Return the items of the project that somebody holds."""
        with self._transactions.read() as connection:
            return self.items_in(connection)

    def items_in(self, connection: Connection) -> set[int]:
        """Return the items of the project that somebody holds, inside an open transaction."""
        table = tables.leases
        live = (table.c.project_id == self._project_id, table.c.expires_at >= database_clock())
        return set(connection.scalars(select(table.c.item_id).where(*live)))

    def release(
        self, connection: Connection, item_id: int, annotator_id: int, query_id: int, *, asked: bool = True
    ) -> bool:
        """Give back whatever a person holds of an item and, with `asked`, what the query holds, whoever was asked it.

        Returns
        -------
        bool
            Whether the query had it.
        """
        table = tables.leases
        mine: ColumnElement[bool] = table.c.annotator_id.in_(self._same(connection, annotator_id))
        if asked:
            mine = or_(mine, table.c.query_id == query_id)
        here = (table.c.project_id == self._project_id, table.c.item_id == item_id)
        held = connection.scalars(delete(table).where(*here, mine).returning(table.c.query_id)).all()
        _forget_held(connection)
        return query_id in held

    def holds(self, connection: Connection, query_id: int) -> bool:
        """Tell whether a query holds its item."""
        table = tables.leases
        return connection.scalar(select(table.c.item_id).where(table.c.query_id == query_id).limit(1)) is not None

    def passed_on(self, connection: Connection, query_id: int, annotator_id: int) -> bool:
        """Tell whether an item went to somebody else after a query was asked that this person never answered."""
        mine, other, said = tables.queries, aliased(tables.queries), tables.annotations
        person = self._same(connection, annotator_id)
        in_time = select(said.c.id).where(
            said.c.query_id == query_id,
            said.c.annotator_id.in_(person),
            said.c.kind.in_(ANSWERS),
            said.c.late.is_(None),
        )
        statement = (
            select(other.c.id)
            .join(mine, and_(mine.c.project_id == other.c.project_id, mine.c.item_id == other.c.item_id))
            .where(mine.c.id == query_id, other.c.id > query_id, other.c.annotator_id.not_in(person))
            .where(~in_time.exists())
            .limit(1)
        )
        return connection.scalar(statement) is not None

    def holding(self, connection: Connection, item_ids: Sequence[int]) -> dict[int, set[int]]:
        """Return who holds a live lease on each of the items, by the annotator that stands for the person."""
        table, merged = tables.leases, self._annotations.persons.merged(connection)
        rows = connection.execute(
            select(table.c.item_id, table.c.annotator_id).where(
                table.c.project_id == self._project_id,
                table.c.item_id.in_(item_ids),
                table.c.expires_at >= database_clock(),
            )
        )
        found: dict[int, set[int]] = {}
        for row in rows:
            found.setdefault(row.item_id, set()).add(merged.lead(row.annotator_id))
        return found

    def _same(self, connection: Connection, annotator_id: int) -> tuple[int, ...]:
        """Return all annotators who are the person of this one."""
        return self._annotations.persons.merged(connection).same(annotator_id)

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

    def holders(self, loop_id: int) -> list[HolderRecord]:
        """Return who holds questions of a loop, whoever has held the longest first."""
        lease, asked, person = tables.leases, tables.queries, tables.annotators
        since = func.min(asked.c.created_at)
        statement = (
            select(
                person.c.name.label("annotator"),
                lease.c.holder,
                func.count().label("questions"),
                since.label("since"),
                (func.max(lease.c.expires_at) - database_clock()).label("seconds"),
            )
            .join(asked, asked.c.id == lease.c.query_id)
            .join(person, person.c.id == lease.c.annotator_id)
            .where(lease.c.loop_id == loop_id, lease.c.expires_at >= database_clock())
            .group_by(person.c.id, person.c.name, lease.c.holder)
            .order_by(since, person.c.id)
        )
        with self._transactions.read() as connection:
            return [HolderRecord(**row._mapping) for row in connection.execute(statement)]

    def of_loop(self, connection: Connection, loop_id: int) -> Sequence[int]:
        """Return the items on live leases of a loop; in a shared transaction asked once."""
        table, shared = tables.leases, shared_of(connection)
        found = None if shared is None else shared.held.get(loop_id)
        if found is None:
            live = select(table.c.item_id).where(table.c.loop_id == loop_id, table.c.expires_at >= database_clock())
            found = connection.scalars(live).all()
        if shared is not None:
            shared.held[loop_id] = found
        return found


def of_holder(holder: Holder) -> ColumnElement[bool]:
    """Return the condition that a lease is a holder's."""
    return tables.leases.c.holder.is_not_distinct_from(holder.name)


def _forget_held(connection: Connection) -> None:
    """Leases changed: what is known of them in a shared transaction holds no longer."""
    if (shared := shared_of(connection)) is not None:
        shared.held.clear()


def _free_slot(taken: Collection[int], people: int) -> int:
    """Return the first place that nobody has; the first of all where none is left, which the database then refuses."""
    return next((slot for slot in range(people) if slot not in taken), 0)
