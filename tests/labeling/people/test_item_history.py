"""What happened to an item is told from all that is on record, and what people remark on it is kept."""

import json

import polars as pl
import pytest

from strategies import FixedThreshold
from tests.labeling.pool_loops import loop_of, project_of
from tests.labeling.stream_loops import stream_of


@pytest.fixture
def project(storage_url):
    return project_of(storage_url, n=6)


def test_a_history_has_every_step_in_order(project):
    loop = loop_of(project)
    query = loop.ask("ann", 1)[0]
    item = query.item_id
    loop.skip(query)
    told = loop.tell(loop.query(query.id), "ok", uuid="mine", seconds=2.5)
    project.comment(told, "are you sure?", "lead")
    project.flag(item, "lead", "odd")
    loop.undo("ann")
    loop.tell(query, "offensive")
    project.add_note(item, "quotes a film", "bob")
    project.unflag(item, "bob")
    project.split_label("ok", ["fine", "good"])
    project.erase([item], "asked to")
    history = project.history(item)
    assert history["event"].to_list() == [
        "imported", "gold", "asked", "skip", "answer", "comment", "flag", "undo", "answer", "note", "unflag", "erased",
    ]  # fmt: skip
    assert history["who"].to_list()[2:11] == ["ann", "ann", "ann", "lead", "lead", "ann", "ann", "bob", "bob"]
    said = history.filter(pl.col("event") == "answer")
    assert said["label"].to_list() == ["ok", "offensive"]
    assert said["loop"].to_list() == ["l", "l"]
    assert json.loads(said["details"][0]) == {"uuid": "mine", "seconds": 2.5}
    undone = json.loads(history.filter(pl.col("event") == "undo")["details"][0])
    assert undone["undoes"] == "mine"
    assert history["at"].is_sorted()


def test_records_of_a_stream_have_a_history_too(project):
    stream = stream_of(project, FixedThreshold(0.0))
    decision = stream.offer({"text": "good evening"})
    stream.tell(decision.query, "ok", annotator="ann")
    assert project.history(decision.item_id)["event"].to_list()[-2:] == ["asked", "answer"]


def test_remarks_are_kept_and_flags_taken_away(project):
    project.flag(1, "ann", "odd")
    project.flag(2, "ann")
    project.unflag(1, "bob")
    assert project.flagged().select("item_id", "who", "reason").rows() == [(2, "ann", "")]
    assert project.remarks()["kind"].to_list() == ["flag", "flag", "unflag"]
    assert project.remarks(2)["kind"].to_list() == ["flag"]


def test_remarks_on_what_is_not_there_are_refused(project):
    with pytest.raises(LookupError, match="no item 999"):
        project.history(999)
    with pytest.raises(LookupError, match="no item 999"):
        project.flag(999, "ann")
    with pytest.raises(LookupError, match="no annotation 'none'"):
        project.comment("none", "why?", "ann")
    with pytest.raises(ValueError, match="A remark needs a text, got '  '"):
        project.add_note(1, "  ", "ann")
    with pytest.raises(ValueError, match="at most 10000 characters"):
        project.add_note(1, "x" * 10_001, "ann")
    assert project.remarks().is_empty()
