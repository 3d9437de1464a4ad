"""The file of an export, which leaves nothing behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from labeling import Project
from labeling.formats.export_format import ExportFormat
from labeling.formats.writing import export_formats
from labeling.formats.writing.whole_files import sweep, workplace
from ui.parts.work import Tell


def formats() -> dict[str, ExportFormat]:
    """The formats by name, in the order of menus."""
    return {each.name: each for each in export_formats.EXPORT_FORMATS}


@dataclass(frozen=True)
class Ready:
    """A file to download: without a name in the file system, so that it goes with the session that holds it.

    `version` is that of the project with this export on its record.
    """

    file: BinaryIO
    name: str
    size: int
    rows: int
    sha256: str | None
    version: int


def write(project: Project, kind: str, options: Mapping[str, Any], tell: Tell) -> Ready:
    """Write an export of a kind, telling how far it is, and leave nothing of it in a folder."""
    chosen = formats()[kind]
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in project.name)[:80] or "labels"
    with workplace(Path(tempfile.gettempdir())) as folder:
        if chosen.folder:
            report = project.export(folder / name, format=kind, progress=tell, **options)
            path = Path(shutil.make_archive(str(folder / f"{name}-zipped"), "zip", folder / name))
            name = f"{name}.zip"
        else:
            name = f"{name}{chosen.suffix}"
            path = folder / name
            report = project.export(path, format=kind, progress=tell, **options)
        path.chmod(0o600)
        # Open, it can be read after its folder is gone; nothing of it waits anywhere when the server is killed.
        file = path.open("rb")
        return Ready(file, name, path.stat().st_size, report.rows, report.sha256, project.version())


@st.cache_resource(show_spinner=False)
def clear_leftovers() -> None:
    """Remove, once a server, what killed ones left half-written."""
    sweep(Path(tempfile.gettempdir()))
