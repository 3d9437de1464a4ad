"""Imports and streams write what an item holds in the same way, so that the same content is known again."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from labeling import Project
from labeling.store.content import content_hash, encoded, encoded_record
from strategies import LeastConfidence, VariableUncertainty

MOMENTS = st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2200-01-01"))
TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
COLUMNS = {
    "text": (TEXTS, pl.String()),
    "whole": (st.integers(-(2**63), 2**63 - 1), pl.Int64()),
    "decimal": (NUMBERS, pl.Float64()),
    "yes": (st.booleans(), pl.Boolean()),
    "day": (st.dates(), pl.Date()),
    "moment": (MOMENTS, pl.Datetime("us")),
    "zoned": (MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)), pl.Datetime("us", "UTC")),
    "numbers": (st.lists(st.none() | NUMBERS), pl.List(pl.Float64())),
    "texts": (st.lists(st.none() | TEXTS), pl.List(pl.String())),
}


@given(st.fixed_dictionaries({name: st.none() | values for name, (values, _) in COLUMNS.items()}))
def test_a_record_is_written_as_the_row_of_a_frame_is(record):
    frame = pl.DataFrame([record], schema={name: dtype for name, (_, dtype) in COLUMNS.items()}, orient="row")
    assert encoded_record(record, list(COLUMNS)) == frame.select(encoded(list(COLUMNS))).item()


def test_no_column_is_an_empty_object():
    assert encoded_record({}, []) == pl.DataFrame({"n": [1]}).select(encoded([])).item() == "{}"


def test_private_values_and_pictures_tell_items_apart():
    parts = [("{}", None, None), ("{}", "{}", None), ("{}", None, b"{}"), ("{}{}", None, None)]
    assert len({content_hash(*each) for each in parts}) == len(parts)
    assert content_hash("{}", None, None) == content_hash("{}", None, None)


def test_a_record_of_a_stream_is_known_when_a_file_brings_it_again(sqlite_url):
    project = Project.create("p", ["a", "b"], storage=sqlite_url)
    rows = {"text": ["one"], "x": [1e-7], "at": [datetime.fromisoformat("2024-01-02T03:04:05.600")]}
    stream = project.stream_loop("s", strategy=LeastConfidence(), budget=VariableUncertainty(0.5))
    stream.offer({name: values[0] for name, values in rows.items()})
    report = project.add_items(pl.DataFrame(rows), text="text")
    assert (report.added, report.known) == (0, 1)
