"""Serve the app for a while: on a free port of this machine, over a given database, gone with whoever started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90

# The server ends when its standard input closes, so that none is left behind whatever happens to the parent.
_SERVE = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
main()
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_app(storage: str, log: Path | None = None) -> Iterator[str]:
    """Serve the app over a database; hand over its address, and stop it at the end.

    Parameters
    ----------
    storage
        URL of the database.
    log
        File for what the server says; None: thrown away.
    """
    port = free_port()
    output = log.open("wb") if log else None
    try:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVE, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "LABELING_STORAGE": storage},
            stdin=subprocess.PIPE,
            stdout=output or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            if server.stdin:
                server.stdin.close()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        if output:
            output.close()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The app ended with code {server.returncode} before it answered.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"The app did not answer within {START_SECONDS} seconds.")
