"""Weak labels: combine the votes of the rules, look at the result, keep it as a run."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
import streamlit as st

from labeling import MajorityVote, Project
from ui import charts
from ui.markup import chip, count, empty, escape, figures, notice, percent
from ui.state import problems, require_items, require_project

_BY: dict[Literal["expert", "function"], str] = {
    "expert": "each expert's rules as one vote",
    "function": "each rule as one vote",
}
_OF: dict[Literal["all", "voting"], str] = {"all": "all voters", "voting": "those that vote on the item"}
_TIES: dict[Literal["abstain", "prior", "random"], str] = {
    "abstain": "give no label",
    "prior": "take the more frequent label",
    "random": "draw by lot, seeded by the item",
}
_DONE = "weak_done"
EXAMPLES = 6


def render() -> None:
    """Draw the page."""
    project = require_project("Weak labels", "The votes of the rules become one label an item, with how sure it is.")
    require_items(project)
    if not project.functions():
        empty("No rules to count", "Weak labels are made from votes. Write a few rules first.")
        st.page_link(st.session_state["pages"]["rules"], label="Write rules", icon=":material/arrow_forward:")
        return
    done = st.session_state.pop(_DONE, None)
    if done:
        notice(done, "good")
    _choose(project)
    _runs(project)


@st.fragment
def _choose(project: Project) -> None:
    with st.container(key="split-weak"):
        left, right = st.columns([4, 7], gap="large")
    with left:
        model = _model(project)
    with right, problems("No result with these settings."):
        with st.spinner("Counting votes…", show_time=True):
            result = project.preview_weak_label(model)
        _result(project, result)
    with left:
        if st.button("Keep as a run", type="primary", key="weak-keep", icon=":material/check:", width="stretch"):
            with problems("The run was not kept."):
                with st.spinner("Writing…"):
                    run = project.weak_label(model)
                st.session_state[_DONE] = f"Run {run.number} is kept. The loop learns from the newest run."
                st.rerun()


def _model(project: Project) -> MajorityVote:
    by = st.radio("Count", list(_BY), format_func=lambda key: _BY[key], key="weak_by")
    labels = list(project.label_names)
    ask = st.toggle("Ask for a share of the votes", value=True, key="weak_ask")
    threshold: float | None = None
    of: Literal["all", "voting"] = "all"
    if ask:
        share = st.slider("A label needs at least", 1, 100, 10, 1, format="%d %%", key="weak_share")
        of = st.radio("of the votes of", list(_OF), format_func=lambda key: _OF[key], key="weak_of", horizontal=True)
        threshold = share / 100
    options = ["", *labels]
    otherwise = st.selectbox(
        "Otherwise",
        options,
        format_func=lambda name: name or "no label",
        key="weak_otherwise",
        index=1 if ask else 0,
        help="For items where the rules are silent, tied or below the share. Such labels are never trained on.",
    )
    ties = st.selectbox("Where two labels tie", list(_TIES), format_func=lambda key: _TIES[key], key="weak_ties")
    return MajorityVote(by=by, threshold=threshold, of=of, otherwise=otherwise or None, ties=ties)


def _result(project: Project, result: Any) -> None:
    figures(
        [
            ("without a single vote", percent(result.silent)),
            ("rules disagree", percent(result.conflicts)),
            ("without a label", percent(result.abstained)),
        ]
    )
    labels = list(project.label_names)
    charts.balance(result.balance(), labels)
    _examples(project, result.frame(), labels)


def _examples(project: Project, frame: pl.DataFrame, labels: list[str]) -> None:
    chosen = st.selectbox("Examples of", labels, key="weak_examples")
    rows = frame.filter(pl.col("label") == chosen)
    if rows.is_empty():
        notice("No item has this label with these settings.")
        return
    sure = st.segmented_control(
        "Order",
        ["least sure first", "surest first"],
        default="least sure first",
        required=True,
        key="weak_order",
        label_visibility="collapsed",
    )
    rows = rows.sort("confidence", "item_id", descending=[sure == "surest first", False]).head(EXAMPLES)
    position = labels.index(str(chosen))
    text_column = project.text_column
    boxes = []
    for row in rows.iter_rows(named=True):
        item = project.item(row["item_id"])
        text = item.get(text_column) if text_column else None
        boxes.append(
            f'<div class="tally-text">{chip(percent(row["confidence"]), position)} '
            f"{escape(text if text is not None else 'item ' + str(row['item_id']))}</div>"
        )
    st.html(f'<div class="tally-texts">{"".join(boxes)}</div>')


def _runs(project: Project) -> None:
    runs = project.weak_runs()
    st.html(f'<h2 class="tally-h2">Runs kept <small>{count(runs.height)}</small></h2>')
    if runs.is_empty():
        empty(
            "No run kept yet", "Choose settings above and keep them: the result, its rules and its settings are stored."
        )
        return
    config = {
        "at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm"),
        "model": st.column_config.TextColumn("settings", width="large"),
    }
    st.dataframe(runs, hide_index=True, column_config=config, height=min(36 * (runs.height + 1) + 3, 300))
