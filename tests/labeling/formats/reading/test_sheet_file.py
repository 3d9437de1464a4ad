import datetime as dt
import gzip
import io
import zipfile

import polars as pl
import pytest
import xlsxwriter

from labeling.formats.reading.sheet_file import SHEET_BYTES
from labeling.formats.reading.tables import read_source


def workbook(*sheets):
    """Return a workbook whose sheets are lists of rows, or functions that fill a sheet."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        for number, sheet in enumerate(sheets, start=1):
            page = book.add_worksheet(f"sheet {number}")
            if callable(sheet):
                sheet(page, book)
            else:
                for row, cells in enumerate(sheet):
                    for column, cell in enumerate(cells):
                        page.write(row, column, cell)
    return buffer.getvalue()


def read(*sheets, **options):
    return read_source(workbook(*sheets), name="posts.xlsx", **options)


def test_cells_are_what_they_are():
    day = dt.date(2024, 12, 31)
    table = read([["id", "n", "share", "day", "flag"], ["007", 3, 0.5, day, True], ["008", 40, 3, day, False]])
    assert table.frame.rows() == [("007", 3, 0.5, day, True), ("008", 40, 3.0, day, False)]
    assert table.frame.schema == {
        "id": pl.String,
        "n": pl.Int64,
        "share": pl.Float64,
        "day": pl.Date,
        "flag": pl.Boolean,
    }
    assert (table.lines.tolist(), table.notes, table.format) == ([2, 3], [], "sheet")


@pytest.mark.parametrize("name", ["posts.xlsx.gz", "posts.zip"])
def test_a_workbook_may_be_packed(name):
    content = workbook([["id", "text"], ["007", "a"]])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("posts.xlsx", content)
    packed_as = {"posts.xlsx.gz": gzip.compress(content), "posts.zip": packed.getvalue()}
    assert read_source(packed_as[name], name=name).frame.rows() == [("007", "a")]


def test_a_packed_workbook_is_held_to_the_limit_too(monkeypatch):
    content = gzip.compress(workbook([["text"], *([f"the row {n} of many"] for n in range(2000))]))
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", "60000")
    with pytest.raises(ValueError, match=r"would unpack to .* at most 60,000 bytes"):
        read_source(content, name="posts.xlsx.gz")


def test_dates_with_a_time_of_day_are_moments():
    def fill(page, book):
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        page.write_row(0, 0, ["text", "at"])
        page.write_row(1, 0, ["a"])
        page.write_datetime(1, 1, dt.datetime.fromisoformat("2024-12-31T05:06:07"), moment)

    assert read(fill).frame["at"].to_list() == [dt.datetime.fromisoformat("2024-12-31T05:06:07")]


def test_a_formula_is_the_value_that_was_saved_and_an_error_is_empty():
    def fill(page, _):
        page.write_row(0, 0, ["text", "sum"])
        page.write_row(1, 0, ["a"])
        page.write_formula(1, 1, "=1+41", None, 42)
        page.write_row(2, 0, ["b"])
        page.write_formula(2, 1, "=1/0", None, "#DIV/0!")

    assert read(fill).frame["sum"].to_list() == [42, None]


def test_a_column_of_several_kinds_becomes_text_and_a_note_says_so():
    table = read([["text", "id"], ["a", 7], ["b", "008"], ["c", 1.5], ["d", True]])
    assert table.frame["id"].to_list() == ["7", "008", "1.5", "true"]
    assert table.notes == ["Column 'id' holds cells of several kinds; they became text."]


def test_numbers_too_long_for_a_sheet_are_remarked_on():
    table = read([["text", "id"], ["a", 1234567890123456789]])
    assert "Column 'id' has numbers of more than 15 digits" in table.notes[0]


def test_empty_rows_and_columns_and_a_title_are_left_out():
    def fill(page, _):
        page.write(1, 2, "Posts of May")
        page.write_row(3, 1, ["id", "", "text"])
        page.write_row(4, 1, ["1", "", "a"])
        page.write_row(6, 1, ["2", "", "b"])

    table = read(fill)
    assert table.frame.rows(named=True) == [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]
    assert table.lines.tolist() == [5, 7]
    assert table.notes == ["1 row above the header left out, beginning 'Posts of May'."]


def test_a_header_over_two_rows_joins_the_names_of_merged_cells():
    def fill(page, _):
        page.merge_range(0, 0, 1, 0, "id")
        page.merge_range(0, 1, 0, 2, "score")
        page.write_row(1, 1, ["low", "high"])
        page.write_row(2, 0, ["x", 1, 2])

    table = read(fill)
    assert table.frame.rows(named=True) == [{"id": "x", "score low": 1, "score high": 2}]
    assert table.notes == ["The header spans the rows 1 and 2 of the sheet."]


def test_the_first_sheet_with_rows_is_read_and_another_by_name_or_number():
    sheets = ([], [["text"], ["a"]], [["text"], ["b"]])
    table = read(*sheets)
    assert table.frame["text"].to_list() == ["a"]
    assert table.notes == ["The sheet 'sheet 2' was read, of 3; the others are 'sheet 1', 'sheet 3'."]
    assert read(*sheets, sheet="sheet 3").frame["text"].to_list() == ["b"]
    assert read(*sheets, sheet=2).frame["text"].to_list() == ["a"]


@pytest.mark.parametrize("sheet", ["other", 0, 3, True])
def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(sheet):
    with pytest.raises(ValueError, match=r"posts\.xlsx has no sheet .*: 'sheet 1', 'sheet 2'"):
        read([["text"], ["a"]], [["text"], ["b"]], sheet=sheet)


def test_a_sheet_without_rows_is_refused():
    with pytest.raises(ValueError, match="has no rows"):
        read([])
    with pytest.raises(ValueError, match=r"has a header \(text, label\) and no rows"):
        read([["text", "label"]])


def test_first_rows_alone_can_be_read():
    assert read([["text"], *([f"row {n}"] for n in range(500))], limit=3).frame["text"].to_list() == [
        "row 0",
        "row 1",
        "row 2",
    ]


def test_columns_without_a_header_are_named_by_position():
    table = read([[1, "a"], [2, "b"]])
    assert table.frame.rows(named=True) == [{"column_1": 1, "column_2": "a"}, {"column_1": 2, "column_2": "b"}]
    assert "No header was found" in table.notes[0]


def test_a_workbook_cut_off_is_refused_as_broken():
    whole = workbook([["text"], ["a"]])
    with pytest.raises(ValueError, match=r"posts\.xlsx is a broken"):
        read_source(whole[:-40], name="posts.xlsx")


def test_a_workbook_with_a_damaged_byte_is_read_or_refused_in_words():
    whole = workbook([["id", "text", "n"], *([str(n), "hello", n / 2] for n in range(20))])
    messages = []
    for at in range(0, len(whole), 23):
        damaged = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            read_source(damaged, name="posts.xlsx")
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all("posts.xlsx" in message for message in messages)


def test_a_workbook_locked_with_a_password_is_refused_in_words():
    locked = SHEET_BYTES + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(ValueError, match=r"posts\.xlsx is locked with a password"):
        read_source(locked, name="posts.xlsx")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"[Content_Types].xml": "", "word/document.xml": ""}, "a Word document"),
        ({"[Content_Types].xml": "", "ppt/presentation.xml": ""}, "a PowerPoint presentation"),
        ({"[Content_Types].xml": "", "xl/workbook.bin": ""}, "a binary Excel workbook"),
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, "an OpenDocument sheet"),
    ],
)
def test_documents_of_another_kind_are_refused_by_their_name(members, words):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=f"a.xlsx is {words}.*CSV, TSV, JSON"):
        read_source(buffer.getvalue(), name="a.xlsx")


def test_a_file_that_only_is_called_a_workbook_is_refused():
    with pytest.raises(ValueError, match="is no workbook"):
        read_source(b"text,label\na,ok\n", name="posts.xlsx")


def test_a_cell_far_outside_the_table_is_refused_before_the_sheet_is_laid_out():
    def fill(page, _):
        page.write_row(0, 0, ["text"])
        page.write(1_000_000, 1_000, "far")

    with pytest.raises(ValueError, match=r"1,000,001 rows and 1,001 columns with 2 cells in use"):
        read(fill)


def test_more_columns_or_rows_than_the_limit_are_refused(monkeypatch):
    rows = [["text", "a", "b"], ["x", "y", "z"]]
    monkeypatch.setenv("LABELING_MAX_COLUMNS", "2")
    with pytest.raises(ValueError, match="3 columns; at most 2"):
        read(rows)
    monkeypatch.setenv("LABELING_MAX_COLUMNS", "3")
    assert read(rows).frame.width == 3


def test_an_export_that_went_through_a_spreadsheet_is_known_for_one():
    names = ["item_id", "label", "source", "confidence", "annotators", "text"]
    table = read([names, [1, "ok", "human", 1.0, '["ann"]', "'=1+1"]])
    assert table.is_export
    assert table.frame["text"].to_list() == ["=1+1"]
