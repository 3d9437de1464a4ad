"""Known answers that come by their page."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import polars as pl
from streamlit.testing.v1 import AppTest

from labeling import Project


def page(storage: str) -> None:
    from labeling import Project
    from ui.data import known_answers

    known_answers.render(Project.open("p", storage=storage))


def upload(storage: str, name: str, content: bytes) -> AppTest:
    drawn = AppTest.from_function(page, kwargs={"storage": storage}, default_timeout=300).run()
    drawn.file_uploader[0].set_value((name, content, "")).run()
    return drawn


def take(drawn: AppTest) -> None:
    """Press the button, and wait for what it began."""
    drawn.button(key="gold-take").click().run()
    assert not drawn.exception
    if "work-gold-p" in drawn.session_state:
        drawn.session_state["work-gold-p"].result()


def test_a_sheet_of_a_workbook_and_an_encoding_can_be_chosen(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'work.db'}"
    project = Project.create("p", labels=["ок", "bad"], storage=storage)
    project.add_items(pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"]}), id="id", progress=False)
    book = io.BytesIO()
    with pd.ExcelWriter(book) as sheets:
        pd.DataFrame({"note": ["nothing here"]}).to_excel(sheets, sheet_name="notes", index=False)
        pd.DataFrame({"id": [1], "label": ["bad"]}).to_excel(sheets, sheet_name="answers", index=False)

    sheet = upload(storage, "answers.xlsx", book.getvalue())
    sheet.text_input(key="gold-sheet").set_value("answers").run()
    take(sheet)
    text = upload(storage, "answers.csv", "id,label\n2,ок\n".encode("cp1251"))
    text.selectbox(key="gold-encoding").select("cp1251").run()
    take(text)
    assert dict(project.labels("gold").select("item_id", "label").iter_rows()) == {1: "bad", 2: "ок"}
