"""Columns of any type come in: as they are, as text with a note, or left out with a note; never with a raw error."""

import datetime as dt
import decimal
import uuid
from contextlib import suppress

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.formats.columns.supported import supported_columns
from labeling.formats.columns.types import dtype_name
from labeling.formats.columns.values import column_of, texts_of
from labeling.formats.mapping import Mapping, guess_mapping, prepare_items
from labeling.formats.reading.tables import read_source
from labeling.library_errors import LIBRARIES

at = dt.datetime.fromisoformat
UTC = dt.timezone.utc  # noqa: UP017 - the plain name reads better in tables of values


def kept(values):
    """Return what becomes of a column, and what is said about it."""
    table = read_source(values if isinstance(values, pd.DataFrame) else pl.DataFrame({"x": values}))
    return table.frame["x"].to_list(), " ".join(table.notes)


def test_moments_of_any_zone_are_kept_in_utc():
    there = pl.Series([at("2024-01-01"), at("2024-06-01"), None]).dt.replace_time_zone("Europe/Berlin")
    values, note = kept(there)
    assert values == [dt.datetime(2023, 12, 31, 23, tzinfo=UTC), dt.datetime(2024, 5, 31, 22, tzinfo=UTC), None]
    assert note == "Column 'x' has the time zone Europe/Berlin; the same moments are kept in UTC."
    assert kept(pd.DataFrame({"x": pd.to_datetime(["2024-06-01"]).tz_localize("+02:00")}))[0] == [
        dt.datetime(2024, 5, 31, 22, tzinfo=UTC)
    ]


def test_records_keep_moments():
    table = read_source([{"x": dt.datetime(2024, 1, 1, tzinfo=UTC)}, {"x": None}])
    assert table.frame["x"].to_list() == [dt.datetime(2024, 1, 1, tzinfo=UTC), None]
    assert table.notes == []


def test_times_outside_of_the_calendar_become_empty():
    far = pl.Series([0, 2**62]).cast(pl.Datetime("ms"))
    assert kept(far) == (
        [at("1970-01-01"), None],
        "Column 'x' holds 1 times outside of the years 1 to 9999; they became empty.",
    )
    assert kept(pl.Series([0, 2**30]).cast(pl.Date))[0] == [dt.date(1970, 1, 1), None]


def test_fractions_of_a_microsecond_are_told():
    values, note = kept(pl.Series([1_000, 1_001]).cast(pl.Datetime("ns")))
    assert values == [at("1970-01-01 00:00:00.000001")] * 2
    assert note == "Column 'x' holds fractions of a microsecond; they were cut off."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.period_range("2024-01", periods=2, freq="M"), ["2024-01", "2024-02"]),
        (pd.interval_range(0, 2), ["(0, 1]", "(1, 2]"]),
        (pd.cut([1, 3], [0, 2, 4]), ["(0, 2]", "(2, 4]"]),
        ([1 + 2j, 3j], ["(1+2j)", "3j"]),
        (pd.to_timedelta([1, 2], unit="h"), ["PT1H", "PT2H"]),
        ([uuid.UUID(int=1), None], ["00000000-0000-0000-0000-000000000001", None]),
        ([dt.time(12, 30), None], ["12:30:00", None]),
        ([{1: "a"}, [1]], ['{"1": "a"}', "[1]"]),
        ([object(), 1], [None, "1"]),
    ],
    ids=["period", "interval", "categories", "complex", "timedelta", "uuid", "time", "mixed", "object"],
)
def test_what_items_do_not_keep_becomes_text_with_a_note(values, expected):
    values, note = kept(pd.DataFrame({"x": values}))
    assert values == expected
    assert note.startswith("Column 'x' ")
    assert "became text" in note


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, 2], dtype="float16"), [1.0, 2.0]),
        ([{2, 1}, set()], [[1, 2], []]),
        ([(1, 2), None], [[1, 2], None]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.arrays.SparseArray([0, 1]), [0, 1]),
        (pd.Categorical([2**60 + 1, None]), [2**60 + 1, None]),
        ([np.int64(3), np.int64(4)], [3, 4]),
        ([pd.NaT, pd.Timestamp("2024-01-01")], [None, at("2024-01-01")]),
    ],
    ids=["float16", "sets", "tuples", "Int64", "sparse", "categories of ids", "numpy", "timestamps"],
)
def test_what_items_keep_comes_as_it_is(values, expected):
    assert kept(pd.DataFrame({"x": values})) == (expected, "")


