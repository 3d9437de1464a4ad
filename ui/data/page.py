"""Data: bring a file in, look at what is there, keep some known answers aside."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from ui.data import import_list, importing, known_answers
from ui.parts import next_step, work
from ui.parts.markup import count, counted, empty, escape, figures, notice
from ui.session import problems, require_project

PAGE_ROWS = 50
_HOLDOUT = "holdout"
_DRAWN = "holdout_drawn"
_TAB, _FIRST = "data_tab", "data_first_tab"


def render() -> None:
    """Draw the page."""
    project = require_project("Data", "Items come in from a file. What was imported stays as it was.")
    status = project.status()
    if status.items:
        figures(
            [
                ("items", count(status.items)),
                ("known answers (gold)", count(status.gold)),
                ("kept aside as hold-out", count(status.holdout)),
                ("columns", count(len(project.columns))),
            ]
        )
        next_step.offer(project, "data")
        if _TAB not in st.session_state:
            # Decided when the page is come to: another tab to begin with would close the one that is open.
            st.session_state[_FIRST] = "Import" if importing.has_report(project) else "Browse"
        bring_in, look, known, holdout, imports = st.tabs(
            ["Import", "Browse", "Known answers", "Hold-out", "Imports"],
            key=_TAB,
            on_change="rerun",
            default=st.session_state[_FIRST],
        )
        with bring_in:
            if bring_in.open:
                importing.render(project)
        with look:
            if look.open:
                _look(project)
        with known:
            if known.open:
                known_answers.render(project)
        with imports:
            if imports.open:
                import_list.render(project)
        with holdout:
            if holdout.open:
                _holdout(project, status.gold, status.holdout, status.items)
    else:
        importing.render(project)
        if project.imports().height:
            with st.expander("Earlier imports", expanded=import_list.under_way(project)):
                import_list.render(project)


@st.fragment
def _look(project: Project) -> None:
    text = st.text_input(
        "Search",
        type="search",
        live="300ms",
        placeholder="A word or a part of one",
        icon=":material/search:",
        key="data_search",
    )
    _hidden(project)
    wanted = (text or "").strip()
    if st.session_state.get("data_searched") != wanted:
        st.session_state["data_searched"] = wanted
        st.session_state.pop("data_page", None)
    number = int(st.session_state.get("data_page") or 1)
    rows, total = project.search_items(wanted, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    if total == 0:
        empty("Nothing found", f"No item contains “{wanted}”. Upper and lower case make no difference.")
        return
    left, right = st.columns([2, 3], vertical_alignment="center")
    found = counted(total, "item") + (f" with “{wanted}”" if wanted else "")
    left.html(f'<p class="tally-small">{escape(found)}</p>')
    pages = -(-total // PAGE_ROWS)
    if pages > 1:
        with right.container(horizontal=True, horizontal_alignment="right"):
            st.pagination(pages, key="data_page")
    chosen = st.dataframe(
        rows,
        hide_index=True,
        height=440,
        on_select="rerun",
        selection_mode="single-row",
        key="data_rows",
        column_config={"item_id": st.column_config.NumberColumn("item", width=70, format="%d")},
    )
    selected = chosen["selection"]["rows"] if chosen else []
    if selected and selected[0] < rows.height:
        _one(rows.row(selected[0], named=True), project.text_column)
    else:
        st.html('<p class="tally-small">Tick a row to read it in full.</p>')


def _hidden(project: Project) -> None:
    """Choose which columns annotators are not shown."""
    asked = (project.text_column, project.image_column)
    private = project.item_store.columns().private()
    options = [name for name in project.columns if name not in asked and name not in private]
    if not options:
        return
    now = [name for name in project.hidden_columns if name in options]
    with st.expander("Columns that annotators do not see" + (f" ({len(now)})" if now else "")):
        chosen = st.multiselect(
            "Not shown where items are labeled",
            options,
            default=now,
            key=f"data-hidden-{project.name}",
            help="A column that gives the answer away is hidden when it is imported. Rules, models and exports "
            "see it as before.",
        )
        if sorted(chosen) != sorted(now):
            with problems("Not changed."):
                project.hide_columns(chosen)
                st.rerun()


def _one(row: dict[str, object], text_column: str | None) -> None:
    text = row.get(text_column) if text_column else None
    body = f'<div class="body">{escape(text)}</div>' if text else ""
    rest = {name: value for name, value in row.items() if name != text_column and value is not None}
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rest.items())
    st.html(f'<div class="tally-item">{body}<dl>{facts}</dl></div>')


def _holdout(project: Project, gold: int, held: int, items: int) -> None:
    if gold == 0:
        empty(
            "No known answers",
            "A hold-out is drawn from items whose answer is known. Import a file with a column of answers, and "
            "choose it as “Known answer”, or bring answers for items that are here in on “Known answers”.",
        )
        return
    st.html(
        '<p class="tally-lead">A part of the known answers is kept aside to score the model: those items are never '
        "asked, and no rule, suggestion or model learns from them.</p>"
    )
    with problems("The hold-out was not changed."):
        done = work.ended(_HOLDOUT, project.name)
        if done is not None:
            st.session_state[_DRAWN] = done.result()
            # What stands above was read before.
            st.rerun()
    drawn = st.session_state.pop(_DRAWN, None)
    if drawn is not None:
        notice("1 item is kept aside." if drawn == 1 else f"{count(drawn)} items are kept aside.", "good")
    elif held:
        notice(f"{count(held)} of {count(items)} items are kept aside.")
    if work.watch(_HOLDOUT, project.name, "Keeping items aside"):
        return
    with st.form("holdout", border=False):
        left, right = st.columns([3, 1])
        share = left.slider("Share of the known answers to keep aside", 5, 80, 30, 5, format="%d %%")
        seed = right.number_input("Seed", min_value=0, value=0, step=1)
        if st.form_submit_button("Keep aside" if not held else "Draw again", type="secondary" if held else "primary"):
            work.begin(_HOLDOUT, project.name, lambda _: project.set_holdout(fraction=share / 100, seed=int(seed)))
