"""One process at a time refits a loop: a lease in the database, renewed while the work goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage import REFIT_LEASE_SECONDS, new_holder

if TYPE_CHECKING:
    from storage.ledger import Ledger

WAIT_SECONDS = 600.0
POLL_SECONDS = 0.1


@contextmanager
def refit_lease(ledger: Ledger, loop_id: int, name: str) -> Iterator[bool]:
    """Be the only process that refits a loop; wait while another one does, and tell whether that was so.

    One that ended on this machine without giving the lease back is waited for no longer than two seconds.

    Raises
    ------
    TimeoutError
        Another process has held the lease for ten minutes.
    """
    leases, holder = ledger.refit_leases, new_holder()
    deadline, waited = time.monotonic() + WAIT_SECONDS, False
    while not leases.take(loop_id, holder):
        waited = True
        if time.monotonic() > deadline:
            raise TimeoutError(f"Another process has been refitting {name!r} for 10 minutes. Try again later.")
        time.sleep(POLL_SECONDS)
    done = threading.Event()

    def renew() -> None:
        while not done.wait(REFIT_LEASE_SECONDS / 4):
            leases.take(loop_id, holder)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield waited
    finally:
        done.set()
        thread.join()
        leases.give_back(loop_id, holder)
