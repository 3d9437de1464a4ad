import polars as pl
import pytest

from labeling import UNSURE, MajorityVote, Project, TextClassifier, keyword
from strategies import Random

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    frame = pl.DataFrame(
        {"text": ["you idiot", "good morning", "thanks", "?"], "label": ["offensive", "ok", None, None]}
    )
    project.add_items(frame, gold="label")
    return project


def tell(loop, item_id, label, annotator):
    """Answer an item, whoever was asked it."""
    queries = {query.item_id: query for query in loop.ask("ann", 4)}
    return loop.tell(queries[item_id], label, annotator=annotator)


@pytest.fixture
def loop(project):
    return project.pool_loop("l", strategy=Random(), classifier=TextClassifier(), batch_size=9)


def test_people_come_first_then_who_is_likelier_right_and_gold_never_resolves(project, loop):
    project.add_functions([keyword("insult", ["idiot"], "offensive"), keyword("polite", ["thanks"], "ok")])
    assert project.labels().height == 0
    project.weak_label(MajorityVote())
    assert project.labels().select("item_id", "label", "source").rows() == [(1, "offensive", "weak"), (3, "ok", "weak")]
    tell(loop, 1, "ok", "ann")
    loop.refit()
    # The one weak label that is judged is wrong, the one prediction right.
    resolved = project.labels()
    assert resolved["source"].to_list() == ["human", "model", "model", "model"]
    assert resolved["label"].to_list()[0] == "ok"
    classic = project.labels(order=["human", "weak", "model"])
    assert classic["source"].to_list() == ["human", "model", "weak", "model"]
    assert project.labels(order=["weak", "human"])["source"].to_list() == ["weak", "weak"]
    assert [project.labels(source).height for source in ("human", "weak", "model", "gold")] == [1, 2, 4, 2]
    assert project.labels("gold")["role"].to_list() == ["development"] * 2


def test_the_label_that_most_people_gave_wins_and_a_tie_goes_to_the_newest(project, loop):
    queries = {query.item_id: query for query in loop.ask("ann", 4)}
    for item, label, name in [
        (1, "ok", "ann"), (1, "offensive", "bo"), (1, "offensive", "cy"),
        (2, "offensive", "ann"), (2, "ok", "bo"),
        (3, "ok", "ann"), (3, UNSURE, "bo"),
    ]:  # fmt: skip
        loop.tell(queries[item], label, annotator=name)
    human = project.labels("human").select("item_id", "label", "confidence", "annotators")
    assert human.rows() == [
        (1, "offensive", pytest.approx(2 / 3), ["ann", "bo", "cy"]),
        (2, "ok", pytest.approx(0.5), ["ann", "bo"]),
        (3, "ok", 1.0, ["ann"]),
    ]


def test_an_unknown_source_is_refused_with_those_there_are(project):
    with pytest.raises(ValueError, match=r"'people'. Sources are human, weak, model, gold"):
        project.labels("people")


def test_annotations_show_what_was_taken_back(project, loop):
    tell(loop, 2, "ok", None)
    loop.undo("ann")
    facts = project.annotations().select("item_id", "annotator", "kind", "label", "undone")
    assert facts.rows() == [(2, "ann", "answer", "ok", True), (2, "ann", "undo", None, False)]


def test_who_is_right_how_often_is_told_once_enough_items_are_shared(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": [f"post {n}" for n in range(23)]}))
    truth = [LABELS[n % 2] for n in range(23)]
    rows = [(n + 1, who, truth[n]) for n in range(19) for who in ("ann", "bo")]
    rows += [(n + 1, "cy", LABELS[1 - n % 2]) for n in range(19)]
    rows += [(23, "dee", "ok")]
    answers = pl.DataFrame(rows, schema=["item_id", "annotator", "label"], orient="row")
    project.add_annotations(answers, item_id="item_id")
    few = [("ann", 19, 19, None), ("bo", 19, 19, None), ("cy", 19, 19, None), ("dee", 1, 0, None)]
    assert project.annotators().rows() == few
    more = pl.DataFrame({"item_id": [20, 20], "annotator": ["ann", "bo"], "label": [truth[19]] * 2})
    project.add_annotations(more, item_id="item_id")
    people = {who: (given, shared, right) for who, given, shared, right in project.annotators().iter_rows()}
    assert people["ann"][:2] == (20, 20)
    assert people["ann"][2] > 0.8 > 0.3 > people["cy"][2]
    assert people["dee"] == (1, 0, None)


def test_nobody_has_answered_yet(project):
    assert project.annotators().rows() == []
    assert project.labels("human").height == 0
