import datetime as dt
import hashlib
import io
import json

import polars as pl
import pytest
from PIL import Image

from labeling.formats.reading.tables import read_source
from labeling.formats.writing.export_formats import EXPORT_FORMATS
from labeling.formats.writing.tables import write_dataset, write_table
from labeling.formats.writing.whole_files import digest

FORMATS = [kind.name for kind in EXPORT_FORMATS if kind.chosen_by]
EXPORT = pl.DataFrame(
    {
        "item_id": [1, 2, 3],
        "id": ["007", "008", None],
        "text": ["=1+1", 'a, "b"\nc', ""],
        "item:source": ["web", None, "app"],
        "score": [-1.5, 0.1 + 0.2, None],
        "vector": [[0.5, 1.0], None, []],
        "picture": [b"\x00\xff", None, b""],
        "label": ["ok", None, "bad"],
        "source": ["human", None, "weak"],
        "confidence": [1.0, None, 0.75],
        "annotators": [["ann", "bob"], [], []],
        "probabilities": [{"ok": 1.0, "bad": 0.0}, None, {"ok": 0.25, "bad": 0.75}],
        "labeled_at": [dt.datetime(2024, 1, 2, 3, 4, 5, 6, dt.UTC), None, dt.datetime(2024, 1, 2, tzinfo=dt.UTC)],
    }
)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(*frames):
    yield from frames
    raise RuntimeError("the database went away")


@pytest.mark.parametrize("kind", FORMATS)
def test_batches_make_one_file_with_one_header(kind, tmp_path):
    path = tmp_path / f"out.{kind}"
    report = write_table(path, [EXPORT[:1], EXPORT[1:1], EXPORT[1:]])
    assert (report.rows, report.path) == (3, path)
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_source(path).frame.height == 3


@pytest.mark.parametrize("kind", FORMATS)
def test_no_rows_make_a_file_with_its_columns(kind, tmp_path):
    report = write_table(tmp_path / f"out.{kind}", [EXPORT.clear()])
    assert report.rows == 0
    assert report.path.exists()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_failure_leaves_the_file_that_was_there_and_nothing_else(kind, tmp_path):
    path = tmp_path / f"out.{kind}"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="went away"):
        write_table(path, failing(EXPORT))
    assert (files(tmp_path), path.read_text()) == ([path.name], "before")


def test_a_failure_leaves_no_half_file(tmp_path):
    with pytest.raises(RuntimeError):
        write_table(tmp_path / "out.csv", failing(EXPORT))
    with pytest.raises(ValueError, match="at least one frame"):
        write_table(tmp_path / "out.csv", [])
    assert files(tmp_path) == []


def test_the_file_that_was_there_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before")
    seen = []

    def batches():
        yield EXPORT
        seen.append(path.read_text())

    write_table(path, batches())
    assert seen == ["before"]
    assert path.read_text() != "before"


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(tmp_path / "link.csv", [EXPORT])
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() != "before"


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("out.xlsx", {}, ValueError, "suffix .csv, .jsonl or .parquet"),
        ("out.csv", {"format": "xml"}, ValueError, "csv, jsonl, parquet"),
        ("gone/out.csv", {}, FileNotFoundError, "no folder"),
        ("folder.csv", {}, IsADirectoryError, "is a folder"),
        ("folder", {}, ValueError, "would be a folder"),
    ],
)
def test_places_that_cannot_be_written_are_refused(name, options, error, message, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(error, match=message):
        write_table(tmp_path / name, [EXPORT], **options)


def test_a_format_can_be_given_for_any_name(tmp_path):
    write_table(tmp_path / "labels.txt", [EXPORT], format="jsonl")
    assert json.loads((tmp_path / "labels.txt").read_text().splitlines()[0])["id"] == "007"


def test_batches_of_other_columns_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Batch 2"):
        write_table(tmp_path / "out.csv", [EXPORT, EXPORT.drop("text")])


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "＝1", "＋1", "－1", "＠a", "'=1", "''=1"]
)
def test_formulas_get_one_apostrophe_in_csv(cell, tmp_path):
    write_table(tmp_path / "out.csv", [pl.DataFrame({"text": [cell], "n": [-1]})])
    assert read_source(tmp_path / "out.csv").frame.row(0) == ("'" + cell, -1)


