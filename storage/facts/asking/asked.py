"""What was asked, item by item: the questions of pools and of streams, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, null, select

from storage import tables
from storage.records import QuestionRecord

if TYPE_CHECKING:
    from storage.transactions import Transactions


class Asked(NamedTuple):
    """One question: about which item, in which loop and round, and how much it was worth to its strategy.

    `query_id` and `strategy` are None for a stream, whose strategy is in its settings.
    """

    item_id: int
    query_id: int | None
    loop_id: int
    strategy: str | None
    score: float
    round: int


class AskedFacts:
    """The questions of one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def question(self, connection: Connection, uuid: str) -> QuestionRecord | None:
        """Return what was asked in this project under a UUID; None where nothing was."""
        query, decision = tables.queries, tables.stream_decisions
        pools = select(query.c.id, query.c.loop_id, query.c.item_id).where(
            query.c.uuid == uuid, query.c.project_id == self._project_id
        )
        streams = select(null(), decision.c.loop_id, decision.c.item_id).where(
            decision.c.uuid == uuid, decision.c.project_id == self._project_id, decision.c.asked
        )
        row = connection.execute(pools.union_all(streams)).first()
        return None if row is None else QuestionRecord(*row)

    def all(self) -> list[Asked]:
        """Return every question, streams first, then by age."""
        query, refit, decision = tables.queries, tables.refits, tables.stream_decisions
        streams = (
            select(decision.c.item_id, decision.c.loop_id, decision.c.score, decision.c.round)
            .where(decision.c.project_id == self._project_id, decision.c.asked)
            .order_by(decision.c.id)
        )
        pools = (
            select(query.c.item_id, query.c.id, query.c.loop_id, query.c.strategy, query.c.score, refit.c.round)
            .join(refit, refit.c.id == query.c.refit_id)
            .where(query.c.project_id == self._project_id)
            .order_by(query.c.id)
        )
        with self._transactions.read() as connection:
            found = [Asked(row[0], None, row[1], None, row[2], row[3]) for row in connection.execute(streams)]
            return found + [Asked(*row) for row in connection.execute(pools)]
