"""apply(): the same matrix from any source on any executor, rows in the order of the source."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labeling.functions.makers import ABSTAIN, keyword, labeling_function, regex, when
from labeling.votes import applying
from labeling.votes.applying import apply

LABELS = ("ok", "offensive")
LIMIT = 6


@labeling_function()
def fails_on_seven(row):
    if row["number"] % 10 == 7:
        raise RuntimeError("seven")
    return "ok" if len(row["text"]) > LIMIT else ABSTAIN


FUNCTIONS = [
    keyword("even", ["even"], "ok"),
    regex("digit", r"[13579]$", "offensive"),
    when("large", pl.col("number") > 500, "offensive"),
    fails_on_seven,
]


@pytest.fixture
def frame():
    numbers = np.random.default_rng(0).permutation(1000)
    return pl.DataFrame({"text": [f"{'even' if n % 2 == 0 else 'odd'} {n}" for n in numbers], "number": numbers})


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr(applying, "SLICE", 150)


def expected(frame):
    number = frame["number"].to_numpy()
    columns = [
        np.where(number % 2 == 0, 0, -1),
        np.where(number % 2 == 1, 1, -1),
        np.where(number > 500, 1, -1),
        np.where((number % 10 != 7) & (frame["text"].str.len_chars().to_numpy() > LIMIT), 0, -1),
    ]
    return np.column_stack(columns)


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_every_executor_gives_the_same_matrix(frame, small_slices, executor):
    matrix = apply(FUNCTIONS, frame, LABELS, executor=executor)
    assert np.array_equal(matrix.values, expected(frame))
    fault = matrix.sources[3].faults
    assert (fault.count, fault.error) == (100, "RuntimeError: seven")
    assert frame["number"][fault.first_row] % 10 == 7


def test_two_workers_of_a_cluster_give_the_same_matrix(frame, small_slices, dask_executor, tmp_path):
    frame.write_parquet(tmp_path / "posts.parquet", row_group_size=90)
    for source in (frame, tmp_path / "posts.parquet"):
        assert np.array_equal(apply(FUNCTIONS, source, LABELS, executor=dask_executor).values, expected(frame))


@pytest.mark.parametrize("group", [37, 150, 400, 5000])
def test_a_file_is_read_in_slices_of_whole_row_groups(frame, small_slices, group, tmp_path):
    path = tmp_path / "posts.parquet"
    frame.write_parquet(path, row_group_size=group)
    slices, columns = applying.open_source(path)
    assert columns == ["text", "number"]
    assert sum(task.rows for task in slices) == 1000
    assert max(task.rows for task in slices) <= 150
    assert np.array_equal(apply(FUNCTIONS, str(path), LABELS).values, expected(frame))


def test_rows_keep_the_order_of_a_pandas_frame_whatever_its_index(frame):
    pandas = frame.to_pandas()
    pandas.index = np.random.default_rng(1).permutation(len(pandas))
    assert np.array_equal(apply(FUNCTIONS, pandas, LABELS).values, expected(frame))


def test_only_the_columns_that_rules_read_are_read():
    assert applying.needed(FUNCTIONS[:3], "text") == ["number", "text"]
    assert applying.needed(FUNCTIONS, "text") is None


def test_an_empty_source_gives_an_empty_matrix(tmp_path):
    empty = pl.DataFrame(schema={"text": pl.String, "number": pl.Int64})
    empty.write_parquet(tmp_path / "empty.parquet")
    for source in (empty, tmp_path / "empty.parquet"):
        assert apply(FUNCTIONS, source, LABELS).values.shape == (0, 4)


def test_a_source_of_another_kind_is_refused(tmp_path):
    with pytest.raises(TypeError, match="path of a Parquet file, got <class 'set'>"):
        apply(FUNCTIONS, {1}, LABELS)
    with pytest.raises(ValueError, match="Row 1 cannot be read: 1 is no mapping of names to values"):
        apply(FUNCTIONS, [1], LABELS)
    (tmp_path / "a.csv").write_text("text\na\n")
    with pytest.raises(ValueError, match="is not a Parquet file"):
        apply(FUNCTIONS, tmp_path / "a.csv", LABELS)
    with pytest.raises(FileNotFoundError):
        apply(FUNCTIONS, tmp_path / "nothing.parquet", LABELS)


def test_frames_of_pandas_and_lists_of_mappings_are_taken_whatever_they_hold():
    rule = [keyword("k", ["a"], label="yes")]
    for source in (
        pd.DataFrame({"text": ["a", 5, None]}, index=[7, 8, 9]),
        pd.DataFrame({"text": ["a", "b", "c"], "at": pd.period_range("2024-01", periods=3, freq="M")}),
        [{"text": "a"}, {"text": 5}, {"text": None}],
        pl.LazyFrame({"text": ["a", "b", None]}),
    ):
        assert apply(rule, source, labels=["no", "yes"]).values.ravel().tolist() == [1, -1, -1]


def test_a_row_that_is_no_mapping_is_refused_not_left_out():
    with pytest.raises(ValueError, match="Row 2 cannot be read"):
        apply([keyword("k", ["a"], label="yes")], [{"text": "a"}, "b"], labels=["no", "yes"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nope\.csv.*Pass the path of a Parquet file"):
        apply([keyword("k", ["a"], label="yes")], tmp_path / "nope.csv", labels=["no", "yes"])
