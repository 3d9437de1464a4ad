"""Comparisons with dates, whatever the column keeps them as."""

import re
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from labeling import Project, apply, comparison

MOMENTS = pl.DataFrame(
    {
        "day": [date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 2), None],
        "text": ["2023-12-31", "2024-01-01", "2024-01-02", None],
    }
).with_columns(
    moment=pl.col("day").cast(pl.Datetime("us")),
    utc=pl.col("day").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
    zoned=pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
)
NEW_YEAR = [date(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), np.datetime64("2024-01-01"), "2024-01-01", "2024"]
EXPECTED = {">": [0, 0, 1], ">=": [0, 1, 1], "<": [1, 0, 0], "<=": [1, 1, 0], "==": [0, 1, 0], "!=": [1, 0, 1]}


@pytest.mark.parametrize("value", NEW_YEAR, ids=str)
@pytest.mark.parametrize("column", ["day", "moment", "utc", "zoned"])
def test_dates_and_moments_compare_with_a_date_however_it_is_given(column, value):
    rules = [comparison(operator, column, operator, value, label="yes") for operator in EXPECTED]
    votes = apply(rules, MOMENTS, labels=["no", "yes"]).values
    expected = np.array([*zip(*EXPECTED.values(), strict=True), (0,) * 6])
    np.testing.assert_array_equal(votes, np.where(expected, 1, -1))


def test_a_text_column_still_compares_as_text():
    votes = apply([comparison("c", "text", ">", "2024-01-01", label="yes")], MOMENTS, labels=["no", "yes"])
    assert votes.values.ravel().tolist() == [-1, -1, 1, -1]


def test_a_date_in_a_rule_is_kept_as_text_and_votes_after_reopening(storage_url):
    project = Project.create("p", labels=["no", "yes"], storage=storage_url)
    project.add_items(MOMENTS.select("text", "day"))
    project.add_functions([comparison("c", "day", ">=", date(2024, 1, 1), label="yes")])
    reopened = Project.open("p", storage=storage_url)
    assert reopened.label_matrix().values.ravel().tolist() == [-1, 1, 1, -1]


def test_a_number_of_numpy_is_kept_as_a_number():
    assert comparison("c", "n", ">", np.int64(3), label="yes").spec["value"] == 3


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("text", 3, "the column holds text, and 3 is not. Compare it with a text, as in '3', or import the column"),
        ("n", "x", "the column holds numbers, and 'x' is a text. Compare it with a number (n is Int64)"),
    ],
)
def test_a_comparison_of_text_with_a_number_says_so_in_plain_words(column, value, said):
    frame = pl.DataFrame({"text": ["a", "5"], "n": [1, 2]})
    with pytest.raises(ValueError, match=re.escape(said)):
        apply([comparison("c", column, ">", value, label="yes")], frame, labels=["no", "yes"])
