"""The app as a process of its own: on this machine's loopback, gone with whoever started it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
ENTRY = Path(__file__).resolve().parents[3] / "ui" / "entry" / "serve.py"
"""What the process runs: `labeling` and `ui` are installed side by side, and neither imports the other here."""

START_SECONDS = 300
STOP_SECONDS = 5


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def is_free(port: int, address: str = HOST) -> bool:
    """Tell whether nobody listens on a port of this machine."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        if os.name == "posix":
            # As servers do: a port that was in use a moment ago is free again.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


@contextmanager
def serving(
    storage: str, port: int, address: str = "", *, cwd: Path | None = None, output: IO[bytes] | int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the app over a database until the block ends; inside, it answers.

    Parameters
    ----------
    storage
        URL of the database. It goes to the process in its environment, as it may hold a password.
    port
        Port to listen on.
    address
        Address of this machine to listen on; empty: 127.0.0.1, unless a variable or a file of Streamlit asks for one
        that others reach, which is refused.
    cwd
        Working directory of the process; None: this one's.
    output
        Where standard output and error go; None: where this process's go.

    Raises
    ------
    RuntimeError
        The process ended before it answered.
    TimeoutError
        It did not answer in time.
    """
    if not ENTRY.is_file():
        raise FileNotFoundError(f"The pages are not installed: there is no {ENTRY}. Install tally-labeling again.")
    server = subprocess.Popen(
        [sys.executable, str(ENTRY), str(port), *([address] if address else [])],
        cwd=cwd,
        env={**os.environ, "LABELING_STORAGE": storage},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
    )
    try:
        _wait(server, port, address or HOST)
        yield server
    finally:
        if server.stdin:
            server.stdin.close()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"The app ended with code {server.returncode} before it answered.")
        if _answers(port, address):
            return
        time.sleep(0.1)
    raise TimeoutError(f"The app did not answer within {START_SECONDS} seconds.")


def _answers(port: int, address: str) -> bool:
    # A proxy that the environment names is for the world, not for this machine: urllib would ask it.
    connection = HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
