"""Which project is open, run by Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.entry
from labeling import Project


@pytest.fixture
def app(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    Project.create("demo", ["ok", "spam"], storage=sqlite_url)
    Project.create("forum", ["ok", "rude"], storage=sqlite_url).archive()
    return AppTest.from_file(Path(ui.entry.__file__).with_name("main.py"), default_timeout=300)


def said(app: AppTest) -> str:
    assert not app.exception
    return " ".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize(("name", "why"), [("forum", "“forum” is archived"), ("nonsense", "No project “nonsense”")])
def test_a_project_that_is_not_listed_opens_no_other(app: AppTest, name: str, why: str) -> None:
    app.query_params["project"] = name
    app.run()
    assert why in said(app)
    assert app.query_params["project"] == name
    assert app.selectbox(key="project").value == name
    assert "spam" not in said(app)
    app.selectbox(key="project").select("demo").run()
    assert why not in said(app)
    assert "spam" in said(app)


def test_a_project_archived_while_it_is_open_stays_chosen_and_comes_back(app: AppTest) -> None:
    app.query_params["project"] = "demo"
    app.run()
    app.button(key="archive-project").click().run()
    assert "“demo” is archived: it can only be read. Restore" in said(app)
    assert app.query_params["project"] == "demo"
    app.button(key="restore-0").click().run()
    assert "“demo” is back" in said(app)
    assert "can only be read. Restore" not in said(app)


def test_without_a_name_in_the_address_the_first_project_is_open(app: AppTest) -> None:
    app.run()
    assert app.selectbox(key="project").value == "demo"
    assert "spam" in said(app)
