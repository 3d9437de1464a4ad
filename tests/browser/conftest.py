"""A real Chromium against the real app over a database of its own."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import polars as pl
import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from labeling import Project
from labeling.commands.parts.server import HOST, free_port
from scripts.app_server import running_app
from scripts.browser import find

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180_000
"""Milliseconds after which a fact is taken never to come: tests wait for facts, and a busy machine fails none."""

AGAIN = 5_000
"""Milliseconds after which a click is taken to have been lost by a page that was being drawn."""

CARD = """() => ({
    keys: window.tallyKeys, now: performance.now(), focus: document.activeElement?.outerHTML.slice(0, 200),
    card: document.querySelector("[data-shown]")?.className, state: document.querySelector(".stApp")?.dataset,
    buttons: [...document.querySelectorAll(":is(.st-key-answers, .st-key-actions) button")].map(
        (button) => [button.textContent, button.disabled]),
    dialogs: document.querySelectorAll('[role="dialog"]').length,
})"""
"""What decides whether a press counts, for the message of a test that waited in vain."""

VIEW: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce"}
"""A browser's window. Nothing moves in it: each frame of a placeholder's shimmer is drawn by the processor here."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.fail("No Chromium was found: set CHROMIUM, or run scripts/browser.py --install.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Seats:
    """Browsers of people, each with cookies and storage of its own, used again for other tests once they are emptied.

    What they keep is the files of the app and the scripts as they were compiled, which takes most of a page's loading.
    """

    browser: Browser
    free: list[Page] = field(default_factory=list)

    def take(self) -> Page:
        if self.free:
            return self.free.pop()
        context = self.browser.new_context(**VIEW, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    def give_back(self, page: Page) -> None:
        for other in page.context.pages:
            if other is not page:
                other.close()
        empty(page)
        self.free.append(page)


def empty(page: Page) -> None:
    """Leave nothing of its reader in a browser."""
    if page.url != "about:blank":
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
    page.goto("about:blank")
    page.context.clear_cookies()


@pytest.fixture(scope="session")
def seats(browser: Browser) -> Seats:
    """Browsers that tests sit down at."""
    return Seats(browser)


@pytest.fixture(scope="session")
def port() -> int:
    """The port of every app of this process of tests, one after the other: what a browser has loaded it knows again.

    Below those that systems give to whoever connects, so that nobody has it between two apps.
    """
    for number in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, number))
            return number
    return free_port()


@dataclass(frozen=True)
class App:
    """The served app: where it is and which database it works on."""

    url: str
    storage: str


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    storage = f"sqlite:///{folder / 'labeling.db'}"
    with running_app(storage, folder / "server.log", port) as url:
        yield App(url, storage)


