"""Serve the app: ``python serve.py PORT [ADDRESS]``, started as a process by ``tally serve`` and by the tests.

Streamlit reads its settings from the working directory. These here come from the file beside this one and are handed
over as options of its command line are, which outrank every file and variable: wherever it is started, it listens on
this machine alone. Where a file or a variable asks for more than that, it says so instead of starting. It ends when its
standard input is closed, so that no server stays behind, whatever happens to whoever started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def settings(port: int, address: str = "") -> dict[str, Any]:
    """All settings, by their full names; without an address, the one of the file."""
    stored = tomllib.loads((FOLDER / "config.toml").read_text(encoding="utf-8"))
    given = {"server.address": address} if address else {}
    return dict(_flat(stored)) | given | {"server.port": port, "logger.hideWelcomeMessage": True}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def addresses() -> Iterator[tuple[str, str]]:
    """Addresses that Streamlit was asked to listen on, and by what: a variable, files of the folder and the user."""
    variable = "STREAMLIT_SERVER_ADDRESS"
    if os.environ.get(variable):
        yield os.environ[variable], f"the environment variable {variable}"
    for folder in (Path.cwd(), Path.home()):
        file = folder / ".streamlit" / "config.toml"
        try:
            server = tomllib.loads(file.read_text(encoding="utf-8")).get("server")
        except (OSError, ValueError):
            # Streamlit says what is wrong with it.
            continue
        if isinstance(server, dict) and server.get("address"):
            yield str(server["address"]), str(file)


def main(port: int, address: str = "") -> None:
    """Serve until standard input is closed, or a signal ends it."""
    # Python put the folder of this file first; the packages are two folders up, in a checkout or among those installed.
    root = str(FOLDER.parents[1])
    sys.path[0:1] = [] if root in sys.path[1:] else [root]
    import streamlit as st
    from starlette.middleware import Middleware

    from labeling.commands.parts.loopback import check_address
    from ui.guard import LoopbackOnly

    try:
        for asked, where in [(address, "--address")] if address else list(addresses()):
            check_address(asked, where)
    except ValueError as error:
        sys.exit(f"Error: {error}")
    threading.Thread(target=_end_with_input, daemon=True).start()
    # On a command line, a list would have to be written in another way for each setting that is one.
    app = st.App(FOLDER / "main.py", middleware=[Middleware(LoopbackOnly)])
    # At Ctrl-C the server ends in order, and then hands the interrupt on.
    with suppress(KeyboardInterrupt):
        app.run(config=settings(port, address))


def _end_with_input() -> None:
    # Not by `sys.stdin`: whoever waits there holds a lock that Python wants at its end.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
