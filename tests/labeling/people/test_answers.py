"""Answers of one loop, whatever kind it is: recorded once, and taken back."""

from types import SimpleNamespace

import pytest
from sqlalchemy import event

from labeling import UNSURE, Project
from labeling.people.answers import Answers, annotator_name
from storage import tables
from tests.labeling import stream_loops
from tests.labeling.pool_loops import loop_of, project_of


@pytest.fixture
def record(store):
    return store.ledger.loops.add("l", "stream", {"strategy_text": "Entropy"})


@pytest.fixture
def answers(store, record):
    return Answers(store, record.id, record.name)


@pytest.fixture
def asked(store, record):
    """What the loop asked about two items, by the item."""
    numbers = dict.fromkeys(("position", "score", "threshold", "probability", "boost", "round"), 0)
    with store.ledger.write() as write:
        for item in (1, 2):
            values = numbers | {"loop_id": record.id, "item_id": item, "position": item, "asked": True}
            write.fact(tables.stream_decisions, uuid=f"query {item}", **values)
    return {item: SimpleNamespace(uuid=f"query {item}", item_id=item, loop="l") for item in (1, 2)}


def test_what_is_said_is_kept_by_the_id_of_the_class(store, answers):
    assert answers.said("ok") == ("answer", (store.label_set.named("ok").id,))
    assert answers.said(UNSURE) == ("unsure", ())
    with pytest.raises(TypeError, match="name of a class or UNSURE, got 3"):
        answers.said(3)
    with pytest.raises(ValueError, match="oops"):
        answers.said("oops")


def test_an_answer_that_is_sent_twice_is_stored_once(store, answers, asked):
    first = answers.record(asked[1], answers.said("ok"), "ann", uuid="one")
    assert answers.record(asked[1], answers.said("ok"), "ann", uuid="one") == first
    assert len(store.ledger.annotations.everything()) == 1


@pytest.mark.parametrize(
    ("item", "said", "who", "named"),
    [
        (2, "ok", "ann", "another item"),
        (1, "offensive", "ann", "another label"),
        (1, UNSURE, "ann", "another kind"),
        (1, "ok", "bob", "another annotator"),
    ],
)
def test_a_uuid_never_names_anything_else(store, answers, asked, item, said, who, named):
    answers.record(asked[1], answers.said("ok"), "ann", uuid="one")
    with pytest.raises(ValueError, match=rf"The UUID 'one' names something else .*{named}.*nothing was saved"):
        answers.record(asked[item], answers.said(said), who, uuid="one")
    with pytest.raises(ValueError, match="The UUID 'one' names something else"):
        answers.undo("ann", ("answer",), uuid="one")
    assert len(store.ledger.annotations.everything()) == 1


def test_a_uuid_of_another_project_is_refused(store, answers, asked):
    other = Project.create("other", ["ok", "offensive"], storage=store.ledger.full_url).store
    stream = other.ledger.loops.add("l", "stream", {"strategy_text": "Entropy"})
    with other.ledger.write() as write:
        write.fact(
            tables.annotations,
            uuid="one",
            item_id=1,
            annotator_id=other.ledger.annotations.annotator(write.connection, "ann"),
            kind="answer",
            loop_id=stream.id,
            content_version=1,
            label_set=1,
            suggestion_shown=False,
        )
    with pytest.raises(ValueError, match=r"The UUID 'one' names something else .*another project"):
        answers.record(asked[1], answers.said("ok"), "ann", uuid="one")
    assert store.ledger.annotations.everything() == []


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"uuid": "query 3"}, "never asked the query query 3: it is one of another project or another database"),
        ({"item_id": 999_999}, "asks about the item 1, not about 999999"),
        ({"loop": "m"}, "belongs to the loop 'm', not to 'l' of the project"),
    ],
)
def test_nothing_that_is_said_of_a_question_is_believed(store, answers, asked, changed, refusal):
    question = SimpleNamespace(**vars(asked[1]) | changed)
    for said in (answers.said("ok"), ("skip", ()), ("discard", ())):
        with pytest.raises(ValueError, match=refusal):
            answers.record(question, said, "ann")
    assert store.ledger.annotations.everything() == []


def test_a_step_back_that_is_sent_twice_is_done_once(store, answers, asked):
    answers.record(asked[1], answers.said("ok"), "ann")
    answers.record(asked[2], answers.said("ok"), "ann")
    undone = answers.undo("ann", ("answer",), uuid="back")
    assert answers.undo("ann", ("answer",), uuid="back") == undone
    assert undone.item_id == 2
    assert [record.item_id for record in store.ledger.annotations.current()] == [1]


