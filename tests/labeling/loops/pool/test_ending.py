from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from labeling import After, LabelBudget, Project, QueueEmpty, Stability, StopRule, TargetScore
from strategies import Random

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    texts = [f"you idiot {n}" if n % 3 == 0 else f"good morning {n}" for n in range(30)]
    labels = ["offensive" if n % 3 == 0 else "ok" for n in range(30)]
    project.add_items(pl.DataFrame({"text": texts, "label": labels}), gold="label", progress=False)
    return project


def loop_of(project, stop, **settings):
    return project.pool_loop("l", strategy=Random(), batch_size=3, seed=1, stop=stop, **settings)


def again(project, **settings):
    return Project.open("p", storage=project.ledger.full_url).pool_loop("l", **settings)


def answer(project, loop, rounds=100):
    """Answer truly until the loop is done, at most so many batches; return how many answers."""
    gold = dict(project.labels("gold").select("item_id", "label").iter_rows())
    count = 0
    for _ in range(rounds):
        if loop.done:
            break
        for query in loop.ask("ann"):
            loop.tell(query, gold[query.item_id])
            count += 1
        loop.refit()
    return count


def test_a_budget_that_is_used_up_is_raised_for_every_process(project):
    loop, other = loop_of(project, [LabelBudget(4)]), again(project)
    assert answer(project, loop) == 4
    assert loop.stopped == other.stopped == "The budget of 4 labels is used."
    assert loop.go_on(3, annotator="ann") == (LabelBudget(7),)
    assert other.stopped is None
    assert (other.budget, again(project).budget, project.loops()[0].budget) == (7, 7, 7)
    assert answer(project, again(project)) == 3
    assert loop.stopped == "The budget of 7 labels is used."
    with pytest.raises(QueueEmpty, match="budget of 7"):
        loop.ask("ann")


def test_history_notes_who_went_on_and_why(project):
    loop = loop_of(project, [LabelBudget(3)])
    answer(project, loop)
    loop.go_on(3, annotator="ann")
    note = "Went on by ann after 3 answers, to stop by [LabelBudget(labels=6)]. The budget of 3 labels is used."
    assert loop.history()["notes"].to_list()[-1] == [note]
    answer(project, loop)
    notes = loop.history()["notes"].to_list()
    assert [note in one for one in notes] == [False, True]


def test_a_rule_that_fired_is_looked_at_again_after_so_many_answers(project):
    project.set_holdout(0.4, seed=0)
    loop = loop_of(project, [TargetScore("accuracy", 0.5), LabelBudget(15)])
    first = answer(project, loop)
    assert loop.stopped.startswith("accuracy on the hold-out reached")
    assert loop.go_on(6) == (After(TargetScore("accuracy", 0.5), first + 6), LabelBudget(15))
    assert loop.stopped is None
    assert answer(project, again(project)) == 6
    assert loop.stopped.startswith("accuracy on the hold-out reached")
    assert loop.go_on(3)[0] == After(TargetScore("accuracy", 0.5), first + 9)


def test_other_rules_take_the_place_of_all(project):
    loop = loop_of(project, [LabelBudget(3)])
    answer(project, loop)
    assert loop.go_on(stop=[Stability(labels=9, kappa=0.5)]) == (Stability(labels=9, kappa=0.5),)
    assert again(project).stop == (Stability(labels=9, kappa=0.5),)
    assert loop.budget is None
    loop.go_on(stop=[])
    answer(project, loop)
    assert loop.stopped == "Every item of the pool has an answer."
    with pytest.raises(ValueError, match="Import more items"):
        loop.go_on(3)


def test_a_script_that_runs_again_opens_a_loop_that_went_on(project):
    loop = loop_of(project, [LabelBudget(3)])
    answer(project, loop)
    loop.go_on(2)
    assert loop_of(project, [LabelBudget(3)]).budget == 5
    assert loop_of(project, [LabelBudget(5)]).budget == 5
    with pytest.raises(ValueError, match="was made with stop"):
        loop_of(project, [LabelBudget(4)])


@pytest.mark.parametrize("given", [{}, {"answers": 3, "stop": []}], ids=["neither", "both"])
def test_going_on_takes_a_number_or_rules(project, given):
    with pytest.raises(ValueError, match=r"either a number of answers, as go_on\(100\), or stop="):
        loop_of(project, [LabelBudget(3)]).go_on(**given)


def test_going_on_where_nothing_stopped_or_nothing_can_be_measured_is_refused(project):
    loop = loop_of(project, [LabelBudget(3)])
    with pytest.raises(ValueError, match="No stop rule has fired"):
        loop.go_on(10)
    with pytest.raises(ValueError, match="needs a hold-out"):
        loop.go_on(stop=[TargetScore("accuracy", 0.9)])
    with pytest.raises(TypeError, match="LabelBudget"):
        loop.go_on(stop=[500])
    answer(project, loop)
    with pytest.raises(ValueError, match="at least 1"):
        loop.go_on(0)


@dataclass(frozen=True)
class Lunch(StopRule):
    """A rule of the user's own."""

    at: int

    def reason(self, answered: int, history: Sequence[Mapping[str, Any]]) -> str | None:
        return "Time for lunch." if answered >= self.at else None


def test_a_rule_of_ones_own_goes_on_and_is_passed_again(project):
    loop = loop_of(project, [Lunch(3)])
    answer(project, loop)
    assert loop.stopped == "Time for lunch."
    assert loop.go_on(3) == (After(Lunch(3), 6),)
    with pytest.raises(LookupError, match="Pass the object again"):
        again(project)
    assert again(project, stop=[Lunch(3)]).stop == (After(Lunch(3), 6),)
    assert answer(project, loop) == 3
    assert loop.stopped == "Time for lunch."
