"""One person, one sitting: from a file to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import Project

pytestmark = pytest.mark.browser


def test_a_file_goes_in_and_its_labels_come_out(
    desk: Callable[[], Any], app: Any, upload: Path, posts: pl.DataFrame, tmp_path: Path
) -> None:
    person = desk()
    page = person.page
    person.go("", annotator="ann")

    page.get_by_role("textbox", name="Name", exact=True).fill("moderation")
    page.get_by_role("textbox", name="Labels").fill("ok: nothing to object to\noffensive: insults a person")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_text("is ready. Import its items")).to_be_visible()

    page.get_by_role("link", name="Data").click()
    person.give(upload)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("120 items added")).to_be_visible()

    page.get_by_role("link", name="Rules").click()
    person.write("Any of these words", "idiot, idiots")
    expect(page.locator("mark").first).to_contain_text("idiot")
    person.choose("Votes for", "offensive")
    page.get_by_role("textbox", name="Name of the rule").fill("insult")
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Rule “insult” is added.")).to_be_visible()

    page.get_by_role("link", name="Annotate").click()
    page.get_by_role("button", name="Start with the usual settings").click()
    for _ in range(20):
        person.press("2" if "idiot" in person.text() else "1")

    page.get_by_role("link", name="Loop").click()
    # Pressed while the twentieth answer's refit starts, runs, or is done: each is answered, and the page follows it.
    page.get_by_role("button", name="Learn now").click()
    expect(page.get_by_text("Learned from 20 answers")).to_be_visible()

    page.get_by_role("link", name="Export").click()
    page.get_by_role("button", name="Prepare the file").click()
    with page.expect_download() as started:
        page.locator(".st-key-export-download button").click()
    path = tmp_path / "labels.csv"
    started.value.save_as(path)

    project = Project.open("moderation", storage=app.storage)
    answers = project.labels(source="human")
    assert answers.height == 20
    assert answers["annotators"].list.join(",").to_list() == ["ann"] * 20
    texts = dict(project.items(["text"]).select("item_id", "text").iter_rows())
    for item_id, label in answers.select("item_id", "label").iter_rows():
        assert label == ("offensive" if "idiot" in texts[item_id] else "ok")

    written = pl.read_csv(path, infer_schema=False)
    assert written.height == posts.height
    stored = project.labels()
    assert dict(written.select("item_id", "label").with_columns(pl.col("item_id").cast(pl.Int64)).iter_rows()) == (
        dict.fromkeys(texts) | dict(stored.select("item_id", "label").iter_rows())
    )
    assert written.filter(pl.col("source") == "human").height == 20
    assert person.hosts == {app.url.removeprefix("http://")}