def test_what_a_loop_adds_happens_in_the_same_transaction(store, answers, asked):
    def fails(write, person, question):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        answers.record(asked[1], answers.said("ok"), "ann", within=fails)
    assert store.ledger.annotations.everything() == []


def test_undo_takes_back_the_newest_of_the_kinds_named(answers, asked):
    answers.record(asked[1], answers.said("ok"), "ann")
    answers.record(asked[2], ("skip", ()), "ann")
    again = []

    def reopen(write, undone, person):
        return lambda: again.append(undone.item_id)

    assert answers.undo("ann", ("answer",), reopen).item_id == 1
    assert again == [1]
    assert answers.undo("ann", ("answer",)) is None
    assert answers.undo("bob", ("answer", "skip")) is None


def test_nothing_of_a_step_that_is_not_there_is_taken_back(answers):
    assert answers.undo_step("never", "ann") is None


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_an_annotator_has_a_name(name):
    with pytest.raises(ValueError, match="needs a name"):
        annotator_name(name)
    assert annotator_name(" ann ") == "ann"


def test_a_name_is_one_person_however_its_characters_are_written(store, answers, asked):
    composed, marks = "Ren\u00e9", "Rene\u0301"
    answers.record(asked[1], answers.said("ok"), annotator_name(composed))
    assert answers.undo(annotator_name(marks), ("answer",)).annotator == composed
    assert list(store.ledger.annotations.annotators().values()) == [composed]


@pytest.fixture(params=["pool", "stream"])
def told(request, storage_url):
    """A loop of either kind, and two of its questions."""
    if request.param == "pool":
        loop = loop_of(project_of(storage_url), batch_size=6)
        return (loop, *loop.ask("ann", 2))
    stream = stream_loops.stream_of(Project.create("p", stream_loops.LABELS, storage=storage_url))
    decisions = stream.offer_many([{"text": text} for text, _ in stream_loops.posts(24)])
    return (stream, *[decision.query for decision in decisions if decision.asked][:2])


def test_an_answer_that_names_the_one_it_corrects_corrects_no_other(told):
    loop, query, other = told
    first = loop.tell(query, "ok", annotator="ann")
    elsewhere = loop.tell(other, "ok", annotator="ann")
    foreign = loop.tell(query, "offensive", annotator="bob")
    second = loop.tell(query, UNSURE, annotator="ann", uuid="second", corrects=first.uuid)
    for wrong in (first.uuid, elsewhere.uuid, foreign.uuid, "never"):
        with pytest.raises(ValueError, match=f"'ann' said to this query is now 'second', not '{wrong}'; nothing was"):
            loop.tell(query, "ok", annotator="ann", corrects=wrong)
        with pytest.raises(ValueError, match="is now 'second'"):
            loop.discard(query, annotator="ann", corrects=wrong)
    # What is sent twice is stored once, though what it corrects stands no more.
    assert loop.tell(query, UNSURE, annotator="ann", uuid="second", corrects=first.uuid) == second
    loop.undo("ann")
    third = loop.discard(query, annotator="ann", corrects=first.uuid)
    assert loop.tell(query, "ok", annotator="ann", corrects=third.uuid).label == "ok"
    assert loop.tell(query, "ok", annotator="bob").label == "ok"


def test_nothing_can_be_corrected_where_nothing_stands(told):
    loop, query, _ = told
    for undone in (False, True):
        with pytest.raises(
            ValueError, match=r"'bob' has said nothing .* 'some' cannot be corrected; nothing was saved"
        ):
            loop.tell(query, "ok", annotator="bob", corrects="some")
        if not undone:
            loop.tell(query, "ok", annotator="bob", uuid="some")
            loop.undo("bob")
    assert loop.tell(query, "ok", annotator="bob").label == "ok"


def test_who_was_merged_corrects_what_the_other_name_said_in_at_most_10_statements(told):
    loop, query, _ = told
    ledger = loop._ledger
    loop.tell(query, "ok", annotator="ann")
    first = loop.tell(query, "ok", annotator="Ann")
    Project.open("p", storage=ledger.full_url).merge_people("Ann", "ann")
    loop.tell(query, "ok", annotator="ann", corrects=first.uuid, uuid="now")
    log = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *call: log.append(call[2]))
    loop.tell(query, "offensive", annotator="ann", corrects="now")
    assert len(log) <= 10, log
