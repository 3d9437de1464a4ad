"""Merging, splitting and retiring a label, with what that touches said before it is done."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from labeling.project.labels import LabelUse
from ui.parts.markup import counted, notice
from ui.session import current_project, problems

MERGE, SPLIT, RETIRE = "Merge it into another", "Split it into new ones", "Retire it"
_KIND = "label-change-kind"


@st.dialog("Change a label")
def change_label(name: str, done: str) -> None:
    """Ask how a label changes, say what that touches, and do it; `done` is where the page looks for what was done."""
    project = current_project()
    if project is None:
        return
    kind = st.radio(f"What becomes of “{name}”?", [MERGE, SPLIT, RETIRE], key=_KIND)
    others = [other for other in project.label_names if other != name]
    into: str | list[str] = []
    if kind == MERGE:
        into = st.selectbox("Into", others, key="label-change-into") or ""
    elif kind == SPLIT:
        lines = st.text_area("New labels, one a line", key="label-change-parts", placeholder="insult\nthreat")
        into = [line.strip() for line in (lines or "").splitlines() if line.strip()]
    notice(touched(project.label_use(name), kind))
    if st.button(kind.partition(" ")[0], type="primary", key="label-change-do"):
        with problems("The label was not changed."):
            st.session_state[done] = _change(project, name, kind, into)
            st.rerun()


def _change(project: Project, name: str, kind: str, into: str | list[str]) -> str:
    """Change a label, and return what was done in words."""
    if kind == MERGE:
        project.merge_labels([name, str(into)], into=str(into))
        return f"“{name}” is “{into}” from now on."
    if kind == SPLIT:
        items = project.split_label(name, list(into))
        return f"“{name}” is split. {counted(items, 'item')} will be asked again."
    project.retire_label(name)
    return f"“{name}” is retired. Its answers stay on record."


def touched(use: LabelUse, kind: str) -> str:
    """Say what a change of a label touches.

    Examples
    --------
    >>> touched(LabelUse("bad", 0, 0, (), 2, ("insults",)), SPLIT)
    '2 known answers are unknown until given anew. The rule insults pauses.'
    """
    people = ", ".join(use.people)
    answers = f"{counted(use.answers, 'answer')} by {people} on {counted(use.items, 'item')}" if use.answers else ""
    gold = counted(use.gold, "known answer") if use.gold else ""
    if kind == MERGE:
        parts = [f"{both} count for the other label" for both in [" and ".join(filter(None, (answers, gold)))] if both]
        return ". ".join([*parts, "Its name goes on meaning the other label."])
    ends = {
        SPLIT: "stay on record and count no longer: the items are asked again",
        RETIRE: "stay on record and name no label; the items are not asked again",
    }
    said = [f"{answers} {ends[kind]}"] if answers else []
    said += [f"{gold} {'is' if use.gold == 1 else 'are'} unknown until given anew"] if gold else []
    rules = f"The rule{'s' * (len(use.functions) > 1)} {', '.join(use.functions)}"
    said += [f"{rules} pause{'s' * (len(use.functions) == 1)}"] if use.functions else []
    return f"{'. '.join(said)}." if said else "Nothing names it yet."
