"""What a page says when something goes wrong, run by Streamlit's own test runner."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def failing(kind: str) -> None:
    import errno

    from ui.session import problems

    errors = {
        "expected": ValueError("The label 'rude' is not known. ![x](http://leak.example)"),
        "unexpected": ZeroDivisionError("secret detail"),
        "full": OSError(errno.ENOSPC, "No space left on device"),
        "script": ValueError("There is no gold to hold out. Import items with add_items(…, gold='column')."),
    }
    with problems("Not saved."):
        raise errors[kind]


def shown(kind: str) -> str:
    page = AppTest.from_function(failing, args=(kind,)).run(timeout=300)
    assert not page.exception
    return page.get("html")[0].proto.body


def test_an_expected_fault_is_said_in_its_own_words_and_never_as_markup() -> None:
    text = shown("expected")
    assert "Not saved." in text
    assert "The label &#x27;rude&#x27; is not known." in text


def test_an_unexpected_fault_keeps_its_details_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    text = shown("unexpected")
    assert "should not" in text
    assert "secret" not in text
    assert "secret detail" in caplog.text


def test_a_full_disk_is_named_instead_of_the_step_that_met_it() -> None:
    text = shown("full")
    assert "The disk is full." in text
    assert "Not saved." not in text


def test_advice_for_scripts_becomes_a_place_on_the_pages() -> None:
    assert "There is no gold to hold out. Import a file on the Data page." in shown("script")
