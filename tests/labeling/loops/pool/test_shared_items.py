"""Several people answer an item, each at most once, and what they say counts together."""

import polars as pl
import pytest

from labeling import LabelBudget, Project, QueueEmpty
from labeling.store.overlap import Overlap
from strategies import Entropy
from tests.labeling.pool_loops import expire_leases, human, ids, loop_of, posts


def project_of(url, people=2, n=12):
    project = Project.create("p", ["ok", "offensive"], storage=url, annotators_per_item=people)
    project.add_items(posts(n), gold="label")
    return project


def asked(loop, who, n):
    try:
        return loop.ask(who, n)
    except QueueEmpty:
        return []


def test_each_item_is_asked_of_as_many_people_as_wanted_and_of_none_twice(storage_url):
    project = project_of(storage_url, people=3, n=6)
    loop = loop_of(project, budget=100, batch_size=6)
    for _ in range(4):
        for who in ("ann", "bob", "cy", "dan"):
            for query in asked(loop, who, 2):
                loop.tell(query, "ok" if who == "cy" else "offensive")
    answers = project.annotations().filter(pl.col("kind") == "answer")
    assert answers.group_by("item_id").len()["len"].to_list() == [3] * 6
    assert answers.select("item_id", "annotator").is_unique().all()
    assert loop.stopped == "Every item of the pool has an answer."
    assert set(human(project).values()) == {"offensive"}


def test_a_loop_goes_on_while_answers_of_others_are_missing(storage_url):
    project = project_of(storage_url, n=3)
    loop = loop_of(project, batch_size=3)
    for query in loop.ask("ann", 3):
        loop.tell(query, "ok")
    assert loop.stopped is None
    assert loop.progress().left == 3
    with pytest.raises(QueueEmpty, match="needs the answer of somebody else: you have answered it"):
        loop.ask("ann")
    again = loop.ask("bob", 2)
    assert {query.strategy for query in again} == {"asked of several people"}
    for query in again:
        assert query.answer is None
        loop.tell(query, "ok")
    assert loop.progress().left == 1
    # What bob holds is not given to somebody else as well where two are wanted.
    (held,) = loop.ask("bob", 1)
    with pytest.raises(QueueEmpty):
        loop.ask("cy")
    loop.skip(held)
    assert ids(loop.ask("cy")) == [held.item_id]


def test_two_people_hold_one_item_where_two_answers_are_missing(storage_url):
    project = project_of(storage_url, people=3, n=1)
    loop = loop_of(project, batch_size=1)
    loop.tell(loop.ask("ann", 1)[0], "ok")
    bob, cy = loop.ask("bob", 1), loop.ask("cy", 1)
    assert ids(bob) == ids(cy)
    with pytest.raises(QueueEmpty):
        loop.ask("dan", 1)
    expire_leases(project)
    (dan,) = loop.ask("dan", 1)
    # An answer after the lease ran out counts as well where several are wanted.
    loop.tell(bob[0], "offensive")
    loop.tell(dan, "offensive")
    assert human(project) == {dan.item_id: "offensive"}
    loop.tell(cy[0], "offensive")
    assert project.labels("human")["annotators"].to_list() == [["ann", "bob", "cy", "dan"]]


def test_a_share_of_the_items_is_chosen_by_seed(storage_url):
    project = project_of(storage_url, people=1, n=40)
    project.set_annotators_per_item(2, share=0.25, seed=4)
    chosen = {item for item in project.items()["item_id"] if Overlap(2, 0.25, seed=4).wanted(item) == 2}
    assert 4 <= len(chosen) <= 16
    loop = loop_of(project, batch_size=40)
    for query in loop.ask("ann", 40):
        loop.tell(query, "ok")
    assert set(ids(loop.ask("bob", 40))) == chosen


def test_a_second_answer_is_asked_where_the_first_disagrees_with_the_model(storage_url):
    project = project_of(storage_url, people=1, n=30)
    project.set_annotators_per_item(3, rule="disagreement")
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=10, seed=7, stop=[LabelBudget(60)])
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    for query in loop.ask("ann", 10):
        loop.tell(query, truth[query.item_id])
    wrong = set()
    for query in loop.ask("ann", 10):
        assert query.predicted is not None
        other = {"ok": "offensive", "offensive": "ok"}[query.predicted]
        if len(wrong) < 3:
            wrong.add(query.item_id)
        loop.tell(query, other if query.item_id in wrong else query.predicted)
    assert set(ids(loop.ask("bob", 3))) == wrong


def test_answers_of_classes_that_were_merged_since_do_not_differ(storage_url):
    project = Project.create("p", ["ok", "insult", "threat"], storage=storage_url)
    project.add_items(posts(6), text="text")
    project.set_annotators_per_item(3, rule="disagreement")
    loop = loop_of(project, batch_size=6)
    for query in loop.ask("ann", 6):
        loop.tell(query, "insult")
        loop.tell(query, "threat", annotator="bob")
    assert loop.progress().left == 6
    project.merge_labels(["insult", "threat"], into="insult")
    assert loop.progress().left == 0


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"people": 0}, "annotators_per_item"),
        ({"people": 101}, "at most 100"),
        ({"people": 2, "share": 0.0}, "share is the part"),
        ({"people": 2, "rule": "luck"}, "rule is one of 'all', 'disagreement', 'low confidence', got 'luck'"),
        ({"people": 2, "rule": "low confidence", "below": 2.0}, "below is a probability"),
    ],
)
def test_what_cannot_be_is_refused(sqlite_url, how, refusal):
    project = project_of(sqlite_url, people=1, n=1)
    people = how.pop("people")
    with pytest.raises(ValueError, match=refusal):
        project.set_annotators_per_item(people, **how)
    assert project.annotators_per_item == Overlap()


def test_low_confidence_asks_for_more_where_the_model_was_not_sure():
    rule = Overlap(2, rule="low confidence", below=0.6)
    assert rule.allows(1, {"1": 0.55, "2": 0.45}, frozenset({1}))
    assert not rule.allows(1, {"1": 0.65, "2": 0.35}, frozenset({2}))
    assert not rule.allows(None, {}, frozenset({2}))
