"""Folders that `datasets` saved come back as rows, ours and others'."""

import json
import subprocess
import sys

import datasets
import numpy as np
import polars as pl
import pytest

from labeling import MajorityVote, Project, keyword
from labeling.formats.reading.tables import read_source

LABELS = ["ok", "offensive"]


@pytest.fixture
def exported(sqlite_url, tmp_path):
    """An export with a hold-out, so that it has two splits, and the project it is of."""
    project = Project.create("p", LABELS, storage=sqlite_url)
    rows = {"id": [f"00{n}" for n in range(6)], "text": ["idiot", "hello", "idiot!", "bye", "yes", "idiot"]}
    rows |= {"truth": ["offensive", "ok", "offensive", "ok", None, "offensive"], "likes": [3, None, 5, 6, 7, 8]}
    project.add_items(pl.DataFrame(rows), id="id", text="text", gold="truth")
    project.set_holdout(0.5, seed=1)
    project.add_functions([keyword("insult", ["idiot"], "offensive")])
    project.weak_label(MajorityVote())
    project.export(tmp_path / "folder")
    project.export(tmp_path / "file.parquet")
    return project, tmp_path


def test_a_folder_holds_the_rows_and_the_evidence_of_a_file_of_the_same_export(exported):
    _, folder = exported
    ours, file = read_source(folder / "folder"), read_source(folder / "file.parquet")
    assert (ours.is_export, ours.rejected, ours.notes) == (True, [], [])
    back = ours.evidence.hstack(ours.frame.drop("id", "label")).sort("item_id", "id").select(pl.all())
    expected = file.evidence.hstack(file.frame.drop("id", "label")).sort("item_id", "id")
    assert back.select(expected.columns).rows(named=True) == expected.rows(named=True)
    assert set(back["split"]) == {"train", "test"}


def test_an_exported_folder_is_imported_with_its_labels(exported, sqlite_url):
    project, folder = exported
    back = Project.create("back", LABELS, storage=sqlite_url)
    report = back.add_items(folder / "folder")
    assert (report.rows, report.added, report.rejected) == (6, 6, ())
    by_id = {row["id"]: (row["text"], row["likes"]) for row in back.items().to_dicts()}
    assert by_id == {row["id"]: (row["text"], row["likes"]) for row in project.items().to_dicts()}
    names = dict(back.items().select("item_id", "id").iter_rows())
    known = {names[item]: label for item, label in back.labels("gold").select("item_id", "label").iter_rows()}
    assert known == {"000": "offensive", "002": "offensive", "005": "offensive"}


def test_any_saved_data_set_is_read_with_its_classes_as_names_and_pictures_as_bytes(tmp_path):
    from PIL import Image

    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["neg", "pos"]),
            "shown": datasets.Image(),
        }
    )
    picture = Image.fromarray(np.zeros((2, 2, 3), dtype=np.uint8))
    rows = {"text": ["a", "b", "c"], "label": [1, 0, -1], "shown": [picture, None, picture]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "one", num_shards=2)
    frame = read_source(tmp_path / "one").frame
    assert frame.select("text", "label").rows() == [("a", "pos"), ("b", "neg"), ("c", None)]
    assert [value[:4] if value else None for value in frame["shown"]] == [b"\x89PNG", None, b"\x89PNG"]


def test_a_preview_reads_the_first_rows_over_splits(tmp_path):
    parts = {name: datasets.Dataset.from_dict({"text": list(name)}) for name in ("abc", "de")}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "d")
    assert read_source(tmp_path / "d", limit=4).frame.rows() == [("a", "abc"), ("b", "abc"), ("c", "abc"), ("d", "de")]


def test_datasets_is_not_needed_to_read_a_folder(tmp_path):
    datasets.Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "d")
    script = (
        "import sys; sys.modules['datasets'] = None; from labeling.formats.reading.tables import read_source; "
        "print(read_source(sys.argv[1]).frame.rows())"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "d"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[('a',)]"


def broken(folder, how):
    (arrow,) = folder.glob("*.arrow")
    state = json.loads((folder / "state.json").read_text())
    if how == "cut off":
        arrow.write_bytes(arrow.read_bytes()[:40])
    elif how == "missing":
        arrow.unlink()
    elif how == "no json":
        (folder / "state.json").write_text("{")
    else:
        (folder.parent / "secret.arrow").write_bytes(arrow.read_bytes())
        state["_data_files"] = [{"filename": "../secret.arrow"}]
        (folder / "state.json").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("cut off", "broken"),
        ("missing", "data-00000-of-00001.arrow is missing"),
        ("no json", "state.json is missing or broken"),
        ("leads elsewhere", "secret.arrow is missing"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_with_what_is_wrong(tmp_path, how, said):
    datasets.Dataset.from_dict({"text": ["a", "b"]}).save_to_disk(tmp_path / "d")
    broken(tmp_path / "d", how)
    with pytest.raises(ValueError, match=said):
        read_source(tmp_path / "d")


def test_the_limits_hold_for_folders_too(tmp_path, monkeypatch):
    datasets.Dataset.from_dict({"text": ["a", "b", "c"]}).save_to_disk(tmp_path / "d")
    monkeypatch.setenv("LABELING_MAX_ROWS", "2")
    with pytest.raises(ValueError, match="rows"):
        read_source(tmp_path / "d")
