"""Export: the labels with their evidence, as a file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from labeling import Project
from labeling.io import EXPORT_FORMATS
from ui import charts
from ui.markup import count, figures, notice
from ui.state import problems, require_items, require_project

_FORMATS = {each.name: each for each in EXPORT_FORMATS}
_READY = "export_ready"


def render() -> None:
    """Draw the page."""
    project = require_project("Export", "Every item with its label, where that came from, and how sure it is.")
    require_items(project)
    status = project.status()
    with st.container(key="split-export"):
        left, right = st.columns([5, 6], gap="large")
    with left:
        _prepare(project, status.version)
    with right:
        st.html('<h2 class="tally-h2">What will be in it</h2>')
        labels = project.labels(probabilities=False)
        by = dict(labels.group_by("source").len().iter_rows())
        figures(
            [
                ("items", count(status.items)),
                ("labeled by people", count(by.get("human", 0))),
                ("by rules", count(by.get("weak", 0))),
                ("by the model", count(by.get("model", 0))),
                ("without a label", count(status.items - labels.height)),
            ]
        )
        if labels.height:
            counts = labels.group_by("label").len("count")
            charts.balance(counts, list(project.label_names))
        st.html(
            '<p class="tally-small">One label an item: a person’s answer where there is one, else that of the rules or '
            "of the model, whichever is likelier right by what people answered. Each row names its source, the chance "
            "of each class, who labeled it and when, and what each rule voted. Items of the hold-out are marked.</p>"
        )
    _past(project)


def _prepare(project: Project, version: int) -> None:
    kind = str(st.radio("Format", list(_FORMATS), format_func=lambda name: _FORMATS[name].title, key="export_format"))
    private = st.checkbox("With private columns", key="export_private", help="Left out unless you ask for them.")
    escaped = True
    if kind == "csv":
        escaped = st.checkbox(
            "Make formulas harmless",
            value=True,
            key="export_escape",
            help="Cells that a spreadsheet would run get an apostrophe in front; an import takes it off again.",
        )
    choices = (project.name, kind, private, escaped)
    ready = st.session_state.get(_READY)
    if ready and ready["key"] != (version, *choices):
        _forget(ready)
        ready = None
    if ready is None:
        if st.button("Prepare the file", type="primary", key="export-prepare", icon=":material/inventory_2:"):
            with problems("The export was not made."):
                with st.spinner("Writing…", show_time=True):
                    written = _write(project, kind, private=private, escaped=escaped)
                # The export is itself on record, so the version that the file belongs to is the one after it.
                st.session_state[_READY] = {"key": (project.version(), *choices), **written}
                st.rerun()
        return
    notice(f"{count(ready['rows'])} rows, {_size(ready['path'])}.", "good", title="Ready.")
    with ready["path"].open("rb") as file:
        st.download_button(
            f"Download {ready['path'].suffix}",
            file,
            file_name=ready["path"].name,
            mime=_FORMATS[kind].mime,
            type="primary",
            key="export-download",
            icon=":material/download:",
            on_click="ignore",
        )
    if ready["sha256"]:
        st.html(f'<p class="tally-small">SHA-256 <code>{ready["sha256"]}</code></p>')


def _write(project: Project, kind: str, *, private: bool, escaped: bool) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="tally-export-"))
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in project.name)[:80] or "labels"
    if _FORMATS[kind].folder:
        report = project.export(folder / name, format=kind, private=private)
        path = Path(shutil.make_archive(str(folder / name), "zip", folder / name))
        shutil.rmtree(folder / name)
    else:
        path = folder / f"{name}{_FORMATS[kind].suffix}"
        report = project.export(path, format=kind, private=private, escape_formulas=escaped)
    return {"path": path, "rows": report.rows, "sha256": report.sha256}


def _forget(ready: dict[str, Any]) -> None:
    shutil.rmtree(ready["path"].parent, ignore_errors=True)
    st.session_state.pop(_READY, None)


def _size(path: Path) -> str:
    """Size of a file as people say it."""
    size = float(path.stat().st_size)
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def _past(project: Project) -> None:
    past = project.exports()
    if past.is_empty():
        return
    st.html('<h2 class="tally-h2">Exports so far</h2>')
    config = {"at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm")}
    st.dataframe(past, hide_index=True, column_config=config, height=min(36 * (past.height + 1) + 3, 250))
