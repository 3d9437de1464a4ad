"""The Export page: what is chosen, what it shows before, and where the file is until somebody takes it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import MajorityVote, Project, keyword
from labeling.commands.parts.server import HOST, free_port, serving

PATIENCE = 180_000

pytestmark = pytest.mark.browser


@pytest.fixture
def labeled(project: Project) -> Project:
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive")])
    project.weak_label(MajorityVote())
    return project


def test_choices_are_seen_before_they_are_written_and_the_file_waits_while_its_reader_looks_elsewhere(
    labeled: Project, desk: Callable[[], Any], tmp_path: Path
) -> None:
    voted = labeled.labels("weak").height
    person = desk()
    person.go("export", labeled.name, "ann")
    page = person.page
    page.get_by_text("JSON Lines", exact=False).first.click()
    expect(page.get_by_role("checkbox", name="Make formulas harmless")).to_have_count(0)
    person.idle()
    page.get_by_text("Choose rows and columns").click()
    page.get_by_role("combobox", name="Labels from").click()
    page.get_by_role("option", name="people", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("No row is left with these choices.")).to_be_visible()
    page.get_by_role("button", name="Prepare the file").click()
    expect(page.get_by_text("There is nothing to write with these choices")).to_be_visible()
    person.idle()
    page.get_by_role("combobox", name="Labels from").click()
    page.get_by_role("option", name="rules", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("No row is left with these choices.")).to_have_count(0)
    page.get_by_role("button", name="Prepare the file").click()
    expect(page.get_by_text(f"{voted} rows,")).to_be_visible()

    page.get_by_role("link", name="Data").first.click()
    expect(page.get_by_text("Every item with its label")).to_have_count(0)
    page.get_by_role("link", name="Export").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download .jsonl").click()
    waiting.value.save_as(tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert (len(rows), {row["source"] for row in rows}) == (voted, {"weak"})
    (chosen,) = labeled.exports()["options"]
    assert json.loads(chosen)["source"] == ["human", "weak"]


def test_formulas_stay_harmless_whatever_formats_were_looked_at(labeled: Project, desk: Callable[[], Any]) -> None:
    person = desk()
    person.go("export", labeled.name, "ann")
    page = person.page
    harmless = page.get_by_role("checkbox", name="Make formulas harmless")
    for kind in ("JSON Lines", "Parquet", "CSV"):
        person.idle()
        page.get_by_text(kind, exact=False).first.click()
        expect(harmless).to_have_count(1 if kind == "CSV" else 0)
    expect(harmless).to_be_checked()
    person.idle()
    page.get_by_text("Make formulas harmless").click()
    expect(harmless).not_to_be_checked()
    for kind in ("JSON Lines", "CSV"):
        person.idle()
        page.get_by_text(kind, exact=False).first.click()
        expect(harmless).to_have_count(1 if kind == "CSV" else 0)
    expect(harmless).not_to_be_checked()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_nothing_of_a_prepared_file_is_left_when_its_server_is_killed(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, place = f"sqlite:///{tmp_path / 'work.db'}", tmp_path / "temporary"
    place.mkdir()
    texts = pl.DataFrame({"text": [f"post {n}" for n in range(50)]})
    Project.create("killed", ["ok", "offensive"], storage=storage).add_items(texts, text="text", progress=False)
    monkeypatch.setenv("TMPDIR", str(place))
    port = free_port()
    page = browser.new_page(reduced_motion="reduce")
    page.set_default_timeout(PATIENCE)
    with serving(storage, port, output=subprocess.DEVNULL) as server:
        page.goto(f"http://{HOST}:{port}/export?project=killed&annotator=ann")
        page.get_by_role("button", name="Prepare the file").click()
        expect(page.get_by_role("button", name="Download .csv")).to_be_visible()
        server.send_signal(signal.SIGKILL)
        server.wait()
    page.close()
    left = [file for file in place.rglob("*") if file.is_file() and b"post 7" in file.read_bytes()]
    assert (left, list(place.glob(".tally-*"))) == ([], [])
