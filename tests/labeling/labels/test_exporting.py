import csv
import json
import os
import stat

import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, keyword
from labeling.formats.writing.export_formats import EXPORT_FORMATS
from labeling.store.snapshots import snapshots
from strategies import Entropy

LABELS = ["ok", "offensive"]
TEXTS = ["you idiot", "good morning", "you idiot", "=1+1", "thanks", "idiot?"]


def project_of(url, **options):
    project = Project.create("p", LABELS, storage=url)
    frame = pl.DataFrame(
        {
            "id": [f"00{n}" for n in range(6)],
            "text": TEXTS,
            "label": ["offensive", "ok", "offensive", "ok", "ok", "offensive"],
            "likes": [3, None, 3, 5, 6, 7],
            "mail": ["ann@example.org"] * 6,
        }
    )
    project.add_items(frame, gold="label", private=["mail"], **options)
    project.add_functions([keyword("insult", ["idiot"], "offensive", expert="bo")])
    project.weak_label(MajorityVote())
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=3, stop=[LabelBudget(3)])
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    return project


@pytest.fixture
def project(sqlite_url):
    return project_of(sqlite_url)


def read(path):
    return {".csv": pl.read_csv, ".jsonl": pl.read_ndjson, ".parquet": pl.read_parquet}[path.suffix](path)


@pytest.mark.parametrize("mask", [0o022, 0o077], ids=oct)
@pytest.mark.parametrize("kind", [each.name for each in EXPORT_FORMATS])
def test_an_export_is_for_whom_the_umask_says(project, tmp_path, kind, mask):
    before = os.umask(mask)
    try:
        project.export(tmp_path / "out", format=kind)
    finally:
        os.umask(before)
    out = tmp_path / "out"
    assert {stat.S_IMODE(path.stat().st_mode) for path in ([out] if out.is_file() else out.rglob("*.arrow"))} == {
        0o666 & ~mask
    }
    assert out.is_file() or stat.S_IMODE(out.stat().st_mode) == 0o777 & ~mask


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_an_export_has_a_row_a_source_row_with_its_evidence(storage_url, tmp_path, kind):
    project = project_of(storage_url)
    report = project.export(tmp_path / f"out.{kind}", escape_formulas=False)
    frame = read(tmp_path / f"out.{kind}")
    assert (report.rows, frame.height) == (6, 6)
    assert frame["text"].to_list() == TEXTS
    assert frame["item_id"].to_list() == [1, 2, 1, 3, 4, 5]
    labels = dict(project.labels().select("item_id", "label").iter_rows())
    assert frame["label"].to_list() == [labels[item] for item in (1, 2, 1, 3, 4, 5)]
    human = set(project.labels("human")["item_id"])
    assert {item for item, source in frame.select("item_id", "source").iter_rows() if source == "human"} == human
    assert "mail" not in frame.columns
    assert project.exports().select("name", "format", "rows", "sha256").rows() == [
        (f"out.{kind}", kind, 6, report.sha256)
    ]


@pytest.mark.parametrize("kind", EXPORT_FORMATS, ids=lambda kind: kind.name)
def test_importing_an_export_gives_the_same_items_and_labels(project, tmp_path, kind):
    path = tmp_path / f"out{kind.suffix}"
    project.export(path, format=kind.name)
    back = Project.create("back", LABELS, storage=project.ledger.full_url)
    report = back.add_items(path)
    assert (report.rows, report.added, report.duplicates, report.rejected) == (6, 5, 1, ())
    assert back.items()["text"].to_list() == project.items()["text"].to_list()
    assert back.items()["id"].to_list() == ["000", "001", "003", "004", "005"]
    assert back.items()["likes"].to_list() == [3, None, 5, 6, 7]
    assert back.labels("gold")["label"].to_list() == project.labels()["label"].to_list()


