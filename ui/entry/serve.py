"""Serve the app: ``python serve.py PORT``, started as a process by ``tally serve`` and by the tests.

Streamlit reads its settings from the working directory. These here come from the file beside this one, as options of
the command line, which outrank every file and variable: wherever it is started, it listens on this machine alone. It
ends when its standard input is closed, so that no server stays behind, whatever happens to whoever started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def options(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield settings as options of Streamlit's command line; of a list, one for each entry."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from options(value, f"{prefix}{name}.")
            continue
        for each in value if isinstance(value, list) else [value]:
            yield f"--{prefix}{name}={str(each).lower() if isinstance(each, bool) else each}"


def main(port: str) -> None:
    """Serve until standard input is closed, or a signal ends it."""
    # Python put the folder of this file first; the packages are two folders up, in a checkout or among those installed.
    root = str(FOLDER.parents[1])
    sys.path[0:1] = [] if root in sys.path[1:] else [root]
    from streamlit.web.cli import main as streamlit

    threading.Thread(target=_end_with_input, daemon=True).start()
    settings = tomllib.loads((FOLDER / "config.toml").read_text(encoding="utf-8"))
    own = {"logger": {"hideWelcomeMessage": True}}
    sys.argv = ["streamlit", "run", str(FOLDER / "main.py"), *options(settings), *options(own), f"--server.port={port}"]
    streamlit()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
