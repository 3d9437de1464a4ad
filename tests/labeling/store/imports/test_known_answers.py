import unicodedata

import pandas as pd
import polars as pl
import pytest

from labeling import Project, labels_of

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"id": ["1", "2", "3"], "text": ["a", "b", "c"]}), id="id")
    return project


def gold_of(project):
    return dict(project.labels("gold").select("item_id", "label").iter_rows())


def answers(ids, labels):
    return pl.DataFrame({"id": ids, "label": labels})


def test_known_answers_come_later_by_the_users_ids(project):
    report = project.set_gold(answers(["3", "1"], ["ok", "offensive"]), id="id", gold="label")
    assert (report.rows, report.matched, report.added, report.changed) == (2, 2, 2, 0)
    assert gold_of(project) == {1: "offensive", 3: "ok"}
    assert project.items().height == 3


def test_a_later_known_answer_counts_and_the_earlier_one_stays_on_record(project):
    project.set_gold(answers(["1", "2"], ["ok", "ok"]), gold="label")
    report = project.set_gold(answers(["1", "2"], ["offensive", "ok"]), gold="label")
    assert (report.matched, report.added, report.changed) == (2, 0, 1)
    assert gold_of(project) == {1: "offensive", 2: "ok"}
    project.undo_import(report.import_id)
    assert gold_of(project) == {1: "ok", 2: "ok"}


def test_the_same_known_answers_again_change_nothing(project):
    project.set_gold(answers(["1"], ["ok"]), gold="label")
    before = project.version()
    report = project.set_gold(answers(["1"], ["ok"]), gold="label")
    assert (report.matched, report.added, report.changed, report.import_id) == (1, 0, 0, None)
    assert project.version() == before
    assert project.imports().height == 2


def test_the_report_names_unknown_ids_and_values_that_are_no_label(project):
    frame = answers(["1", "7", "2", "8", None, "3"], ["ok", "ok", "spam", "ok", "ok", None])
    report = project.set_gold(frame, gold="label")
    assert (report.matched, report.unknown, report.unknown_ids) == (1, 2, ("7", "8"))
    assert (report.refused, report.empty) == ({"spam": 1}, 2)
    assert str(report) == (
        "6 rows: 1 known answers added, 0 changed, 2 with an id that no item has (7, 8), "
        "1 with a value that is no label: 'spam' (1), 2 without an id or an answer"
    )


def test_an_id_with_different_answers_is_refused_and_nothing_is_taken(project):
    with pytest.raises(ValueError, match=r"1 ids in the column 'id' have different answers: '2' as 'ok', 'offensive'"):
        project.set_gold(answers(["1", "2", "2"], ["ok", "ok", "offensive"]), gold="label")
    assert gold_of(project) == {}
    assert project.imports().height == 1


def test_a_broken_file_changes_nothing(project, tmp_path):
    path = tmp_path / "answers.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="broken Parquet"):
        project.set_gold(path, id="id", gold="label")
    with pytest.raises(ValueError, match="no column 'truth' of known answers"):
        project.set_gold(answers(["1"], ["ok"]), gold="truth")
    with pytest.raises(ValueError, match=r"Which column names the items\? .* The columns are: key, label"):
        project.set_gold(pl.DataFrame({"key": ["1"], "label": ["ok"]}), gold="label")
    assert (gold_of(project), project.imports().height) == ({}, 1)


def test_items_are_named_by_tallys_numbers_too(project):
    frame = pl.DataFrame({"item_id": [2, 9], "label": ["ok", "ok"]})
    report = project.set_gold(frame, item_id="item_id", gold="label")
    assert (report.added, report.unknown_ids) == (1, ("9",))
    assert gold_of(project) == {2: "ok"}


