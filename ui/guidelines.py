"""Description and guidelines of a project: written on the Projects page, at hand while somebody labels."""

from __future__ import annotations

import polars as pl
import streamlit as st

from labeling import Project
from ui.parts.markup import notice, unlinked
from ui.session import annotator, current_project, problems

MOST = 50_000
"""Characters of guidelines at most."""


def edit(done: str) -> None:
    """Draw the form for both; what was done is left in the session under `done`."""
    project = current_project()
    if project is None:
        notice("Choose a project in the sidebar to write its guidelines.")
        return
    versions = project.guideline_versions()
    key = f"guidelines-{project.name}"
    if key not in st.session_state:
        st.session_state[_seen(project)] = versions.height
    left, right = st.columns(2, gap="large")
    with left:
        about = st.text_input(
            "What it is for", value=project.description, max_chars=500, key=f"description-{project.name}"
        )
        text = st.text_area(
            "Guidelines",
            value=project.guidelines,
            height=320,
            max_chars=MOST,
            key=key,
            help="Markdown: # for a heading, - for a list, ** for bold. Each answer knows under which version it was "
            "given.",
        )
        if st.button("Save", type="primary", key="save-guidelines"):
            with problems("Not saved."):
                _save(project, about or "", text or "", done)
    with right:
        st.caption(_standing(versions))
        with st.container(border=True, key="guidelines-preview"):
            st.markdown(unlinked(text) if text else "*Nothing is written yet.*")


def _seen(project: Project) -> str:
    """The name under which a session knows from which version its text was made."""
    return f"guidelines-seen-{project.name}"


def _save(project: Project, about: str, text: str, done: str) -> None:
    by, seen = annotator() or None, st.session_state[_seen(project)]
    # Refused once where somebody else wrote meanwhile: the next press was made with that in view.
    st.session_state[_seen(project)] = project.guideline_versions().height
    version = project.set_guidelines(text, by, after=seen)
    st.session_state[_seen(project)] = version
    if about.strip() != project.description:
        project.set_description(about, by)
    st.session_state[done] = "Saved." if version == seen else f"Version {version} of the guidelines is in force."
    st.rerun()


def _standing(versions: pl.DataFrame) -> str:
    if not versions.height:
        return "No version yet."
    newest = versions.row(-1, named=True)
    return f"Version {newest['version']} is in force since {newest['at']:%d %B %Y}."


def show(project: Project) -> None:
    """Offer the guidelines over the page, which stays where it is; nothing where none are written."""
    text = project.guidelines
    if text:
        with st.popover("Guidelines", key="guidelines", icon=":material/menu_book:"):
            st.markdown(unlinked(text))
