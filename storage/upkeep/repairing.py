"""What follows from facts, mended: what is wrong goes, and is made anew where it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, select

from storage import tables
from storage.database import open_engine, reading, writing
from storage.ledger import Ledger, list_projects
from storage.upkeep.derived import dead_imports, lost_refit_leases, wrong_leases, wrong_votes


@dataclass(frozen=True)
class Repair:
    """What was mended, in words, and the backup that was made first; None where there was nothing to mend."""

    done: tuple[str, ...]
    backup: Path | None


def to_mend(storage: str) -> bool:
    """Tell whether a database has anything that `mend` would take away."""
    with reading(open_engine(storage)) as connection:
        return bool(lost_refit_leases(connection)) or any(
            next(iter(wrong_leases(connection, project)), None)
            or next(iter(wrong_votes(connection, project)), None)
            or dead_imports(connection, project)
            for project in connection.scalars(select(tables.projects.c.id)).all()
        )


def mend(storage: str) -> list[str]:
    """Take away leases and kept votes that cannot be right, and what imports left that never completed.

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
    return done
