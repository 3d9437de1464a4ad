from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labeling import Project
from strategies import (
    FixedThreshold,
)
from tests.labeling.stream_loops import LABELS, again, stream_of


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.fixture
def local(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


def test_every_arrival_is_an_item_however_often_it_came(project):
    stream = stream_of(project)
    ids = [stream.offer({"text": "again"}).item_id for _ in range(3)]
    assert project.items()["item_id"].to_list() == ids
    assert len(set(ids)) == 3


def test_numbers_make_a_classifier_of_their_own(project):
    rng = np.random.default_rng(0)
    stream = stream_of(project, FixedThreshold(0.0))
    decisions = []
    for _ in range(40):
        label = rng.integers(2)
        decision = stream.offer({"price": float(rng.normal(3.0 * label)), "demand": np.float32(rng.normal())})
        decisions.append((decision.predicted, LABELS[label]))
        stream.tell(decision.query, LABELS[label], annotator="ann")
    assert sum(p == t for p, t in decisions[20:]) >= 15
    assert project.columns == {"price": pl.Float64(), "demand": pl.Float64()}


def test_records_keep_every_kind_of_value(project):
    stream = stream_of(project)
    moment = datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    record = {
        "text": "nul \x00 half \ud83d é",
        "likes": 3,
        "share": 0.5,
        "seen": True,
        "day": date(2026, 1, 2),
        "at": moment,
        "vector": np.array([1.0, 2.0]),
        "nothing": None,
    }
    stream.offer(record)
    stream.offer({"text": None, "likes": 2.5, "more": "new column", "share": float("nan")})
    rows = project.items().drop("item_id").to_dicts()
    expected = {"text": "nul \x00 half ? é", "likes": 3.0, "vector": [1.0, 2.0], "nothing": None, "more": None}
    assert rows[0] == {**record, **expected}
    assert rows[1]["likes"] == 2.5
    assert (rows[1]["text"], rows[1]["share"], rows[1]["more"]) == (None, None, "new column")
    assert project.text_column == "text"


def test_columns_keep_the_part_they_play_in_the_project(project):
    frame = pl.DataFrame({"id": ["1"], "body": ["a b"], "mail": ["x@y"]})
    project.add_items(frame, text="body", id="id", private=["mail"])
    decision = stream_of(project).offer({"id": 2, "body": "c d", "mail": "z@y"})
    assert decision.query.item == {"id": "2", "body": "c d"}
    assert project.items().rows() == [(1, "1", "a b"), (decision.item_id, "2", "c d")]
    assert project.items(private=True)["mail"].to_list() == ["x@y", "z@y"]
    with pytest.raises(ValueError, match="A record has no 'body', which holds the text"):
        again(project).offer({"text": "c d"})


def test_imports_and_exports_see_streamed_items(project, tmp_path):
    stream = stream_of(project)
    stream.tell(stream.offer({"text": "hello you"}).query, "ok", annotator="ann")
    report = project.add_items(pl.DataFrame({"text": ["hello you", "fresh"]}), text="text")
    assert (report.known, report.added) == (1, 1)
    project.export(tmp_path / "out.csv")
    out = pl.read_csv(tmp_path / "out.csv")
    assert out.select("text", "label").rows() == [("hello you", "ok"), ("fresh", None)]


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ("hello", TypeError, "A record is a mapping such as"),
        ({}, ValueError, "A record is empty"),
        ({"item_id": 3}, ValueError, "a column 'item_id'"),
        ({"text": "a", "x": object()}, TypeError, "The column 'x' holds a object"),
    ],
)
def test_a_record_that_cannot_be_kept_is_refused_with_all_beside_it(local, record, error, message):
    stream = stream_of(local)
    with pytest.raises(error, match=message):
        stream.offer_many([{"text": "fine"}, record])
    assert local.items().height == 0
    assert stream.offer({"text": "fine"}).position == 0


def test_a_row_of_a_pandas_frame_is_a_record(local):
    frame = pd.DataFrame({"text": ["a", "b"], "size": [1.5, 2.0]})
    stream = stream_of(local)
    for _, row in frame.iterrows():
        stream.offer(row)
    assert local.items().select("text", "size").rows() == [("a", 1.5), ("b", 2.0)]


@pytest.mark.parametrize("frame", [pd.DataFrame({"text": ["a"]}), pl.DataFrame({"text": ["a"]})])
def test_a_whole_frame_is_no_record(local, frame):
    with pytest.raises(TypeError, match=r"got a DataFrame. Pass its rows, all at once with offer_many\(\)"):
        stream_of(local).offer(frame)
