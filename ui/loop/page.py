"""Loop: start one in plain words, see where it stands and what it has learned, compare strategies."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from ui.compare import page as compare_strategies
from ui.loop import held_back, new_loop, stream_state
from ui.loop import state as loop_state
from ui.loop.state import DONE
from ui.parts.markup import empty, notice
from ui.session import choose_loop, require_items, require_project

STATE, HELD, COMPARE, NEW = "State", "Held back", "Compare strategies", "New loop"
_VIEW = "loop_view"
_NEXT = "loop_view_next"


def render() -> None:
    """Draw the page."""
    project = require_project("Loop", "Ask, learn, ask again: people label the items that teach the model most.")
    require_items(project)
    done = st.session_state.pop(DONE, None)
    if done:
        notice(done, "good")
    loops = [info for info in project.loops() if not info.blind]
    guarded = held_back.guarded(loops)
    views = [*([STATE] if loops else []), *([HELD] if guarded else []), NEW, COMPARE]
    wanted = st.session_state.pop(_NEXT, None)
    if wanted in views:
        st.session_state[_VIEW] = wanted
    elif st.session_state.get(_VIEW) not in views:
        st.session_state[_VIEW] = views[0]
    view = st.segmented_control("View", views, required=True, key=_VIEW, label_visibility="collapsed")
    if view == COMPARE:
        compare_strategies.draw(project)
    elif view == HELD:
        held_back.draw(project, guarded)
    elif view == STATE:
        name = choose_loop([info.name for info in loops], st.container())
        info = next(info for info in loops if info.name == name)
        (stream_state if info.kind == "stream" else loop_state).draw(project, info)
    else:
        _new(project, [info.name for info in loops])


def _new(project: Project, taken: list[str]) -> None:
    if not taken:
        empty("No loop yet", "Start one below. The usual settings are filled in, and suit most projects.")
    made = new_loop.draw(project, _free_name(taken))
    if made:
        st.session_state[DONE] = f"Loop “{made}” is ready. Go to Annotate to answer its first questions."
        st.session_state[_NEXT] = STATE
        st.rerun()


def _free_name(taken: list[str]) -> str:
    for name in ("first", "second", "third"):
        if name not in taken:
            return name
    return f"loop {len(taken) + 1}"
