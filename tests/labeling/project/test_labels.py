"""The label set changes while people work: nothing is lost, and nothing counts for what it did not say."""

import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, TextClassifier, keyword
from strategies import Margin

LABELS = ["ok", "bad", "spam"]


@pytest.fixture
def project(storage_url):
    made = Project.create("p", LABELS, storage=storage_url)
    words = ["morning", "idiot", "clown", "cheap"]
    rows = [(f"{words[n % 4]} number {n}", "ok" if n % 4 == 0 else "spam" if n % 4 == 3 else "bad") for n in range(40)]
    made.add_items(pl.DataFrame(rows, schema=["text", "label"], orient="row"), gold="label")
    return made


def loop_of(project, name="l", budget=12):
    return project.pool_loop(
        name, strategy=Margin(), classifier=TextClassifier(), batch_size=6, seed=1, stop=[LabelBudget(budget)]
    )


def answer(project, loop, n, person="ann", truth=None):
    known = dict(project.labels("gold").select("item_id", "label").iter_rows()) if truth is None else truth
    told = {}
    for query in loop.ask(person, n)[:n]:
        told[query.item_id] = loop.tell(query, known[query.item_id]).label
    return told


def human(project):
    return dict(project.labels("human").select("item_id", "label").iter_rows())


def test_merged_classes_count_as_one_wherever_they_were_named(project):
    project.add_functions([keyword("a", ["idiot"], label="bad"), keyword("b", ["cheap"], label="spam")])
    loop = loop_of(project)
    told = answer(project, loop, 12)
    loop.refit()
    project.weak_label(MajorityVote())
    before = project.labels(source="weak")
    project.merge_labels(["bad", "spam"], into="unwanted")
    assert project.label_names == ("ok", "unwanted")
    assert human(project) == {item: "ok" if label == "ok" else "unwanted" for item, label in told.items()}
    assert set(project.labels("gold")["label"]) == {"ok", "unwanted"}
    for source in ("weak", "model"):
        labels = project.labels(source=source)
        sums = labels["probabilities"].list.sum() if labels["probabilities"].dtype == pl.List else None
        assert set(labels["label"]) <= {"ok", "unwanted"}
        assert sums is None or sums.to_list() == pytest.approx([1.0] * labels.height)
    assert project.labels(source="weak")["item_id"].to_list() == before["item_id"].to_list()
    assert {info.label for info in project.functions()} == {"unwanted"}
    assert not any(info.paused for info in project.functions())
    votes = project.label_matrix()
    assert {votes.labels[v] for v in votes.values[votes.values >= 0].tolist()} == {"unwanted"}
    # An answer sent under the older set means what its class is now.
    loop = loop_of(project, "other", budget=20)
    assert loop.tell(loop.ask("ann")[0], "spam").label == "unwanted"
    assert loop.refit().metrics["trained"]


def test_merging_into_one_of_them_or_another_keeps_its_id(project):
    ids = dict(zip(project.label_names, project.label_set.ids, strict=True))
    project.merge_labels(["bad", "spam"], into="spam")
    assert project.label_set.named("bad").id == project.label_set.named("spam").id == ids["spam"]
    project.add_label("bad")
    assert project.label_set.named("bad").id == 3


@pytest.mark.parametrize(
    ("names", "into", "refusal"),
    [
        (["bad", "oops"], "bad", "no label 'oops'"),
        (["bad"], "bad", "at least two labels, got 'bad' alone"),
        ([], "bad", "at least two labels"),
        (["ok", "bad", "spam"], "all", "at least two labels; only 'all' would be left"),
        ("bad", "spam", "must be a list"),
    ],
)
def test_merging_what_cannot_be_merged_is_refused(project, names, into, refusal):
    with pytest.raises((ValueError, TypeError), match=refusal):
        project.merge_labels(names, into)
    assert project.label_set.version == 1


