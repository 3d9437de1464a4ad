import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, QueueEmpty, TextClassifier, keyword
from strategies import LeastConfidence, Random, VariableUncertainty

LABELS = ["ok", "offensive"]
FIRST = pl.DataFrame({"id": ["1", "2"], "text": ["good day", "bad day"], "label": ["ok", "offensive"]})
SECOND = pl.DataFrame(
    {"id": ["2", "3", "4"], "text": ["bad day", "bad night", "good night"], "label": ["offensive"] * 3}
)


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(FIRST, gold="label")
    return project


def loop_of(project):
    return project.pool_loop(
        "a", strategy=Random(), classifier=TextClassifier(), batch_size=4, seed=1, stop=[LabelBudget(9)]
    )


def ids(project):
    return project.items()["item_id"].to_list()


def test_an_import_is_taken_back_as_one_step(project):
    report = project.add_items(SECOND, gold="label")
    project.add_functions([keyword("bad", ["bad"], label="offensive")])
    project.weak_label(MajorityVote(otherwise="ok"))
    assert (ids(project), project.status().weak) == ([1, 2, 3, 4], 4)
    undone = project.undo_import(report.import_id)
    assert (undone.items, undone.kept, undone.answers, undone.gold) == (2, 0, 0, 2)
    assert ids(project) == [1, 2]
    assert project.labels()["item_id"].to_list() == [1, 2]
    assert project.labels("gold")["item_id"].to_list() == [1, 2]
    assert project.label_matrix().item_ids.tolist() == [1, 2]
    status = project.status()
    assert (status.items, status.gold, status.weak, project.open_items()) == (2, 2, 2, 2)
    assert project.imports()["taken_back"].to_list() == [False, True]


def test_an_item_that_another_import_has_too_stays(project):
    project.add_items(SECOND, gold="label")
    first = project.imports()["import_id"][0]
    assert project.preview_undo_import(first) == project.undo_import(first)
    assert ids(project) == [2, 3, 4]
    assert project.items()["id"].to_list() == ["2", "3", "4"]
    assert project.labels("gold")["item_id"].to_list() == [3, 4]


def test_answers_stay_facts_and_come_back_with_the_file(project):
    report = project.add_items(SECOND, gold="label")
    loop = loop_of(project)
    for query in loop.ask("ann", 4):
        loop.tell(query, "offensive")
    assert project.status().human == 4
    assert project.preview_undo_import(report.import_id).answers == 2
    project.undo_import(report.import_id)
    assert (project.status().human, project.info().labeled, project.annotations().height) == (2, 2, 4)
    again = project.add_items(SECOND, gold="label")
    assert (again.added, again.returned, again.known, again.gold) == (0, 2, 1, 2)
    assert ids(project) == [1, 2, 3, 4]
    assert (project.status().human, project.status().gold) == (4, 4)
    assert project.imports()["taken_back"].to_list() == [False, True, False]


def test_what_was_asked_of_an_import_is_free_again_and_never_asked(project):
    report = project.add_items(SECOND, gold="label")
    loop = loop_of(project)
    queries = loop.ask("ann", 4)
    gone = next(query for query in queries if query.item_id == 3)
    project.undo_import(report.import_id)
    assert sorted(query.item_id for query in loop.ask("ann")) == [1, 2]
    loop.tell(gone, "ok")
    assert project.labels("human").height == 0
    assert loop.undo("ann").item_id == 3
    assert sorted(query.item_id for query in loop.ask("ann")) == [1, 2]
    assert project.ledger.leases.items() == {1, 2}
    loop.refit()
    assert loop.progress().open == 2


def test_an_export_holds_the_rows_of_imports_that_stand(project, tmp_path):
    copy = project.add_items(pl.DataFrame({"id": ["7", "8"], "text": ["good day", "more"], "label": ["ok", "ok"]}))
    project.undo_import(project.imports()["import_id"][0])
    project.export(tmp_path / "out.csv")
    assert pl.read_csv(tmp_path / "out.csv", infer_schema=False)["id"].to_list() == ["7", "8"]
    project.undo_import(copy.import_id)
    project.export(tmp_path / "none.jsonl")
    assert (tmp_path / "none.jsonl").read_text() == ""


def test_another_content_under_an_id_that_had_gone_is_a_new_item(project):
    project.undo_import(project.imports()["import_id"][0])
    report = project.add_items(FIRST.with_columns(text=pl.lit("mended ") + pl.col("text")), gold="label")
    assert (report.added, report.changed, report.returned) == (2, 0, 0)
    assert project.items()["text"].to_list() == ["mended good day", "mended bad day"]


def test_exact_copies_come_back_as_copies(project):
    rows = pl.DataFrame({"text": ["x", "y", "x"], "label": ["ok"] * 3})
    report = project.add_items(rows, gold="label")
    project.undo_import(report.import_id)
    again = project.add_items(rows, gold="label")
    assert (again.returned, again.duplicates) == (2, 1)
    assert [item for item, *_ in project.ledger.items.duplicates()] == [3]


def test_a_holdout_counts_what_is_there(project):
    project.set_holdout(0.5, seed=0)
    assert project.status().holdout == 1
    project.undo_import(project.imports()["import_id"][0])
    assert (project.status().holdout, project.status().gold) == (0, 0)


def test_columns_of_an_import_go_with_it(project):
    report = project.add_items(pl.DataFrame({"id": ["9"], "text": ["z"], "likes": [3]}))
    assert "likes" in project.columns
    project.undo_import(report.import_id)
    assert "likes" not in project.columns


def test_what_cannot_be_taken_back_is_said(project):
    with pytest.raises(LookupError, match=r"There is no import 99 in the project 'p'\. Imports: 1\."):
        project.undo_import(99)
    project.undo_import(1)
    with pytest.raises(ValueError, match="was taken back already"):
        project.undo_import(1)
    stream = project.stream_loop("s", strategy=LeastConfidence(), budget=VariableUncertainty(0.5), text="text")
    stream.offer({"text": "live"})
    with pytest.raises(ValueError, match="offered to a stream"):
        project.undo_import(int(project.imports()["import_id"][-1]))


def test_what_a_model_said_of_items_that_went_is_not_counted(project):
    report = project.add_items(SECOND, gold="label")
    loop = loop_of(project)
    for query in loop.ask("ann"):
        loop.tell(query, "offensive" if "bad" in query.item["text"] else "ok")
    loop.refit()
    assert project.status().model == 4
    project.undo_import(report.import_id)
    assert project.status().model == project.labels("model").height == 2


def test_a_loop_whose_items_all_went_says_so(project):
    project.add_functions([keyword("bad", ["bad"], label="offensive")])
    project.weak_label(MajorityVote())
    project.undo_import(1)
    with pytest.raises(QueueEmpty, match="There are no items"):
        loop_of(project).ask("ann")
