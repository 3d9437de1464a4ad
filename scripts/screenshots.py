"""Take the pictures that README shows: the demo project in a real Chromium, written to docs/ as small WebP files.

``--all FOLDER`` takes every page, light and dark, 1400 and 800 pixels wide, as PNG: for looking at.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from labeling import Project
from labeling.demo.forum import LOOP, create_demo
from scripts.app_server import ROOT, running_app
from scripts.browser import ADVICE, find

PAGES = ("", "data", "rules", "weak-labels", "annotate", "loop", "export")
FOR_README = {"annotate": ("light", "dark"), "rules": ("light",), "weak-labels": ("light",), "loop": ("light",)}
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
ROUNDS = 5


def main() -> None:
    """Make a demo project, label a part of it, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, help="folder for every page in every mode and width")
    chosen = parser.parse_args().all
    path = find()
    if path is None:
        raise SystemExit(ADVICE)
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/labeling.db"
        project = prepare(storage)
        with running_app(storage) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            if chosen:
                take_all(browser, url, project.name, chosen)
            else:
                take_for_readme(browser, url, project.name)
            browser.close()


def prepare(storage: str) -> Project:
    """Make the demo project and answer some rounds of its loop with what is known about each post."""
    project = create_demo(storage)
    truth = dict(project.labels(source="gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop(LOOP)
    for _ in range(ROUNDS):
        for query in loop.ask("Ada"):
            loop.tell(query, truth.get(query.item_id) or project.label_names[0], seconds=4.0)
        loop.refit()
    return project


def take_all(browser: Browser, url: str, project: str, folder: Path) -> None:
    """Take every page, light and dark, wide and narrow."""
    folder.mkdir(parents=True, exist_ok=True)
    for mode in ("light", "dark"):
        for width in (1400, 800):
            for name, page in pages(browser, url, project, mode, width, 1500):
                page.screenshot(path=folder / f"{name or 'projects'}-{mode}-{width}.png", full_page=True)


def take_for_readme(browser: Browser, url: str, project: str) -> None:
    """Take the pictures of README."""
    for mode in ("light", "dark"):
        for name, page in pages(browser, url, project, mode, 1280):
            if mode in FOR_README.get(name, ()):
                picture = Image.open(io.BytesIO(page.screenshot()))
                target = ROOT / "docs" / f"{name}-{mode}.webp"
                target.parent.mkdir(exist_ok=True)
                picture.save(target, "WEBP", quality=82, method=6)
                print(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1024} KB")


def pages(
    browser: Browser, url: str, project: str, mode: str, width: int, height: int = 860
) -> Iterator[tuple[str, Page]]:
    """Open one page after the other and wait until each stands still."""
    scheme: Literal["dark", "light"] = "dark" if mode == "dark" else "light"
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{url}/{name}?project={quote(project)}&annotator=Ada")
        page.wait_for_selector('.stApp[data-test-script-state="notRunning"]', timeout=60_000)
        if name == "rules":
            page.get_by_role("combobox", name="Votes for").click()
            page.get_by_role("option", name="offensive").click()
            page.get_by_label("Any of these words").fill("idiot, clown, shut up")
            page.get_by_label("Name of the rule").fill("insults")
            page.wait_for_selector("mark", timeout=30_000)
        if name == "annotate":
            page.get_by_text("Why this one?").click()
            page.get_by_text("What the model thinks").wait_for(timeout=30_000)
        page.wait_for_timeout(1500)
        yield name, page
    context.close()


if __name__ == "__main__":
    main()
