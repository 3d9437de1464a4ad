"""What the Projects page does to whole projects."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.entry
from labeling import Project
from storage.sqlite import files as sqlite_files


@pytest.fixture
def page(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    Project.create("kept", ["a", "b"], storage=sqlite_url)
    Project.create("old", ["a", "b"], storage=sqlite_url).archive()
    page = AppTest.from_file(Path(ui.entry.__file__).with_name("main.py"), default_timeout=300)
    page.query_params["project"] = "kept"
    return page.run()


def erasing() -> None:
    """What the dialog draws: the test of pages opens none."""
    from ui.projects import _erase

    _erase.__wrapped__("old")


def test_an_archived_project_is_erased_once_its_name_is_written(page: AppTest, sqlite_url: str) -> None:
    assert page.button("erase-0").label == "Erase"
    dialog = AppTest.from_function(erasing, default_timeout=300).run()
    assert dialog.button("erase-project").disabled
    dialog.text_input("erase-name").input("Old").run()
    assert dialog.button("erase-project").disabled
    dialog.text_input("erase-name").input("old").run()
    assert [info.name for info in Project.list(sqlite_url, archived=None)] == ["kept", "old"]
    dialog.button("erase-project").click().run()
    assert [info.name for info in Project.list(sqlite_url, archived=None)] == ["kept"]
    assert page.run().get("html")
    assert not page.exception


def test_what_can_harm_the_database_is_said_at_the_end_of_the_page(
    page: AppTest, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> bool:
        return any("is on a share" in element.value for element in page.get("html"))

    assert not said()
    path = sqlite_files.Path(sqlite_url.removeprefix("sqlite:///"))
    monkeypatch.setitem(sqlite_files._cautions, path, {"This file is on a share.": None})
    page.run()
    assert said()
