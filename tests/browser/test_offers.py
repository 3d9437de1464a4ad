"""Near-duplicates are offered, reasons are folded away, and groups held back are judged in one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import LabelBudget, Project
from strategies import Entropy, OutlierGuard

pytestmark = pytest.mark.browser

WORDS = ["harbour", "school", "market", "garden", "library", "station", "bridge", "theatre", "museum", "stadium"]
SPAM = "order your free holiday voucher today from our one and only shop near the old {} and tell all your friends"
SAID = "the {} was quiet on day {}, then {} people came along with {} bags of things to sell"


@pytest.fixture
def alike(app: Any, request: pytest.FixtureRequest) -> tuple[Project, Any]:
    """A loop over 10 posts that differ by one word and 60 that do not resemble each other as much."""
    project = Project.create(request.node.name[:60], ["ok", "spam"], storage=app.storage)
    texts = [SPAM.format(word) for word in WORDS]
    texts += [SAID.format(WORDS[n % 10], n, n * 7 % 61, n * 11 % 59) for n in range(60)]
    project.add_items(pl.DataFrame({"text": texts}), text="text", progress=False)
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(60)])
    for query in loop.ask("zoe"):
        loop.tell(query, "spam" if "voucher" in query.item["text"] else "ok")
    loop.refit()
    return project, loop


def labels(project: Project) -> dict[int, str]:
    return dict(project.labels(source="human").select("item_id", "label").iter_rows())


def until_spam(loop: Any) -> int:
    """Answer, beside the page, what comes before the first post that has near-duplicates."""
    for _ in range(45):
        query = loop.ask("ann")[0]
        if "voucher" in query.item["text"]:
            return int(query.item_id)
        loop.tell(query, "ok")
    raise AssertionError("No post with near-duplicates was asked.")


def test_one_key_takes_an_answer_over_and_one_undo_takes_it_back(desk: Callable[[], Any], alike: Any) -> None:
    project, loop = alike
    asked = until_spam(loop)
    person = desk()
    page = person.page
    person.go("annotate", project.name, "ann")
    assert person.shown()[0] == asked
    before = labels(project)
    person.press("2")
    assert page.locator(".tally-notice.bad").count() == 0
    offer = page.locator(".st-key-offer")
    expect(offer).to_contain_text("nearly identical to item")
    expect(offer.locator(".tally-text").first).to_contain_text("free holiday voucher")
    expect(offer.get_by_role("button", name="Same for")).to_be_visible()
    assert labels(project) == before | {asked: "spam"}
    shown, _ = person.shown()
    page.keyboard.press("a")
    expect(page.get_by_text("nearly identical items labeled spam, too.")).to_be_visible()
    expect(offer).to_have_count(0)
    assert person.shown()[0] == shown
    taken = labels(project)
    assert len(taken) > len(before) + 2
    texts = dict(project.items(["text"]).select("item_id", "text").iter_rows())
    assert all("voucher" in texts[item] and taken[item] == "spam" for item in taken.keys() - before.keys())
    person.press("z")
    expect(page.get_by_text("items in one step")).to_be_visible()
    assert labels(project) == before | {asked: "spam"}


def test_an_offer_is_ignored_and_does_not_stop_the_flow(desk: Callable[[], Any], alike: Any) -> None:
    project, loop = alike
    asked = until_spam(loop)
    person = desk()
    page = person.page
    person.go("annotate", project.name, "ann")
    assert person.shown()[0] == asked
    before = labels(project)
    person.press("2")
    expect(page.locator(".st-key-offer")).to_be_visible()
    following, _ = person.shown()
    person.press("1")
    assert labels(project) == before | {asked: "spam", following: "ok"}
    expect(page.locator(".st-key-offer").get_by_role("button", name="Ignore")).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator(".st-key-offer")).to_have_count(0)
    assert labels(project) == before | {asked: "spam", following: "ok"}


def test_why_this_one_is_folded_and_names_what_is_near(desk: Callable[[], Any], alike: Any) -> None:
    project, loop = alike
    person = desk()
    page = person.page
    person.go("annotate", project.name, "ann")
    number, _ = person.shown()
    (query,) = [query for query in loop.ask("ann") if query.item_id == number]
    expect(page.get_by_text("Nearest labeled items")).not_to_be_visible()
    page.get_by_text("Why this one?").click()
    expect(page.get_by_text("Nearest labeled items")).to_be_visible()
    near = query.why.nearest[0]
    first = page.locator(".tally-near").first
    expect(first).to_contain_text(f"item {near.item_id}")
    expect(first).to_contain_text(near.label)
    expect(page.get_by_text("Ask where the probabilities say least.")).to_be_visible()
    person.press("1")
    expect(page.get_by_text("What the model thinks")).to_be_visible()


@pytest.fixture
def guarded(app: Any, request: pytest.FixtureRequest) -> tuple[Project, Any]:
    """A loop that holds back empty posts and posts in a language of their own."""
    project = Project.create(request.node.name[:60], ["ok", "rude"], storage=app.storage)
    texts = [SAID.format(WORDS[n % 10], n, n * 7 % 61, n * 11 % 59) for n in range(80)]
    texts += ["?!", "...", "!!", "–"]
    project.add_items(pl.DataFrame({"text": texts}), text="text", progress=False)
    loop = project.pool_loop(
        "first", strategy=OutlierGuard(Entropy(), share=0.0), batch_size=5, seed=3, stop=[LabelBudget(60)]
    )
    loop.refit()
    (group,) = loop.groups()
    assert (group.kind, group.size) == ("empty", 4)
    return project, loop


def open_groups(person: Any, project: Project) -> None:
    person.go("loop", project.name, "ann")
    person.open_view("Held back")
    expect(person.page.get_by_role("heading", name="Empty 4 items")).to_be_visible()


def test_a_group_is_discarded_in_one_step_and_taken_back(desk: Callable[[], Any], guarded: Any) -> None:
    project, _ = guarded
    person = desk()
    page = person.page
    open_groups(person, project)
    expect(page.locator(".tally-heldtext")).to_have_count(4)
    page.get_by_role("button", name="Discard 4").click()
    expect(page.get_by_text("4 items will leave the pool and the export.")).to_be_visible()
    assert project.discarded() == set()
    page.get_by_role("button", name="Discard 4 items").click()
    expect(page.get_by_text("4 items discarded")).to_be_visible()
    expect(page.get_by_text("Nothing is held back")).to_be_visible()
    assert len(project.discarded()) == 4
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: 4 items are held back again.")).to_be_visible()
    expect(page.get_by_role("heading", name="Empty 4 items")).to_be_visible()
    assert project.discarded() == set()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_group_is_welcomed_in_one_step(desk: Callable[[], Any], guarded: Any) -> None:
    project, loop = guarded
    person = desk()
    open_groups(person, project)
    person.page.get_by_role("button", name="4 belong").click()
    expect(person.page.get_by_text("4 items welcomed")).to_be_visible()
    expect(person.page.get_by_text("Nothing is held back")).to_be_visible()
    assert project.discarded() == set()
    assert loop.groups() == []


def test_what_is_not_ticked_is_not_discarded_with_its_group(desk: Callable[[], Any], guarded: Any) -> None:
    project, loop = guarded
    person = desk()
    page = person.page
    open_groups(person, project)
    page.get_by_text("item 82", exact=True).click()
    page.get_by_role("button", name="Discard 3").click()
    page.get_by_role("button", name="Discard 3 items").click()
    expect(page.get_by_text("3 items discarded")).to_be_visible()
    assert project.discarded() == {81, 83, 84}
    # What was done since does not come between a step and its undo.
    loop.tell(loop.ask("ann")[0], "ok")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: 3 items are held back again.")).to_be_visible()
    assert project.discarded() == set()
    assert project.status().human == 1
