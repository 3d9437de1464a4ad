import numpy as np
import polars as pl
import pytest

from labeling import UNSURE, LabelBudget, Project
from strategies import Entropy, Random

LABELS = ["ok", "offensive"]
BASE = "you are a complete idiot and everybody here in this thread knows it by now"
OTHER = "good morning to all of you and have a wonderful and very quiet day at home"
TEXTS = [
    BASE,
    f"{BASE} !!!",
    f"{BASE} friend",
    f"well {BASE}",
    OTHER,
    f"{OTHER} people",
    "the senate votes on the budget this evening",
    "my cat sleeps on the radiator",
    "who has seen the new bridge over the river",
    "tickets for the concert are sold out",
]


def project_of(url, **columns):
    project = Project.create("p", LABELS, storage=url)
    project.add_items(pl.DataFrame({"text": TEXTS, "n": range(len(TEXTS))} | columns), progress=False)
    return project


@pytest.fixture
def project(storage_url):
    return project_of(storage_url)


@pytest.fixture
def local(sqlite_url):
    return project_of(sqlite_url)


def loop_of(project, batch_size=6, **settings):
    return project.pool_loop("l", strategy=Random(), batch_size=batch_size, seed=1, **settings)


def asked_of(loop, items, annotator="ann"):
    return next(query for query in loop.ask(annotator) if query.item_id in items)


def human(project):
    return dict(project.labels("human").select("item_id", "label").iter_rows())


def test_a_batch_holds_one_of_each_group(local):
    items = {query.item_id for query in loop_of(local).ask("ann")}
    assert len(items & {1, 2, 3, 4}) == len(items & {5, 6}) == 1
    assert {7, 8, 9, 10} <= items


def test_what_resembles_an_open_question_is_asked_of_nobody_else(local):
    loop = loop_of(local)
    mine = loop.ask("ann")
    for query in mine[:-1]:
        loop.tell(query, "ok")
    kept = mine[-1].item_id
    group = {1, 2, 3, 4} if kept < 5 else {5, 6} if kept < 7 else {kept}
    loop.refit()
    theirs = [query.item_id for query in loop.ask("bo", 2)]
    assert len(theirs) == 2
    assert not group & set(theirs)


def test_near_duplicates_are_offered_the_most_similar_first(project):
    loop = loop_of(project)
    query = asked_of(loop, {1, 2, 3, 4})
    offered = loop.alike(query)
    assert {one.item_id for one in offered} == {1, 2, 3, 4} - {query.item_id}
    assert [one.similarity for one in offered] == sorted((one.similarity for one in offered), reverse=True)
    assert all(one.similarity >= 0.8 for one in offered)
    assert offered[0].item["text"] == TEXTS[offered[0].item_id - 1]
    assert [one.item_id for one in loop.alike(query.item_id)] == [one.item_id for one in offered]
    assert len(loop.alike(query, limit=1)) == 1
    assert project.annotations().height == 0


def test_an_answer_is_taken_over_for_those_chosen_and_says_so(project, tmp_path):
    loop = loop_of(project, stop=[LabelBudget(6)])
    query = asked_of(loop, {1, 2, 3, 4})
    answer = loop.tell(query, "offensive", seconds=3.0)
    first, second, third = (one.item_id for one in loop.alike(query))
    taken = loop.tell_alike(answer, [second, first])
    assert [(one.item_id, one.kind, one.label, one.origin) for one in taken] == [
        (second, "answer", "offensive", "alike"),
        (first, "answer", "offensive", "alike"),
    ]
    assert human(project) == dict.fromkeys((query.item_id, first, second), "offensive")
    progress = loop.progress()
    assert (progress.answered, progress.alike, progress.due) == (1, 2, 5)
    assert [one.item_id for one in loop.alike(query)] == [third]
    facts = project.annotations()
    assert facts["origin"].to_list() == [None, "alike", "alike"]
    assert facts["from_query"].to_list() == [None, query.id, query.id]
    assert facts["seconds"].to_list() == [3.0, None, None]
    loop.refit()
    assert loop.history().select("labels", "alike").rows() == [(3, 2)]
    project.export(tmp_path / "out.parquet", progress=False)
    rows = pl.read_parquet(tmp_path / "out.parquet").sort("item_id")
    over = dict(rows.select("item_id", "taken_over").iter_rows())
    assert {item: value for item, value in over.items() if value is not None} == {
        query.item_id: False,
        first: True,
        second: True,
    }


