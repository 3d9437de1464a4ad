"""The form of a rule: words, a pattern or a comparison. What comes out is data, never code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project, comparison, keyword, regex
from labeling.functions import OPERATORS, LabelingFunction
from labeling.records import FunctionInfo

KINDS = {"keyword": "Words", "regex": "Pattern", "comparison": "Comparison"}
_WORDS = {
    ">": "is above",
    ">=": "is at least",
    "<": "is below",
    "<=": "is at most",
    "==": "equals",
    "!=": "differs from",
    "contains": "contains",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "longer_than": "is longer than (characters)",
    "shorter_than": "is shorter than (characters)",
    "is_empty": "is empty",
    "is_not_empty": "is not empty",
}
_UNARY = ("is_empty", "is_not_empty")
_TEXT_OPERATORS = ("contains", "starts_with", "ends_with")
_COUNTING = ("longer_than", "shorter_than")
_KEYS = ("words", "pattern", "column", "where", "operator", "value", "name", "whole", "case")
_CLEAR = "rule_form_clear"


@dataclass(frozen=True)
class Draft:
    """A rule as it stands in the form, saved or not."""

    kind: str
    name: str = ""
    expert: str | None = None
    label: str = ""
    column: str | None = None
    words: tuple[str, ...] = ()
    whole_words: bool = True
    case_sensitive: bool = False
    pattern: str = ""
    operator: str = ">"
    value: str | float | bool | None = None
    missing: str = field(default="", compare=False)

    @property
    def complete(self) -> bool:
        """Whether there is enough of it to run."""
        return not self.missing

    def build(self, name: str) -> LabelingFunction:
        """Make the labeling function that the form describes.

        Examples
        --------
        >>> Draft("keyword", label="ok", words=("vote",)).build("politics").kind
        'keyword'
        """
        if self.kind == "keyword":
            return keyword(
                name,
                list(self.words),
                self.label,
                expert=self.expert,
                column=self.column,
                whole_words=self.whole_words,
                case_sensitive=self.case_sensitive,
            )
        if self.kind == "regex":
            pattern = self.pattern if self.case_sensitive else f"(?i){self.pattern}"
            return regex(name, pattern, self.label, expert=self.expert, column=self.column)
        return comparison(name, self.column, self.operator, self.value, self.label, expert=self.expert)


def split_words(text: str) -> tuple[str, ...]:
    """Read words and phrases, parted by commas or new lines.

    Examples
    --------
    >>> split_words("senate, white house,, vote ")
    ('senate', 'white house', 'vote')
    """
    return tuple(word.strip() for word in text.replace("\n", ",").split(",") if word.strip())


def typed(text: str, dtype: pl.DataType) -> str | float | bool:
    """Read a value for a column of a type: a number for numbers, yes or no for booleans, else the text.

    Examples
    --------
    >>> typed("3", pl.Int64()), typed("yes", pl.Boolean()), typed("3", pl.String())
    (3, True, '3')
    """
    text = text.strip()
    if dtype == pl.Boolean:
        answer = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower())
        if answer is None:
            raise ValueError(f"This column holds yes or no, got {text!r}.")
        return answer
    if not dtype.is_numeric():
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"This column holds numbers, got {text!r}.") from None


def found_in(rule: Any, texts: Sequence[str]) -> list[list[str]]:
    """The pieces of each text that a rule matches, found by Polars (linear in the text, whatever the pattern)."""
    pattern = getattr(rule, "pattern", None)
    if isinstance(pattern, str):
        if getattr(rule, "kind", "") == "keyword" and not getattr(rule, "case_sensitive", False):
            pattern = f"(?i){pattern}"
        found: list[list[str]] = pl.Series(texts, dtype=pl.String).str.extract_all(pattern).to_list()
        return found
    value = getattr(rule, "value", None)
    return [[str(value)] if getattr(rule, "operator", "") in _TEXT_OPERATORS else [] for _ in texts]


def describe(info: FunctionInfo) -> str:
    """Say in words what a stored rule does.

    Code is shown as its source text where that is stored.
    """
    spec = info.spec
    if info.kind == "keyword":
        whole = "whole words" if spec.get("whole_words", True) else "parts of words too"
        return f"matches {', '.join(map(str, spec.get('words', ())))} ({whole})"
    if info.kind == "regex":
        return f"matches {spec.get('pattern', '')}"
    if info.kind == "comparison":
        operator = str(spec.get("operator"))
        value = "" if operator in _UNARY else f" {spec.get('value')}"
        return f"{spec.get('column') or 'the text'} {_WORDS.get(operator, operator)}{value}"
    return str(spec.get("source") or spec.get("expression") or "written in Python; its code is not kept here")


def clear() -> None:
    """Empty the form, all but the expert's name and the label."""
    for name in _KEYS:
        st.session_state.pop(f"rule_{name}", None)


