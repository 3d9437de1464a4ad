"""Counts that are kept or followed, against the facts that they count."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from storage import tables
from storage.facts.documents import GUIDELINES
from storage.facts.people.standing import ANSWERS
from storage.upkeep.dangling import listed

if TYPE_CHECKING:
    from storage.ledger import Ledger

ID_BYTES = 8
"""Of an item in a list that is kept as bytes."""


def wrong_counts(connection: Connection, ledger: Ledger) -> Iterator[str]:
    """Yield the counts of a project that its facts do not bear out, in words."""
    yield from _of_project(connection, ledger.project.id)
    yield from _followed(connection, ledger)
    yield from _numbered(connection, ledger.project.id)
    yield from _packed(connection, ledger.project.id)
    yield from _guided(connection, ledger.project.id)


def _of_project(connection: Connection, project_id: int) -> Iterator[str]:
    project = tables.projects
    seq, next_item = connection.execute(
        select(project.c.seq, project.c.next_item).where(project.c.id == project_id)
    ).one()
    for table in tables.metadata.sorted_tables:
        if "seq" not in table.c or table is project:
            continue
        newest = connection.scalar(select(func.max(table.c.seq)).where(table.c.project_id == project_id)) or 0
        if newest > seq:
            yield f"{table.name} were written by write {newest}, and the project counts {seq} writes"
    item = tables.items
    highest = connection.scalar(select(func.max(item.c.item_id)).where(item.c.project_id == project_id)) or 0
    if highest >= next_item:
        yield f"the next item would be {next_item}, and there is an item {highest}"


def _followed(connection: Connection, ledger: Ledger) -> Iterator[str]:
    """Compare what this process follows in memory with what SQL says."""
    table, facts = tables.annotations, ledger.annotations
    current = select(table.c.item_id, table.c.kind).where(
        table.c.id.in_(facts.current_ids(None, facts.persons.merged(connection)))
    )
    rows = connection.execute(current).all()
    standing = facts.standing
    for what, followed, counted in (
        ("answered", standing.answered(connection), {row.item_id for row in rows if row.kind in ANSWERS}),
        ("labeled", standing.labeled(connection), {row.item_id for row in rows if row.kind == "answer"}),
        ("skipped", standing.skipped_by_anyone(connection), {row.item_id for row in rows if row.kind == "skip"}),
    ):
        if followed != counted:
            differing = sorted(followed ^ counted)
            yield (
                f"{len(followed):,} items are followed as {what}, and {len(counted):,} are: "
                f"they differ in items {listed(differing)}"
            )


def _numbered(connection: Connection, project_id: int) -> Iterator[str]:
    """Look whether what is numbered in a row has no gap and nothing twice."""
    loop = tables.loops
    for table, column, begin, what in (
        (tables.refits, tables.refits.c.round, 0, "refits"),
        (tables.stream_decisions, tables.stream_decisions.c.position, 0, "decisions"),
        (tables.stream_events, tables.stream_events.c.number, 1, "events"),
    ):
        statement = (
            select(loop.c.name, func.count(), func.min(column), func.max(column), func.count(column.distinct()))
            .join(loop, loop.c.id == table.c.loop_id)
            .where(table.c.project_id == project_id)
            .group_by(loop.c.id, loop.c.name)
            .order_by(loop.c.id)
        )
        for name, count, least, most, apart in connection.execute(statement):
            if (least, most, apart) != (begin, begin + count - 1, count):
                yield f"the loop {name!r} has {count:,} {what}, numbered from {least} to {most}"


def _guided(connection: Connection, project_id: int) -> Iterator[str]:
    """Look whether versions of texts have no gap, and answers name one of the guidelines."""
    table, said = tables.documents, tables.annotations
    statement = (
        select(table.c.kind, func.count(), func.max(table.c.version))
        .where(table.c.project_id == project_id)
        .group_by(table.c.kind)
        .order_by(table.c.kind)
    )
    newest = {}
    for kind, count, most in connection.execute(statement):
        newest[kind] = most
        if count != most:
            yield f"the {kind} has {count:,} versions, and the newest is {most}"
    named = connection.scalar(select(func.max(said.c.guidelines)).where(said.c.project_id == project_id)) or 0
    if named > (there := newest.get(GUIDELINES, 0)):
        yield f"answers were given under version {named} of the guidelines, and there are {there}"


def _packed(connection: Connection, project_id: int) -> Iterator[str]:
    """Compare the items in lists of bytes with how many there are said to be."""
    run, block, held = tables.weak_runs, tables.weak_blocks, tables.holdouts
    statement = (
        select(run.c.number, run.c.n_items, block.c.item_ids)
        .outerjoin(block, block.c.weak_run_id == run.c.id)
        .where(run.c.project_id == project_id)
    )
    said: dict[int, int] = {}
    found: dict[int, int | None] = {}
    for row in connection.execute(statement.execution_options(yield_per=50)):
        said[row.number] = row.n_items
        before, here = found.get(row.number, 0), _items(row.item_ids) if row.item_ids else 0
        found[row.number] = None if before is None or here is None else before + here
    for number, count in sorted(said.items()):
        if found[number] != count:
            yield f"the weak run {number} has {_words(found[number])}, and counts {count:,}"
    for row in connection.execute(select(held).where(held.c.project_id == project_id).order_by(held.c.id)):
        there = _items(row.item_ids)
        if there != row.size:
            yield f"the hold-out of write {row.seq} has {_words(there)}, and counts {row.size:,}"


def _items(packed: bytes) -> int | None:
    """Return how many items a list has, None where it cannot be read."""
    try:
        return len(zlib.decompress(packed)) // ID_BYTES
    except zlib.error:
        return None


def _words(count: int | None) -> str:
    return "a list that cannot be read" if count is None else f"{count:,} items"