@pytest.mark.parametrize("cell", ["a=1", "'tis", " =1", "''", "1-1", ""])
def test_other_cells_are_left_alone(cell, tmp_path):
    write_table(tmp_path / "out.csv", [pl.DataFrame({"text": [cell], "n": [1]})])
    assert read_source(tmp_path / "out.csv").frame["text"].to_list() == [cell]


def test_names_of_columns_can_be_formulas_too(tmp_path):
    write_table(tmp_path / "out.csv", [pl.DataFrame({"=cmd|' /C calc'!A0": ["a"]})])
    assert (tmp_path / "out.csv").read_text().startswith("'=cmd")


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_formulas_are_untouched_elsewhere(kind, tmp_path):
    write_table(tmp_path / f"out.{kind}", [pl.DataFrame({"text": ["=1"]})])
    assert read_source(tmp_path / f"out.{kind}").frame["text"].to_list() == ["=1"]


def test_parquet_keeps_every_type(tmp_path):
    write_table(tmp_path / "out.parquet", [EXPORT])
    assert pl.read_parquet(tmp_path / "out.parquet").equals(EXPORT)


def test_lists_and_structures_are_json_in_csv(tmp_path):
    write_table(tmp_path / "out.csv", [EXPORT])
    row = pl.read_csv(tmp_path / "out.csv").row(0, named=True)
    assert json.loads(row["annotators"]) == ["ann", "bob"]
    assert json.loads(row["probabilities"]) == {"ok": 1.0, "bad": 0.0}
    assert row["picture"].endswith("base64,AP8=")
    assert row["labeled_at"] == "2024-01-02T03:04:05.000006+00:00"


@pytest.fixture
def datasets(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
    return pytest.importorskip("datasets")


def test_a_folder_opens_with_classes_soft_labels_and_a_test_split(datasets, tmp_path):
    report = write_dataset(tmp_path / "set", {"train": [EXPORT[:1], EXPORT[1:2]], "test": [EXPORT[2:]]}, ["ok", "bad"])
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    assert (report.rows, loaded["train"].num_rows, loaded["test"].num_rows) == (3, 2, 1)
    assert loaded["train"].features["label"].names == ["ok", "bad"]
    assert loaded["train"]["label"][:] == [0, None]
    assert loaded["test"][0]["label"] == 1
    assert loaded["test"][0]["probabilities"] == [0.25, 0.75]
    assert loaded["train"][0]["text"] == "=1+1"
    assert report.sha256 == digest(tmp_path / "set")
    assert files(tmp_path) == ["set"]


def test_pictures_open_as_pictures(datasets, tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (4, 3)).save(content, "PNG")
    frame = pl.DataFrame({"picture": [content.getvalue(), None], "label": ["ok", "ok"]})
    write_dataset(tmp_path / "set", {"train": [frame[:1], frame[1:]]}, ["ok"], image="picture")
    loaded = datasets.load_from_disk(str(tmp_path / "set"))["train"]
    assert loaded[0]["picture"].size == (4, 3)
    assert loaded[1]["picture"] is None


def test_a_data_set_is_replaced_and_any_other_folder_is_not(datasets, tmp_path):
    for rows in (3, 2):
        write_dataset(tmp_path / "set", {"train": [EXPORT[:rows]]}, ["ok", "bad"])
        assert datasets.load_from_disk(str(tmp_path / "set"))["train"].num_rows == rows
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not a saved data set"):
        write_dataset(tmp_path / "mine", {"train": [EXPORT]}, ["ok", "bad"])
    assert files(tmp_path) == ["mine", "set"]


def test_a_failure_leaves_the_data_set_that_was_there(datasets, tmp_path):
    write_dataset(tmp_path / "set", {"train": [EXPORT]}, ["ok", "bad"])
    with pytest.raises(RuntimeError, match="went away"):
        write_dataset(tmp_path / "set", {"train": [EXPORT[:1]], "test": failing(EXPORT)}, ["ok", "bad"])
    with pytest.raises(ValueError, match="'bad' is not among the classes: ok"):
        write_dataset(tmp_path / "set", {"train": [EXPORT]}, ["ok"])
    assert datasets.load_from_disk(str(tmp_path / "set"))["train"].num_rows == 3
    assert files(tmp_path) == ["set"]
