"""Serve the app for a while: on a free port of this machine, over a given database, gone with whoever started it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labeling.commands.parts.server import HOST, free_port, serving

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running_app(storage: str, log: Path | None = None, port: int | None = None) -> Iterator[str]:
    """Serve the app over a database; hand over its address, and stop it at the end.

    Parameters
    ----------
    storage
        URL of the database.
    log
        File for what the server says; None: thrown away.
    port
        None: any that is free.
    """
    port = port or free_port()
    output = log.open("wb") if log else None
    try:
        with serving(storage, port, output=output or subprocess.DEVNULL):
            yield f"http://{HOST}:{port}"
    finally:
        if output:
            output.close()
