"""Answers of one loop, whatever kind it is: recorded once, and taken back."""

import pytest

from labeling import UNSURE
from labeling.people.answers import Answers, annotator_name


@pytest.fixture
def answers(store):
    record = store.ledger.loops.add("l", "stream", {"strategy_text": "Entropy"})
    return Answers(store, record.id, record.name)


def test_what_is_said_is_kept_by_the_id_of_the_class(store, answers):
    assert answers.said("ok") == ("answer", (store.label_set.named("ok").id,))
    assert answers.said(UNSURE) == ("unsure", ())
    with pytest.raises(TypeError, match="name of a class or UNSURE, got 3"):
        answers.said(3)
    with pytest.raises(ValueError, match="oops"):
        answers.said("oops")


def test_an_answer_that_is_sent_twice_is_stored_once(store, answers):
    first = answers.record(1, answers.said("ok"), "ann", uuid="one")
    assert answers.record(1, answers.said("offensive"), "ann", uuid="one") == first
    assert len(store.ledger.annotations.everything()) == 1


def test_what_a_loop_adds_happens_in_the_same_transaction(store, answers):
    def fails(write, person):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        answers.record(1, answers.said("ok"), "ann", within=fails)
    assert store.ledger.annotations.everything() == []


def test_undo_takes_back_the_newest_of_the_kinds_named(answers):
    answers.record(1, answers.said("ok"), "ann")
    answers.record(2, ("skip", ()), "ann")
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


def test_a_name_is_one_person_however_its_characters_are_written(store, answers):
    composed, marks = "Ren\u00e9", "Rene\u0301"
    answers.record(1, answers.said("ok"), annotator_name(composed))
    assert answers.undo(annotator_name(marks), ("answer",)).annotator == composed
    assert list(store.ledger.annotations.annotators().values()) == [composed]
