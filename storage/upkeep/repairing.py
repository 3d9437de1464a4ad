"""What follows from facts, mended: what is wrong goes, and is made anew where it is needed."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, exists, select, update

from storage import tables
from storage.damage import DamagedRow, damaged_rows
from storage.database import open_engine, reading, writing
from storage.ledger import Ledger, list_projects
from storage.upkeep.derived import dead_imports, lost_refit_leases, wrong_leases, wrong_votes


@dataclass(frozen=True)
class Repair:
    """What was mended, in words, and the backup that was made first; None where there was nothing to mend."""

    done: tuple[str, ...]
    backup: Path | None


EMPTY = {"ranking": None, "predictions": zlib.compress(b""), "held_back": None}
"""What stands in a refit for what could not be read: nothing predicted or held back; a ranking is made."""

RANKED = 1_000
"""Items that are ranked at most where a ranking could not be read."""


def unreadable_refits(connection: Connection, project_id: int) -> list[DamagedRow]:
    """Return the bytes of a project's refits that cannot be read."""
    refits = tables.refits
    own = set(connection.scalars(select(refits.c.id).where(refits.c.project_id == project_id)))
    # The first column of the key of both is the refit.
    found = damaged_rows(connection, (refits, tables.refit_blocks))
    return [row for row in found if row.column in (*EMPTY, "item_ids", "probabilities") and row.key[0] in own]


def _empty(connection: Connection, row: DamagedRow, project_id: int) -> None:
    refits, blocks = tables.refits, tables.refit_blocks
    if row.table is blocks:
        connection.execute(delete(blocks).where(blocks.c.refit_id == row.key[0]))
    else:
        values = {row.column: _ranked(connection, project_id) if row.column == "ranking" else EMPTY[row.column]}
        connection.execute(update(refits).where(refits.c.id == row.key[0]).values(values))


def _ranked(connection: Connection, project_id: int) -> bytes:
    """Return a ranking of items that nobody has answered, in their order, as refits write it."""
    item, source, said = tables.items, tables.imports, tables.annotations
    answered = exists(select(said.c.id).where(said.c.project_id == project_id, said.c.item_id == item.c.item_id))
    statement = (
        select(item.c.item_id)
        .join(source, source.c.id == item.c.import_id)
        .where(item.c.project_id == project_id, source.c.seq.is_not(None), ~answered)
        .order_by(item.c.item_id)
        .limit(RANKED)
    )
    rows = [[item_id, 0.0, "in their order", 1.0, {}, {}] for item_id in connection.scalars(statement)]
    return zlib.compress(json.dumps(rows).encode(), 1)


def to_mend(storage: str) -> bool:
    """Tell whether a database has anything that `mend` would take away."""
    with reading(open_engine(storage)) as connection:
        return bool(lost_refit_leases(connection)) or any(
            next(iter(wrong_leases(connection, project)), None)
            or next(iter(wrong_votes(connection, project)), None)
            or dead_imports(connection, project)
            or unreadable_refits(connection, project)
            for project in connection.scalars(select(tables.projects.c.id)).all()
        )


def mend(storage: str) -> list[str]:
    """Take away what cannot be right of leases, kept votes and refits, and what imports left that never completed.

    Items are asked again, and functions run again, where that is needed. It is a transaction or two a project.

    Returns
    -------
    list of str
        What was taken away.
    """
    engine, table = open_engine(storage), tables.projects
    done = []
    for project in list_projects(storage):
        with writing(engine) as connection:
            # Others of the project wait from here on.
            connection.execute(select(table.c.id).where(table.c.id == project.id).with_for_update())
            dead = dead_imports(connection, project.id)
            done += [f"{project.name}: {what}" for what in _mended(connection, project.id)]
        Ledger(engine, project).imports.purge()
        done += [
            f"{project.name}: what the import of {name!r} left, which never completed, is gone" for _, name in dead
        ]
    with writing(engine) as connection:
        for loop in lost_refit_leases(connection):
            connection.execute(delete(tables.refit_leases).where(tables.refit_leases.c.loop_id == loop))
            done.append(f"the refit lease of loop {loop}, which is not there, is gone")
    return done


def _mended(connection: Connection, project_id: int) -> list[str]:
    lease, votes = tables.leases, tables.vote_blocks
    done = []
    for wrong in list(wrong_leases(connection, project_id)):
        own = (lease.c.project_id == project_id, lease.c.item_id == wrong.item_id, lease.c.slot == wrong.slot)
        connection.execute(delete(lease).where(*own))
        done.append(f"the lease on item {wrong.item_id} is gone: it {wrong.why}")
    for kept in list(wrong_votes(connection, project_id)):
        connection.execute(delete(votes).where(votes.c.id == kept.id))
        done.append(f"votes of the function {kept.function} are gone, and asked again: they {kept.why}")
    for row in unreadable_refits(connection, project_id):
        _empty(connection, row, project_id)
        now = "has the items nobody answered, in their order" if row.column == "ranking" else "is empty"
        done.append(f"{row} could not be read: it {now}, until the next refit makes it anew")
    return done