def test_a_split_asks_again_first_and_what_it_touches_was_said_before(project):
    project.add_functions([keyword("a", ["idiot"], label="bad"), keyword("b", ["cheap"], label="spam")])
    loop = loop_of(project)
    told = answer(project, loop, 12)
    assert loop.stopped == "The budget of 12 labels is used."
    bad = {item for item, label in told.items() if label == "bad"}
    use = project.label_use("bad")
    assert (use.answers, use.items, use.people, use.functions) == (len(bad), len(bad), ("ann",), ("a",))
    assert use.gold == 20
    assert project.split_label("bad", ["insult", {"name": "threat", "definition": "of harm"}]) == len(bad)
    assert project.label_names == ("ok", "insult", "threat", "spam")
    assert loop.stopped is None
    assert loop.progress().answered == 12 - len(bad)
    assert human(project) == {item: label for item, label in told.items() if label != "bad"}
    # Answers that were given elsewhere in between do not count for it, and the loop asks the touched ones first.
    again = loop.ask("ann", 4)
    assert {query.item_id for query in again} <= bad
    with pytest.raises(ValueError, match=r"'bad' was split into 'insult', 'threat' and is none any more"):
        loop.tell(again[0], "bad")
    assert loop.tell(again[0], "threat").label == "threat"
    assert human(project)[again[0].item_id] == "threat"
    # What it left unsaid: known answers of the class, its rules.
    assert "insult" not in set(project.labels("gold")["label"])
    assert {info.name: info.paused for info in project.functions()} == {"a": True, "b": False}
    assert project.label_matrix().sources[0].name == "b"
    project.weak_label(MajorityVote())
    assert set(project.labels(source="weak")["label"]) <= {"spam"}
    project.add_functions([keyword("a", ["idiot"], label="insult")])
    assert not any(info.paused for info in project.functions())
    # All of it stays on record.
    facts = project.annotations()
    kinds = dict(facts.group_by("kind").len().iter_rows())
    assert kinds == {"answer": 13, "undo": len(bad)}
    assert set(facts.filter(pl.col("kind") == "undo")["origin"]) == {"split"}
    assert set(facts.filter(pl.col("item_id").is_in(list(bad)) & (pl.col("kind") == "answer"))["label"]) <= {
        "bad",
        "threat",
    }


def test_a_split_leaves_nothing_older_standing_in_its_place(project):
    loop = loop_of(project)
    first = loop.ask("ann", 1)[0]
    loop.tell(first, "ok")
    loop.tell(first, "bad")
    project.split_label("bad", ["insult", "threat"])
    assert human(project) == {}
    assert loop.progress().answered == 0


def test_what_was_answered_elsewhere_is_asked_by_the_first_loop_that_asks(project):
    items = project.items()["item_id"].to_list()[:3]
    project.add_annotations(pl.DataFrame({"item_id": items, "annotator": "x", "label": "bad"}))
    loop = loop_of(project)
    assert not set(items) & {query.item_id for query in loop.ask("ann", 6)}
    assert project.split_label("bad", ["insult", "threat"]) == 3
    assert {query.item_id for query in loop.ask("bob", 3)} == set(items)


def test_a_retired_class_is_offered_to_nobody_and_its_items_are_not_asked_again(project):
    loop = loop_of(project)
    told = answer(project, loop, 6)
    spam = [item for item, label in told.items() if label == "spam"]
    project.retire_label("spam")
    assert project.label_names == ("ok", "bad")
    assert human(project) == {item: label for item, label in told.items() if label != "spam"}
    assert loop.progress().answered == 6
    assert not set(spam) & {query.item_id for query in loop.ask("ann")}
    with pytest.raises(ValueError, match="'spam' was retired and is none any more"):
        loop.tell(loop.ask("ann")[0], "spam")
    for name in ("spam", " spam "):
        with pytest.raises(ValueError, match="'spam' was retired; its name is not given again"):
            project.add_label(name)
    assert loop.refit().metrics["trained"]
    project.add_label("advert")
    assert project.label_set.named("advert").id == 3
    assert "advert" not in set(project.labels()["label"])
    with pytest.raises(ValueError, match="only 'ok' would be left"):
        [project.retire_label(name) for name in ("advert", "bad")]


@pytest.mark.parametrize("into", [["bad", "worse"], ["worse"], ["worse", "worse"], ["ok", "worse"]])
def test_splitting_into_what_cannot_be_is_refused_and_nothing_is_reopened(project, into):
    loop = loop_of(project)
    told = answer(project, loop, 6)
    with pytest.raises(ValueError, match=r"not given again|at least two|there twice"):
        project.split_label("bad", into)
    assert human(project) == told
    assert project.label_set.version == 1


def test_a_stream_goes_on_when_classes_change(project):
    from strategies import FixedThreshold
    from tests.labeling.stream_loops import stream_of

    stream = stream_of(project, FixedThreshold(0.0), classifier=TextClassifier())
    for n in range(12):
        word, label = [("morning", "ok"), ("idiot", "bad"), ("cheap", "spam")][n % 3]
        stream.tell(stream.offer({"text": f"{word} again {n}"}).query, label, annotator="ann")
    project.merge_labels(["bad", "spam"], into="bad")
    assert stream.offer({"text": "cheap again"}).predicted in ("ok", "bad")
    for n in range(3):
        stream.tell(stream.offer({"text": f"idiot more {n}"}).query, "spam", annotator="ann")
    assert stream.offer({"text": "cheap idiot"}).predicted == "bad"
    project.split_label("bad", ["insult", "threat"])
    stream.tell(stream.offer({"text": "idiot at last"}).query, "insult", annotator="ann")
    stream.tell(stream.offer({"text": "morning at last"}).query, "ok", annotator="ann")
    assert stream.offer({"text": "idiot"}).predicted in ("ok", "insult", "threat")
    assert set(human(project).values()) == {"ok", "insult"}