@dataclass
class Desk:
    """One person at one browser."""

    page: Page
    app: App
    hosts: set[str] = field(default_factory=set)
    dialogs: list[str] = field(default_factory=list)

    def go(self, path: str, project: str = "", annotator: str = "") -> None:
        query = "&".join(
            f"{name}={quote(value)}" for name, value in (("project", project), ("annotator", annotator)) if value
        )
        self.page.goto(f"{self.app.url}/{path}?{query}")
        self.idle()

    def forget(self) -> None:
        """Sit at this browser as somebody else would who finds it empty."""
        empty(self.page)

    def asked_for(self, request: Request) -> None:
        """Note the host of a request; what is inside the page itself (data:, blob:) asks nobody."""
        if urlsplit(request.url).scheme not in ("data", "blob"):
            self.hosts.add(urlsplit(request.url).netloc)

    def refuse(self, dialog: Dialog) -> None:
        """Note and close what a page asks in a window of its own."""
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def idle(self) -> None:
        self.page.wait_for_selector('.stApp[data-test-script-state="notRunning"]', timeout=PATIENCE)

    def open_tab(self, name: str) -> None:
        """Open a tab; while the page is still being drawn a click may be lost, so click until it is open."""
        tab = self.page.get_by_role("tab", name=name)
        self._until(tab.click, lambda wait: expect(tab).to_have_attribute("aria-selected", "true", timeout=wait))

    def open_view(self, name: str) -> None:
        """Open a view of a page; click until it is open, as for a tab."""
        view = self.page.get_by_role("radio", name=name, exact=True)
        self._until(view.click, lambda wait: expect(view).to_be_checked(timeout=wait))

    def choose(self, name: str, option: str) -> None:
        """Choose from a menu; a page that is drawn again closes it, so open it until the choice is made."""
        menu = self.page.get_by_role("combobox", name=name, exact=True)
        entry = self.page.get_by_role("option", name=option, exact=True)

        def act() -> None:
            menu.click()
            try:
                entry.click(timeout=AGAIN)
            except PlaywrightTimeout:
                self.page.keyboard.press("Escape")

        self._until(act, lambda wait: expect(menu).to_have_value(option, timeout=wait))

    def switch(self, text: str) -> None:
        """Flip a toggle until it is flipped."""
        toggle = self.page.get_by_role("switch", name=text)
        expect(toggle).to_be_attached()
        after = not toggle.is_checked()

        def act() -> None:
            if toggle.is_checked() != after:
                self.page.get_by_text(text, exact=True).click()

        self._until(act, lambda wait: expect(toggle).to_be_checked(checked=after, timeout=wait))

    def _until(self, act: Callable[[], None], seen: Callable[[float], None]) -> None:
        """Act until it is seen to have worked, and to last once the page is drawn."""
        for _ in range(20):
            self.idle()
            act()
            try:
                seen(AGAIN)
                self.idle()
                seen(AGAIN)
            except AssertionError:
                continue
            return
        seen(AGAIN)

    def shown(self) -> tuple[int, str]:
        """The item on the card, and the name of this showing."""
        card = self.page.locator("[data-shown]")
        expect(card).to_be_visible(timeout=PATIENCE)
        number = re.search(r"item (\d+)", card.inner_text())
        assert number is not None
        return int(number[1]), card.get_attribute("data-shown") or ""

    def text(self) -> str:
        return self.page.locator("[data-shown] .body").inner_text()

    def write(self, field: str, text: str) -> None:
        """Write into a field of a page that was just turned to, once that is drawn to its end."""
        box = self.page.get_by_role("textbox", name=field, exact=True)
        expect(box).to_be_visible()
        self.idle()
        box.fill(text)

    def give(self, *files: Any) -> None:
        """Give a file to a page that was just turned to, once that is drawn to its end."""
        place = self.page.locator('input[type="file"]')
        expect(place).to_be_attached()
        self.idle()
        place.set_input_files(list(files))

    def press(self, key: str) -> None:
        """Press a key once the card has settled, and wait until the page with the next card is drawn to its end."""
        _, before = self.shown()
        self.page.wait_for_timeout(260)
        self.page.keyboard.press(key)
        self.another(before)
        self.idle()

    def another(self, before: str) -> None:
        """Wait until another item is on the card, or the same one anew."""
        try:
            self.page.wait_for_function(
                "before => document.querySelector('[data-shown]')?.dataset.shown !== before",
                arg=before,
                timeout=PATIENCE,
            )
        except PlaywrightTimeout as error:
            raise AssertionError(f"The card stayed where it was: {self.page.evaluate(CARD)}") from error


@pytest.fixture
def desk(seats: Seats, app: App) -> Iterator[Callable[[], Desk]]:
    """Sit down at another browser, with its own cookies and storage."""
    people: list[Desk] = []

    def sit_down() -> Desk:
        person = Desk(seats.take(), app)
        person.page.context.on("request", person.asked_for)
        person.page.on("dialog", person.refuse)
        people.append(person)
        return person

    sit_down.people = people  # type: ignore[attr-defined]
    yield sit_down
    for person in people:
        person.page.context.remove_listener("request", person.asked_for)
        person.page.remove_listener("dialog", person.refuse)
        seats.give_back(person.page)


@pytest.fixture
def posts() -> pl.DataFrame:
    rude = ["you are an idiot, number {}", "what idiots wrote part {}", "number {} is plain idiot talk"]
    kind = ["thanks for part {}", "number {} reads well", "see you at meeting {}"]
    texts = [(rude if n % 3 == 0 else kind)[n % 2 + (n % 5 == 0)].format(n) for n in range(120)]
    return pl.DataFrame({"id": [f"{n:04d}" for n in range(120)], "text": texts})


@pytest.fixture
def project(app: App, posts: pl.DataFrame, request: pytest.FixtureRequest) -> Project:
    """A project of its own for each test, with items and a loop."""
    name = re.sub(r"\W+", " ", request.node.name)[:60]
    made = Project.create(name, ["ok", "offensive"], storage=app.storage)
    made.add_items(posts, text="text", id="id", progress=False)
    return made


@pytest.fixture
def upload(tmp_path: Path, posts: pl.DataFrame) -> Path:
    path = tmp_path / "posts.csv"
    posts.write_csv(path)
    return path


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep a picture of each browser where a test failed."""
    report = yield
    folder = os.environ.get("TALLY_FAILURES")
    if folder and report.when == "call" and report.failed:
        sit_down = getattr(item, "funcargs", {}).get("desk")
        for number, person in enumerate(getattr(sit_down, "people", [])):
            person.page.screenshot(path=Path(folder) / f"{item.name}-{number}.png")
    return report
