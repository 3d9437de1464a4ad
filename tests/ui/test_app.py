"""The app as a whole, run by Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.entry
from labeling import Project


def test_the_app_draws_its_first_page(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    Project.create("forum", ["ok", "spam"], storage=sqlite_url)
    app = AppTest.from_file(Path(ui.entry.__file__).with_name("main.py"), default_timeout=300).run()
    assert not app.exception
    assert "Projects" in app.get("html")[0].proto.body
