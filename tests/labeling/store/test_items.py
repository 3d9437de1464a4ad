import numpy as np
import polars as pl
import pytest

from labeling import Project


def test_gold_is_given_by_class_id_and_unknown_for_the_rest(storage_url):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": ["a", "b", "c"], "label": ["ok", None, "bad"]}), gold="label")
    ids = project.items()["item_id"].to_numpy()
    ok, bad = (label.id for label in project.classes)
    assert project.item_store.gold(ids).tolist() == [ok, -1, bad]
    assert project.item_store.gold(ids[::-1]).tolist() == [bad, -1, ok]
    assert project.item_store.gold(np.array([10**9])).tolist() == [-1]


def test_gold_of_a_later_import_is_seen_at_once(storage_url):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": ["a", "b"]}))
    ids = project.items()["item_id"].to_numpy()
    assert project.item_store.gold(ids).tolist() == [-1, -1]
    project.add_items(pl.DataFrame({"text": ["b"], "label": ["bad"]}), gold="label")
    assert project.item_store.gold(ids).tolist() == [-1, project.classes[1].id]


LARGE = 2**53 + 1


@pytest.mark.parametrize("order", [1, -1], ids=["whole numbers first", "decimals first"])
def test_whole_numbers_stay_exact_beside_decimals_of_another_import(storage_url, order):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    first, second = [
        pl.DataFrame({"text": ["a", "b"], "n": [LARGE, 5]}),
        pl.DataFrame({"text": ["c", "d"], "n": [0.5, 7.0]}),
    ][::order]
    assert not project.add_items(first, text="text").notes
    report = project.add_items(second, text="text")
    assert "The column 'n' has whole numbers beyond 2**53 in one import and decimals in another" in report.notes[0]
    assert dict(project.items().select("text", "n").iter_rows()) == {"a": str(LARGE), "b": "5", "c": "0.5", "d": "7"}
    assert project.items()["n"].dtype == project.columns["n"] == pl.String
    project.undo_import(report.import_id)
    assert project.items()["n"].to_list() == first["n"].to_list()


def test_lists_of_whole_numbers_stay_exact_beside_lists_of_decimals(sqlite_url):
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["a"], "v": [[LARGE, 1]]}), text="text")
    project.add_items(pl.DataFrame({"text": ["b"], "v": [[0.5, 1.0]]}), text="text")
    assert project.items()["v"].to_list() == [f"[{LARGE}, 1]", "[0.5, 1.0]"]


def test_small_whole_numbers_and_decimals_of_two_imports_are_numbers(sqlite_url):
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["a"], "n": [2**53]}), text="text")
    assert not project.add_items(pl.DataFrame({"text": ["b"], "n": [0.5]}), text="text").notes
    assert project.items()["n"].to_list() == [2.0**53, 0.5]


def test_lists_in_one_import_and_texts_in_another_are_texts(sqlite_url):
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["a"], "v": [["x", "y"]]}), text="text")
    project.add_items(pl.DataFrame({"text": ["b"], "v": ["z"]}), text="text")
    assert project.items()["v"].to_list() == ['["x", "y"]', "z"]


def test_ids_are_those_of_the_items_whatever_is_missing_between_them(storage_url):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    assert project.item_store.ids().tolist() == []
    first = project.add_items(pl.DataFrame({"text": [f"first {n}" for n in range(4)]}))
    project.add_items(pl.DataFrame({"text": [f"second {n}" for n in range(4)]}))
    assert project.item_store.ids().tolist() == project.items()["item_id"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8]
    project.erase([6])
    assert project.item_store.ids().tolist() == project.items()["item_id"].to_list() == [1, 2, 3, 4, 5, 7, 8]
    project.undo_import(first.import_id)
    assert project.item_store.ids().tolist() == project.items()["item_id"].to_list() == [5, 7, 8]


def test_a_search_finds_the_same_page_over_blocks_as_in_one(sqlite_url, monkeypatch):
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": [f"{'even' if n % 2 == 0 else 'odd'} {n}" for n in range(40)]}))
    monkeypatch.setattr("labeling.project.items.BLOCK", 7)
    found = project.items().filter(pl.col("text").str.contains("even"))
    for offset, limit in ((0, 5), (3, 9), (17, 50), (20, 5), (0, 0)):
        page, total = project.search_items("EVEN", offset, limit)
        assert total == 20
        assert page.equals(found.slice(offset, limit)), (offset, limit)
