"""The annotation page: positions, keys, and who is shown what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, WebSocketRoute, expect

from labeling import LabelBudget, Project
from strategies import Entropy

pytestmark = pytest.mark.browser


@pytest.fixture
def loop(project: Project) -> Any:
    return project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3, stop=[LabelBudget(60)])


def answered(project: Project) -> list[int]:
    facts = project.annotations()
    return [] if facts.is_empty() else facts.filter(facts["kind"] == "answer")["item_id"].to_list()


def test_two_browsers_are_never_shown_the_same_item(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    ann, bob = desk(), desk()
    seen: dict[str, list[int]] = {"ann": [], "bob": []}
    ann.go("annotate", project.name, "ann")
    bob.go("annotate", project.name, "bob")
    for _ in range(6):
        for name, person in (("ann", ann), ("bob", bob)):
            seen[name].append(person.shown()[0])
            person.press("1")
    assert not set(seen["ann"]) & set(seen["bob"])
    assert sorted(answered(project)) == sorted(seen["ann"] + seen["bob"])


def test_reload_keeps_the_position(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    person.press("1")
    person.press("2")
    assert person.page.locator(".tally-notice.bad").count() == 0
    before, _ = person.shown()
    person.page.reload()
    person.idle()
    assert person.shown()[0] == before
    assert len(answered(project)) == 2


@pytest.mark.parametrize("gap", [0, 30, 80, 140])
def test_a_double_press_labels_one_item(desk: Callable[[], Any], project: Project, loop: Any, gap: int) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, shown = person.shown()
    person.page.wait_for_timeout(300)
    person.page.keyboard.press("1")
    person.page.wait_for_timeout(gap)
    person.page.keyboard.press("1")
    person.another(shown)
    person.page.wait_for_timeout(1000)
    person.idle()
    assert answered(project) == [first]


def test_a_held_key_labels_one_item(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, shown = person.shown()
    person.page.wait_for_timeout(300)
    for _ in range(25):
        person.page.keyboard.down("1")
        person.page.wait_for_timeout(35)
    person.page.keyboard.up("1")
    person.another(shown)
    person.page.wait_for_timeout(1000)
    person.idle()
    assert answered(project) == [first]


def test_a_press_waits_for_buttons_that_come_after_their_item(
    desk: Callable[[], Any], project: Project, loop: Any
) -> None:
    person = desk()
    page = person.page
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route(re.compile(r"/Button\.[^/]*\.js$"), hold)
    page.goto(f"{person.app.url}/annotate?project={project.name}&annotator=ann")
    first, shown = person.shown()
    page.wait_for_function("window.tallyKeys?.shown")
    expect(page.locator(".st-key-answers button")).to_have_count(0)
    page.keyboard.press("2")
    page.keyboard.press("1")
    assert project.annotations().is_empty()
    for route in asked:
        route.continue_()
    page.unroute_all()
    person.another(shown)
    person.idle()
    assert answered(project) == [first]
    assert project.labels(source="human")["label"].to_list() == ["ok"]


def test_what_came_of_a_press_and_was_lost_is_shown_again(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    page = person.page
    losing: list[bool] = []

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(server.send)
        server.on_message(lambda message: None if losing else socket.send(message))

    page.route_web_socket(re.compile("_stcore/stream"), pass_on)
    person.go("annotate", project.name, "ann")
    first, shown = person.shown()
    losing.append(True)
    page.keyboard.press("1")
    while answered(project) != [first]:
        page.wait_for_timeout(50)
    losing.clear()
    person.another(shown)
    second, _ = person.shown()
    person.press("2")
    assert answered(project) == [first, second]
    labels = dict(project.labels(source="human").select("item_id", "label").iter_rows())
    assert labels == {first: "ok", second: "offensive"}


def test_a_press_counts_while_another_key_is_still_down(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    person.page.keyboard.down("q")
    person.press("1")
    person.page.keyboard.up("q")
    assert answered(project) == [first]


def test_keys_typed_into_a_text_field_label_nothing(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    person.shown()
    person.page.wait_for_timeout(300)
    field = person.page.get_by_role("textbox", name="Your name")
    field.press("End")
    person.page.keyboard.type("12sud", delay=60)
    expect(field).to_have_value("ann12sud")
    person.page.wait_for_timeout(500)
    assert project.annotations().is_empty()


def test_keys_work_after_a_box_was_ticked(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    person.page.get_by_text("Hide suggestions").click()
    expect(person.page.get_by_text("Votes of the rules")).to_have_count(0)
    person.press("1")
    assert answered(project) == [first]


def test_keys_work_after_a_loop_was_chosen(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    other = project.pool_loop("second", strategy=Entropy(), batch_size=10, seed=4, stop=[LabelBudget(60)])
    person = desk()
    person.go("annotate", project.name, "ann")
    _, before = person.shown()
    person.choose("Loop", "first")
    person.another(before)
    first, _ = person.shown()
    person.press("1")
    assert answered(project) == [first]
    assert other.progress().answered == 0


def test_undo_brings_the_item_back_and_skip_leaves_it(desk: Callable[[], Any], project: Project, loop: Any) -> None:
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    person.press("2")
    assert answered(project) == [first]
    person.press("z")
    expect(person.page.get_by_text("Taken back: offensive.")).to_be_visible()
    assert person.shown()[0] == first
    assert project.labels(source="human").is_empty()
    person.press("s")
    assert person.shown()[0] != first
    assert project.labels(source="human").is_empty()


def test_guidelines_open_over_the_card_and_fetch_nothing(
    desk: Callable[[], Any], project: Project, loop: Any, app: Any
) -> None:
    project.set_guidelines("## Be kind\n![x](http://leak.example/a.png) [go](http://leak.example) <img src=x>")
    person = desk()
    person.go("annotate", project.name, "ann")
    first, _ = person.shown()
    person.idle()
    place = person.page.locator(".tally-item").bounding_box()
    person.page.get_by_role("button", name="Guidelines").click()
    expect(person.page.get_by_role("heading", name="Be kind")).to_be_visible()
    said = person.page.get_by_test_id("stPopoverBody")
    assert said.locator("img, a[href^='http']").count() == 0
    assert person.page.locator(".tally-item").bounding_box() == place
    assert person.shown()[0] == first
    assert person.hosts == {app.url.removeprefix("http://")}
