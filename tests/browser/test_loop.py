"""The Loop page: loops are made, looked at and compared in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import LabelBudget, Project, keyword
from strategies import Auto, Entropy

pytestmark = pytest.mark.browser

RUDE = pl.col("text").str.contains("idiot")


@pytest.fixture
def known(app: Any, posts: pl.DataFrame, request: pytest.FixtureRequest) -> Project:
    """A project whose answers are known, 30 % of them held out."""
    project = Project.create(request.node.name[:60], ["ok", "offensive"], storage=app.storage)
    gold = pl.when(RUDE).then(pl.lit("offensive")).otherwise(pl.lit("ok"))
    project.add_items(posts.with_columns(gold=gold), text="text", id="id", gold="gold", progress=False)
    project.set_holdout(fraction=0.3, seed=1)
    return project


def settings(project: Project, name: str) -> dict[str, Any]:
    """What a loop was made with, as it is stored."""
    (record,) = [record for record in project.ledger.loops.all() if record.name == name]
    return json.loads(json.dumps(record.settings))


def no_faults(page: Any) -> None:
    assert page.get_by_test_id("stException").count() == 0
    assert page.locator(".tally-notice.bad").count() == 0


def answer_round(project: Project, loop: Any) -> None:
    for query in loop.ask("ann"):
        loop.tell(query, "offensive" if "idiot" in query.item["text"] else "ok", seconds=2.0)
    loop.refit()


def test_the_usual_loop_asks_by_auto(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    person.go("loop", project.name, "ann")
    expect(person.page.get_by_role("combobox", name="What to ask next")).to_have_value("Auto (usual)")
    person.page.get_by_role("button", name="Start the loop").click()
    expect(person.page.get_by_text("Loop “first” is ready.")).to_be_visible()
    expect(person.page.get_by_role("radio", name="State")).to_be_checked()
    assert settings(project, "first")["strategy"]["class"] == "strategies.Auto"


def test_a_loop_is_made_of_everything_the_form_offers(desk: Callable[[], Any], known: Project) -> None:
    known.add_functions([keyword("insult", ["idiot", "idiots"], "offensive", expert="ann")])
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    page.get_by_role("textbox", name="Name", exact=True).fill("careful")
    person.choose("What to ask next", "Mixture of two")
    person.choose("Where", "where the rule “insult” votes")
    person.choose("What learns", "Words counted, linear")
    for text in (
        "Hold back what looks foreign",
        "Stop early at a target score",
        "Stop early when the score no longer rises",
        "Stop early when answers no longer change the predictions",
        "Stop early when the model is sure of what is left",
    ):
        person.switch(text)
    page.get_by_role("button", name="Start the loop").click()
    expect(page.get_by_text("Loop “careful” is ready.")).to_be_visible()
    no_faults(page)
    made = settings(known, "careful")
    assert made["classifier"]["class"] == "labeling.TextClassifier"
    assert made["strategy"]["class"] == "strategies.OutlierGuard"
    region = made["strategy"]["params"]["strategy"]
    assert (region["class"], region["params"]["where"]) == ("strategies.Region", "insult")
    mixture = region["params"]["strategy"]["params"]
    assert [part["class"] for part in mixture["strategies"]] == ["strategies.Entropy", "strategies.KCenter"]
    assert mixture["weights"] == [0.7, 0.3]
    assert [rule["class"].removeprefix("labeling.") for rule in made["stop"]] == [
        "LabelBudget",
        "TargetScore",
        "Plateau",
        "Stability",
        "OverallUncertainty",
    ]


def test_a_loop_asks_in_a_saved_filter(desk: Callable[[], Any], project: Project) -> None:
    project.save_filter("meetings", keyword("meetings", ["meeting"], "ok"))
    person = desk()
    person.go("loop", project.name, "ann")
    person.choose("Where", "in the filter “meetings”")
    person.page.get_by_role("button", name="Start the loop").click()
    expect(person.page.get_by_text("Loop “first” is ready.")).to_be_visible()
    strategy = settings(project, "first")["strategy"]
    assert (strategy["class"], strategy["params"]["where"]) == ("strategies.Region", "meetings")
    assert strategy["params"]["strategy"]["class"] == "strategies.Auto"


def test_the_state_shows_scores_with_their_band_and_each_class(desk: Callable[[], Any], known: Project) -> None:
    loop = known.pool_loop("first", strategy=Auto(until=15), batch_size=10, seed=3, stop=[LabelBudget(60)])
    for _ in range(3):
        answer_round(known, loop)
    newest = loop.history().row(-1, named=True)
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    expect(page.locator(".st-key-loop-scores canvas, .st-key-loop-scores svg").first).to_be_visible()
    expect(page.locator(".st-key-loop-trust canvas, .st-key-loop-trust svg").first).to_be_visible()
    expect(page.locator(".st-key-loop-shares canvas, .st-key-loop-shares svg").first).to_be_visible()
    rows = page.locator("table.tally-numbers tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("offensive")
    recall = f"{newest['recall_offensive'] * 100:.0f} %"
    expect(rows.nth(1).locator("td").nth(2)).to_have_text(recall)
    expect(page.get_by_text(f"({newest['accuracy_low'] * 100:.0f} to")).to_be_visible()
    expect(page.get_by_text("Done after 60 answers.")).to_be_visible()
    no_faults(page)


def test_the_cost_is_told_before_a_loop_and_after_each_round(desk: Callable[[], Any], known: Project) -> None:
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    expect(page.locator(".tally-forecast")).to_contain_text("person-minutes")
    expect(page.get_by_text("10 seconds an answer are assumed")).to_be_visible()
    loop = known.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(80)])
    for _ in range(5):
        answer_round(known, loop)
    told = loop.forecast()
    person.go("loop", known.name, "ann")
    forecast = page.locator(".tally-forecast")
    expect(forecast).to_contain_text("30 more answers: 1 person-minute ")
    expect(forecast).to_contain_text("at 2 s an answer")
    assert told.score is not None
    expect(forecast).to_contain_text(f"Expected accuracy {told.score.value * 100:.0f} %")
    no_faults(page)


def test_a_loop_that_is_done_says_why_and_goes_on(desk: Callable[[], Any], known: Project) -> None:
    loop = known.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(10)])
    answer_round(known, loop)
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    expect(page.get_by_text("The budget of 10 labels is used.")).to_be_visible()
    page.get_by_role("spinbutton", name="More answers").fill("15")
    page.keyboard.press("Enter")
    person.idle()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("The loop goes on for 15 more answers.")).to_be_visible()
    expect(page.get_by_text("10 of 25")).to_be_visible()
    assert loop.stopped is None
    assert loop.budget == 25
    no_faults(page)


def test_strategies_are_compared_beside_the_page(desk: Callable[[], Any], known: Project, tmp_path: Path) -> None:
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    person.open_view("Compare strategies")
    page.get_by_role("spinbutton", name="Runs of each").fill("2")
    page.keyboard.press("Enter")
    person.idle()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("What each would have learned")).to_be_visible(timeout=600_000)
    rows = page.locator("table.tally-numbers tbody tr")
    expect(rows).to_have_count(3)
    names = {rows.nth(row).locator("td").first.inner_text() for row in range(3)}
    assert names == {"Auto", "Margin", "Random"}
    expect(page.locator(".st-key-compare-chart canvas, .st-key-compare-chart svg").first).to_be_visible()
    expect(page.locator(".tally-notice.good")).to_contain_text("random questions")
    with page.expect_download() as started:
        page.locator(".st-key-compare-download button").click()
    path = tmp_path / "strategies.csv"
    started.value.save_as(path)
    frame = pl.read_csv(path)
    assert frame["seed"].unique().sort().to_list() == [0, 1]
    assert set(frame["strategy"]) == names
    no_faults(page)
    other = desk()
    other.go("loop", known.name, "bob")
    other.open_view("Compare strategies")
    expect(other.page.locator("table.tally-numbers tbody tr")).to_have_count(3)


def test_a_comparison_is_called_off(desk: Callable[[], Any], known: Project) -> None:
    person = desk()
    page = person.page
    person.go("loop", known.name, "ann")
    person.open_view("Compare strategies")
    page.get_by_role("spinbutton", name="Runs of each").fill("20")
    page.keyboard.press("Enter")
    person.idle()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("button", name="Call it off").click()
    expect(page.get_by_text("The comparison was called off.")).to_be_visible()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_enabled()
    no_faults(page)


def test_without_known_answers_there_is_nothing_to_compare_on(desk: Callable[[], Any], project: Project) -> None:
    project.pool_loop("first", strategy=Entropy(), batch_size=10, stop=[LabelBudget(60)])
    person = desk()
    person.go("loop", project.name, "ann")
    person.open_view("Compare strategies")
    expect(person.page.get_by_text("Not enough known answers to compare on")).to_be_visible()
    expect(person.page.get_by_text("The answers of no item are known.")).to_be_visible()
