"""Weak labels: combine the votes of the rules, look at the result, keep it as a run."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.votes.label_models.base import LabelModel
from labeling.weak_labels.run import WeakResult
from ui.parts import charts, work
from ui.parts.markup import chip, count, empty, escape, figures, notice, percent, plain
from ui.parts.wording import on_page
from ui.session import problems, require_items, require_project
from ui.weak_labels import explanations, label_checks, model_form

_KEEP = "weak-run"
EXAMPLES = 6


def render() -> None:
    """Draw the page."""
    project = require_project("Weak labels", "The votes of the rules become one label an item, with how sure it is.")
    require_items(project)
    if not project.functions():
        empty("No rules to count", "Weak labels are made from votes. Write a few rules first.")
        st.page_link(st.session_state["pages"]["rules"], label="Write rules", icon=":material/arrow_forward:")
        return
    view = st.segmented_control(
        "View",
        list(_VIEWS),
        default="Combine",
        required=True,
        key="weak_view",
        label_visibility="collapsed",
    )
    _VIEWS[str(view)](project)


def _combine(project: Project) -> None:
    _choose(project)
    _runs(project)


@st.fragment
def _choose(project: Project) -> None:
    # Said inside the fragment: it goes when the settings are changed.
    with problems("The run was not kept."):
        done = work.ended(_KEEP, project.name)
        if done is not None:
            notice(f"Run {done.result().number} is kept. The loop learns from the newest run.", "good")
    with st.container(key="split-weak"):
        left, right = st.columns([4, 7], gap="large")
    with left:
        model = model_form.draw(project)
    result = None
    with right, problems("No result with these settings."):
        with st.spinner("Counting votes…", show_time=True):
            result = model_form.preview(project, model)
        _result(project, result)
    with left:
        if work.watch(_KEEP, project.name, "Keeping the run"):
            return
        said = plain(keeping(result, model)) if result else "Keep as a run"
        if st.button(said, type="primary", key="weak-keep", icon=":material/check:", width="stretch"):
            work.begin(_KEEP, project.name, lambda _: project.weak_label(model))


def keeping(result: WeakResult, model: LabelModel) -> str:
    """What keeping a run will do, for the button: labels that no rule voted for are named with their number."""
    if model.otherwise is None or not result.open:
        return "Keep as a run"
    which = "no rule speaks about" if result.open == round(result.silent * len(result)) else "the rules leave open"
    items = "1 item" if result.open == 1 else f"{count(result.open)} items"
    return f"Keep as a run, and label {items} that {which} as “{model.otherwise}”"


def _result(project: Project, result: WeakResult) -> None:
    figures(
        [
            ("without a single vote", percent(result.silent)),
            ("rules disagree", percent(result.conflicts)),
            ("without a label from rules", percent(result.open / max(len(result), 1))),
        ]
    )
    filled = result.filled().height
    if filled:
        notice(
            f"{count(filled)} items get a label although the rules leave them open. It is stated, not counted: models "
            "do not learn from it, and what a model says goes before it.",
        )
    for note in result.notes:
        notice(on_page(note), "warn")
    labels = list(project.label_names)
    charts.balance(result.balance(), labels)
    _examples(project, result, labels)


def _examples(project: Project, result: WeakResult, labels: list[str]) -> None:
    chosen = st.selectbox("Examples of", labels, key="weak_examples")
    filled = result.filled()["item_id"].implode()
    rows = result.frame().filter(pl.col("label") == chosen).with_columns(filled=pl.col("item_id").is_in(filled))
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
    # What only fills silence comes last in either order: its confidence is stated, not counted.
    order = [False, sure == "surest first", False]
    rows = rows.sort("filled", "confidence", "item_id", descending=order).head(EXAMPLES)
    position = labels.index(str(chosen))
    text_column = project.text_column
    boxes = []
    for row in rows.iter_rows(named=True):
        item = project.item(row["item_id"])
        text = item.get(text_column) if text_column else None
        boxes.append(
            f'<div class="tally-text">{_sure(row, position)} '
            f"{escape(text if text is not None else 'item ' + str(row['item_id']))}</div>"
        )
    st.html(f'<div class="tally-texts">{"".join(boxes)}</div>')


def _sure(row: dict[str, Any], position: int) -> str:
    return chip("no rule decides") if row["filled"] else chip(percent(row["confidence"]), position)


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
        "items": st.column_config.NumberColumn("items", format="localized"),
        "labeled": st.column_config.NumberColumn("labeled", format="localized"),
    }
    st.dataframe(runs, hide_index=True, column_config=config, height=min(36 * (runs.height + 1) + 3, 300))


_VIEWS = {"Combine": _combine, "Explain": explanations.draw, "Check": label_checks.draw}
