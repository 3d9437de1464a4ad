"""The app as a whole: appearance, sidebar and navigation, nothing else."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui import annotate, data, export, loop, projects, rules, sidebar, weak_labels
from ui.session import problems

THEME = Path(__file__).parent / "theme"


def draw() -> None:
    """Draw the page that the address names; called once a run of the script."""
    st.set_page_config(page_title="Tally", page_icon=str(THEME / "icon.svg"), layout="wide")
    st.html(THEME / "tally.css")
    st.logo(str(THEME / "logo.svg"), size="large", icon_image=str(THEME / "icon.svg"))
    pages = {
        "projects": st.Page(
            projects.render, title="Projects", icon=":material/folder:", url_path="start", default=True
        ),
        "data": st.Page(data.render, title="Data", icon=":material/table_rows:", url_path="data"),
        "rules": st.Page(rules.render, title="Rules", icon=":material/rule:", url_path="rules"),
        "weak": st.Page(weak_labels.render, title="Weak labels", icon=":material/how_to_vote:", url_path="weak-labels"),
        "annotate": st.Page(annotate.render, title="Annotate", icon=":material/edit_note:", url_path="annotate"),
        "loop": st.Page(loop.render, title="Loop", icon=":material/show_chart:", url_path="loop"),
        "export": st.Page(export.render, title="Export", icon=":material/download:", url_path="export"),
    }
    # The first page lies at the root of the address alone, whatever its own path; people also write its name.
    named = st.Page(projects.render, title="Projects", url_path="projects", visibility="hidden")
    st.session_state["pages"] = pages
    chosen = st.navigation(
        {
            "Project": [pages["projects"], named, pages["data"]],
            "Rules": [pages["rules"], pages["weak"]],
            "People": [pages["annotate"], pages["loop"]],
            "Result": [pages["export"]],
        }
    )
    with problems():
        sidebar.render()
        chosen.run()
