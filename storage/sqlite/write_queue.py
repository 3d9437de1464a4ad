"""Who writes to a SQLite file waits for others in the kernel: nobody looks again and again whether SQLite is free.

SQLite alone decides who writes. The queue is one lock on the log beside the file (`-wal`), held as long as a write
transaction, and only saves the looking: where it cannot be had, is not had in time, or somebody else writes without
it, `begin_in_turn` looks as before. The kernel frees the lock of who dies; who was stopped holds others up once.

SQLite never locks its log, so that to open and close it once more is harmless. To close the database itself, or
`-shm`, would drop the locks this process has on it: https://sqlite.org/howtocorrupt.html (2.2).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from storage.sqlite.files import log_of, warn_of_others

try:
    import fcntl
except ImportError:  # Windows has no flock.
    fcntl = None  # type: ignore[assignment]

PATIENCE = 0.5
"""Seconds to wait in the queue before SQLite itself is looked at."""

_stuck: dict[Path, threading.Thread] = {}
"""Who waited in vain, by log: until that thread comes to its end, nobody of this process waits there."""


@contextmanager
def in_line(engine: Engine) -> Iterator[None]:
    """Hold the queue of who writes to the file of an engine; a server, and whoever cannot queue, has none."""
    log = log_of(engine)
    place = None if log is None else _queue(engine, log)
    try:
        yield
    finally:
        if place is not None:
            _leave(place)


def _queue(engine: Engine, log: Path) -> int | None:
    """Wait for the lock on a log; return what holds it, None where it is not to be had."""
    if fcntl is None or (log in _stuck and _stuck[log].is_alive()):
        return None
    try:
        # Opened anew each time: threads that share an open file share its lock.
        place = os.open(log, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        warn_of_others(engine)
        return _wait(log, place)
    except OSError:
        os.close(place)
        return None
    return place


def _wait(log: Path, place: int) -> int | None:
    """Wait in a thread of its own, the only way to wait for a lock no longer than some time."""
    got, claim = threading.Event(), threading.Lock()

    def stand() -> None:
        fcntl.flock(place, fcntl.LOCK_EX)
        if claim.acquire(blocking=False):
            got.set()
        else:
            _leave(place)

    waiter = threading.Thread(target=stand, name="tally-write-queue", daemon=True)
    waiter.start()
    came = False
    try:
        came = got.wait(PATIENCE)
    finally:
        if not came and not claim.acquire(blocking=False):
            # It came at the last moment, or to somebody who was interrupted.
            _leave(place)
        elif not came:
            _stuck[log] = waiter
    return place if came else None


def _leave(place: int) -> None:
    # A process that was forked meanwhile has the same open file: closing it here alone would not free the lock.
    fcntl.flock(place, fcntl.LOCK_UN)
    os.close(place)
