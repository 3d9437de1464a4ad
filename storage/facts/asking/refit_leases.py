"""Which process refits a loop: one at a time, under a lease that it renews."""

from __future__ import annotations

import os
import secrets
import socket
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.schema import database_clock

if TYPE_CHECKING:
    from storage.transactions import Transactions

REFIT_LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class RefitHolder:
    """The process that makes a refit: on which machine, its number there, and for how many seconds it has.

    None is what an older release, or another system, does not say.
    """

    host: str | None
    process: int | None
    seconds: float | None


class RefitLeaseFacts:
    """The leases under which processes refit the loops of one project."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def take(self, loop_id: int, holder: str) -> bool:
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
            values = {
                "loop_id": loop_id,
                "holder": holder,
                "expires_at": database_clock() + REFIT_LEASE_SECONDS,
                "since": database_clock(),
                "host": socket.gethostname()[:255],
            }
            other = connection.scalar(select(table.c.holder).where(table.c.loop_id == loop_id))
            if other is not None and not ended(other):
                return False
            connection.execute(delete(table).where(table.c.loop_id == loop_id, table.c.holder == other))
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(values))
            except IntegrityError:
                return False
            return True

    def give_back(self, loop_id: int, holder: str) -> None:
        """Give the refit lease back."""
        table = tables.refit_leases
        with self._transactions.unstamped(archived=True) as connection:
            connection.execute(delete(table).where(table.c.loop_id == loop_id, table.c.holder == holder))

    def give_up(self, loop_id: int, process: int) -> None:
        """Give back the refit lease of a process of this machine that ended without doing so."""
        table = tables.refit_leases
        mine = table.c.holder.startswith(_holder(process), autoescape=True)
        with self._transactions.unstamped() as connection:
            connection.execute(delete(table).where(table.c.loop_id == loop_id, mine))

    def held(self, loop_id: int) -> RefitHolder | None:
        """Return which process refits the loop right now, None if none does."""
        table = tables.refit_leases
        seconds = (database_clock() - table.c.since).label("seconds")
        statement = select(table.c.holder, table.c.host, seconds).where(
            table.c.loop_id == loop_id, table.c.expires_at >= database_clock()
        )
        with self._transactions.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None or ended(row.holder):
            return None
        parts = row.holder.split("-")
        process = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
        return RefitHolder(row.host, process, row.seconds)


def new_holder(process: int | None = None) -> str:
    """Return a name under which a process of this machine, default this one, wants to refit."""
    process = os.getpid() if process is None else process
    return f"{_holder(process)}{_began(process) or 0:x}-{secrets.token_hex(4)}"


def _holder(process: int) -> str:
    """What the names of a process of this machine begin with."""
    return f"{_machine()}{process}-"


def _machine() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}-"


def ended(holder: str) -> bool:
    """Tell whether a holder was a process of this machine that is no more; one of another machine never has.

    Its number may be that of another process by now, so its start time counts too.

    Examples
    --------
    >>> ended(new_holder()), ended("elsewhere-1-0-ab")
    (False, False)
    """
    parts = holder.removeprefix(_machine()).split("-")
    if not holder.startswith(_machine()) or len(parts) != 3 or not parts[0].isdigit():
        return False
    began = _began(int(parts[0]))
    return began is None or (parts[1] != "0" and f"{began:x}" != parts[1])


def _began(process: int) -> int | None:
    """Return when a process of this machine began, by its system's clock; 0 where it does not say, None if it ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        # The name of the program, in brackets, may hold anything.
        said = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return None if said[0] in ("Z", "X") else int(said[19])
