"""Export: the labels with their evidence, as a file."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project, keyword
from labeling.labels.export_choice import NothingLeft
from labeling.labels.records import ExportPreview
from ui.export.file import Ready, clear_leftovers, formats, write
from ui.parts import charts
from ui.parts.markup import count, figures, notice
from ui.parts.work import FOLLOW_SECONDS, Work
from ui.session import open_project, problems, require_items, require_project, storage

_JOB = "export_job"
_KEPT = "export_kept"
_ESCAPES = "export_escapes"
_NAMES = ("format", "source", "order", "least", "split", "filter", "words", "private", "columns")
_KEYS = tuple(f"export_{name}" for name in _NAMES)
_SOURCES = {"human": "people", "weak": "rules", "model": "the model"}
_ORDERS: dict[str, tuple[str, ...] | None] = {
    "People, then whoever is likelier right": None,
    "People, then rules, then the model": ("human", "weak", "model"),
    "People, then the model, then rules": ("human", "model", "weak"),
}
_SPLITS: dict[str, str | None] = {"All items": None, "Not held out": "train", "Held out": "test"}
_WORDS = "Words…"


def render() -> None:
    """Draw the page."""
    project = require_project("Export", "Every item with its label, where that came from, and how sure it is.")
    require_items(project)
    clear_leftovers()
    _recall(project)
    with st.container(key="split-export"):
        left, right = st.columns([5, 6], gap="large")
    with left:
        offered = formats()
        kind = str(st.radio("Format", list(offered), format_func=lambda name: offered[name].title, key="export_format"))
        choices = _choices(project)
        escaped = True
        if offered[kind].escapes:
            escaped = st.session_state[_ESCAPES] = st.checkbox(
                "Make formulas harmless",
                value=st.session_state.get(_ESCAPES, True),
                key="export_escape",
                help="Cells that a spreadsheet would run get an apostrophe in front; an import takes it off again.",
            )
    st.session_state[_KEPT] = {project.name: {key: st.session_state[key] for key in _KEYS if key in st.session_state}}
    with right:
        st.html('<h2 class="tally-h2">What will be in it</h2>')
        preview = _previewed(project, choices)
        if preview is not None:
            _show(project, preview)
    with left:
        _prepare(project, kind, {**choices, "escape_formulas": escaped}, possible=preview is not None)
    _past(project)


def _recall(project: Project) -> None:
    """Put back what was chosen before the reader looked at another page, where Streamlit forgets it."""
    for key, value in st.session_state.get(_KEPT, {}).get(project.name, {}).items():
        st.session_state.setdefault(key, value)


def _choices(project: Project) -> dict[str, Any]:
    """Draw what can be chosen; return it as `Project.export` takes it."""
    columns = project.item_store.columns()
    private = columns.private()
    with st.expander("Choose rows and columns"):
        sources = st.multiselect(
            "Labels from",
            list(_SOURCES),
            format_func=lambda source: _SOURCES[source],
            key="export_source",
            placeholder="everybody, and items without a label",
        )
        order = str(st.selectbox("Where several have one", list(_ORDERS), key="export_order"))
        least = int(st.slider("At least so sure, in %", 0, 100, key="export_least"))
        split = "All items"
        if project.status().holdout:
            split = str(st.selectbox("Hold-out", list(_SPLITS), key="export_split"))
        where = _filter(project)
        out = bool(
            private and st.checkbox("With private columns", key="export_private", help="That they left is on record.")
        )
        free = [name for name in columns.dtypes if out or name not in private]
        before = st.session_state.get("export_columns", [])
        st.session_state["export_columns"] = [name for name in before if name in free]
        chosen = st.multiselect("Columns of the items", free, key="export_columns", placeholder="all")
    return {
        "source": sources or None,
        "order": _ORDERS[order],
        "min_confidence": least / 100 if least else None,
        "split": _SPLITS[split],
        "where": where,
        "columns": chosen or None,
        "private": out,
    }


def _filter(project: Project) -> Any:
    names = [info.name for info in project.filters()]
    if st.session_state.get("export_filter") not in (*names, _WORDS):
        st.session_state["export_filter"] = None
    text = project.item_store.columns().named("text")
    if not names and text is None:
        return None
    picked = st.selectbox(
        "Only items that a filter picks out",
        [*names, *([_WORDS] if text is not None else [])],
        index=None,
        placeholder="all items",
        key="export_filter",
    )
    if picked != _WORDS:
        return picked
    words = st.text_input("Only items with one of these words", key="export_words", placeholder="senate, election")
    listed = [word.strip() for word in words.split(",") if word.strip()]
    return keyword("words", listed, label="any") if listed else None


def _previewed(project: Project, choices: dict[str, Any]) -> ExportPreview | None:
    """What would be in it."""
    found: list[ExportPreview] = []
    with problems("This cannot be exported."), st.spinner("Counting labels…", show_time=True):
        try:
            found.append(_preview(storage(), project.name, project.version(), repr(choices), choices))
        except NothingLeft:
            notice("No row is left with these choices. Take one of them back.", "warn", title="Nothing to export.")
    return found[0] if found else None


@st.cache_resource(show_spinner=False, max_entries=16)
def _preview(
    storage: str,
    name: str,
    version: int,  # noqa: ARG001 - part of the key
    settings: str,  # noqa: ARG001 - part of the key
    _choices: dict[str, Any],
) -> ExportPreview:
    """What an export would hold, made once for a state of the project and choices, whoever looks."""
    return open_project(storage, name).preview_export(**_choices)


def _show(project: Project, preview: ExportPreview) -> None:
    by = dict(preview.counts.group_by("source").agg(pl.col("rows").sum()).iter_rows())
    figures(
        [
            ("rows", count(preview.rows)),
            ("labeled by people", count(by.get("human", 0))),
            ("by rules", count(by.get("weak", 0))),
            ("by the model", count(by.get("model", 0))),
            ("without a label", count(by.get(None, 0))),
        ]
    )
    labels = preview.counts.drop_nulls("label").group_by("label").agg(pl.col("rows").sum().alias("count"))
    if labels.height:
        charts.balance(labels, list(project.label_names))
    st.html(
        '<p class="tally-small">One row a row that was imported, with one label: a person’s answer where there is one, '
        "else, unless another order is chosen, that of the rules or of the model, whichever is likelier right by what "
        "people answered. Each row names its source, the chance of each class, who labeled it and when, why it was "
        "asked, and what each rule voted. Items of the hold-out are marked.</p>"
    )
    if preview.private:
        notice(f"{', '.join(preview.private)}: that they leave will be on record.", "warn", title="Private columns.")
    # What the page is about comes first: a long text would push it out of sight.
    shown = [name for name in ("label", "source", "confidence", "split", *preview.columns) if name in preview.first]
    config = {"confidence": st.column_config.NumberColumn("confidence", format="percent")}
    rows = preview.first.select(list(dict.fromkeys(shown)))
    st.dataframe(rows, hide_index=True, column_config=config, height="content")


def _prepare(project: Project, kind: str, choices: dict[str, Any], *, possible: bool) -> None:
    wanted = (project.name, kind, repr(choices))
    job: Work[Ready] | None = st.session_state.get(_JOB)
    if job is not None and job.about == wanted:
        if job.running:
            _watch()
            return
        with problems("The export was not made."):
            ready = job.result()
            if ready.version == project.version():
                _offer(ready, kind)
                return
    # Never disabled: the press of a button that is disabled in the run that it begins would be lost.
    pressed = st.button("Prepare the file", type="primary", key="export-prepare", icon=":material/inventory_2:")
    if pressed and not possible:
        notice("There is nothing to write with these choices: see what is said beside.", "warn")
    elif pressed:
        st.session_state[_JOB] = Work(partial(write, project, kind, choices), about=wanted)
        st.rerun()


@st.fragment(run_every=FOLLOW_SECONDS)
def _watch() -> None:
    """Show how far the export is; when it is done, draw the page again."""
    job: Work[Ready] | None = st.session_state.get(_JOB)
    if job is None or not job.running:
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    said = f"Writing… {count(job.done)} of {count(job.total)} rows." if job.total else "Writing…"
    st.progress(min(share, 1.0), text=f"{said} You can look elsewhere meanwhile; the file waits here.")


def _offer(ready: Ready, kind: str) -> None:
    chosen = formats()[kind]
    notice(f"{count(ready.rows)} rows, {_size(ready.size)}.", "good", title="Ready.")
    st.download_button(
        f"Download .{ready.name.rpartition('.')[2]}",
        ready.file,
        file_name=ready.name,
        mime=chosen.mime,
        type="primary",
        key="export-download",
        icon=":material/download:",
        on_click="ignore",
    )
    if ready.sha256:
        whose = " of the folder’s list of files" if chosen.folder else ""
        st.html(f'<p class="tally-small">SHA-256{whose} <code style="overflow-wrap:anywhere">{ready.sha256}</code></p>')


def _size(size: float) -> str:
    """Size of a file as people say it."""
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
    config = {
        "at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm"),
        "private": st.column_config.ListColumn("private columns"),
        "options": st.column_config.TextColumn("what was chosen"),
    }
    st.dataframe(past, hide_index=True, column_config=config, height=min(36 * (past.height + 1) + 3, 250))
