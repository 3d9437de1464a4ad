"""What an open page reserves of a loop: a few questions, for a short time, which starts anew while it is open."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from labeling import Annotation
from labeling.loops.records import Query
from ui.annotate.stream_desk import StreamDesk

WINDOW = 20
"""So many questions of a round at most are reserved for who has the page open."""

LEASE_SECONDS = 120.0
"""How long they stay reserved when the page is gone."""

BEAT_SECONDS = 60.0
"""How often an open page starts that time anew."""

_BEAT = "desk_beat"


def kept(loop: Any, who: str) -> bool:
    """Start the time of what this page holds anew where half of it is gone; tell whether it still held anything."""
    if isinstance(loop, StreamDesk) or time.monotonic() - st.session_state.get(_BEAT, 0.0) < LEASE_SECONDS / 2 - 1:
        return True
    st.session_state[_BEAT] = time.monotonic()
    return bool(loop.hold(who, seconds=LEASE_SECONDS))


def asked(loop: Any, who: str) -> list[Query]:
    """Return what this person is asked next, some of it reserved for the page."""
    if isinstance(loop, StreamDesk):
        return list(loop.ask(who))
    found = list(loop.ask(who, min(WINDOW, loop.batch_size), refit=False, seconds=LEASE_SECONDS))
    st.session_state[_BEAT] = time.monotonic()
    return found


def undone(loop: Any, who: str) -> Annotation | None:
    """Take the newest step of a person back; its question is reserved for the page again."""
    found = loop.undo(who) if isinstance(loop, StreamDesk) else loop.undo(who, seconds=LEASE_SECONDS)
    return found if isinstance(found, Annotation) else None
