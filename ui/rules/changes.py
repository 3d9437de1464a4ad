"""What changing a kept rule would do: the votes it gains, loses and turns, before it is saved."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from labeling.functions.rules import TextRule
from labeling.store.function_comparison import FunctionComparison
from ui.parts.markup import chip, count, escape, figures, mark_spans, notice, percent, spans_of
from ui.rules.analysis import text_of

_WORDS = {
    "gained": "It would newly vote here",
    "lost": "It would fall silent here",
    "flipped": "Its vote would turn here",
}


def draw(project: Project, rule: TextRule, column: str | None) -> None:
    """Draw what changes from the kept rule of the same name to this one.

    Parameters
    ----------
    project
        Holds a rule of that name.
    rule
        The rule as it stands in the form.
    column
        Column whose text is shown; None: the items' text.
    """
    change = project.compare_functions(rule.name, rule)
    changed = change.gained + change.lost + change.flipped
    if not changed:
        notice(f"The same {count(change.same)} votes as the rule “{rule.name}” that is kept.")
        return
    st.html('<h3 class="tally-h3">What the change does</h3>')
    pairs = [(name, count(getattr(change, name))) for name in _WORDS]
    figures([*pairs, ("the same", count(change.same)), ("accuracy", _accuracy(change))])
    options = [name for name in _WORDS if getattr(change, name)]
    which = st.segmented_control(
        "Change", options, default=options[0], required=True, key="change-" + "-".join(options),
        label_visibility="collapsed",
    )  # fmt: skip
    _examples(project, rule, change, str(which), column)


def _accuracy(change: FunctionComparison) -> str:
    if change.old_accuracy is None and change.new_accuracy is None:
        return "not known"
    return f"{percent(change.old_accuracy)} → {percent(change.new_accuracy)}"


def _examples(project: Project, rule: TextRule, change: FunctionComparison, which: str, column: str | None) -> None:
    labels = list(project.label_names)
    rows = change.examples.filter(change=which)
    texts = [str(text or "") for text in rows[column]] if column in rows.columns else text_of(project, rows)
    boxes = []
    for row, text, found in zip(rows.iter_rows(named=True), texts, rule.found_in(texts), strict=True):
        votes = [chip(name, labels.index(name)) for name in (row["before"], row["after"]) if name]
        known = f" · known to be {chip(row['gold'], labels.index(row['gold']))}" if row["gold"] else ""
        boxes.append(
            f'<div class="tally-text"><small>item {row["item_id"]} · {" → ".join(votes)}{known}</small>'
            f"{mark_spans(text, spans_of(text, found))}</div>"
        )
    total = getattr(change, which)
    said = f"{_WORDS[which]}" + (f": {rows.height} of {count(total)}." if total > rows.height else ".")
    with st.container(height=300 if len(boxes) > 3 else "content", border=False, key="change-examples"):
        st.html(f'<p class="tally-small">{escape(said)}</p><div class="tally-texts">{"".join(boxes)}</div>')
