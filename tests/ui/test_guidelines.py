"""Guidelines are written on the Projects page and shown beside the item, as text that fetches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.entry
from labeling import Project
from tests.labeling.pool_loops import loop_of, project_of
from ui.parts.markup import unlinked

HOSTILE = "## Insults\n![x](http://leak.example/a.png) <img src=x> [go](javascript:alert(1))\n[d]: http://leak.example"


@pytest.fixture
def project(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    return project_of(sqlite_url, n=8)


def app(project: Project) -> AppTest:
    page = AppTest.from_file(Path(ui.entry.__file__).with_name("main.py"), default_timeout=300)
    page.query_params["project"] = project.name
    page.query_params["annotator"] = "lead"
    return page


def test_guidelines_are_written_kept_in_versions_and_shown_without_links(project: Project) -> None:
    page = app(project).run()
    page.text_area(f"guidelines-{project.name}").input(HOSTILE).run()
    assert unlinked(HOSTILE) in [shown.value for shown in page.markdown]
    page.button("save-guidelines").click().run()
    assert not page.exception
    assert project.guideline_versions().select("text", "who").rows() == [(HOSTILE, "lead")]
    project.set_guidelines("meanwhile", by="bo")
    page.text_area(f"guidelines-{project.name}").input("mine").run()
    page.button("save-guidelines").click().run()
    assert project.guidelines == "meanwhile"
    page.button("save-guidelines").click().run()
    assert project.guideline_versions()["text"].to_list() == [HOSTILE, "meanwhile", "mine"]


def labeling(name: str) -> None:
    import streamlit as st

    from ui.annotate.page import render

    st.session_state["project"] = name
    st.session_state["annotator"] = "ann"
    render()


def test_whoever_labels_has_them_at_hand(project: Project) -> None:
    loop_of(project)
    page = AppTest.from_function(labeling, args=(project.name,), default_timeout=300).run()
    assert not page.exception
    shown = [element.value for element in page.markdown]
    assert unlinked(HOSTILE) not in shown
    project.set_guidelines(HOSTILE)
    page.run()
    assert unlinked(HOSTILE) in [element.value for element in page.markdown]
