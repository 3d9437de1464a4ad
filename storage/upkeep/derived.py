"""What can be made anew, and is wrong: leases, kept votes, imports that never completed."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, select

from storage import tables
from storage.schema import database_clock

NO_VOTE, NOT_RUN = -1, -2
"""What stands in kept votes beside classes."""


@dataclass(frozen=True)
class WrongLease:
    """A lease that cannot be right: of which item, in which of its places, and why."""

    item_id: int
    slot: int
    why: str


@dataclass(frozen=True)
class WrongVotes:
    """Kept votes that cannot be right: their row, of which function, and why."""

    id: int
    function: str
    why: str


def wrong_leases(connection: Connection, project_id: int) -> Iterator[WrongLease]:
    """Yield the leases of a project on what is not there, on what was not asked, and of a query that has two."""
    lease, query, item = tables.leases, tables.queries, tables.items
    loop, person, project = tables.loops, tables.annotators, tables.projects
    asked = and_(query.c.id == lease.c.query_id, query.c.project_id == lease.c.project_id)
    archived = select(project.c.id).where(project.c.id == lease.c.project_id, project.c.archived_at.is_not(None))
    there = {
        "is on an item that is not there": exists(
            select(item.c.item_id).where(item.c.project_id == lease.c.project_id, item.c.item_id == lease.c.item_id)
        ),
        "is of a person who is not there": exists(
            select(person.c.id).where(person.c.id == lease.c.annotator_id, person.c.project_id == lease.c.project_id)
        ),
        "is of a loop that is not there": exists(
            select(loop.c.id).where(loop.c.id == lease.c.loop_id, loop.c.project_id == lease.c.project_id)
        ),
        "is of a query that is not there": exists(select(query.c.id).where(asked)),
        "is of a query of another item or loop": exists(
            select(query.c.id).where(asked, query.c.item_id == lease.c.item_id, query.c.loop_id == lease.c.loop_id)
        ),
        "was left when the project was archived": ~exists(archived),
    }
    columns = [condition.label(f"right_{place}") for place, condition in enumerate(there.values())]
    rows = connection.execute(
        select(lease.c.item_id, lease.c.slot, lease.c.query_id, *columns)
        .where(lease.c.project_id == project_id)
        .order_by(lease.c.item_id, lease.c.slot)
    ).all()
    seen: set[int] = set()
    for item_id, slot, query_id, *right in rows:
        why = next((said for said, holds in zip(there, right, strict=True) if not holds), None)
        if why is None and query_id in seen:
            why = "is a second one of the same query"
        if why is not None:
            yield WrongLease(item_id, slot, why)
        else:
            seen.add(query_id)


def lost_refit_leases(connection: Connection) -> list[int]:
    """Return the loops that are not there and are said to be refitted."""
    lease, loop = tables.refit_leases, tables.loops
    lost = ~exists(select(loop.c.id).where(loop.c.id == lease.c.loop_id))
    return list(connection.scalars(select(lease.c.loop_id).where(lost).order_by(lease.c.loop_id)))


def wrong_votes(connection: Connection, project_id: int) -> Iterator[WrongVotes]:
    """Yield the kept votes of a project that cannot be those of their function's version."""
    votes, version, function, project = tables.vote_blocks, tables.function_versions, tables.functions, tables.projects
    sets = tables.label_sets
    known = {NO_VOTE, NOT_RUN}
    for classes in connection.scalars(select(sets.c.classes).where(sets.c.project_id == project_id)):
        known.update(each["id"] for each in classes)
    next_item = connection.scalar(select(project.c.next_item).where(project.c.id == project_id)) or 0
    statement = (
        select(
            votes.c.id, votes.c.block, votes.c.through, votes.c.votes, version.c.fingerprint, version.c.version,
            function.c.name, version.c.project_id,
        )
        .outerjoin(version, version.c.id == votes.c.function_version_id)
        .outerjoin(function, function.c.id == version.c.function_id)
        .where(votes.c.project_id == project_id)
        .order_by(votes.c.id)
    )  # fmt: skip
    for row in connection.execute(statement.execution_options(yield_per=50)):
        name = f"{row.name}@{row.version}"
        if row.project_id != project_id or row.name is None:
            yield WrongVotes(row.id, name, "are of a version that the project does not have")
        elif row.fingerprint is None:
            yield WrongVotes(row.id, name, "are of code that nobody can tell from other code")
        elif (why := _wrong(row.votes, row.block, row.through, next_item, known)) is not None:
            yield WrongVotes(row.id, name, why)


def _wrong(packed: bytes, block: int, through: int, next_item: int, known: set[int]) -> str | None:
    """Return why votes cannot be right, None where they can."""
    found = array("h")
    try:
        found.frombytes(zlib.decompress(packed))
    except (zlib.error, ValueError):
        return "cannot be read"
    if sys.byteorder == "big":
        found.byteswap()
    begin = block * len(found)
    if not begin <= through < min(begin + len(found), next_item):
        return "are on items that are not there"
    if odd := sorted(set(found) - known):
        return f"are for classes that the project never had ({', '.join(map(str, odd[:5]))})"
    if set(found[through - begin + 1 :]) - {NOT_RUN}:
        return "reach further than they say"
    return None


def dead_imports(connection: Connection, project_id: int) -> list[tuple[int, str]]:
    """Return (id, name) of the imports of a project that never completed, and that nobody goes on with."""
    table = tables.imports
    stale = (table.c.project_id == project_id, table.c.seq.is_(None), table.c.expires_at < database_clock())
    return [(row.id, row.name) for row in connection.execute(select(table.c.id, table.c.name).where(*stale))]
