"""What a browser session knows: which database, which project, who is labeling.

The project and the annotator's name live in the address (``?project=…&annotator=…``), so that a reload, a bookmark or
a restart of the server comes back to the same place; everything else is read from the database.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from labeling import Project, ProjectArchived, StorageError, default_storage
from labeling.formats.sources.readable import READABLE
from ui.parts.markup import empty, heading, notice
from ui.parts.wording import on_page

PROJECT = "project"
LOOP = "loop"
NEXT_LOOP = "loop_next"
ANNOTATOR = "annotator"

logger = logging.getLogger(__name__)

EXPECTED = (ValueError, LookupError, OSError, StorageError, ProjectArchived)
"""What the engine raises for reasons that a person can do something about."""

UNEXPECTED = (
    "Something went wrong here that should not. What is stored is safe. Reload the page; if it happens again, the "
    "server's log says what it was."
)


@st.cache_resource(show_spinner=False, max_entries=32)
def open_project(storage: str, name: str) -> Project:
    """A project by its name; the object is shared by the sessions of this server."""
    return Project.open(name, storage=storage)


def storage() -> str:
    """URL of the database that this server works on."""
    return default_storage()


def project_names() -> list[str]:
    """Names of the projects in the database, in the order in which they are listed."""
    return Project.names(storage())


def choose_project(name: str) -> None:
    """Make a project the current one; to be called in a callback, before the sidebar is drawn."""
    st.session_state[PROJECT] = name


def annotator() -> str:
    """Name of the person at this browser, or the empty string."""
    return str(st.session_state.get(ANNOTATOR) or "").strip()


def current_project() -> Project | None:
    """The project chosen in the sidebar, or None where there is none that is listed."""
    name = st.session_state.get(PROJECT)
    return open_project(storage(), name) if name in project_names() else None


def not_listed() -> str:
    """Why the project that was chosen is not shown; empty where it is listed, or none was chosen."""
    name = st.session_state.get(PROJECT)
    if not name or name in project_names():
        return ""
    try:
        open_project(storage(), name)
    except LookupError:
        return f"No project “{name}” is listed here. Choose one in the sidebar, or create it on the Projects page."
    return (
        f"“{name}” is archived: it can only be read. Restore it on the Projects page (Archive), or choose another "
        "project in the sidebar."
    )


def require_project(title: str, lead: str) -> Project:
    """Draw the page's heading and hand over the current project; without one, say what to do and end the run."""
    heading(title, lead)
    project = current_project()
    if project is None:
        why = not_listed()
        if why:
            notice(why, "warn")
        else:
            empty("No project yet", "Create one on the Projects page: it takes a name and the labels to choose from.")
        st.stop()
    return project


def require_items(project: Project) -> int:
    """Number of items of a project; without any, say where they come from and end the run."""
    items, _ = project.item_store.counts()
    if items == 0:
        empty("No items yet", f"Import a file on the Data page. {READABLE}")
        st.page_link(st.session_state["pages"]["data"], label="Go to Data", icon=":material/arrow_forward:")
        st.stop()
    return items


def message(error: BaseException) -> str:
    """The text of an error as a person at a page should read it (a KeyError's own text comes in quotes)."""
    if isinstance(error, KeyError) and error.args:
        return on_page(str(error.args[0]))
    return on_page(str(error)) or type(error).__name__


def cause(error: BaseException) -> str:
    """The heading of what fails whichever step is tried; empty where it is the step that failed."""
    if isinstance(error, StorageError):
        return "The database cannot be used."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full."
    return ""


@contextmanager
def problems(title: str = "") -> Iterator[None]:
    """Show what goes wrong inside as a message on the page; what nobody expected is logged and said in one sentence.

    The title names the step that fails here; a full disk or a database that is gone is named instead of it.
    """
    try:
        yield
    except EXPECTED as error:
        notice(message(error), "bad", title=cause(error) or title)
    except Exception:
        logger.exception("A page failed")
        notice(UNEXPECTED, "bad", title=title)


def page(name: str) -> None:
    """Go to another page from inside a run; project and name come along."""
    # Streamlit refuses to clear parameters that widgets are bound to; given others, none here, it replaces them, and
    # the sidebar writes its own again.
    st.switch_page(st.session_state["pages"][name], query_params={})


@st.cache_resource(show_spinner=False, max_entries=64)
def _loop(storage: str, project: str, name: str) -> Any:
    return open_project(storage, project).pool_loop(name)


def open_loop(project: Project, name: str) -> Any:
    """A loop of a project; the object is shared, what it knows is in the database."""
    return _loop(storage(), project.name, name)


def choose_loop(names: list[str], place: Any) -> str:
    """Let the reader choose one of several loops; with one loop there is nothing to choose.

    Parameters
    ----------
    names
        The loops of the project, at least one.
    place
        Container for the menu.
    """
    made = st.session_state.pop(NEXT_LOOP, None)
    if made in names:
        st.session_state[LOOP] = made
    wanted = st.session_state.get(LOOP) or st.query_params.get(LOOP)
    if len(names) == 1:
        return names[0]
    if wanted not in names:
        st.session_state[LOOP] = names[-1]
    return str(place.selectbox("Loop", names, key=LOOP, bind="query-params"))
