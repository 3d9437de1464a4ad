import json
from datetime import UTC, datetime
from itertools import permutations

import polars as pl
import pytest

from labeling import LabelBudget, Project
from strategies import Random


@pytest.fixture
def project(tmp_path):
    project = Project.create("posts", labels=["ok", "bad"], storage=f"sqlite:///{tmp_path / 'posts.db'}")
    project.add_items(pl.DataFrame({"key": ["007", "008", "009"], "text": ["a", "b", "c"]}), id="key")
    return project


def current(project):
    frame = project.labels(source="human")
    return dict(frame.select("item_id", "label").iter_rows())


def test_answers_of_a_table_become_annotations_of_their_people(project):
    answers = pl.DataFrame(
        {
            "key": ["007", "007", "008", "404"],
            "who": ["ann", "bob", "ann", "ann"],
            "label": ["ok", "ok", "bad", "ok"],
            "at": ["2024-05-06T07:08:09Z", None, "2024-05-06", None],
        }
    )
    report = project.add_annotations(answers, annotator="who")
    assert (report.added, report.known, report.unknown, report.unknown_ids) == (3, 0, 1, ("404",))
    assert current(project) == {1: "ok", 2: "bad"}
    log = project.annotations()
    assert set(log["annotator"]) == {"ann", "bob"}
    assert set(log["origin"]) == {"import"}
    assert "2024-05-06 07:08:09+00:00" in {str(time) for time in log["created_at"]}


def test_the_same_answers_again_add_nothing_and_later_ones_count(project):
    answers = pl.DataFrame({"key": ["007"], "annotator": ["ann"], "label": ["ok"]})
    project.add_annotations(answers)
    again = project.add_annotations(answers)
    assert (again.added, again.known) == (0, 1)
    project.add_annotations(answers.with_columns(label=pl.lit("bad")))
    assert current(project) == {1: "bad"}


def test_of_several_answers_by_one_person_the_last_counts(project):
    answers = pl.DataFrame(
        {
            "key": ["007", "007"],
            "annotator": ["ann", "ann"],
            "label": ["bad", "ok"],
            "at": ["2024-05-07T00:00:00Z", "2024-05-06T00:00:00Z"],
        }
    )
    assert project.add_annotations(answers).added == 1
    assert current(project) == {1: "bad"}


DATED = [("ok", "2024-01-01"), ("bad", "2024-03-01"), ("ok", "2024-06-01")]


def of_ann(label, at):
    return pl.DataFrame({"key": ["007"], "annotator": ["ann"], "label": [label], "at": [at]})


@pytest.mark.parametrize("order", list(permutations(DATED)))
def test_the_newest_answer_of_a_person_stands_in_whichever_order_files_come(project, order):
    for _ in range(2):
        for label, at in order:
            project.add_annotations(of_ann(label, at))
    frame = project.labels(source="human")
    assert frame.select("label", pl.col("labeled_at").dt.strftime("%F")).rows() == [("ok", "2024-06-01")]
    again = [project.add_annotations(of_ann(label, at)) for label, at in DATED]
    assert [(report.added, report.known, report.older) for report in again] == [(0, 1, 0), (0, 0, 1), (0, 1, 0)]


def test_an_answer_older_than_what_the_person_said_here_is_put_aside_and_told(project):
    [query] = project.pool_loop("a", strategy=Random(), batch_size=1, seed=1, stop=[LabelBudget(10)]).ask("ann")
    project.pool_loop("a").tell(query, "bad")
    late = pl.DataFrame({"n": [query.item_id], "annotator": ["ann"], "label": ["ok"], "at": ["2024-06-01"]})
    report = project.add_annotations(late, item_id="n")
    assert (report.added, report.older) == (0, 1)
    assert "1 older than what the same person answered" in str(report)
    assert current(project) == {query.item_id: "bad"}
    assert project.add_annotations(late.drop("at"), item_id="n").added == 1


@pytest.mark.parametrize(
    "at",
    [1714979289, 1714979289.0, 1714979289000, "2024-05-06T09:08:09+02:00", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)],
)
def test_times_are_iso_or_seconds_or_milliseconds_since_1970(project, at):
    report = project.add_annotations(of_ann("ok", at))
    assert report.notes == ()
    assert str(project.annotations()["created_at"][0]) == "2024-05-06 07:08:09+00:00"


def test_times_that_cannot_be_read_are_told_and_empty_ones_are_none(project):
    days = ["31.12.2023", " ", None]
    answers = pl.DataFrame({"key": ["007", "008", "009"], "label": ["ok", "ok", "ok"], "at": days})
    report = project.add_annotations(answers)
    assert report.added == 3
    assert "1 values of 'at' cannot be read as times, first '31.12.2023'" in " ".join(report.notes)
    assert project.add_annotations(answers.with_columns(at=pl.lit(float("nan")))).notes == ()
    assert "3 values of 'at'" in " ".join(project.add_annotations(answers.with_columns(at=pl.lit(1e30))).notes)


def test_labels_that_the_project_has_not_are_counted_and_left_out(project):
    answers = pl.DataFrame({"key": ["007", "008"], "label": ["ok", "fine"]})
    report = project.add_annotations(answers)
    assert (report.added, dict(report.refused)) == (1, {"fine": 1})
    assert project.annotations()["annotator"].to_list() == ["unnamed"]


