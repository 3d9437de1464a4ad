"""The sidebar: which project, and who is labeling."""

from __future__ import annotations

import streamlit as st

from ui.markup import notice
from ui.state import ANNOTATOR, PROJECT, project_names


def render() -> None:
    """Draw the project picker and the annotator's name; both are kept in the address of the page."""
    names = project_names()
    created = st.session_state.pop("project_next", None)
    if created in names:
        st.session_state[PROJECT] = created
    wanted = st.session_state.get(PROJECT) or st.query_params.get(PROJECT)
    with st.sidebar:
        if names and wanted and wanted not in names:
            notice(f"No project “{wanted}” is listed here: “{names[0]}” is open instead.", "warn")
        if names:
            if wanted not in names:
                st.session_state[PROJECT] = names[0]
            st.selectbox("Project", names, key=PROJECT, bind="query-params", filter_mode="contains")
        else:
            st.session_state.pop(PROJECT, None)
        st.text_input(
            "Your name",
            key=ANNOTATOR,
            bind="query-params",
            max_chars=60,
            placeholder="Who is labeling?",
            help="Stored with each answer. Nobody else is shown an item while it is yours.",
        )
