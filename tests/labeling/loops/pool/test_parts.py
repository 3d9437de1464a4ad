"""The parts of a pool loop, each built from what it reads, without a project or a loop around it."""

import pytest

from labeling import LabelBudget, TextClassifier
from labeling.loops.pool.alike import NearDuplicateAnswers
from labeling.loops.pool.answers import PoolAnswers
from labeling.loops.pool.ending import Ending
from labeling.loops.pool.held_back import HeldBack
from labeling.loops.pool.queue import Queue
from labeling.loops.pool.refits import PoolRefits
from labeling.loops.pool.rules_in_force import RulesInForce
from labeling.loops.refits.settings import Settings
from labeling.people.answers import Answers
from storage import Holder
from strategies import Entropy, OutlierGuard


@pytest.fixture
def record(store):
    return store.ledger.loops.add("l", "pool", {"strategy_text": "Entropy"})


@pytest.fixture
def queue(store, record):
    return Queue(store, record.id, record.name, lambda: 5)


def refits(store, queue, strategy=None):
    return PoolRefits(store, queue, Settings(strategy or Entropy(), TextClassifier(), batch_size=3, seed=7))


def asked(store, queue, annotator="ann", n=3):
    made = refits(store, queue)
    made.refit()
    return take(store, queue, annotator, n, made.last)


def take(store, queue, annotator, n, last):
    with store.ledger.turn() as turn:
        return queue.queries(queue.take(turn, Holder(annotator, None, 1800.0), n, last, skipped_too=False))


def open_(store, queue, annotator):
    with store.ledger.turn() as turn:
        return queue.queries(queue.open(turn.connection, Holder(annotator, None, 1800.0)))


def test_a_refit_ranks_the_pool_and_nothing_new_is_no_new_refit(store, queue):
    made = refits(store, queue)
    assert made.round_complete
    first = made.refit()
    assert (first.round, made.due(made.last), made.round_complete) == (0, 3, False)
    assert made.refit() == first


def test_the_queue_asks_each_item_once_and_within_the_budget(store, queue):
    ann = asked(store, queue)
    bob = take(store, queue, "bob", 3, refits(store, queue).last)
    assert (len(ann), len(bob)) == (3, 2)
    assert not {query.item_id for query in ann} & {query.item_id for query in bob}
    assert open_(store, queue, "ann") == ann


def test_an_answer_gives_the_lease_back_and_undo_takes_it_again(store, record, queue):
    answers = PoolAnswers(Answers(store, record.id, record.name), queue)
    first, *rest = asked(store, queue)
    told = answers.record(first, ("answer", (store.label_set.named("ok").id,)), None, seconds=1.0, uuid="one")
    assert (told.label, told.annotator, told.item_id) == ("ok", "ann", first.item_id)
    assert open_(store, queue, "ann") == rest
    assert answers.undo(Holder("ann", None, 1800.0)).label == "ok"
    assert {query.item_id for query in open_(store, queue, "ann")} == {query.item_id for query in (first, *rest)}
    assert answers.undo(Holder("ann", None, 1800.0)) is None


def test_an_answer_to_another_loops_question_is_refused(store, record, queue):
    other = PoolAnswers(Answers(store, record.id, "m"), Queue(store, record.id, "m", lambda: None))
    with pytest.raises(ValueError, match="belongs to the loop 'l', not to 'm'"):
        other.record(asked(store, queue)[0], ("skip", ()), None)


def test_near_duplicates_are_offered_and_taken_over_in_one_step(store, record, queue):
    said = Answers(store, record.id, record.name)
    alike, answers = NearDuplicateAnswers(store, said, queue), PoolAnswers(said, queue)
    query = asked(store, queue)[0]
    answers.record(query, said.said("ok"), None)
    offered = [near.item_id for near in alike.offered(query)]
    taken = alike.take_over(query, offered, uuid="step")
    assert [each.item_id for each in taken] == offered
    assert {each.origin for each in taken} <= {"alike"}
    assert alike.take_over(query, offered, uuid="step") == taken


def test_a_budget_that_is_used_ends_it_and_going_on_raises_it(store, record, queue):
    rules = RulesInForce(store.ledger, record.id, [LabelBudget(1)])
    ending = Ending(store, queue, rules, seed=7)
    answers = PoolAnswers(Answers(store, record.id, record.name), queue)
    assert (ending.stopped, rules.budget, ending.left(0)) == (None, 1, 1)
    answers.record(asked(store, queue)[0], ("answer", (store.label_set.named("ok").id,)), None)
    assert ending.stopped == "The budget of 1 labels is used."
    assert ending.go_on(2, stop=None, annotator="ann") == (LabelBudget(3),)
    assert (ending.stopped, rules.budget, ending.left(1)) == (None, 3, 2)
    assert RulesInForce(store.ledger, record.id, [LabelBudget(1)]).rules == (LabelBudget(3),)


def test_a_forecast_needs_no_answer(store, record, queue):
    ending = Ending(store, queue, RulesInForce(store.ledger, record.id, [LabelBudget(4)]), seed=7)
    assert ending.forecast(people=1, hours_a_day=8).answers.value == 4


def test_what_a_refit_holds_back_is_discarded_as_a_group(store, queue):
    held = HeldBack(store, queue)
    assert held.groups() == []
    refits(store, queue, OutlierGuard(Entropy(), share=0.5)).refit()
    groups = held.groups()
    for group in groups:
        ids = [item["item_id"] for item in held.group_items(group.id, 0, group.size)]
        assert held.discard(group.id, "ann", only=ids, but=(), uuid=None) == len(ids)
    assert held.groups() == []
    with pytest.raises(LookupError, match="no group '9-9' in the loop 'l'"):
        held.group_items("9-9")