def ask_to_clear() -> None:
    """Empty the form when it is drawn next: a widget's value cannot change once it is on the page."""
    st.session_state[_CLEAR] = True


def load(info: FunctionInfo) -> None:
    """Put a stored rule into the form, to change it; saved under the same name it is a new version."""
    spec = info.spec
    clear()
    st.session_state["rule_kind"] = info.kind
    st.session_state["rule_name"] = info.name
    st.session_state["rule_expert"] = info.expert or ""
    st.session_state["rule_label"] = info.label
    st.session_state["rule_column" if info.kind == "comparison" else "rule_where"] = spec.get("column") or ""
    if info.kind == "keyword":
        st.session_state["rule_words"] = ", ".join(map(str, spec.get("words", ())))
        st.session_state["rule_whole"] = bool(spec.get("whole_words", True))
        st.session_state["rule_case"] = bool(spec.get("case_sensitive", False))
    elif info.kind == "regex":
        pattern = str(spec.get("pattern", ""))
        st.session_state["rule_case"] = not pattern.startswith("(?i)")
        st.session_state["rule_pattern"] = pattern.removeprefix("(?i)")
    else:
        st.session_state["rule_operator"] = spec.get("operator")
        st.session_state["rule_value"] = "" if spec.get("value") is None else str(spec["value"])


def draw(project: Project, who: str) -> Draft:
    """Draw the form; return what stands in it."""
    if st.session_state.pop(_CLEAR, False):
        clear()
    for key, value in {"rule_kind": "keyword", "rule_whole": True, "rule_expert": who}.items():
        st.session_state.setdefault(key, value)
    kind = st.segmented_control(
        "Kind",
        list(KINDS),
        format_func=lambda key: KINDS[key],
        required=True,
        key="rule_kind",
        label_visibility="collapsed",
    )
    parts = _comparison(project) if kind == "comparison" else _text(project, str(kind))
    left, right = st.columns(2)
    label = left.selectbox("Votes for", project.label_names, key="rule_label")
    expert = right.text_input("Whose rule", key="rule_expert", max_chars=100, persist_state="session") or ""
    name = st.text_input("Name of the rule", key="rule_name", max_chars=200, live=True, placeholder="politics") or ""
    return Draft(kind=str(kind), name=name.strip(), expert=expert.strip() or None, label=str(label or ""), **parts)


def _text(project: Project, kind: str) -> dict[str, Any]:
    columns = ["", *_readable(project)]
    parts: dict[str, Any] = {}
    if kind == "keyword":
        words = split_words(
            st.text_input(
                "Any of these words", key="rule_words", live=True, placeholder="senate, election, white house"
            )
            or ""
        )
        parts["words"] = words
        if not words:
            parts["missing"] = "Type a word or a phrase, parted by commas: its matches appear here while you write."
    else:
        pattern = st.text_input("Pattern", key="rule_pattern", live=True, placeholder=r"\bidiots?\b") or ""
        parts["pattern"] = pattern
        if not pattern:
            parts["missing"] = "Type a regular expression: its matches appear here while you write."
    with st.container(horizontal=True):
        if kind == "keyword":
            parts["whole_words"] = st.checkbox("Whole words", key="rule_whole")
        parts["case_sensitive"] = st.checkbox("Upper and lower case matter", key="rule_case")
    if len(columns) > 2:
        where = st.selectbox("Where", columns, format_func=lambda name: name or "the text", key="rule_where")
        parts["column"] = where or None
    return parts


def _readable(project: Project) -> list[str]:
    return [name for name, dtype in project.columns.items() if dtype == pl.String and name != project.text_column]


def _comparison(project: Project) -> dict[str, Any]:
    columns = project.columns
    left, middle, right = st.columns([2, 2, 2])
    column = left.selectbox("Column", list(columns), key="rule_column")
    operator = middle.selectbox("Is", OPERATORS, format_func=lambda key: _WORDS.get(key, key), key="rule_operator")
    parts: dict[str, Any] = {"column": column, "operator": operator}
    if operator in _UNARY:
        return parts
    text = right.text_input("Value", key="rule_value", live=True) or ""
    if not text.strip() or column is None:
        parts["missing"] = "Choose a column and type a value: the matches appear here while you write."
        return parts
    dtype = pl.String() if operator in _TEXT_OPERATORS else columns[column]
    try:
        parts["value"] = typed(text, pl.Int64() if operator in _COUNTING else dtype)
    except ValueError as error:
        parts["missing"] = str(error)
    return parts
