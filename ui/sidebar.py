"""The sidebar: which project, and who is labeling."""

from __future__ import annotations

import streamlit as st

from ui.session import ANNOTATOR, PROJECT, project_names


def render() -> None:
    """Draw the project picker and the annotator's name; both are kept in the address of the page."""
    names = project_names()
    created = st.session_state.pop("project_next", None)
    if created in names:
        st.session_state[PROJECT] = created
    wanted = st.session_state.get(PROJECT) or st.query_params.get(PROJECT)
    with st.sidebar:
        if wanted and wanted not in names:
            # It stays chosen, and pages say why it is not shown: another project in its place would take its answers.
            names = [*names, wanted]
            st.session_state[PROJECT] = wanted
        if names:
            if not wanted:
                st.session_state[PROJECT] = names[0]
            # Without a default, also the first project is named in the address.
            st.selectbox(
                "Project", names, None, key=PROJECT, bind="query-params", filter_mode="contains", required=True
            )
        st.text_input(
            "Your name",
            key=ANNOTATOR,
            bind="query-params",
            max_chars=60,
            placeholder="Who is labeling?",
            help="Stored with each answer. Nobody else is shown an item while it is yours.",
        )
