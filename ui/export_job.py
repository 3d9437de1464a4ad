"""Writing an export beside the page: it goes on while its reader looks elsewhere, and leaves nothing behind."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from labeling import Project
from labeling.formats.whole_files import sweep, workplace
from labeling.io import EXPORT_FORMATS

FORMATS = {each.name: each for each in EXPORT_FORMATS}


@dataclass
class Ready:
    """A file to download: without a name in the file system, so that it goes with the session that holds it."""

    file: BinaryIO
    name: str
    size: int
    rows: int
    sha256: str | None


class Job:
    """One export, written by a thread of its own."""

    def __init__(self, project: Project, kind: str, choices: Mapping[str, Any]) -> None:
        self.key = (project.name, kind, repr(choices))
        self.version = 0
        self.done, self.rows = 0, 0
        self.ready: Ready | None = None
        self.problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(project, kind, choices), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def _run(self, project: Project, kind: str, choices: Mapping[str, Any]) -> None:
        try:
            self.ready = _written(project, kind, {**choices, "progress": self._note})
            # The export is itself on record, so the version that the file belongs to is the one after it.
            self.version = project.version()
        except Exception as error:  # noqa: BLE001 - shown on the page
            self.problem = error

    def _note(self, done: int, rows: int) -> None:
        self.done, self.rows = done, rows


def _written(project: Project, kind: str, options: Mapping[str, Any]) -> Ready:
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in project.name)[:80] or "labels"
    with workplace(Path(tempfile.gettempdir())) as folder:
        if FORMATS[kind].folder:
            report = project.export(folder / name, format=kind, **options)
            path = Path(shutil.make_archive(str(folder / f"{name}-zipped"), "zip", folder / name))
            name = f"{name}.zip"
        else:
            name = f"{name}{FORMATS[kind].suffix}"
            path = folder / name
            report = project.export(path, format=kind, **options)
        # Open, it can be read after its folder is gone; nothing of it waits anywhere when the server is killed.
        file = path.open("rb")
        return Ready(file, name, path.stat().st_size, report.rows, report.sha256)


@st.cache_resource(show_spinner=False)
def clear_leftovers() -> None:
    """Remove, once a server, what killed ones left half-written."""
    sweep(Path(tempfile.gettempdir()))
