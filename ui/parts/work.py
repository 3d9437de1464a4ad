"""Long work that a press began: it goes on when the page is drawn anew, and is followed to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import streamlit as st

from ui.parts.markup import count, escape

T = TypeVar("T")
Tell = Callable[[int, int], None]

FOLLOW_SECONDS = 0.5


class Work(Generic[T]):
    """Something that takes long, in a thread of its own.

    Inside the run of a page it would be broken off, or its answer be lost, by the next press anywhere on that page:
    Streamlit ends a run at the next thing that it draws or notes.

    Parameters
    ----------
    act
        What to do; it is given a function to tell how far it is, (done, total).
    about
        What the page wants to know of it at its end.
    """

    def __init__(self, act: Callable[[Tell], T], about: Any = None) -> None:
        self.about, self.began = about, time.monotonic()
        self.done, self.total = 0, 0
        executor = ThreadPoolExecutor(1, "tally-work")
        self._future = executor.submit(act, self._tell)
        executor.shutdown(wait=False)

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    @property
    def running(self) -> bool:
        """Whether it is not at its end."""
        return not self._future.done()

    def result(self) -> T:
        """Wait for the end, and return what came of it, or raise what went wrong."""
        return self._future.result()


def _place(kind: str, project: str) -> str:
    return f"work-{kind}-{project}"


def begin(kind: str, project: str, act: Callable[[Tell], Any], about: Any = None) -> None:
    """Begin work of a kind on a project, and draw the page anew; what is under way already goes on instead."""
    place = _place(kind, project)
    if place not in st.session_state:
        st.session_state[place] = Work(act, about)
    st.rerun()


def begun(kind: str, project: str) -> bool:
    """Whether work is under way, or came to an end that no page has shown yet."""
    return _place(kind, project) in st.session_state


def ended(kind: str, project: str) -> Work[Any] | None:
    """Work that came to its end, for the page to show once; None as long as there is none."""
    work: Work[Any] | None = st.session_state.get(_place(kind, project))
    if work is None or work.running:
        return None
    del st.session_state[_place(kind, project)]
    return work


def watch(kind: str, project: str, text: str, *, counted: bool = False) -> bool:
    """Show how far work is, and draw the page anew at its end; False where none is under way.

    Parameters
    ----------
    kind, project
        As the work was begun.
    text
        What is done, as in "Keeping the run".
    counted
        Draw a bar: the work tells how many rows it has done.
    """
    place = _place(kind, project)
    if place not in st.session_state:
        return False
    st.fragment(_look, run_every=FOLLOW_SECONDS)(place, text, counted)
    return True


def _look(place: str, text: str, counted: bool) -> None:
    work: Work[Any] | None = st.session_state.get(place)
    if work is None or not work.running:
        st.rerun()
    elif not counted:
        seconds = f"{time.monotonic() - work.began:.0f} s"
        st.html(
            f'<p class="tally-status" role="status"><span class="tally-learning">{escape(text)}…</span> {seconds}</p>'
        )
    elif work.total:
        said = f"{text}… {count(work.done)} of {count(work.total)} rows"
        st.progress(min(1.0, work.done / work.total), text=said)
    else:
        st.progress(0.0, text=f"{text}…")
