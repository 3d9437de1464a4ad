"""Pages that show work beside them follow it to its end, whoever started it, and answer each press."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import gethostname
from typing import Any

import polars as pl
import psutil
import pytest
from playwright.sync_api import expect

from labeling import LabelBudget, Project, keyword
from labeling.loops.refits.lease import refit_lease
from strategies import Entropy

pytestmark = pytest.mark.browser

HERE = f"round 1, by process {os.getpid()} of {gethostname()}"
"""How the page calls a refit that the test makes."""


@pytest.fixture
def loop(project: Project) -> Any:
    return project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(60)])


def answer(loop: Any, number: int = 10) -> None:
    for query in loop.ask("script", refit=False)[:number]:
        loop.tell(query, "offensive" if "idiot" in query.item["text"] else "ok")


@contextmanager
def refitting(project: Project, loop: Any) -> Iterator[None]:
    """Refit as another process does, for as long as the test wants."""
    (record,) = [record for record in project.ledger.loops.all() if record.name == loop.name]
    with refit_lease(project.ledger, record.id, loop.name):
        yield


def status(page: Any) -> Any:
    return page.locator(".st-key-loop-live .tally-status")


def test_round_0_says_that_nothing_is_learned_yet(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("loop", project.name, "ann")
    expect(status(person.page)).to_contain_text("Not begun")
    answer(loop, 3)
    expect(status(person.page)).to_contain_text(
        "Nothing learned yet: round 0 ranked the first questions without a model"
    )
    expect(status(person.page)).to_contain_text("it learns after 7 more answers")
    expect(person.page.locator(".tally-figures")).to_contain_text("3 of 60")


def test_answers_and_refits_of_a_script_appear_by_themselves(
    desk: Callable[[], Any], project: Project, loop: Any
) -> None:
    person = desk()
    person.go("loop", project.name, "ann")
    expect(person.page.locator(".tally-figures")).to_contain_text("0 of 60")
    answer(loop)
    expect(person.page.locator(".tally-figures")).to_contain_text("10 of 60")
    with refitting(project, loop):
        expect(status(person.page)).to_contain_text(f"Learning: {HERE}, for")
    loop.refit()
    expect(status(person.page)).to_contain_text("Learned from 10 answers in round 1")
    expect(person.page.get_by_text("Round by round")).to_be_visible()


def test_a_press_that_comes_too_late_is_answered(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    answer(loop)
    person = desk()
    person.go("loop", project.name, "ann")
    learn = person.page.get_by_role("button", name="Learn now")
    with refitting(project, loop):
        learn.click()
        expect(status(person.page)).to_contain_text(f"Already learning: {HERE}")
        loop.give_up_refit(os.getpid())
    learn.click()
    expect(status(person.page)).to_contain_text("Learned from 10 answers in round 1")
    learn.click()
    expect(status(person.page)).to_contain_text("Nothing is new since round 1. Learned from 10 answers")
    answer(loop, 1)
    expect(status(person.page)).not_to_contain_text("Nothing is new")


def test_a_refit_that_dies_says_so_and_is_over(desk: Callable[[], Any], app: Any, project: Project, loop: Any) -> None:
    answer(loop)
    person = desk()
    person.go("loop", project.name, "ann")
    # Until this is over the process can write nothing, and so is there to be killed.
    with closing(sqlite3.connect(app.storage.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        person.page.get_by_role("button", name="Learn now").click()
        expect(status(person.page)).to_contain_text("Learning: round 1, for")
        os.kill(child(project), signal.SIGKILL)
    expect(person.page.locator(".tally-notice.bad")).to_contain_text("ended from outside (signal 9")
    expect(status(person.page)).not_to_contain_text("Learning: round")
    assert not loop.refitting
    person.page.get_by_role("button", name="Learn now").click()
    expect(status(person.page)).to_contain_text("Learned from 10 answers")
    expect(person.page.locator(".tally-notice.bad")).to_have_count(0)


def child(project: Project) -> int:
    """The process that the app started to refit a loop of this project."""
    commands = {process.pid: process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])}
    (found,) = [pid for pid, words in commands.items() if "refit" in words and project.name in words]
    return found


def test_the_annotator_sees_the_end_of_learning_without_a_press(
    desk: Callable[[], Any], project: Project, loop: Any
) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    with refitting(project, loop):
        person.page.reload()
        expect(person.page.get_by_text("model is learning…")).to_be_visible()
        assert person.shown()[0] == first
    expect(person.page.get_by_text("model is learning…")).to_have_count(0)
    assert person.shown()[0] == first


def test_a_hold_out_without_a_score_is_not_called_none(desk: Callable[[], Any], app: Any, posts: pl.DataFrame) -> None:
    project = Project.create("held", ["ok", "offensive"], storage=app.storage)
    gold = pl.when(pl.col("text").str.contains("idiot")).then(pl.lit("offensive")).otherwise(pl.lit("ok"))
    project.add_items(posts.with_columns(gold=gold), text="text", id="id", gold="gold", progress=False)
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(60)])
    answer(loop)
    loop.refit()
    project.set_holdout(fraction=0.3, seed=1)
    person = desk()
    person.go("loop", project.name, "ann")
    expect(
        person.page.get_by_text("the 36 items of the hold-out were kept aside after the newest round")
    ).to_be_visible()
    person.page.get_by_role("button", name="Learn now").click()
    expect(person.page.locator(".st-key-loop-scores canvas, .st-key-loop-scores svg").first).to_be_visible()
    expect(person.page.get_by_text("kept aside after the newest round")).to_have_count(0)


def test_pages_open_the_project_that_the_address_names(desk: Callable[[], Any], app: Any, project: Project) -> None:
    Project.create("another", ["ok", "offensive"], storage=app.storage)
    person = desk()
    for path in ("", "projects", "data", "rules", "weak-labels", "annotate", "loop", "export"):
        person.go(path, project.name)
        expect(person.page.get_by_role("combobox", name="Project", exact=True)).to_have_value(project.name)
        expect(person.page.get_by_role("dialog")).to_have_count(0)
        person.forget()


def test_an_address_that_names_no_project_says_so(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    person.go("projects", "nowhere")
    expect(person.page.get_by_text("No project “nowhere” is listed here")).to_be_visible()
    expect(person.page).to_have_url(re.compile("project=nowhere"))


def test_a_project_archived_elsewhere_is_said_to_be_so_and_no_other_opens(
    desk: Callable[[], Any], app: Any, project: Project, loop: Any, posts: pl.DataFrame
) -> None:
    other = Project.create("first of the list", ["ok", "offensive"], storage=app.storage)
    other.add_items(posts, text="text", id="id", progress=False)
    other.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3)
    person = desk()
    page = person.page
    person.go("annotate", project.name, "ann")
    person.shown()
    project.archive()
    page.wait_for_timeout(260)
    page.keyboard.press("1")
    expect(page.get_by_text(f"“{project.name}” is archived: it can only be read.")).to_be_visible()
    expect(page.locator("[data-shown]")).to_have_count(0)
    person.go("data", project.name, "ann")
    expect(page.get_by_text(f"“{project.name}” is archived: it can only be read.")).to_be_visible()
    expect(page).to_have_url(re.compile("[?&]project="))
    assert other.status().human == project.status().human == 0


def test_an_import_goes_on_when_something_else_is_pressed(desk: Callable[[], Any], app: Any, upload: Path) -> None:
    project = Project.create("goes on", ["ok", "offensive"], storage=app.storage)
    person = desk()
    page = person.page
    person.go("data", project.name)
    page.locator('input[type="file"]').set_input_files(upload)
    with nothing_written(app):
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        press_something_else(page)
    expect(page.get_by_text("120 items added")).to_be_visible()
    assert project.items().height == 120


@contextmanager
def nothing_written(app: Any) -> Iterator[None]:
    """Keep the database for oneself, so that what the app writes is under way until this is over."""
    with closing(sqlite3.connect(app.storage.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def press_something_else(page: Any) -> None:
    page.get_by_role("textbox", name="Your name").fill("ann")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("annotator=ann"))


def test_a_run_is_kept_and_said_so_whatever_else_is_pressed(
    desk: Callable[[], Any], app: Any, project: Project
) -> None:
    project.add_functions([keyword("insult", ["idiot"], label="offensive")])
    person = desk()
    page = person.page
    person.go("weak-labels", project.name)
    with nothing_written(app):
        page.get_by_role("button", name="Keep as a run").click()
        expect(page.get_by_text("Keeping the run…")).to_be_visible()
        press_something_else(page)
        expect(page.get_by_text("Keeping the run…")).to_be_visible()
        expect(page.get_by_role("button", name="Keep as a run")).to_have_count(0)
    expect(page.get_by_text("Run 1 is kept.")).to_be_visible()
    assert project.weak_runs().height == 1


def test_known_answers_are_taken_and_an_import_taken_back_whatever_else_is_pressed(
    desk: Callable[[], Any], app: Any, project: Project
) -> None:
    person = desk()
    page = person.page
    person.go("data", project.name)
    person.open_tab("Known answers")
    answers = {"name": "known.csv", "mimeType": "text/csv", "buffer": b"id,label\n0000,ok\n0001,offensive\n"}
    page.locator('input[type="file"]').set_input_files([answers])
    with nothing_written(app):
        page.get_by_role("button", name="Take these answers").click()
        expect(page.get_by_text("Taking the answers…")).to_be_visible()
        press_something_else(page)
        expect(page.get_by_text("Taking the answers…")).to_be_visible()
    expect(page.get_by_text("2 known answers taken")).to_be_visible()
    person.open_tab("Hold-out")
    with nothing_written(app):
        page.get_by_role("button", name="Keep aside").click()
        expect(page.get_by_text("Keeping items aside…")).to_be_visible()
    expect(page.get_by_text("1 item is kept aside.")).to_be_visible()
    person.open_tab("Imports")
    take_back = page.get_by_role("button", name="Take back")
    expect(take_back).to_have_count(2)
    take_back.last.click()
    with nothing_written(app):
        page.get_by_role("button", name="Take back 120 items").click()
        expect(page.get_by_text("Taking the import back…")).to_be_visible()
        expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    expect(page.get_by_text("was taken back: 120 items are out of the project.")).to_be_visible()
    assert project.items().is_empty()


def test_the_known_answers_of_a_file_are_taken_back_as_what_they_are(desk: Callable[[], Any], project: Project) -> None:
    project.set_gold(pl.DataFrame({"id": ["0000", "0001"], "label": ["ok", "offensive"]}), id="id", gold="label")
    person = desk()
    page = person.page
    person.go("data", project.name)
    person.open_tab("Imports")
    take_back = page.get_by_role("button", name="Take back")
    expect(take_back).to_have_count(2)
    take_back.first.click()
    page.get_by_role("button", name="Take back 2 known answers").click()
    expect(page.get_by_text("was taken back: 2 known answers are out of the project.")).to_be_visible()
    assert (project.status().items, project.status().gold) == (120, 0)
