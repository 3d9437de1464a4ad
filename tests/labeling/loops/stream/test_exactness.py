"""What is offered to a stream is kept as exactly as what is imported."""

from datetime import time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labeling import Project
from strategies import LeastConfidence, VariableUncertainty


@pytest.fixture
def stream(sqlite_url):
    project = Project.create("live", labels=["no", "yes"], storage=sqlite_url)
    return project.stream_loop("live", strategy=LeastConfidence(), budget=VariableUncertainty(0.5), seed=1)


def items(stream, column):
    return Project(stream._store.ledger).items()[column].to_list()


def test_keys_may_be_whole_numbers_and_are_exact(stream):
    large = 9007199254740993
    first = stream.offer({"text": "a"}, key=large)
    assert stream.offer({"text": "b"}, key=large - 1).item_id != first.item_id
    for same in (large, str(large), np.int64(large)):
        assert stream.offer({"text": "a"}, key=same).item_id == first.item_id
    assert stream.offer({"text": "c"}, key=UUID(int=1)).key == "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("key", [0.5, 9007199254740992.0, True, "", b"a"])
def test_other_keys_are_refused(stream, key):
    with pytest.raises(ValueError, match="A key is a text"):
        stream.offer({"text": "a"}, key=key)


def test_whole_numbers_beside_decimals_stay_exact(stream):
    stream.offer_many([{"text": "a", "n": 9007199254740993}, {"text": "b", "n": 0.5}, {"text": "c", "n": float("nan")}])
    assert items(stream, "n") == ["9007199254740993", "0.5", None]


def test_missing_texts_are_missing(stream):
    stream.offer_many([{"text": "a", "note": "x"}, {"text": "b", "note": float("nan")}, {"text": "c", "note": 5.0}])
    assert items(stream, "note") == ["x", None, "5"]


def test_decimals_too_large_to_be_exact_are_refused_as_text(stream):
    with pytest.raises(ValueError, match="too large to tell whole numbers apart"):
        stream.offer_many([{"text": "a", "n": "x"}, {"text": "b", "n": 9007199254740992.0}])


def test_bytes_that_are_no_picture_become_text(stream):
    stream.offer({"text": "a", "digest": b"\x01"})
    stream.offer({"text": "b", "digest": b"\x02"})
    assert items(stream, "digest") == [f"data:application/octet-stream;base64,{end}" for end in ("AQ==", "Ag==")]
    assert len(Project(stream._store.ledger).ledger.imports.all()) == 1


def test_whole_numbers_stay_exact_when_decimals_come_later(stream):
    stream.offer({"text": "a", "n": 1})
    stream.offer({"text": "b", "n": 9007199254740993})
    stream.offer({"text": "c", "n": 0.5})
    assert items(stream, "n") == ["1", "9007199254740993", "0.5"]


def test_whole_numbers_stay_exact_beside_decimals_of_an_import(stream):
    Project(stream._store.ledger).add_items(pl.DataFrame({"text": ["a"], "n": [0.5]}), text="text")
    stream.offer({"text": "b", "n": 9007199254740993})
    assert items(stream, "n") == ["0.5", "9007199254740993"]


@pytest.mark.parametrize(
    "value",
    [
        UUID(int=1),
        Decimal("1.50"),
        Decimal("1.123456789012345678901"),
        Decimal("NaN"),
        time(1, 2),
        timedelta(hours=1),
        2**70,
        1 + 2j,
        {"a": [1, None]},
        {"b", "a"},
        (1, "a"),
        [1, 2],
        [1, 2.5],
        [2**70, None],
        [True, False],
        [[1, 2], [3]],
        [UUID(int=2)],
        pd.Period("2024-01"),
        pd.Timestamp("2024-01-31 12:00", tz="Europe/Berlin"),
        pd.NaT,
        np.datetime64("2024-01-31T12:00"),
    ],
    # The order of a set differs from process to process; workers must agree on names.
    ids=lambda value: "a set" if isinstance(value, set) else repr(value),
)
def test_a_stream_keeps_any_value_as_an_import_does(stream, sqlite_url, value):
    imported = Project.create("imported", labels=["no", "yes"], storage=sqlite_url)
    imported.add_items([{"text": "a", "v": value}], text="text")
    stream.offer({"text": "a", "v": value})
    assert items(stream, "v") == imported.items()["v"].to_list()


def test_truth_values_beside_texts_are_written_as_an_import_writes_them(stream):
    stream.offer_many([{"text": "a", "v": True}, {"text": "b", "v": "maybe"}])
    assert items(stream, "v") == ["true", "maybe"]
