"""The questions of a stream are answered in the browser, and the Loop page shows how the stream does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import Project
from strategies import FixedBudget, LeastConfidence

pytestmark = pytest.mark.browser


@pytest.fixture
def stream(app: Any, posts: pl.DataFrame, request: pytest.FixtureRequest) -> tuple[Project, Any]:
    """A stream that has asked about some of 60 records."""
    project = Project.create(request.node.name[:60], ["ok", "offensive"], storage=app.storage)
    live = project.stream_loop("live", strategy=LeastConfidence(), budget=FixedBudget(0.2), seed=1, text="text")
    live.offer_many([{"text": text} for text in posts["text"].head(60)])
    assert len(live.waiting()) > 5
    return project, live


def answered(project: Project) -> list[int]:
    facts = project.annotations()
    return [] if facts.is_empty() else facts.filter((facts["kind"] == "answer") & ~facts["undone"])["item_id"].to_list()


def test_questions_of_a_stream_are_answered_oldest_first(desk: Callable[[], Any], stream: Any) -> None:
    project, live = stream
    waiting = [query.item_id for query in live.waiting()]
    person = desk()
    person.go("annotate", project.name, "ann")
    expect(person.page.locator(".tally-status")).to_contain_text(f"{len(waiting)} questions waiting")
    seen = []
    for _ in range(3):
        seen.append(person.shown()[0])
        person.press("2" if "idiot" in person.text() else "1")
    assert seen == waiting[:3]
    assert answered(project) == seen
    assert [query.item_id for query in live.waiting()] == waiting[3:]
    expect(person.page.locator(".tally-status")).to_contain_text("3 answered since you came")
    assert person.page.locator(".tally-notice.bad").count() == 0


def test_an_answer_to_a_stream_is_taken_back_and_a_skip_comes_last(desk: Callable[[], Any], stream: Any) -> None:
    project, live = stream
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    person.press("1")
    person.press("z")
    expect(person.page.get_by_text("Taken back: ok.")).to_be_visible()
    assert person.shown()[0] == first
    assert answered(project) == []
    person.press("s")
    assert person.shown()[0] != first
    for _ in range(len(live.waiting()) - 1):
        person.press("1")
    assert person.shown()[0] == first
    person.press("d")
    expect(person.page.get_by_text("No question is waiting.")).to_be_visible()
    assert live.waiting() == []


def test_two_people_at_a_stream_have_different_questions(desk: Callable[[], Any], stream: Any) -> None:
    project, _ = stream
    ann, bob = desk(), desk()
    ann.go("annotate", project.name, "ann")
    bob.go("annotate", project.name, "bob")
    seen = []
    for _ in range(2):
        for person in (ann, bob):
            seen.append(person.shown()[0])
            person.press("1")
    assert len(set(seen)) == 4
    assert sorted(answered(project)) == sorted(seen)


def test_the_loop_page_shows_a_stream_against_its_promise(desk: Callable[[], Any], stream: Any) -> None:
    project, live = stream
    for query in live.waiting():
        live.tell(query, "offensive" if "idiot" in query.item["text"] else "ok", annotator="ann")
    live.offer_many([{"text": f"thanks for reading part {n}"} for n in range(40)])
    now = live.history().row(-1, named=True)
    person = desk()
    page = person.page
    person.go("loop", project.name, "ann")
    figures = page.locator("dl.tally-figures").first
    expect(figures).to_contain_text(f"offered{now['offered']}asked{now['asked']}")
    expect(figures).to_contain_text("of 20 %")
    expect(page.locator(".st-key-stream-share canvas, .st-key-stream-share svg").first).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0
    assert page.locator(".tally-notice.bad").count() == 0
    page.get_by_role("button", name=f"Answer {len(live.waiting())} question").click()
    person.shown()
