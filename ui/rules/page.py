"""Rules: write one, see live what it would match, keep it; and how the kept ones do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.store.records import FunctionInfo, FunctionNotLoaded
from ui.parts import next_step
from ui.parts.markup import chip, count, empty, escape, figures, mark_spans, notice, percent, spans_of
from ui.rules import analysis as rule_analysis
from ui.rules import changes as rule_changes
from ui.rules import form as rule_form
from ui.rules import suggestions
from ui.rules.drafts import FORMS, Draft, describe
from ui.session import annotator, message, problems, require_items, require_project

_DONE = "rules_done"
_COLUMNS = {
    "function": st.column_config.TextColumn("rule", width="medium"),
    "expert": st.column_config.TextColumn("expert"),
    "kind": st.column_config.TextColumn("kind"),
    "polarity": st.column_config.TextColumn("votes for"),
    "coverage": st.column_config.NumberColumn("coverage", format="percent"),
    "overlaps": st.column_config.NumberColumn("overlaps", format="percent"),
    "conflicts": st.column_config.NumberColumn("conflicts", format="percent"),
    "accuracy": st.column_config.NumberColumn("accuracy", format="percent"),
}


def render() -> None:
    """Draw the page."""
    project = require_project("Rules", "A rule votes for a label where it matches and is silent elsewhere.")
    require_items(project)
    view = st.segmented_control(
        "View",
        [rule_analysis.WRITE, "Suggestions", "Analysis"],
        default=rule_analysis.WRITE,
        required=True,
        key=rule_analysis.VIEW,
        label_visibility="collapsed",
    )
    if view == "Suggestions":
        suggestions.draw(project)
        return
    if view == "Analysis":
        rule_analysis.draw(project)
        return
    _write(project)
    st.space("small")
    functions = project.functions()
    if functions:
        next_step.offer(project, "rules")
    st.html(f'<h2 class="tally-h2">Rules of this project <small>{len(functions)}</small></h2>')
    if not functions:
        empty("No rules yet", "Write the first one above: a few words that give a label away are enough.")
        return
    _table(project, functions)
    rule_analysis.troubles(rule_analysis.analysis_of(project))


@st.fragment
def _write(project: Project) -> None:
    # Said inside the fragment: it goes with the first letter of the next rule.
    done = st.session_state.pop(_DONE, None)
    if done:
        notice(done, "good")
    with st.container(border=True, key="split-rules"):
        form, result = st.columns([5, 6], gap="large")
        with form:
            draft = rule_form.draw(project, annotator())
        with result:
            _result(project, draft)


def _result(project: Project, draft: Draft) -> None:
    if not draft.complete:
        st.html(f'<p class="tally-lead">{escape(draft.missing)}</p>')
        return
    with problems("This rule cannot run yet."):
        rule = draft.build(draft.name or "draft")
        preview = project.preview(rule)
        figures(
            [
                ("matches", count(preview.matches)),
                ("coverage", percent(preview.coverage)),
                ("others disagree", percent(preview.conflicts)),
                ("accuracy", _accuracy(preview)),
            ]
        )
        if draft.name in {info.name for info in project.functions()}:
            rule_changes.draw(project, rule, draft.column)
        else:
            _examples(rule, preview.examples, draft.column or project.text_column, preview.matches)
        # Never disabled: the press that leaves the field of the name would be lost.
        if st.button("Save rule", type="primary", key="rule-save"):
            with problems("The rule was not saved."):
                if not draft.name:
                    raise ValueError("Give the rule a name first.")
                _save(project, draft)


def _accuracy(preview: Any) -> str:
    if preview.accuracy is None:
        return "not known"
    return f"{percent(preview.accuracy)} of {count(preview.gold_matches)}"


def _examples(rule: Any, examples: pl.DataFrame, column: str | None, matches: int) -> None:
    if matches == 0:
        notice("Nothing matches so far.")
        return
    if column is None or column not in examples.columns:
        st.dataframe(examples, hide_index=True, height=300)
        return
    texts = [str(text) if text is not None else "" for text in examples[column].to_list()]
    pieces = rule.found_in(texts)
    boxes = "".join(
        f'<div class="tally-text">{mark_spans(text, spans_of(text, found))}</div>'
        for text, found in zip(texts, pieces, strict=True)
    )
    said = f"{len(texts)} of {count(matches)} matches" if matches > len(texts) else f"All {count(matches)} matches"
    with st.container(height=330, border=False, key="rule-examples"):
        st.html(f'<p class="tally-small">{said}</p><div class="tally-texts">{boxes}</div>')


def _save(project: Project, draft: Draft) -> None:
    report = project.add_functions([draft.build(draft.name)])
    change = "added" if report.added else ("changed" if report.changed else "the same as before")
    st.session_state[_DONE] = f"Rule “{draft.name}” is {change}."
    rule_form.clear(draft)
    st.rerun()


def _table(project: Project, functions: Sequence[FunctionInfo]) -> None:
    by_name = {info.name: info for info in functions}
    if paused := [info.name for info in functions if info.paused]:
        notice(
            f"{', '.join(paused)}: paused, since the label was split or retired. Choose another label and save.",
            "warn",
        )
    summary = _summary(project)
    if summary is None:
        summary = pl.DataFrame(
            {
                "function": [info.name for info in functions],
                "expert": [info.expert for info in functions],
                "kind": [info.kind for info in functions],
                "polarity": [info.label for info in functions],
            }
        )
    shown = [name for name in _COLUMNS if name in summary.columns]
    chosen = st.dataframe(
        summary.select(shown),
        hide_index=True,
        column_config={name: _COLUMNS[name] for name in shown},
        on_select="rerun",
        selection_mode="single-row",
        key="rules_table",
        height=min(36 * (summary.height + 1) + 3, 460),
    )
    selected = chosen["selection"]["rows"] if chosen else []
    if not selected or selected[0] >= summary.height:
        st.html('<p class="tally-small">Tick a rule to see what it says, change it or remove it.</p>')
        return
    _one(project, by_name[summary["function"][selected[0]]])


def _summary(project: Project) -> pl.DataFrame | None:
    try:
        with st.spinner("Counting votes…", show_time=True):
            summary = project.label_matrix().summary()
    except FunctionNotLoaded as error:
        notice(message(error), "warn")
        return None
    if "polarity" in summary.columns and summary.schema["polarity"] == pl.List(pl.String):
        summary = summary.with_columns(pl.col("polarity").list.join(", "))
    return summary


def _one(project: Project, info: FunctionInfo) -> None:
    names = list(project.label_names)
    position = names.index(info.label) if info.label in names else None
    label = chip(info.label, position, strong=True) if info.label else ""
    by = f"by {info.expert}" if info.expert else "by nobody in particular"
    st.html(
        f'<div class="tally-text"><strong>{escape(info.name)}</strong> {label} '
        f"<small>{escape(info.kind)}, version {info.version}, {escape(by)}, since {info.created_at:%d %b %Y}</small>"
        f"{escape(describe(info))}</div>"
    )
    with st.container(horizontal=True):
        if info.kind in FORMS:
            st.button("Change it", key="rule-edit", on_click=rule_form.load, args=(info,), icon=":material/edit:")
        st.button("Remove it", key="rule-remove", on_click=_remove, args=(project, info.name), icon=":material/delete:")


def _remove(project: Project, name: str) -> None:
    project.remove_function(name)
    st.session_state.pop("rules_table", None)
    st.session_state[_DONE] = f"Rule “{name}” is removed. Its past votes stay on record."
