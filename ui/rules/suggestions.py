"""Rules that are mined from what people labeled, each taken with one click."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from labeling.votes.suggestions import Suggestion
from ui.parts.markup import chip, counted, empty, escape, mark_spans, notice, percent, spans_of
from ui.rules.analysis import title
from ui.session import EXPECTED, message, open_project, problems, storage

MOST = 20
LONGEST = 300
"""Characters of an example that are shown."""

_SAID = "suggestions_said"


@st.fragment
def draw(project: Project) -> None:
    """Draw what is suggested for a project."""
    title(
        "Rules that would help",
        "Words and phrases that tell a label, mined from the answers of people and from known answers outside the "
        "hold-out. Those that add most come first; each is counted on what is left over by the ones before it.",
    )
    _said(project)
    status = project.status()
    if not status.human and status.gold <= status.holdout:
        empty("Nothing to learn rules from yet", "Label some items, or import known answers that are not held out.")
        return
    with problems("No rules can be suggested."):
        with st.spinner("Looking for words that tell a label…", show_time=True):
            found = _found(storage(), project.name, project.version())
        if not found:
            empty("No rule to suggest", "No word that your rules leave out tells one label surely enough. Label more.")
            return
        labels = list(project.label_names)
        for start in range(0, len(found), 2):
            with st.container(key=f"split-suggestions-{start}"):
                places = st.columns(2)
            for number, place in enumerate(places, start):
                if number < len(found):
                    with place:
                        _one(project, found[number], labels, number)


@st.cache_resource(show_spinner=False, max_entries=8)
def _found(storage: str, name: str, version: int) -> list[Suggestion]:  # noqa: ARG001 - part of the key
    return open_project(storage, name).suggest_functions(MOST)


def _one(project: Project, suggestion: Suggestion, labels: list[str], number: int) -> None:
    words = ", ".join(getattr(suggestion.function, "words", ())) or suggestion.function.name
    facts = (
        f"right on <b>{percent(suggestion.precision)}</b> of {counted(suggestion.matches, 'known answer')}, "
        f"likely between {percent(suggestion.low)} and {percent(suggestion.high)} · "
        f"matches <b>{_share(suggestion.coverage)}</b> of all · <b>{_share(suggestion.added)}</b> that no rule covers"
    )
    with st.container(border=True, key=f"suggested-{number}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"suggestion-{number}", gap="small"):
            st.html(
                f'<div class="tally-suggestion"><strong>{escape(words)}</strong> '
                f"{chip(suggestion.label, labels.index(suggestion.label))}<p>{facts}</p></div>"
            )
            st.button(
                "Take it",
                key=f"take-suggestion-{number}",
                icon=":material/add:",
                on_click=_take,
                args=(project, suggestion),
            )
        st.html(f'<div class="tally-texts">{_examples(suggestion, labels)}</div>')


def _examples(suggestion: Suggestion, labels: list[str]) -> str:
    texts = [text[:LONGEST] for text, _ in suggestion.examples]
    pieces = suggestion.function.found_in(texts)
    boxes = []
    for text, (_, label), found in zip(texts, suggestion.examples, pieces, strict=True):
        # What it would get wrong says what it is; that the others have the label is what it is for.
        known = "" if label in (None, suggestion.label) else f"{chip(str(label), labels.index(str(label)))} "
        boxes.append(f'<div class="tally-text">{known}{mark_spans(text, spans_of(text, found))}</div>')
    return "".join(boxes)


def _said(project: Project) -> None:
    said = st.session_state.pop(_SAID, None)
    if not said:
        return
    text, kind, taken = said
    with st.container(horizontal=True, vertical_alignment="center", key="taken-said"):
        notice(text, kind)
        if taken:
            st.button("Undo", key="undo-suggestion", icon=":material/undo:", on_click=_undo, args=(project, taken))


def _share(share: float) -> str:
    return percent(share) if share >= 0.0005 else "under 0.1 %"


def _take(project: Project, suggestion: Suggestion) -> None:
    name = suggestion.function.name
    try:
        project.add_functions([suggestion.function])
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad", None)
        return
    st.session_state[_SAID] = (f"Rule “{name}” is added.", "good", name)


def _undo(project: Project, name: str) -> None:
    try:
        project.remove_function(name)
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad", None)
        return
    st.session_state[_SAID] = (f"Rule “{name}” is taken back.", "info", None)