def test_undo_takes_a_whole_step_back_and_then_the_answer_itself(project):
    loop = loop_of(project)
    query = asked_of(loop, {1, 2, 3, 4})
    loop.tell_alike(loop.tell(query, "ok"), [one.item_id for one in loop.alike(query)])
    assert len(human(project)) == 4
    undone = loop.undo("ann")
    assert (undone.kind, undone.origin, undone.together) == ("answer", "alike", 3)
    assert human(project) == {query.item_id: "ok"}
    assert loop.progress().alike == 0
    assert loop.undo("ann").together == 1
    assert human(project) == {}
    assert loop.undo("ann") is None


def test_a_step_sent_twice_is_stored_once(local):
    loop = loop_of(local)
    query = asked_of(loop, {1, 2, 3, 4})
    answer = loop.tell(query, "ok")
    items = [one.item_id for one in loop.alike(query)]
    once, twice = (loop.tell_alike(answer, items, uuid="step-1") for _ in range(2))
    assert once == twice
    assert local.annotations().height == 4


def test_what_others_answered_hold_or_is_held_out_is_not_offered(sqlite_url):
    project = project_of(sqlite_url, label=["offensive"] * 4 + ["ok"] * 6)
    loop = loop_of(project, batch_size=1)
    loop.refit()
    answers = loop.ask("ann", 10, refit=False)
    query = next(query for query in answers if query.item_id in {1, 2, 3, 4})
    others = [q for q in answers if q.item_id in {1, 2, 3, 4} - {query.item_id}]
    assert loop.alike(query) == []
    for other in others:
        loop.skip(other)
    assert len(loop.alike(query)) == 3
    loop.tell(others[0], "ok", annotator="bo")
    assert len(loop.alike(query)) == 2
    assert loop.tell_alike(loop.tell(query, "ok"), [others[0].item_id]) == []


def test_unsure_and_discards_are_taken_over_too(local):
    loop = loop_of(local)
    query = asked_of(loop, {1, 2, 3, 4})
    first, second, _ = (one.item_id for one in loop.alike(query))
    loop.tell_alike(loop.tell(query, UNSURE), [first])
    loop.tell_alike(loop.discard(query), [second])
    assert local.discarded() == {query.item_id, second}
    assert human(local) == {}


def test_nothing_is_taken_over_without_an_answer_that_stands(local):
    loop = loop_of(local)
    query = asked_of(loop, {1, 2, 3, 4})
    items = [one.item_id for one in loop.alike(query)]
    with pytest.raises(ValueError, match="no answer to take over"):
        loop.tell_alike(query, items)
    answer = loop.tell(query, "ok")
    loop.undo("ann")
    with pytest.raises(ValueError, match="no answer to take over"):
        loop.tell_alike(answer, items)


def test_only_near_duplicates_take_an_answer_over(local):
    loop = loop_of(local)
    query = asked_of(loop, {1, 2, 3, 4})
    answer = loop.tell(query, "ok")
    with pytest.raises(ValueError, match="item 9 is no near-duplicate"):
        loop.tell_alike(answer, [9])
    with pytest.raises(LookupError, match="no item 99"):
        loop.alike(99)


def test_items_imported_later_are_found_without_a_refit(local):
    loop = loop_of(local)
    query = asked_of(loop, {7})
    assert loop.alike(7) == []
    local.add_items(pl.DataFrame({"text": [f"{TEXTS[6]} again"]}), progress=False)
    assert [one.item_id for one in loop.alike(7)] == [11]
    assert [one.item_id for one in loop.tell_alike(loop.tell(query, "ok"), [11])] == [11]


def test_without_texts_there_are_no_near_duplicates(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"x": np.arange(8.0)}), progress=False)
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=2)
    assert loop.alike(loop.ask("ann")[0]) == []


def test_a_hold_out_does_not_split_near_duplicates(sqlite_url):
    project = project_of(sqlite_url, label=["offensive"] * 4 + ["ok"] * 6)
    project.add_items(pl.DataFrame({"text": TEXTS, "label": ["offensive"] * 4 + ["ok"] * 6}), gold="label")
    for seed in range(8):
        project.set_holdout(0.3, seed=seed)
        held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
        assert len(held & {1, 2, 3, 4}) in (0, 4)
        assert len(held & {5, 6}) in (0, 2)