def test_ids_that_are_numbers_in_the_file_match(project, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("id,label\n1,ok\n3,offensive\n")
    assert project.set_gold(path, gold="label").added == 2


def test_the_id_of_an_exact_copy_names_its_item(project):
    project.add_items(pl.DataFrame({"id": ["4"], "text": ["a"]}), id="id")
    project.set_gold(answers(["4"], ["ok"]), gold="label")
    assert gold_of(project) == {1: "ok"}
    report = project.set_gold(answers(["1", "4"], ["offensive", "ok"]), gold="label")
    assert report.notes == ("1 items stand for several rows with different answers; the first row's was taken.",)


def test_known_answers_that_come_later_do_not_enter_the_holdout(project):
    project.set_gold(answers(["1", "2"], ["ok", "offensive"]), gold="label")
    project.set_holdout(0.5, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    report = project.set_gold(answers(["3"], ["ok"]), gold="label")
    assert report.notes == (
        "The hold-out stays as it was drawn: what came now is none of it. Draw it again to include that.",
    )
    roles = project.labels("gold").select("item_id", "role").rows()
    assert {item for item, role in roles if role == "holdout"} == held
    assert (3, "development") in roles


def test_labels_come_from_a_column(storage_url, tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("text,label\na,spam\nb,ham\nc,\nd,spam \n")
    project = Project.create("p", labels=labels_of(path, "label"), storage=storage_url)
    assert project.label_names == ("ham", "spam")
    assert project.add_items(path, gold="label").gold == 3


def test_a_column_of_texts_is_no_column_of_labels():
    frame = pl.DataFrame({"text": [f"post {n}" for n in range(300)]})
    with pytest.raises(ValueError, match=r"'text' holds 300 different values in 300 rows.*looks like text"):
        labels_of(frame, "text")
    with pytest.raises(ValueError, match=r"There is no column 'label' to take labels from. The columns are: text"):
        labels_of(frame, "label")
    with pytest.raises(ValueError, match="'label' is empty"):
        labels_of(pl.DataFrame({"label": ["", None]}), "label")


def test_an_import_makes_labels_of_its_gold_column_where_that_is_wanted(project):
    frame = pl.DataFrame({"id": ["4", "5"], "text": ["d", "e"], "label": ["spam", "ok"]})
    with pytest.raises(ValueError, match="'spam'"):
        project.add_items(frame, gold="label")
    assert project.label_names == ("ok", "offensive")
    project.add_items(frame, gold="label", add_labels=True)
    assert project.label_names == ("ok", "offensive", "spam")
    assert gold_of(project) == {4: "spam", 5: "ok"}
    assert project.add_items(frame, gold="label", add_labels=True).added == 0
    assert project.label_set.version == 2


def test_ids_that_decimals_no_longer_tell_apart_are_refused(project):
    frame = answers([9007199254740993.0, 9007199254740992.0], ["ok", "ok"])
    with pytest.raises(ValueError, match="decimals as large as 9007199254740992"):
        project.set_gold(frame, gold="label")
    assert (gold_of(project), project.imports().height) == ({}, 1)
    assert project.set_gold(answers([1.0, None], ["ok", "ok"]), gold="label").added == 1


def test_a_known_answer_is_found_however_its_label_is_written(storage_url):
    project = Project.create("p", ["größer", "kleiner"], storage=storage_url)
    project.add_items(pl.DataFrame({"id": ["1", "2", "3"], "text": ["a", "b", "c"]}), id="id")
    written = [unicodedata.normalize("NFD", "größer"), " größer\t", "\u00a0größer\u202f"]
    report = project.set_gold(answers(["1", "2", "3"], written), gold="label")
    assert (report.added, report.refused) == (3, {})
    assert set(gold_of(project).values()) == {"größer"}


def test_known_answers_come_from_a_sheet_of_a_workbook(project, tmp_path):
    path = tmp_path / "answers.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"note": ["nothing here"]}).to_excel(book, sheet_name="notes", index=False)
        pd.DataFrame({"id": [1, 2], "label": ["ok", "ok"]}).to_excel(book, sheet_name="answers", index=False)
    assert project.set_gold(path, gold="label", sheet="answers").added == 2


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_corrected_answer_stays_when_the_file_that_had_it_otherwise_comes_again(storage_url, taken_back):
    project = Project.create("p", LABELS, storage=storage_url)
    frame = pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"], "gold": ["ok", "ok"]})
    first = project.add_items(frame, id="id", gold="gold")
    project.set_gold(answers(["1"], ["offensive"]), id="id", gold="label")
    if taken_back:
        project.undo_import(first.import_id)
    again = project.add_items(frame, id="id", gold="gold")
    assert gold_of(project) == {1: "offensive", 2: "ok"}
    assert "1 known answers of this source were corrected since" in again.notes[0]
    newer = frame.with_columns(gold=pl.Series(["offensive", "offensive"]))
    project.add_items(newer, id="id", gold="gold")
    assert gold_of(project) == {1: "offensive", 2: "offensive"}, "what was never said before is newer"


def test_two_ways_to_write_one_letter_are_one_label_of_a_column(storage_url):
    names = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    labels = labels_of(pl.DataFrame({"label": [*names, "tea"] * 4}), "label")
    assert labels == [names[0], "tea"]
    assert Project.create("letters", labels, storage=storage_url).label_names == (names[0], "tea")
