import numpy as np
import polars as pl

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
