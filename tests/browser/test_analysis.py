"""Rules are judged, suggested, compared, explained and checked in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import Project, keyword, labeling_function
from labeling.votes.label_models import MajorityVote

pytestmark = pytest.mark.browser

RUDE = pl.col("text").str.contains("idiot")


@pytest.fixture
def known(app: Any, posts: pl.DataFrame, request: pytest.FixtureRequest) -> Project:
    """A project whose answers are known, with a rule that is right, one that is not, and one that says nothing new."""
    project = Project.create(request.node.name[:60], ["ok", "offensive"], storage=app.storage)
    gold = pl.when(RUDE).then(pl.lit("offensive")).otherwise(pl.lit("ok"))
    project.add_items(posts.with_columns(gold=gold), text="text", id="id", gold="gold", progress=False)
    project.add_functions(
        [
            keyword("insult", ["idiot", "idiots"], "offensive", expert="ann"),
            keyword("insult again", ["idiots", "idiot"], "offensive", expert="carla"),
            keyword("numbers", ["number"], "ok", expert="bob"),
        ]
    )
    return project


def view(person: Any, path: str, project: Project, name: str) -> None:
    person.go(path, project.name, "ann")
    person.open_view(name)


def no_faults(page: Any) -> None:
    assert page.get_by_test_id("stException").count() == 0
    assert page.locator(".tally-notice.bad").count() == 0


def test_the_analysis_shows_what_rules_get_right_and_wrong(desk: Callable[[], Any], known: Project) -> None:
    known.weak_label(MajorityVote())
    person = desk()
    view(person, "rules", known, "Analysis")
    page = person.page
    expect(page.locator(".st-key-worth-chart canvas, .st-key-worth-chart svg").first).to_be_visible()
    accuracy = known.analysis().accuracy().row(by_predicate=pl.col("function") == "numbers", named=True)
    expect(page.get_by_text(f"{accuracy['accuracy']:.0%} of {accuracy['judged']}".replace("%", " %"))).to_be_visible()
    expect(page.locator(".st-key-worth-texts .tally-text").first).to_contain_text("it says ok it is offensive")
    expect(page.get_by_text("“insult” and “insult again” vote alike")).to_be_visible()
    expect(page.get_by_text("Most often: ann and bob")).to_be_visible()
    expect(page.get_by_text("What no rule covers")).to_be_visible()
    no_faults(page)


def test_a_faulty_rule_is_named_with_its_first_item_and_never_its_text(desk: Callable[[], Any], known: Project) -> None:
    @labeling_function(name="brittle", labels=["ok"])
    def brittle(row: dict[str, Any]) -> object:
        return "ok" if int(row["text"][-1]) > 4 else None

    known.add_functions([brittle])
    known.label_matrix()
    faults = known.analysis().troubles().row(0, named=True)
    person = desk()
    view(person, "rules", known, "Analysis")
    said = person.page.locator(".tally-notice.warn").first
    expect(said).to_contain_text(f"“brittle” fails on {faults['faults']} items, first on item {faults['first_item']}")
    expect(said).to_contain_text("ValueError")
    assert known.item(faults["first_item"])["text"] not in said.inner_text()


def test_a_suggested_rule_is_taken_with_one_click(desk: Callable[[], Any], known: Project) -> None:
    suggested = known.suggest_functions(1)[0].function
    person = desk()
    view(person, "rules", known, "Suggestions")
    first = person.page.locator(".tally-suggestion").first
    expect(first).to_contain_text(suggested.words[0])
    person.page.get_by_role("button", name="Take it").first.click()
    expect(person.page.get_by_text(f"Rule “{suggested.name}” is added.")).to_be_visible()
    assert suggested.name in [info.name for info in known.functions()]
    person.page.get_by_role("button", name="Undo").click()
    expect(person.page.get_by_text(f"Rule “{suggested.name}” is taken back.")).to_be_visible()
    assert suggested.name not in [info.name for info in known.functions()]


def test_without_known_answers_nothing_is_suggested(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    view(person, "rules", project, "Suggestions")
    expect(person.page.get_by_text("Nothing to learn rules from yet")).to_be_visible()
    view(person, "rules", project, "Analysis")
    expect(person.page.get_by_text("No rules to look at")).to_be_visible()


def test_a_word_that_no_rule_covers_begins_a_rule(desk: Callable[[], Any], known: Project) -> None:
    word = known.analysis().uncovered()["word"][0]
    person = desk()
    view(person, "rules", known, "Analysis")
    person.page.get_by_role("button", name="Write a rule for").click()
    expect(person.page.get_by_role("textbox", name="Any of these words")).to_have_value(word)


def test_a_changed_rule_shows_gained_and_lost_votes_before_it_is_saved(desk: Callable[[], Any], known: Project) -> None:
    person = desk()
    page = person.page
    person.go("rules", known.name, "ann")
    page.get_by_role("textbox", name="Any of these words").fill("idiots, thanks")
    person.choose("Votes for", "offensive")
    page.get_by_role("textbox", name="Name of the rule").fill("insult")
    change = known.compare_functions("insult", keyword("insult", ["idiots", "thanks"], "offensive", expert="ann"))
    figures = page.locator("dl.tally-figures", has_text="gained")
    expect(figures).to_contain_text(f"gained{change.gained}lost{change.lost}flipped0the same{change.same}")
    expect(page.locator(".st-key-change-examples mark").first).to_have_text("thanks")
    assert [info.version for info in known.functions() if info.name == "insult"] == [1]
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Rule “insult” is changed.")).to_be_visible()
    assert [info.version for info in known.functions() if info.name == "insult"] == [2]


def test_a_label_is_explained_vote_by_vote(desk: Callable[[], Any], known: Project) -> None:
    run = known.weak_label(MajorityVote())
    item = run.frame().filter(label="offensive")["item_id"][0]
    votes = run.explain(item).votes
    person = desk()
    view(person, "weak-labels", known, "Explain")
    person.page.get_by_role("textbox", name="Find").fill(str(item))
    expect(person.page.get_by_text(f"item {item}", exact=True)).to_be_visible()
    rows = person.page.locator(".tally-table tbody tr")
    expect(rows).to_have_count(votes.height)
    expect(rows.first).to_contain_text("insult ann")
    no_faults(person.page)


@pytest.mark.parametrize(
    ("choice", "stored"),
    [("Robust (usual)", "Robust"), ("Weighted vote", "WeightedVote"), ("Dawid and Skene", "DawidSkene")],
)
def test_a_label_model_is_chosen_and_kept(desk: Callable[[], Any], known: Project, choice: str, stored: str) -> None:
    person = desk()
    page = person.page
    person.go("weak-labels", known.name, "ann")
    if choice != "Robust (usual)":
        person.choose("How votes become labels", choice)
    person.idle()
    page.get_by_role("button", name="Keep as a run").click()
    expect(page.get_by_text("Run 1 is kept.")).to_be_visible()
    assert known.weak_run().model.startswith(stored)


def test_what_a_label_model_lacks_is_said(desk: Callable[[], Any], project: Project) -> None:
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive", expert="ann")])
    person = desk()
    page = person.page
    person.go("weak-labels", project.name, "ann")
    expect(page.locator(".tally-notice.warn")).to_contain_text("returned to majority vote")
    person.choose("How votes become labels", "Weighted vote")
    expect(page.locator(".tally-notice.bad")).to_contain_text("learns from gold")


def test_a_blind_sample_is_answered_and_tells_the_accuracy(desk: Callable[[], Any], known: Project) -> None:
    known.weak_label(MajorityVote())
    person = desk()
    page = person.page
    view(person, "weak-labels", known, "Check")
    page.get_by_role("spinbutton", name="Items to check").fill("10")
    page.get_by_role("button", name="Draw the sample").click()
    expect(page.get_by_text("This loop checks labels")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("ann")
    for hidden in ("Votes of the rules", "What the model thinks", "suggested:", "Hide suggestions"):
        expect(page.get_by_text(hidden)).to_have_count(0)
    person.shown()
    assert page.locator("[data-shown] mark").count() == 0
    for _ in range(9):
        person.press("2" if "idiot" in person.text() else "1")
    page.wait_for_timeout(260)
    page.keyboard.press("1" if "idiot" in person.text() else "2")
    page.get_by_role("button", name="See what the check found").click()
    (check,) = known.weak_run().checks()
    result = check.result()
    assert result.answered == 10
    expect(page.locator(".st-key-check-0")).to_contain_text("10 of 10")
    expect(page.locator(".st-key-check-0")).to_contain_text(f"{result.accuracy:.0%}".replace("%", " %"))
    no_faults(page)


def test_hostile_names_and_texts_are_shown_as_text(desk: Callable[[], Any], app: Any) -> None:
    image = "<img src=http://leak.example/a.png onerror=alert(1)>"
    label = "![l](http://leak.example/l.png) <b>bold</b>"
    project = Project.create("hostile analysis", ["ok", label], storage=app.storage)
    texts = [f"{image} ![i](http://leak.example/i.png) {'vote' if n % 2 else 'cat'} {n}" for n in range(24)]
    gold = [label if n % 2 else "ok" for n in range(24)]
    project.add_items(pl.DataFrame({"text": texts, "gold": gold}), text="text", gold="gold", progress=False)
    rules = [
        keyword(image, ["vote"], label, expert=f"{image}eve"),
        keyword("![r](http://leak.example/r.png)", ["1", "2", "3"], "ok", expert="![e](http://leak.example/e.png)"),
    ]
    project.add_functions(rules)
    project.weak_label(MajorityVote())
    person = desk()
    for path, name in (
        ("rules", "Suggestions"),
        ("rules", "Analysis"),
        ("weak-labels", "Explain"),
        ("weak-labels", "Check"),
    ):
        view(person, path, project, name)
        person.page.wait_for_timeout(800)
        no_faults(person.page)
    assert person.page.locator(".stMain img, .stMain .tally-text b").count() == 0
    assert person.dialogs == []
    assert person.hosts == {app.url.removeprefix("http://")}
