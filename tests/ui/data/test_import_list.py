"""What was imported, and what an import would leave out, run by Streamlit's own test runner."""

from __future__ import annotations

from typing import Any

import polars as pl
from streamlit.testing.v1 import AppTest

from labeling import Project


def list_page(storage: str) -> None:
    from labeling import Project
    from ui.data import import_list

    import_list.render(Project.open("p", storage=storage))


def preview_page(storage: str) -> None:
    from labeling import Project
    from ui.data import import_preview

    lines = b"id,text\n1,one\n2,two,too,many\n"
    import_preview.show_remarks(Project.open("p", storage=storage).preview_items(lines, name="faulty.csv"))


def said(page: Any, storage: str) -> str:
    app = AppTest.from_function(page, kwargs={"storage": storage}, default_timeout=300).run()
    assert not app.exception
    return " ".join(element.proto.body for element in app.get("html"))


def test_each_import_counts_what_it_brought(sqlite_url: str) -> None:
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"id": ["1"], "text": ["a"]}), id="id", progress=False)
    project.set_gold(pl.DataFrame({"id": ["1"], "label": ["ok"]}), id="id", gold="label")
    text = said(list_page, sqlite_url)
    assert "known answers alone · 1 answer · " in text
    assert "a file of items · 1 item · " in text


def test_rows_that_cannot_be_read_are_a_warning(sqlite_url: str) -> None:
    Project.create("p", ["ok", "bad"], storage=sqlite_url)
    assert 'class="tally-notice warn" role="alert"><strong>Not every row can be read.' in said(preview_page, sqlite_url)
