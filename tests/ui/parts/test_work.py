"""Long work goes on whatever becomes of the page that began it, and the page shows its end once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ui.parts.work import Work


class Press:
    """What the button of `page` does, held up until a test lets it go on."""

    def __init__(self) -> None:
        self.go_on, self.times = threading.Event(), 0
        self.error: Exception | None = None

    def act(self, tell: Callable[[int, int], None]) -> str:
        self.times += 1
        tell(1, 2)
        self.go_on.wait()
        if self.error:
            raise self.error
        return "all rows"


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press()
    yield made
    made.go_on.set()


def page(press, counted):
    import streamlit as st

    from ui.parts import work
    from ui.session import problems

    with problems("Not written."):
        done = work.ended("write", "p")
        if done is not None:
            st.text(f"{done.about}: {done.result()}")
    st.button("Something else")
    if not work.watch("write", "p", "Writing", counted=counted) and st.button("Write", key="write"):
        work.begin("write", "p", press.act, about="labels.csv")


def drawn(press: Press, counted: bool = False) -> AppTest:
    return AppTest.from_function(page, args=(press, counted), default_timeout=300).run()


def begun(page: AppTest) -> Work[Any]:
    work: Work[Any] = page.session_state["work-write-p"]
    return work


def test_work_goes_on_when_the_page_is_drawn_anew_and_its_end_is_shown_once(press: Press) -> None:
    shown = drawn(press)
    shown.button(key="write").click().run()
    assert "Writing…" in shown.get("html")[0].proto.body
    work = begun(shown)
    shown.button[0].click().run()
    assert begun(shown) is work
    assert [button.label for button in shown.button] == ["Something else"]
    press.go_on.set()
    work.result()
    shown.run()
    assert [text.value for text in shown.text] == ["labels.csv: all rows"]
    shown.run()
    assert not shown.text
    assert press.times == 1


def test_what_went_wrong_is_said_once_and_can_be_tried_again(press: Press) -> None:
    press.error = TimeoutError("locked for 30 seconds")
    shown = drawn(press)
    shown.button(key="write").click().run()
    press.go_on.set()
    with pytest.raises(TimeoutError):
        begun(shown).result()
    shown.run()
    said = shown.get("html")[0].proto.body
    assert "Not written." in said
    assert "locked for 30 seconds" in said
    press.error = None
    press.go_on.clear()
    shown.button(key="write").click().run()
    work = begun(shown)
    press.go_on.set()
    work.result()
    assert [text.value for text in shown.run().text] == ["labels.csv: all rows"]


def test_a_press_that_comes_again_begins_nothing_twice(press: Press) -> None:
    shown = drawn(press)
    button = shown.button(key="write")
    button.click().run()
    # As a browser that has not yet drawn the button's end sends it.
    button.click().run()
    assert press.times == 1


def test_work_that_counts_rows_shows_a_bar(press: Press) -> None:
    shown = drawn(press, counted=True)
    shown.button(key="write").click().run()
    shown.run()
    (bar,) = shown.get("progress")
    assert (bar.proto.value, bar.proto.text) == (50, "Writing… 1 of 2 rows")
