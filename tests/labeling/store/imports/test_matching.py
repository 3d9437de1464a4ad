import polars as pl
import pytest
from sqlalchemy import update

from labeling import Project
from storage import tables

LABELS = ["ok", "offensive"]
ROWS = pl.DataFrame({"id": ["1", "2", "3"], "text": ["a", "b", "a"], "likes": [1, 2, 3], "label": ["ok", "ok", None]})


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"text": "text"}, {"text": "text", "gold": "label"}),
        ({"text": "text"}, {"text": "text", "group": "likes"}),
        ({"text": "text", "gold": "label"}, {"text": "text", "gold": "label", "id": "number"}),
        ({"text": "text", "group": "likes"}, {"text": "text", "gold": "label", "id": "number"}),
    ],
)
def test_the_same_rows_under_another_mapping_are_the_same_items(project, first, second):
    rows = ROWS.rename({"id": "number"})
    assert project.add_items(rows, **first).added == 3
    report = project.add_items(rows, **second)
    assert (report.added, report.duplicates, report.known, report.remapped) == (0, 0, 3, 3)
    assert project.items().height == 3


def test_known_answers_and_ids_that_are_newly_mapped_are_taken(project):
    rows = ROWS.rename({"id": "number"})
    project.add_items(rows, text="text")
    report = project.add_items(rows, text="text", id="number", gold="label")
    assert (report.gold, report.remapped) == (2, 3)
    assert "3 rows are here already, from an import with another mapping" in report.notes[-1]
    assert project.labels("gold")["item_id"].to_list() == [1, 2]
    assert [external for *_, external in project.ledger.items.index()] == ["1", "2", "3"]
    assert project.set_gold(pl.DataFrame({"id": ["3"], "label": ["ok"]}), id="id", gold="label").added == 1


def test_a_number_that_is_text_in_one_reading_is_the_same_row(project, tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("text,size,label\na,1,ok\nb,2,ok\n")
    other.write_text("text,size,label\na,1,ok\nb,2,ok\nc,large,ok\n")
    project.add_items(one, text="text")
    report = project.add_items(other, text="text", gold="label")
    assert (report.added, report.known, report.remapped) == (1, 2, 2)


def test_exact_duplicates_are_found_by_content_as_before(project):
    project.add_items(ROWS.select("text", "likes"))
    other = pl.DataFrame({"text": ["a", "a"], "likes": [1, 4], "from": [None, None]}).drop("from")
    assert project.add_items(other).added == 1


def test_items_of_an_older_version_are_matched_by_id_or_content_and_the_report_says_so(project):
    project.add_items(ROWS, text="text", id="id", gold="label")
    with project.ledger.unstamped() as connection:
        connection.execute(update(tables.items).values(source_key=None))
    more = pl.DataFrame({"id": ["1", "9"], "text": ["a", "z"], "likes": [1, 9], "label": ["ok", "ok"]})
    same = project.add_items(more, text="text", id="id", gold="label")
    assert (same.added, same.known, same.notes) == (1, 1, ())
    report = project.add_items(
        more.with_columns(id=pl.lit("10"), likes=pl.lit(0))[:1], text="text", id="id", group="likes"
    )
    assert "2 items come from an earlier version" in report.notes[-1]
