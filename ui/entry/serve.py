"""Serve the app: ``python serve.py PORT``, started as a process by ``tally serve`` and by the tests.

Streamlit reads its settings from the working directory. These here come from the file beside this one and are handed
over as options of its command line are, which outrank every file and variable: wherever it is started, it listens on
this machine alone. It ends when its standard input is closed, so that no server stays behind, whatever happens to
whoever started it.
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


def settings(port: int) -> dict[str, Any]:
    """All settings, by their full names."""
    stored = tomllib.loads((FOLDER / "config.toml").read_text(encoding="utf-8"))
    return dict(_flat(stored)) | {"server.port": port, "logger.hideWelcomeMessage": True}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def main(port: int) -> None:
    """Serve until standard input is closed, or a signal ends it."""
    # Python put the folder of this file first; the packages are two folders up, in a checkout or among those installed.
    root = str(FOLDER.parents[1])
    sys.path[0:1] = [] if root in sys.path[1:] else [root]
    from streamlit.web import bootstrap

    threading.Thread(target=_end_with_input, daemon=True).start()
    # On a command line, a list would have to be written in another way for each setting that is one.
    options = settings(port)
    bootstrap.load_config_options(options)
    bootstrap.run(str(FOLDER / "main.py"), False, [], options)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]))
