"""The form of a rule on the Rules page: its widgets, and the draft that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.functions.rules import COUNTING, KINDS, OPERATOR_WORDS, TEXT_OPERATORS, UNARY
from labeling.store.records import FunctionInfo
from ui.rules.drafts import FORMS, Draft, draft_of, split_words, typed

_FORM = "rule_form"


@dataclass(frozen=True)
class Form:
    """One filling of the form: another number means other widgets, so that each starts from `start`."""

    number: int
    start: Draft

    def key(self, name: str) -> str:
        """Key of a widget."""
        return f"rule-{self.number}-{name}"


def begin(start: Draft) -> None:
    """Begin again, from a draft; the form shows it when it is drawn next."""
    form = st.session_state.get(_FORM)
    st.session_state[_FORM] = Form(form.number + 1 if isinstance(form, Form) else 0, start)


def clear(last: Draft) -> None:
    """Empty the form after a rule was saved, all but its kind, its label and whose it is."""
    begin(Draft(last.kind, label=last.label, expert=last.expert))


def load(info: FunctionInfo) -> None:
    """Put a stored rule into the form."""
    begin(draft_of(info))


def draw(project: Project, who: str) -> Draft:
    """Draw the form; return what stands in it."""
    if not isinstance(st.session_state.get(_FORM), Form):
        begin(Draft(FORMS[0], expert=who))
    form: Form = st.session_state[_FORM]
    start = form.start
    kind = st.segmented_control(
        "Kind",
        FORMS,
        format_func=lambda key: KINDS[key].title,
        default=start.kind,
        required=True,
        key=form.key("kind"),
        label_visibility="collapsed",
    )
    kind = kind or start.kind
    parts = _comparison(project, form) if kind == "comparison" else _text(project, kind, form)
    left, right = st.columns(2)
    names = list(project.label_names)
    label = left.selectbox("Votes for", names, index=_index(names, start.label), key=form.key("label"))
    expert = right.text_input("Whose rule", value=start.expert or "", key=form.key("expert"), max_chars=100) or ""
    name = st.text_input(
        "Name of the rule", value=start.name, key=form.key("name"), max_chars=200, live=True, placeholder="politics"
    )
    return Draft(kind=kind, name=(name or "").strip(), expert=expert.strip() or None, label=str(label or ""), **parts)


def _index(options: Sequence[str], wanted: str | None) -> int:
    return options.index(wanted) if wanted in options else 0


def _text(project: Project, kind: str, form: Form) -> dict[str, Any]:
    start = form.start
    parts: dict[str, Any] = {}
    if kind == "keyword":
        typed_words = st.text_input(
            "Any of these words",
            value=", ".join(start.words),
            key=form.key("words"),
            live=True,
            placeholder="senate, election, white house",
        )
        parts["words"] = split_words(typed_words or "")
        if not parts["words"]:
            parts["missing"] = "Type a word or a phrase, parted by commas: its matches appear here while you write."
    else:
        parts["pattern"] = st.text_input(
            "Pattern", value=start.pattern, key=form.key("pattern"), live=True, placeholder=r"\bidiots?\b"
        )
        if not parts["pattern"]:
            parts["missing"] = "Type a regular expression: its matches appear here while you write."
    with st.container(horizontal=True):
        if kind == "keyword":
            parts["whole_words"] = st.checkbox("Whole words", value=start.whole_words, key=form.key("whole"))
        parts["case_sensitive"] = st.checkbox(
            "Upper and lower case matter", value=start.case_sensitive, key=form.key("case")
        )
    columns = ["", *_readable(project)]
    if len(columns) > 2:
        where = st.selectbox(
            "Where",
            columns,
            index=_index(columns, start.column),
            format_func=lambda name: name or "the text",
            key=form.key("where"),
        )
        parts["column"] = where or None
    return parts


def _readable(project: Project) -> list[str]:
    return [name for name, dtype in project.columns.items() if dtype == pl.String and name != project.text_column]


def _comparison(project: Project, form: Form) -> dict[str, Any]:
    start, columns = form.start, project.columns
    names = list(columns)
    left, middle, right = st.columns(3)
    column = left.selectbox("Column", names, index=_index(names, start.column), key=form.key("column"))
    operator = middle.selectbox(
        "Is",
        list(OPERATOR_WORDS),
        index=_index(list(OPERATOR_WORDS), start.operator),
        format_func=lambda key: OPERATOR_WORDS[key],
        key=form.key("operator"),
    )
    parts: dict[str, Any] = {"column": column, "operator": operator}
    if operator in UNARY:
        return parts
    value = "" if start.value is None else str(start.value)
    text = right.text_input("Value", value=value, key=form.key("value"), live=True) or ""
    if not text.strip() or column is None:
        parts["missing"] = "Choose a column and type a value: the matches appear here while you write."
        return parts
    dtype = pl.String() if operator in TEXT_OPERATORS else columns[column]
    try:
        parts["value"] = typed(text, pl.Int64() if operator in COUNTING else dtype)
    except ValueError as error:
        parts["missing"] = str(error)
    return parts
