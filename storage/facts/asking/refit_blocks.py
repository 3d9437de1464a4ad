"""Class distributions that refits keep: those of the newest trained refit of a loop, in blocks of items."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from storage import tables
from storage.records import RefitBlock


def replace_blocks(connection: Connection, loop_id: int, refit_id: int, blocks: Sequence[RefitBlock]) -> None:
    """Write the distributions of a refit in place of those of the loop's older refits.

    A round repeats nearly all of what the one before it said: kept for each, 150 classes of 100,000 items would
    grow a database by some 20 MB a round.
    """
    if not blocks:
        return
    table, refits = tables.refit_blocks, tables.refits
    older = select(refits.c.id).where(refits.c.loop_id == loop_id)
    connection.execute(delete(table).where(table.c.refit_id.in_(older)))
    rows = [
        {
            "refit_id": refit_id,
            "kind": block.kind,
            "block": block.block,
            "item_ids": block.item_ids,
            "probabilities": block.probabilities,
        }
        for block in blocks
    ]
    connection.execute(insert(table), rows)


def blocks_of(connection: Connection, refit_id: int) -> list[RefitBlock]:
    """Return the distributions of a refit, in the order of kind and block."""
    table = tables.refit_blocks
    rows = connection.execute(select(table).where(table.c.refit_id == refit_id).order_by(table.c.kind, table.c.block))
    return [RefitBlock(row.kind, row.block, row.item_ids, row.probabilities) for row in rows]
