"""Labeling functions with their versions, cached votes, and weak runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, insert, select

from storage import tables
from storage.records import FilterRecord, FunctionRecord, VoteBlock, WeakBlock, WeakRunRecord

if TYPE_CHECKING:
    from storage.transactions import Transactions


class FunctionFacts:
    """The labeling functions of one project, and what they voted."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def current(self, inactive: bool = False) -> list[FunctionRecord]:
        """Return the newest version of each function, in the order they were first added."""
        read = self._all if inactive else self._active
        return list(self._transactions.kept(("functions", inactive), [tables.function_versions], read))

    def _active(self, connection: Connection) -> tuple[FunctionRecord, ...]:
        return tuple(record for record in self._all(connection) if record.active)

    def _all(self, connection: Connection) -> tuple[FunctionRecord, ...]:
        function, version = tables.functions, tables.function_versions
        newest = (
            select(version.c.function_id, func.max(version.c.version).label("version"))
            .where(version.c.project_id == self._project_id)
            .group_by(version.c.function_id)
            .subquery()
        )
        statement = (
            select(version, function.c.name)
            .join(newest, and_(newest.c.function_id == version.c.function_id, newest.c.version == version.c.version))
            .join(function, function.c.id == version.c.function_id)
            .order_by(function.c.id)
        )
        return tuple(_function(row) for row in connection.execute(statement))

    def versions(self, name: str) -> list[FunctionRecord]:
        """Return every version of a function, oldest first."""
        function, version = tables.functions, tables.function_versions
        statement = (
            select(version, function.c.name)
            .join(function, function.c.id == version.c.function_id)
            .where(function.c.project_id == self._project_id, function.c.name == name)
            .order_by(version.c.version)
        )
        with self._transactions.read() as connection:
            return [_function(row) for row in connection.execute(statement)]

    def add_versions(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Write a new version of each function named in `changes`, all in one transaction.

        Each change has name, active, kind, expert, fingerprint and spec.
        """
        function, version = tables.functions, tables.function_versions
        with self._transactions.write() as write:
            for change in changes:
                values = dict(change)
                name = values.pop("name")
                function_id = write.connection.scalar(
                    select(function.c.id).where(function.c.project_id == self._project_id, function.c.name == name)
                )
                if function_id is None:
                    function_id = write.fact(function, name=name)
                last = write.connection.scalar(
                    select(func.max(version.c.version)).where(version.c.function_id == function_id)
                )
                write.fact(version, function_id=function_id, version=(last or 0) + 1, **values)

    def votes(self, version_id: int) -> list[VoteBlock]:
        """Return the kept votes of a function version; of one block a later row supersedes an earlier one."""
        table = tables.vote_blocks
        statement = select(table).where(table.c.function_version_id == version_id).order_by(table.c.id)
        with self._transactions.read() as connection:
            return [
                VoteBlock(row.function_version_id, row.block, row.through, row.votes, row.faults, row.seconds)
                for row in connection.execute(statement)
            ]

    def add_votes(self, blocks: Sequence[VoteBlock]) -> None:
        """Write votes of function versions on blocks of items."""
        with self._transactions.write() as write:
            for block in blocks:
                write.fact(
                    tables.vote_blocks,
                    function_version_id=block.function_version_id,
                    block=block.block,
                    through=block.through,
                    votes=block.votes,
                    faults=dict(block.faults),
                    seconds=block.seconds,
                )

    def add_weak_run(self, values: Mapping[str, Any], blocks: Iterable[WeakBlock]) -> WeakRunRecord:
        """Write a weak run with its result, all in one transaction."""
        table = tables.weak_runs
        with self._transactions.write() as write:
            last = write.connection.scalar(
                select(func.max(table.c.number)).where(table.c.project_id == self._project_id)
            )
            run_id = write.fact(table, number=(last or 0) + 1, **values)
            rows = [
                {
                    "weak_run_id": run_id,
                    "block": block.block,
                    "item_ids": block.item_ids,
                    "labels": block.labels,
                    "weights": block.weights,
                    "probabilities": block.probabilities,
                }
                for block in blocks
            ]
            if rows:
                write.connection.execute(insert(tables.weak_blocks), rows)
            row = write.connection.execute(select(table).where(table.c.id == run_id)).one()
        return _weak_run(row)

    def save_filter(self, name: str, spec: Mapping[str, Any], *, active: bool) -> None:
        """Add a filter; the newest of a name counts, none where that is not active."""
        with self._transactions.write() as write:
            write.fact(tables.filters, name=name, spec=dict(spec), active=active)

    def filters(self) -> list[FilterRecord]:
        """Return the filters there are now, by name."""
        return list(self._transactions.kept("filters", [tables.filters], self._filters))

    def _filters(self, connection: Connection) -> tuple[FilterRecord, ...]:
        table = tables.filters
        rows = connection.execute(
            select(table).where(table.c.project_id == self._project_id).order_by(table.c.id)
        ).all()
        newest = {row.name: row for row in rows}
        return tuple(
            FilterRecord(name, newest[name].spec, newest[name].created_at)
            for name in sorted(newest)
            if newest[name].active
        )

    def weak_runs(self) -> list[WeakRunRecord]:
        """Return the weak runs, oldest first."""
        table = tables.weak_runs
        with self._transactions.read() as connection:
            statement = select(table).where(table.c.project_id == self._project_id).order_by(table.c.number)
            return [_weak_run(row) for row in connection.execute(statement)]

    def weak_blocks(self, run_id: int) -> Iterator[WeakBlock]:
        """Yield the blocks of a weak run in item order."""
        table = tables.weak_blocks
        with self._transactions.read() as connection:
            statement = select(table).where(table.c.weak_run_id == run_id).order_by(table.c.block)
            for row in connection.execute(statement):
                yield WeakBlock(row.block, row.item_ids, row.labels, row.weights, row.probabilities)


def _function(row: Any) -> FunctionRecord:
    return FunctionRecord(
        row.id, row.name, row.version, row.active, row.kind, row.expert, row.fingerprint, row.spec, row.created_at
    )


def _weak_run(row: Any) -> WeakRunRecord:
    return WeakRunRecord(
        row.id,
        row.uuid,
        row.number,
        row.seq,
        row.saw,
        row.label_model,
        tuple(row.function_versions),
        tuple(row.label_ids),
        row.n_items,
        row.summary,
        row.created_at,
    )
