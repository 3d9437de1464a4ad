"""From nothing to the first answer: the demo, started by its command in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from labeling import Project
from labeling.commands.parts.server import free_port

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the demo says that it is served."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "LABELING_STORAGE"}
    server = subprocess.Popen(
        [sys.executable, "-m", "labeling", "demo", "--posts", "200", "--no-browser", "--port", str(port)],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield next(line.split(" at ")[1].strip() for line in server.stdout if " at http://127.0.0.1" in line)
    finally:
        server.kill()
        server.communicate()


def test_the_demo_leads_to_a_first_answer(address: str, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(180_000)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    page.get_by_role("textbox", name="Your name").fill("ann")
    page.keyboard.press("Enter")
    card = page.locator("[data-shown]")
    expect(card).to_be_visible(timeout=180_000)
    first = card.get_attribute("data-shown")
    # The name's field gives the keyboard to the card.
    page.wait_for_function("!(document.activeElement instanceof HTMLInputElement)")
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    page.wait_for_timeout(260)
    page.keyboard.press("1")
    expect(card).not_to_have_attribute("data-shown", first or "")
    context.close()
    project = Project.open("demo", storage=f"sqlite:///{tmp_path / 'labeling.db'}")
    assert project.status().human == 1


def test_a_new_project_leads_from_a_file_to_a_first_rule(desk: Callable[[], Any], app: Any, upload: Path) -> None:
    person = desk()
    page = person.page
    Project.create("led on", ["ok", "offensive"], storage=app.storage)
    person.go("", "led on", "ann")
    page.get_by_role("link", name="Import a file").click()
    person.give(upload)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("120 items added")).to_be_visible()
    expect(page.get_by_role("link", name="Answer a first question")).to_be_visible()
    page.get_by_role("link", name="Write a first rule").click()
    person.write("Any of these words", "idiot, idiots")
    person.choose("Votes for", "offensive")
    page.get_by_role("textbox", name="Name of the rule").fill("insult")
    page.get_by_role("button", name="Save rule").click()
    said = page.get_by_text("Rule “insult” is added.")
    expect(said).to_be_visible()
    expect(page.get_by_role("link", name="Combine the votes of the rules")).to_be_visible()
    # A notice goes with the next thing.
    page.get_by_role("textbox", name="Any of these words").fill("thanks")
    expect(said).to_have_count(0)
