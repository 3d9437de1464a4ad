"""The import page with files as people have them: what it says before anything is imported."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter
from playwright.sync_api import expect

from labeling import Project


@pytest.fixture
def upload(desk: Callable[[], Any], app: Any) -> Callable[[str, bytes], Any]:
    """Open the Data page of a new project and give it a file."""

    def give(name: str, content: bytes) -> Any:
        project = name.replace(".", "-")
        Project.create(project, ["ok", "offensive"], storage=app.storage)
        person = desk()
        person.go("data", project, "ann")
        files = [{"name": name, "mimeType": "application/octet-stream", "buffer": content}]
        person.page.locator('input[type="file"]').set_input_files(files)
        return person

    return give


def test_a_file_of_another_encoding_says_so_and_commas_and_days_are_offered(
    upload: Callable[[str, bytes], Any], app: Any
) -> None:
    text = "id;text;price;day\n1;Café crème;3,14;31.12.2024\n2;thé;2,50;01.02.2025\n3;too;many;fields;here\n"
    page = upload("posts.csv", text.encode("cp1252")).page
    expect(page.get_by_text("was read as Windows-1252; line 2 then reads")).to_be_visible()
    expect(page.get_by_text("1 of the first 3 rows would be left out.")).to_be_visible()
    for reading in ("numbers with a decimal comma: 3,14 → 3.14", "dates, the day first: 31.12.2024 → 2024-12-31"):
        page.get_by_text(reading).click()
        expect(page.get_by_role("radio", name=reading)).to_be_checked()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 items added")).to_be_visible()
    items = Project.open("posts-csv", storage=app.storage).items()
    assert items.select("text", "price", "day").rows() == [
        ("Café crème", 3.14, dt.date(2024, 12, 31)),
        ("thé", 2.5, dt.date(2025, 2, 1)),
    ]


def test_a_workbook_in_a_zip_archive_is_read(upload: Callable[[str, bytes], Any], app: Any) -> None:
    book, packed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for row, cells in enumerate([["id", "text"], ["007", "hello"], ["008", "bye"]]):
            sheet.write_row(row, 0, cells)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("posts.xlsx", book.getvalue())
    page = upload("posts.zip", packed.getvalue()).page
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 items added")).to_be_visible()
    assert Project.open("posts-zip", storage=app.storage).items()["id"].to_list() == ["007", "008"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("posts.pdf", b"%PDF-1.7 ...", "posts.pdf is a PDF."),
        ("picture.png", b"\x89PNG\r\n\x1a\n", "picture.png is a picture."),
    ],
)
def test_a_file_that_is_not_read_is_answered_in_words(
    upload: Callable[[str, bytes], Any], name: str, content: bytes, words: str
) -> None:
    page = upload(name, content).page
    expect(page.locator(".tally-notice.bad")).to_contain_text(words)
    expect(page.locator(".tally-notice.bad")).to_contain_text("CSV, TSV, JSON, JSON Lines, Parquet and Excel files")


def test_a_second_file_follows_the_first(upload: Callable[[str, bytes], Any], app: Any) -> None:
    page = upload("first.csv", b"id,text\n1,one\n2,two\n").page
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 items added")).to_be_visible()
    # The first one's field is taken away when the page is drawn to its end.
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    second = {"name": "second.csv", "mimeType": "text/csv", "buffer": b"id,text\n3,three\n"}
    page.locator('input[type="file"]').set_input_files([second])
    expect(page.get_by_text("2 items added")).to_have_count(0)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("1 item added")).to_be_visible()
    assert Project.open("first-csv", storage=app.storage).items()["text"].to_list() == ["one", "two", "three"]


def test_known_answers_without_ids_are_answered_in_words(upload: Callable[[str, bytes], Any], app: Any) -> None:
    person = upload("unnamed.csv", b"ticket,text\nT1,one\nT2,two\n")
    page = person.page
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 items added")).to_be_visible()
    person.open_tab("Known answers")
    answers = {"name": "known.csv", "mimeType": "text/csv", "buffer": b"ticket,truth\nT1,ok\n"}
    expect(page.get_by_text("A file of known answers")).to_be_visible()
    page.locator('input[type="file"]').set_input_files([answers])
    expect(page.get_by_text("“ticket” holds no item numbers")).to_be_visible()
    expect(page.get_by_role("button", name="Take these answers")).to_have_count(0)
