import datetime as dt

import polars as pl
import pytest

from labeling.formats.reading.offers import offers
from labeling.formats.reading.tables import read_source

CSV = b"text;price;day;at\nhello;3,14;31.12.2024;1/2/2024 5:06\nbye;1.234,50;01.02.2025;13/2/2024 17:08:09\n"


def read(content=CSV, **options):
    return read_source(content, name="posts.csv", **options)


def test_a_comma_or_a_day_is_offered_and_never_taken_unasked():
    table = read()
    assert set(table.frame.dtypes) == {pl.String}
    assert [(offer.option, offer.value, offer.columns) for offer in offers(table.frame)] == [
        ("decimal", ",", ("price",)),
        ("dates", "day-first", ("day", "at")),
    ]
    assert offers(table.frame)[0].examples == (("3,14", "3.14"), ("1.234,50", "1234.5"))


def test_numbers_and_dates_are_read_as_asked_for():
    table = read(decimal=",", dates="day-first")
    assert table.frame["price"].to_list() == [3.14, 1234.5]
    assert table.frame["day"].to_list() == [dt.date(2024, 12, 31), dt.date(2025, 2, 1)]
    moments = ["2024-02-01T05:06:00", "2024-02-13T17:08:09"]
    assert table.frame["at"].to_list() == [dt.datetime.fromisoformat(moment) for moment in moments]
    assert table.text_of("price").to_list() == ["3,14", "1.234,50"]
    assert table.notes == []


def test_where_either_order_fits_both_are_offered_and_either_can_be_taken():
    content = b"text,day\na,01/02/2024\nb,\n"
    assert [offer.value for offer in offers(read(content).frame)] == ["day-first", "month-first"]
    assert read(content, dates="day-first").frame["day"].to_list() == [dt.date(2024, 2, 1), None]
    assert read(content, dates="month-first").frame["day"].to_list() == [dt.date(2024, 1, 2), None]


@pytest.mark.parametrize(
    "cells",
    [
        ["1,2,3", "4,5"],
        ["12,5 kg", "3,1"],
        ["1.23,4", "2,5"],
        ["31.12.24", "01.01.25"],
        ["32.12.2024", "01.01.2025"],
        ["31.02.2024", "01.01.2025"],
        ["hello, you", "3,14"],
        ["7", "8"],
        [None, None],
    ],
)
def test_what_is_not_such_a_column_without_exception_is_not_offered(cells):
    frame = pl.DataFrame({"n": cells}, schema={"n": pl.String})
    assert offers(frame) == ()


def test_a_column_with_an_exception_stays_text_and_a_note_names_the_cell():
    table = read(b"text;n;day\na;3,1;31.12.2024\nb;2,5;01.01.2025\nc;about 3;soon\n", decimal=",", dates="day-first")
    assert table.frame["n"].to_list() == ["3,1", "2,5", "about 3"]
    assert table.notes == [
        "Column 'n' stays text: 'about 3' is not read by decimal=','.",
        "Column 'day' stays text: 'soon' is not read by dates='day-first'.",
    ]


def test_a_column_with_points_alone_is_remarked_on():
    table = read(b"text;n\na;1.234\nb;5.678\n", decimal=",")
    assert table.notes == ["Column 'n' was read with a decimal point: '1.234' has no comma."]


@pytest.mark.parametrize(("option", "value"), [("decimal", ";"), ("dates", "year-first")])
def test_another_value_is_an_error(option, value):
    with pytest.raises(ValueError, match=f"{option} is .*, not '{value}'"):
        read(**{option: value})
