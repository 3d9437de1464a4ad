"""Annotate: one item at a time, by keyboard.

What is asked, and what was answered, is in the database: a reload or a restarted server shows the same item. A press
answers the item that was shown when the buttons were drawn, and only once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from labeling import UNSURE, Annotation, Project
from labeling.functions.rules import KINDS, TextRule, from_spec
from labeling.loops.records import Query, QueueEmpty
from labeling.store.label_set import LabelClass
from ui import background, guidelines
from ui.annotate import card, offers, window
from ui.annotate.offers import NOTE
from ui.annotate.stream_desk import StreamDesk, stream_desk
from ui.parts.markup import chip, empty, notice, percent, plain, spans_of
from ui.parts.moments import readers_zone
from ui.parts.palette import ACTION_KEYS, HUES, action_keys, assign_keys
from ui.parts.wording import on_page
from ui.session import (
    EXPECTED,
    annotator,
    choose_loop,
    message,
    open_loop,
    open_project,
    page,
    problems,
    require_items,
    require_project,
    storage,
)

SETTLE_SECONDS = 0.15
"""An answer that comes sooner after the item was drawn was meant for the one before."""

_KEYS_JS = (Path(__file__).parent / "keys.js").read_text(encoding="utf-8")
_keys = st.components.v2.component("tally_keys", js=_KEYS_JS)
_SHOWN = "desk_shown"
_WARM = "desk_warm"
_AHEAD = "desk_ahead"
_LONGEST = 220
_SEE = {"pool": "See the learning curve", "stream": "See how the stream does"}
_ACTIONS = {"skip": "Skip", "unsure": "Unsure", "discard": "Does not belong", "undo": "Undo"}
_HELP = {
    "skip": "Leave it to others; it comes back last.",
    "unsure": "Seen, cannot be decided: nothing learns from it, it waits for review.",
    "discard": "Not the kind of item this is about: out of the pool.",
    "undo": "Take back the last thing you did here.",
}


Known = tuple[Sequence[Mapping[str, Any]], Sequence[card.Neighbour]]
"""The votes on an item, and the labeled items near it."""


@dataclass(frozen=True)
class Shown:
    """One showing of one question in this session: which, under which name, since when."""

    query: Query
    uuid: str
    at: float


def render() -> None:
    """Draw the page."""
    project = require_project("Annotate" if not annotator() else "", "")
    require_items(project)
    who = annotator()
    if not who:
        empty(
            "Who is labeling?",
            "Write your name in the sidebar. It is stored with each answer, and keeps others off the item before you.",
        )
        return
    loops = project.loops()
    if not loops:
        _first_loop(project)
        return
    # The last one is taken where nobody chose: rather one that learns than a check.
    name = choose_loop([info.name for info in sorted(loops, key=lambda info: not info.blind)], st.sidebar)
    _keys(key="keys")
    _desk(project, name, who, next(info.kind for info in loops if info.name == name))


def _first_loop(project: Project) -> None:
    empty(
        "No loop yet",
        "A loop picks the items that are worth your time, learns from your answers and picks again. "
        "Start one with the usual settings, or choose them on the Loop page.",
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Start with the usual settings", type="primary", key="first-loop"):
            with problems("The loop was not started."):
                background.usual_loop(project)
                st.rerun()
        if st.button("Choose settings", key="choose-loop"):
            page("loop")


@st.fragment
def _desk(project: Project, name: str, who: str, kind: str) -> None:
    if project.archived:
        # Put away in another window since the page was drawn: the whole page says so.
        st.rerun()
    top = st.container(key="desk-top")
    with problems("This loop cannot be opened."):
        loop = stream_desk(project, name) if kind == "stream" else open_loop(project, name)
        try:
            queries = _ask(loop, who)
        except QueueEmpty as reason:
            _nothing_left(project, loop, who, message(reason), top)
            return
        shown = _showing(queries[0])
        with problems("This item cannot be shown."):
            _draw(project, loop, who, shown)
        _head(project, loop, who, shown.query, top)
        if len(queries) > 1:
            st.session_state[_AHEAD] = (queries[1].id, _look_up(project, queries[1]))


def _head(project: Project, loop: Any, who: str, query: Query | None, top: Any) -> None:
    """Draw the line over the card, begin to learn where that is due, and follow it to its end."""
    learning = background.keep_up(project, loop)
    with top:
        st.fragment(_line, run_every=background.FOLLOW_SECONDS if learning else window.BEAT_SECONDS)(
            project, loop, who, query, learning
        )


def _line(project: Project, loop: Any, who: str, query: Query | None, learning: bool) -> None:
    now = background.standing(project, loop)
    if learning and not now.learning:
        # Learned, or failed: the desk is drawn again, and looks for what to ask; the item that is shown stays.
        st.rerun()
    if query is not None and not window.kept(loop, who):
        # Others may have it by now: it is looked what there is.
        st.rerun()
    st.html(_status(loop, who, query, learning=now.learning))
    if now.problem:
        notice(on_page(now.problem), "warn", title="The model did not learn.")


def _status(loop: Any, who: str, query: Query | None, *, learning: bool) -> str:
    if isinstance(loop, StreamDesk):
        return loop.status_html(query)
    return card.status_html(loop.progress(who), query, learning=learning, zone=readers_zone())


def _ask(loop: Any, who: str) -> list[Query]:
    if st.session_state.get(_WARM) == loop.name:
        return window.asked(loop, who)
    with st.spinner("Choosing the first items…"):
        queries = window.asked(loop, who)
    st.session_state[_WARM] = loop.name
    return queries


def _showing(query: Query) -> Shown:
    shown = st.session_state.get(_SHOWN)
    if not isinstance(shown, Shown) or shown.query.id != query.id:
        shown = Shown(query, uuid.uuid4().hex, time.monotonic())
        st.session_state[_SHOWN] = shown
    return shown


def _draw(project: Project, loop: Any, who: str, shown: Shown) -> None:
    query = shown.query
    classes = project.classes
    blind = _blind(loop)
    votes, near = _known(project, query)
    column = project.image_column
    with st.container(key="split-desk"):
        left, right = st.columns([13, 6], gap="large")
    with left:
        # The buttons are sent first: where the item can be seen, a press answers it.
        place = st.container()
        _buttons(loop, who, shown, classes, blind)
        image = card.picture(query.item, column)
        if image:
            place.image(image, width="content")
        spans = [] if blind else _matched(project, query, votes)
        hidden = set(project.hidden_columns)
        place.html(card.item_html(query, shown.uuid, project.text_column, spans, _hint(query, classes, blind), hidden))
        said = st.session_state.pop(NOTE, None)
        if said:
            notice(*said)
    with right:
        offers.draw(project, loop, who, [*assign_keys([label.key for label in classes]), *ACTION_KEYS.values()])
        with st.expander("Why this one?", key="why"):
            st.html(card.why_html(query, classes, votes, near, blind=blind))
        guidelines.show(project)
        meanings = card.meanings_html(classes)
        if meanings:
            st.html(meanings)
        if loop.blind:
            st.html('<p class="tally-small">This loop checks labels: what rules and models say is hidden.</p>')
            return
        st.toggle(
            "Hide suggestions",
            key="desk_blind",
            persist_state="session",
            help="Decide for yourself: no suggestion, no probabilities, no votes.",
        )


def _blind(loop: Any) -> bool:
    return bool(loop.blind or st.session_state.get("desk_blind"))


def _known(project: Project, query: Query) -> Known:
    """What is known of an item, found ahead of time while the one before was on the screen."""
    ahead = st.session_state.get(_AHEAD)
    return ahead[1] if ahead and ahead[0] == query.id else _look_up(project, query)


def _look_up(project: Project, query: Query) -> Known:
    return project.item_votes(query.item_id), _neighbours(project, query)


def _neighbours(project: Project, query: Query) -> list[card.Neighbour]:
    why = getattr(query, "why", None)
    found = []
    for near in why.nearest if why is not None else ():
        item = project.item(near.item_id)
        text = str(item.get(project.text_column) or "") if project.text_column else ""
        short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        found.append(card.Neighbour(near.item_id, near.label, near.similarity, short))
    return found


@st.cache_resource(ttl=20, max_entries=16, show_spinner=False)
def _rules(storage: str, name: str) -> dict[str, TextRule]:
    """The rules that are data, by name."""
    return {
        info.name: from_spec({**info.spec, "label": info.label})
        for info in open_project(storage, name).functions()
        if info.kind in KINDS and info.label is not None
    }


def _hint(query: Query, classes: Sequence[LabelClass], blind: bool) -> str:
    names = [label.name for label in classes]
    if blind or query.predicted not in names:
        return ""
    sure = query.probabilities.get(query.predicted)
    text = f"suggested: {query.predicted}" + (f", {percent(sure)}" if sure is not None else "")
    return chip(text, names.index(query.predicted))


def _matched(project: Project, query: Query, votes: Sequence[Any]) -> list[tuple[int, int]]:
    text = query.item.get(project.text_column) if project.text_column else None
    voting = {vote["function"] for vote in votes}
    if not text or not voting:
        return []
    rules = _rules(storage(), project.name)
    spans: list[tuple[int, int]] = []
    for name in voting & rules.keys():
        spans += spans_of(str(text), rules[name].found_in([str(text)])[0])
    return spans


def _buttons(loop: Any, who: str, shown: Shown, classes: Sequence[LabelClass], blind: bool) -> None:
    query = shown.query
    keys = assign_keys([label.key for label in classes])
    order = list(range(len(classes)))
    if not blind:
        order.sort(key=lambda position: classes[position].name != query.predicted)
    with st.container(horizontal=True, key="answers", gap="small"):
        for position in order:
            label = classes[position]
            sure = query.probabilities.get(label.name) if label.name == query.predicted and not blind else None
            text = plain(label.name) + (f"  {percent(sure)}" if sure is not None else "")
            st.button(
                text,
                key=f"answer-hue{position % len(HUES)}-{label.id}",
                shortcut=keys[position],
                width="stretch",
                on_click=_answer,
                args=(loop, who, shown, label.name),
                help=plain(label.definition) or None,
            )
    with st.container(horizontal=True, key="actions", gap="small"):
        for action, key in action_keys(keys).items():
            st.button(
                _ACTIONS[action],
                key=f"action-{action}",
                shortcut=key,
                type="tertiary",
                help=_HELP[action],
                on_click=_act,
                args=(loop, who, shown, action),
            )
    # Pressed by keys.js, never seen. One of an earlier showing draws what is asked now as it is: that may be seen
    # already, and answered while this is on its way.
    st.button("Show it again", key=f"show-again-{shown.uuid}", on_click=_show_again)


def _show_again() -> None:
    """Show what is asked anew: the browser waits for what came of a press, and that was lost on the way.

    Streamlit drops what a run still had to send where a request of another part of the page comes at its end.
    """
    st.session_state.pop(_SHOWN, None)


def _meant(shown: Shown) -> bool:
    """Whether a press was meant for what is shown: the same showing, and long enough for eyes to have met it."""
    now = st.session_state.get(_SHOWN)
    same = isinstance(now, Shown) and now.uuid == shown.uuid
    if same:
        st.session_state.pop(_SHOWN)
    return same and time.monotonic() - shown.at >= SETTLE_SECONDS


def _answer(loop: Any, who: str, shown: Shown, label: str) -> None:
    if not _meant(shown):
        return
    _tell(loop, who, shown, label)


def _act(loop: Any, who: str, shown: Shown, action: str) -> None:
    if not _meant(shown):
        return
    try:
        if action == "skip":
            loop.skip(shown.query)
        elif action == "discard":
            loop.discard(shown.query, annotator=who, uuid=shown.uuid)
        elif action == "undo":
            offers.forget()
            st.session_state[NOTE] = (_taken_back(window.undone(loop, who)), "info")
        else:
            _tell(loop, who, shown, UNSURE)
    except EXPECTED as error:
        st.session_state[NOTE] = (message(error), "warn")


def _taken_back(undone: Annotation | None) -> str:
    if undone is None:
        return "There is nothing to take back."
    together = getattr(undone, "together", 1)
    many = f" ({together} items in one step)" if together > 1 else ""
    return f"Taken back: {undone.label or undone.kind}{many}."


def _tell(loop: Any, who: str, shown: Shown, label: Any) -> None:
    seconds = time.monotonic() - shown.at
    suggested = bool(shown.query.predicted) and not _blind(loop)
    try:
        if loop.query(shown.query.id).answer is not None:
            st.session_state[NOTE] = ("That item was answered in another window already.", "info")
            return
        loop.tell(shown.query, label, annotator=who, seconds=seconds, uuid=shown.uuid, suggestion_shown=suggested)
        if isinstance(label, str):
            offers.make(loop, shown.query, label)
    except EXPECTED as error:
        st.session_state[NOTE] = (message(error), "warn")


def _nothing_left(project: Project, loop: Any, who: str, reason: str, top: Any) -> None:
    _head(project, loop, who, None, top)
    empty("Nothing to label right now", reason)
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Look again", key="look-again", icon=":material/refresh:"):
            st.rerun(scope="fragment")
        if loop.blind and st.button("See what the check found", key="see-check"):
            st.session_state["weak_view"] = "Check"
            page("weak")
        if not loop.blind and st.button(_SEE["stream" if isinstance(loop, StreamDesk) else "pool"], key="see-loop"):
            page("loop")
        st.button("Undo the last answer", key="undo-last", on_click=_undo_last, args=(loop, who))


def _undo_last(loop: Any, who: str) -> None:
    with problems():
        window.undone(loop, who)
