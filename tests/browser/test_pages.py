"""Every page says what to do next when there is nothing to show, and shows no fault when there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import LabelBudget, MajorityVote, Project, keyword
from strategies import Entropy

pytestmark = pytest.mark.browser

PATHS = ("", "data", "rules", "weak-labels", "annotate", "loop", "export")


def check(person: Any, path: str, project: str, text: str) -> None:
    person.go(path, project, "ann")
    expect(person.page.get_by_text(text).first).to_be_visible()
    assert person.page.get_by_test_id("stException").count() == 0
    assert person.page.locator(".tally-notice.bad").count() == 0


def test_pages_without_a_project_say_how_to_start(desk: Callable[[], Any]) -> None:
    person = desk()
    check(person, "", "", "Start with a project")
    for path in PATHS[1:]:
        check(person, path, "", "No project yet")


def test_pages_without_items_send_to_the_import(desk: Callable[[], Any], app: Any) -> None:
    Project.create("empty", ["ok", "offensive"], storage=app.storage)
    person = desk()
    check(person, "", "empty", "Labels of this project")
    check(person, "data", "empty", "A file of items")
    for path in PATHS[2:]:
        check(person, path, "empty", "No items yet")


def test_a_message_that_goes_leaves_its_reader_on_the_tab(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    page = person.page
    person.go("", project.name)
    person.open_tab("New project")
    page.get_by_role("textbox", name="Name", exact=True).fill("another one")
    page.get_by_role("textbox", name="Labels").fill("ok\nrude")
    page.get_by_role("button", name="Create project").click()
    ready = page.get_by_text("Project “another one” is ready.")
    expect(ready).to_be_visible()
    person.open_tab("New project")
    page.get_by_text("Take the labels from a column of a file").click()
    expect(ready).to_have_count(0)
    person.idle()
    expect(page.get_by_role("tab", name="New project")).to_have_attribute("aria-selected", "true", timeout=5_000)


def test_a_main_button_that_cannot_be_pressed_can_be_read(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    person.go("", project.name)
    person.open_tab("New project")
    button = person.page.get_by_role("button", name="Create project")
    ink = button.evaluate("button => { button.disabled = true; return getComputedStyle(button).color }")
    paper = person.page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert abs(grey(ink) - grey(paper)) > 100


def grey(colour: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_pages_without_rules_and_loops_say_what_comes_next(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    check(person, "rules", project.name, "No rules yet")
    check(person, "weak-labels", project.name, "No rules to count")
    check(person, "annotate", project.name, "No loop yet")
    check(person, "loop", project.name, "No loop yet")
    person.page.goto(f"{person.app.url}/annotate?project={project.name}")
    expect(person.page.get_by_text("Who is labeling?")).to_be_visible()


def test_pages_of_a_project_in_use_show_its_figures(desk: Callable[[], Any], project: Project) -> None:
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive", expert="ann")])
    project.weak_label(MajorityVote(otherwise="ok"))
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(10)])
    for query in loop.ask("ann"):
        loop.tell(query, "offensive" if "idiot" in query.item["text"] else "ok")
    loop.refit()
    person = desk()
    for path, text in zip(
        PATHS,
        (
            "labeled by people",
            "120 items",
            "Rules of this project",
            "Runs kept",
            "The budget of 10 labels is used.",
            "Round by round",
            "What will be in it",
        ),
        strict=True,
    ):
        check(person, path, project.name, text)


def test_a_file_with_faults_is_reported_line_by_line(desk: Callable[[], Any], app: Any, tmp_path: Any) -> None:
    path = tmp_path / "faulty.csv"
    path.write_text("id,text\n1,one\n2,two,too,many\n3,one\n4,four\n", encoding="utf-8")
    Project.create("faulty", ["ok", "offensive"], storage=app.storage)
    person = desk()
    person.go("data", "faulty", "ann")
    person.page.locator('input[type="file"]').set_input_files(path)
    person.page.get_by_role("button", name="Import", exact=True).click()
    expect(person.page.get_by_text("2 items added")).to_be_visible()
    expect(person.page.get_by_text("Rows that could not be read")).to_be_visible()
    assert Project.open("faulty", storage=app.storage).items()["text"].to_list() == ["one", "four"]


def test_a_gold_value_that_is_no_label_is_explained(desk: Callable[[], Any], app: Any, tmp_path: Any) -> None:
    path = tmp_path / "strange.csv"
    pl.DataFrame({"text": ["a b", "c d"], "label": ["ok", "rude"]}).write_csv(path)
    Project.create("strange", ["ok", "offensive"], storage=app.storage)
    person = desk()
    person.go("data", "strange", "ann")
    person.page.locator('input[type="file"]').set_input_files(path)
    person.page.get_by_role("combobox", name="Known answer").click()
    person.page.get_by_role("option", name="label").click()
    person.page.get_by_role("button", name="Import", exact=True).click()
    expect(person.page.locator(".tally-notice.bad")).to_contain_text("rude")