def test_answers_in_label_studio_come_in_by_person(project):
    def chosen(label, **more):
        return {"result": [{"from_name": "l", "type": "choices", "value": {"choices": [label]}}], **more}

    tasks = [
        {"data": {"text": "a"}, "annotations": [chosen("ok", completed_by=3), chosen("bad", completed_by=4)]},
        {"data": {"text": "c"}, "annotations": [chosen("bad", completed_by=3)]},
        {"data": {"text": "new"}, "annotations": [chosen("bad", completed_by=3)]},
    ]
    report = project.add_annotations(json.dumps(tasks).encode(), name="tasks.json")
    assert (report.added, report.unknown) == (3, 1)
    log = project.annotations()
    assert sorted(log.select("item_id", "annotator").rows()) == [(1, "3"), (1, "4"), (3, "3")]


def test_what_is_answered_in_another_tool_after_an_export_comes_back(project, tmp_path):
    path = tmp_path / "tasks.jsonl"
    project.export(path, format="prodigy", progress=False)
    tasks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    tasks[1] |= {"accept": ["bad"], "answer": "accept", "_annotator_id": "ann"}
    path.write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    report = project.add_annotations(path)
    assert (report.rows, report.added) == (3, 1)
    assert current(project) == {2: "bad"}


def test_an_export_brings_the_answers_of_single_people_to_another_project(project, tmp_path):
    project.add_annotations(pl.DataFrame({"key": ["007"], "annotator": ["ann"], "label": ["ok"]}))
    project.export(tmp_path / "labels.parquet", progress=False)
    other = Project.create("other", labels=["ok", "bad"], storage=project.storage)
    other.add_items(pl.DataFrame({"key": ["007", "008"], "text": ["a", "b"]}), id="key")
    report = other.add_annotations(tmp_path / "labels.parquet", id="id")
    assert report.added == 1
    assert other.labels(source="human").select("item_id", "label").rows() == [(1, "ok")]
    assert other.annotations()["annotator"].to_list() == ["ann"]


def test_a_loop_asks_nobody_what_was_answered_elsewhere(project):
    project.add_annotations(pl.DataFrame({"key": ["007", "008"], "annotator": ["ann", "bob"], "label": ["ok", "bad"]}))
    loop = project.pool_loop("a", strategy=Random(), batch_size=10, seed=1, stop=[LabelBudget(10)])
    assert [query.item_id for query in loop.ask("cat")] == [3]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"key": ["007"]}, "Which column is the label"),
        ({"other": ["007"], "label": ["ok"]}, "Which column names the items"),
    ],
)
def test_a_column_that_is_missing_is_an_error(project, columns, message):
    with pytest.raises(ValueError, match=message):
        project.add_annotations(pl.DataFrame(columns))
    with pytest.raises(ValueError, match="There is no column 'nobody' for annotator"):
        project.add_annotations(pl.DataFrame({"key": ["007"], "label": ["ok"]}), annotator="nobody")


def test_a_project_without_items_says_so(project):
    answers = pl.DataFrame({"key": ["007"], "label": ["ok"]})
    project.undo_import(1)
    bare = Project.create("bare", labels=["ok", "bad"], storage=project.storage)
    for empty in (bare, project):
        with pytest.raises(ValueError, match="There are no items"):
            empty.add_annotations(answers, id="key")


def test_items_without_a_text_are_found_by_their_id(project):
    other = Project.create("numbers", labels=["ok", "bad"], storage=project.storage)
    other.add_items(pl.DataFrame({"key": ["007", "008"], "n": [1, 2]}), id="key")
    assert other.add_annotations(pl.DataFrame({"key": ["007"], "label": ["ok"]})).added == 1


def test_the_same_row_again_never_takes_back_what_its_person_said_since(project):
    given = pl.DataFrame({"key": ["007"], "annotator": ["ann"], "label": ["ok"]})
    project.add_annotations(given)
    project.add_annotations(given.with_columns(label=pl.lit("bad")))
    assert project.add_annotations(given).known == 1
    assert current(project) == {1: "bad"}


def test_an_id_of_ones_own_names_one_answer(project):
    given = pl.DataFrame({"key": ["007"], "annotator": ["ann"], "label": ["ok"], "uuid": ["mine"]})
    assert project.add_annotations(given).added == 1
    assert project.add_annotations(given).known == 1
    assert project.annotations()["uuid"].to_list() == ["mine"]
    with pytest.raises(ValueError, match=r"The UUID 'mine' names something else .*another label"):
        project.add_annotations(given.with_columns(label=pl.lit("bad")))
    both = pl.DataFrame({"key": ["008", "009"], "annotator": ["ann", "ann"], "label": ["ok", "ok"], "id": ["a", "b"]})
    assert project.add_annotations(both, id="key", uuid="id").added == 2
    assert set(project.annotations()["uuid"]) == {"mine", "a", "b"}


def test_answers_to_held_out_items_are_not_taken_and_listed(tmp_path):
    project = Project.create("posts", labels=["ok", "bad"], storage=f"sqlite:///{tmp_path / 'posts.db'}")
    rows = pl.DataFrame({"text": [f"text {n}" for n in range(20)], "label": ["ok", "bad"] * 10})
    project.add_items(rows, gold="label", holdout=0.5)
    gold = project.labels(source="gold")
    held = gold.filter(pl.col("role") == "holdout")["item_id"].to_list()
    given = gold.select("item_id", pl.lit("ann").alias("annotator"), "label")
    report = project.add_annotations(given)
    assert (report.added, report.held_out) == (20 - len(held), len(held))
    assert set(report.held_out_ids) <= set(held)
    assert "of held-out items and not taken" in str(report)
    assert not set(project.annotations()["item_id"]) & set(held)