def test_a_structure_that_is_missing_stays_missing():
    assert kept([{"a": 1}, None, {"a": None}])[0] == ['{"a":1}', None, '{"a":null}']


def test_a_column_that_cannot_be_read_keeps_no_other_from_it(monkeypatch):
    def broken(self, *_):
        raise pl.exceptions.ComputeError("no")

    frame = pl.DataFrame({"text": ["a"], "x": pl.Series([dt.timedelta(1)])})
    monkeypatch.setattr("labeling.formats.columns.supported.texts_of", broken)
    monkeypatch.setattr("labeling.formats.columns.supported._temporal", broken)
    read, notes = supported_columns(frame)
    assert read.columns == ["text"]
    assert notes == ["Column 'x' is of the type Duration(time_unit='us'), which has no text; it was left out."]


def test_whole_numbers_beside_decimals_stay_exact():
    assert column_of("x", [2**53 + 1, float("nan")])[0].to_list() == [2**53 + 1, None]
    assert column_of("x", [2**53 + 1, 0.5])[0].to_list() == ["9007199254740993", "0.5"]
    assert column_of("x", [[2**53 + 1], [0.5]])[0].to_list() == ["[9007199254740993]", "[0.5]"]
    assert column_of("x", [3, 0.5])[0].to_list() == [3.0, 0.5]
    assert texts_of("x", [-(2**63), 2.0]).to_list() == ["-9223372036854775808", "2"]


LARGE = [9007199254740993, 9007199254740992, 9007199254740994]


@pytest.mark.parametrize(
    "source",
    [
        [{"id": LARGE[0]}, {"id": LARGE[1]}, {"id": float("nan")}, {"id": LARGE[2]}],
        [{"id": LARGE[0]}, {"id": LARGE[1]}, {"id": 0.5}, {"id": LARGE[2]}],
        b'{"id": 9007199254740993}\n{"id": 9007199254740992}\n{"id": NaN}\n{"id": 9007199254740994}\n',
        b'[{"id": 9007199254740993}, {"id": 9007199254740992}, {"id": 1e3}, {"id": 9007199254740994}]',
        b"id,text\n9007199254740993,a\n9007199254740992,b\n0.5,c\n9007199254740994,d\n",
        pd.DataFrame({"id": [*LARGE[:2], None, LARGE[2]]}, dtype=object),
        pd.DataFrame({"id": [*LARGE[:2], 0.5, LARGE[2]]}, dtype=object),
        pd.DataFrame({"id": pd.array([*LARGE[:2], None, LARGE[2]], dtype="Int64")}),
        pl.DataFrame({"id": pl.Series([*LARGE[:2], None, LARGE[2]], dtype=pl.UInt64)}),
        pl.DataFrame({"id": pl.Series([*LARGE[:2], 2**70, LARGE[2]], dtype=pl.Int128)}),
        pl.DataFrame({"id": pl.Series([*LARGE[:2], 2**63, LARGE[2]], dtype=pl.UInt64)}),
        pl.DataFrame({"id": pl.Series([decimal.Decimal(value) for value in (*LARGE[:2], 1, LARGE[2])])}),
        pl.DataFrame({"id": pl.Series([decimal.Decimal(value) for value in (*LARGE[:2], "0.5", LARGE[2])])}),
        pl.DataFrame({"id": pl.Series([*LARGE[:2], "x", LARGE[2]], dtype=pl.Object)}),
    ],
    ids=[
        *("nan", "half", "jsonl", "json", "csv", "pandas gap", "pandas half", "pandas Int64"),
        *("uint64", "int128", "large uint64", "decimal", "decimal half", "objects"),
    ],
)
def test_large_ids_stay_apart_by_every_door(source):
    table = read_source(source, name="rows.csv" if isinstance(source, bytes) and source.startswith(b"id") else None)
    ids = table.keys_of("id").to_list()
    assert [ids[row] for row in (0, 1, 3)] == ["9007199254740993", "9007199254740992", "9007199254740994"]


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Float32])
def test_decimals_that_merge_ids_are_refused_as_ids(dtype):
    table = read_source(pl.DataFrame({"id": pl.Series([LARGE[0], 1], dtype=dtype), "text": ["a", "b"]}))
    with pytest.raises(ValueError, match=r"Column 'id' holds decimals as large as 900719925474099\d: .*dtype=str"):
        prepare_items(table, Mapping(text="text", id="id"))
    with pytest.raises(ValueError, match="Column 'id' holds decimals as large"):
        prepare_items(table, Mapping(text="text", group="id"))
    assert prepare_items(table, Mapping(text="text")).frame.height == 2


