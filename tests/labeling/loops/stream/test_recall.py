"""What a stream recalls is what the ledger holds."""

import polars as pl
import pytest

from labeling import Project
from labeling.loops.stream.recall import Recall
from tests.labeling.stream_loops import LABELS, stream_of


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": ["one", "two", "three"], "n": [1, 2, 3]}))
    return project


@pytest.fixture
def stream(project):
    return stream_of(project)


def same(recall, stream, ids):
    """What is recalled, checked against what is read anew."""
    for read in (recall.few, recall.some):
        assert read(set(ids)).equals(stream._store.items.some(sorted(ids)))


def test_items_are_those_of_the_ledger_whichever_were_asked_for_before(stream):
    recall = Recall(stream._store)
    for ids in ((), (1, 3), (), (2,), (3, 1, 2), (7, 2), (1, 2, 3)):
        same(recall, stream, ids)


def test_records_that_arrive_are_found(stream):
    recall = Recall(stream._store)
    for count in range(1, 5):
        stream.offer({"text": f"post {count}", "n": count})
        same(recall, stream, range(1, 4 + count))
    same(recall, stream, (5, 7))


def test_columns_that_change_are_noticed(project, stream):
    recall = Recall(stream._store)
    same(recall, stream, (1, 2, 3))
    project.add_items(pl.DataFrame({"text": ["four"], "n": [1.5], "more": ["x"]}))
    same(recall, stream, (1, 2, 3))
    stream.offer({"text": "post", "n": 3, "other": True})
    same(recall, stream, range(1, 6))


def test_items_that_went_are_forgotten(project, stream):
    recall = Recall(stream._store)
    same(recall, stream, (1, 2, 3))
    assert project.ledger.items.erase([2], "asked for") == 1
    same(recall, stream, (1, 2, 3))
    assert recall.some((1, 2, 3))["item_id"].to_list() == [1, 3]
    project.undo_import(project.imports()["import_id"][0])
    same(recall, stream, (1, 2, 3))
    assert recall.some((1, 2, 3)).is_empty()