def test_votes_probabilities_and_annotators_are_the_evidence(project, tmp_path):
    project.export(tmp_path / "out.parquet")
    rows = pl.read_parquet(tmp_path / "out.parquet").to_dicts()
    vote = {"function": "insult", "expert": "bo", "label": "offensive"}
    assert [row["votes"] for row in rows] == [[vote], [], [vote], [], [], [vote]]
    for row in rows:
        if row["label"] is not None:
            assert row["probabilities"][row["label"]] == row["confidence"] == max(row["probabilities"].values())
        else:
            assert row["probabilities"] is None
    assert {tuple(row["annotators"]) for row in rows if row["source"] == "human"} == {("ann",)}
    assert all(row["labeled_at"] is not None for row in rows if row["source"] == "human")


def test_private_columns_are_exported_where_asked_for(project, tmp_path):
    project.export(tmp_path / "out.jsonl", private=True)
    assert read(tmp_path / "out.jsonl")["mail"].unique().to_list() == ["ann@example.org"]


def test_cells_that_start_a_formula_are_escaped_unless_told_otherwise(project, tmp_path):
    for name, escape, cell in (("a.csv", True, "'=1+1"), ("b.csv", False, "=1+1")):
        project.export(tmp_path / name, escape_formulas=escape)
        with (tmp_path / name).open(newline="", encoding="utf-8-sig") as file:
            assert [row["text"] for row in csv.DictReader(file)][3] == cell
    project.export(tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.jsonl").read_text().splitlines()[3])["text"] == "=1+1"


def test_an_export_that_fails_leaves_the_older_file(project, tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    project.export(path)
    before, exports = path.read_bytes(), project.exports().height
    monkeypatch.setattr("labeling.labels.exporting.ROWS", 2)
    dress, calls = project.item_store.some, []

    def fail(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("the disk went away")
        return dress(*arguments, **options)

    monkeypatch.setattr(project.item_store, "some", fail)
    with pytest.raises(OSError, match="the disk went away"):
        project.export(path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("work.db")) == ["out.csv"]
    assert project.exports().height == exports


def test_erased_items_are_gone_from_export_and_database(project, tmp_path):
    assert project.erase([1], reason="asked for") == 1
    assert project.erase([1]) == 0
    project.export(tmp_path / "out.jsonl", private=True)
    assert read(tmp_path / "out.jsonl")["item_id"].to_list() == [2, 3, 4, 5]
    assert 1 not in project.items()["item_id"]
    with pytest.raises(LookupError, match="no item 1"):
        project.item(1)
    with project.ledger.read() as connection:
        held = connection.exec_driver_sql("SELECT data, private, image FROM contents WHERE item_id = 1").one()
    assert tuple(held) == (None, None, None)


def test_an_empty_project_exports_an_empty_file(sqlite_url, tmp_path):
    project = Project.create("p", LABELS, storage=sqlite_url)
    assert project.export(tmp_path / "out.parquet").rows == 0
    assert pl.read_parquet(tmp_path / "out.parquet").height == 0


def test_a_folder_opens_as_a_data_set_with_classes_and_a_test_split(project, tmp_path):
    datasets = pytest.importorskip("datasets")
    project.set_holdout(0.4, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    project.export(tmp_path / "out")
    data = datasets.load_from_disk(str(tmp_path / "out"))
    assert set(data) == {"train", "test"}
    assert set(data["test"]["item_id"]) == held
    assert data["train"].features["label"].names == LABELS
    assert data["train"].num_rows + data["test"].num_rows == 6
    assert not {*data["train"]["item_id"]} & held


def test_an_unknown_format_is_refused_with_those_there_are(project, tmp_path):
    with pytest.raises(ValueError, match="csv"):
        project.export(tmp_path / "out.xlsx")


def test_blocks_of_two_items_give_what_one_block_does(storage_url, tmp_path, monkeypatch):
    project = project_of(storage_url)
    project.export(tmp_path / "one.parquet")
    items, gold = project.items(), project.labels("gold")
    for block in ("storage.facts.items.BLOCK", "labeling.store.items.BLOCK", "labeling.labels.exporting.ROWS"):
        monkeypatch.setattr(block, 2)
    snapshots._kept.clear()
    again = Project.open("p", storage=storage_url)
    again.export(tmp_path / "two.parquet")
    assert pl.read_parquet(tmp_path / "two.parquet").equals(pl.read_parquet(tmp_path / "one.parquet"))
    assert again.items().equals(items)
    assert again.labels("gold").equals(gold)