def test_small_whole_decimals_are_ids_row_by_row():
    table = read_source(pl.DataFrame({"id": [5.0, 0.5, None]}))
    assert table.keys_of("id").to_list() == ["5", "0.5", None]


def test_exact_decimals_keep_their_digits_as_text():
    exact = pl.Series([decimal.Decimal("1.10"), decimal.Decimal("12345678901234567.25")])
    table = read_source(pl.DataFrame({"x": exact}))
    assert table.text_of("x").to_list() == ["1.10", "12345678901234567.25"]
    assert table.frame["x"].to_list() == ["1.10", "12345678901234567.25"]
    assert kept(exact[:1]) == ([1.1], "")


def test_bytes_that_name_rows_are_written_in_hex():
    table = read_source(pl.DataFrame({"id": [b"\x01\xff", b"\x02"], "text": ["a", "b"]}))
    assert prepare_items(table, Mapping(text="text", id="id")).id.to_list() == ["01ff", "02"]


KINDS = [
    *(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.binary(max_size=5)),
    *(st.complex_numbers(), st.decimals(), st.fractions(), st.uuids(), st.dates(), st.datetimes(), st.times()),
    *(st.timedeltas(), st.datetimes(timezones=st.timezones()), st.sets(st.integers(), max_size=2)),
    st.lists(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.integers(), st.floats()), max_size=2),
    st.sampled_from([pd.NaT, pd.NA, pd.Interval(0, 1), pd.Period("2024-01"), np.float16(1), np.datetime64("2024")]),
    st.sampled_from([np.array([1, 2]), pd.Timestamp("2024-01-01", tz="Asia/Tokyo"), pd.Timedelta(1), "\ud800", "\0"]),
]
COLUMNS = st.one_of(
    st.lists(st.one_of(KINDS), min_size=3, max_size=3),
    st.sampled_from(KINDS).flatmap(lambda kind: st.lists(st.one_of(st.none(), kind), min_size=3, max_size=3)),
)


@settings(max_examples=150)
@given(COLUMNS, st.sampled_from(["pandas", "records", "objects", "polars"]))
def test_no_column_stops_the_import_or_loses_a_row(values, door):
    if door == "pandas":
        odd = pd.Series(values, dtype=object)
        with suppress(UnicodeEncodeError):
            odd = odd.infer_objects()
        source = pd.DataFrame({"text": list("abc"), "odd": odd})
    elif door == "records":
        source = [{"text": text, "odd": value} for text, value in zip("abc", values, strict=True)]
    elif door == "objects":
        source = pl.DataFrame({"text": list("abc"), "odd": pl.Series(values, dtype=pl.Object)})
    else:
        try:
            source = pl.DataFrame({"text": list("abc"), "odd": values}, strict=False)
        except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - Polars itself makes no frame of it
            return
    table = read_source(source)
    rows = prepare_items(table, guess_mapping(table.frame))
    assert rows.frame.height == 3
    for name, dtype in rows.frame.schema.items():
        assert dtype_name(dtype), name


def test_no_raw_error_of_a_library_reaches_a_user(tmp_path):
    broken = tmp_path / "rows.parquet"
    pl.DataFrame({"a": range(1000)}).write_parquet(broken)
    content = bytearray(broken.read_bytes())
    content[10:200] = b"\xff" * 190
    broken.write_bytes(content)
    lazy = pl.LazyFrame({"a": ["x"]}).with_columns(pl.col("a").cast(pl.Int64))
    for source in (broken, lazy):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the type is what is looked at
            read_source(source)
        assert type(caught.value).__module__.partition(".")[0] not in LIBRARIES
