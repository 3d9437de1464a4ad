"""Text from outside never becomes markup."""

from __future__ import annotations

import html
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labeling.formats.reading.pictures import LARGEST_BYTES
from labeling.loops.records import LoopProgress, Query
from labeling.store.label_set import LabelClass
from ui.annotate.card import Neighbour, item_html, meanings_html, picture, status_html, why_html
from ui.parts.markup import mark_spans, plain, spans_of

NASTY = "<img src=x onerror=alert(1)> ![a](http://a.example/b.png) & \"'"


def question(text: str) -> Query:
    return Query(
        id=7,
        uuid="u",
        loop="first",
        annotator="ann",
        item_id=3,
        item={"text": text, NASTY: NASTY},
        score=0.5,
        parts={NASTY: 0.2, "b": 0.3},
        strategy=NASTY,
        round=1,
        rank=0,
        predicted=NASTY,
        probabilities={NASTY: 1.0},
    )


def test_a_label_of_a_button_holds_no_image() -> None:
    assert "![" not in plain(NASTY)
    assert plain("two\nlines") == "two lines"


@given(st.text(), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5))
def test_marking_changes_nothing_but_adds_marks(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(min(a, len(text)), min(max(a, b), len(text))) for a, b in spans]
    marked = mark_spans(text, inside)
    assert html.unescape(marked.replace("<mark>", "").replace("</mark>", "")) == html.unescape(html.escape(text))
    assert "<" not in marked.replace("<mark>", "").replace("</mark>", "")


@given(st.text(alphabet="ab <", max_size=20), st.lists(st.text(alphabet="ab <", max_size=3), max_size=4))
def test_spans_hold_the_pieces_in_order(text: str, pieces: list[str]) -> None:
    spans = spans_of(text, pieces)
    assert all(text[start:end] in pieces for start, end in spans)
    assert spans == sorted(spans)


def test_the_card_escapes_every_value() -> None:
    page = item_html(question(NASTY), 'x"y', "text", [(0, 4)], "", set())
    assert "<img" not in page
    assert page.count("<mark>") == 1
    assert 'data-shown="x&quot;y"' in page


def test_the_card_says_when_there_is_no_text_and_hides_what_it_must() -> None:
    page = item_html(question(""), "s", "text", [], "", {NASTY})
    assert "This item has no text." in page
    assert "example" not in page


def test_the_reasons_escape_every_value_and_can_be_hidden() -> None:
    shown = why_html(question("a"), [], [], blind=False)
    assert "<img" not in shown
    assert "What the model thinks" in shown
    assert "What the model thinks" not in why_html(question("a"), [], [], blind=True)


def test_near_items_and_meanings_escape_every_value() -> None:
    near = Neighbour(7, NASTY, 0.9, NASTY)
    assert "<img" not in why_html(question("a"), [], [], [near], blind=False)
    assert "Nearest labeled items" in why_html(question("a"), [], [], [near], blind=False)
    assert "Nearest labeled items" not in why_html(question("a"), [], [], [near], blind=True)
    assert "<img" not in meanings_html([LabelClass(1, NASTY, None, NASTY)])
    assert meanings_html([LabelClass(1, "ok")]) == ""


def test_the_status_line_says_how_far_and_how_long_still() -> None:
    progress = LoopProgress(412, 0, 0, 0, 3, 500, 20, 8, 9.2)
    line = status_html(progress, None, learning=True)
    assert "<b>412</b> / 500 · 9.2 a minute · about 10 min left" in line
    assert "model is learning…" in line
    assert 'aria-valuenow="82"' in line


def test_the_time_left_is_that_of_the_pool_where_it_ends_first_and_needs_a_pace() -> None:
    progress = LoopProgress(412, 0, 0, 0, 3, 500, 20, 8, 10.0, left=20)
    assert "10.0 a minute · about 2 min left" in status_html(progress, None, learning=False)
    unknown = LoopProgress(412, 0, 0, 0, 3, 500, 20, 8, None, left=20)
    assert "<b>412</b> / 500 · pace not known yet" in status_html(unknown, None, learning=False)


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()


def test_a_card_shows_pictures_that_are_held_and_reads_no_file(tmp_path: Path) -> None:
    held = png(4, 4)
    file = tmp_path / "secret.png"
    file.write_bytes(held)
    assert picture({"photo": held}, "photo") == held
    for text in (str(file), file.as_uri(), "https://example.org/a.png", "data:image/png;base64,AAAA"):
        assert picture({"photo": text}, "photo") is None


def test_a_card_opens_no_picture_that_is_none_or_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELING_MAX_PIXELS", "10000")
    assert picture({"photo": png(100, 100)}, "photo") is not None
    assert picture({"photo": png(101, 100)}, "photo") is None
    assert picture({"photo": b"\x89PNG\r\n\x1a\n" + b"x" * 100}, "photo") is None
    assert picture({"photo": png(4, 4) + b"x" * LARGEST_BYTES}, "photo") is None


def test_a_card_says_what_stands_as_text_where_a_picture_is_expected() -> None:
    query = replace(question(""), item={"photo": "https://example.org/a.png", "thumb": b"raw bytes"})
    shown = item_html(query, "s", None, [], "", set())
    assert "https://example.org/a.png" in shown
    assert "raw bytes" not in shown
