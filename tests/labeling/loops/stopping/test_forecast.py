from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from labeling import After, LabelBudget, Project, Stability, TargetScore
from labeling.loops.stopping.curve_fit import Estimate
from labeling.loops.stopping.forecast import forecast, pace_of
from storage.records import WorkRecord
from strategies import Random

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday


def working(days=4, each=60, people=2, seconds=6.0, start=8, every=60.0):
    """Answers on the days before NOW: `each` a person and day, one every so many seconds."""
    work = [
        WorkRecord(person, seconds, NOW.replace(hour=start) - timedelta(days=day) + timedelta(seconds=every * place))
        for day in range(days, 0, -1)
        for place in range(each)
        for person in range(people)
    ]
    return sorted(work, key=lambda one: one.created_at)


def curve(end=0.9, b=1.5, c=0.5, points=10, step=50, metric="accuracy"):
    labels = [step * (place + 1) for place in range(points)]
    return [{"labels": n, metric: end - b * n**-c, "judged": 5000} for n in labels]


def told(rules, answered=0, left=100_000, history=(), work=(), **how):
    pace = pace_of(work, NOW, people=how.get("people"), hours=how.get("hours"))
    return forecast(rules, answered, left, history, pace, NOW)


def test_before_the_first_answer_everything_is_assumed_and_said():
    found = told([LabelBudget(3600)])
    assert found.answers == Estimate(3600.0, 3600.0, 3600.0)
    assert found.hours.value == pytest.approx(10.0)
    assert (found.people, found.hours_a_day, found.score) == (1, 6.0, None)
    # Five hours are left of Monday (from 9 to 15), five more are worked on Tuesday.
    assert found.done[0] == datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    assert str(found) == "3,600 answers, done Tuesday 14:00"
    whole = " ".join(found.notes)
    for said in ("10 seconds an answer are assumed", "One person is assumed", "6 hours a day", "no hold-out"):
        assert said in whole


def test_pace_people_and_hours_are_those_of_the_last_days():
    found = told([LabelBudget(1000)], answered=480, work=working())
    assert found.seconds.value == pytest.approx(6.0)
    assert (found.people, found.hours_a_day) == (2, pytest.approx((59 * 60 + 6) / 3600))
    assert found.hours.value == pytest.approx(520 * 6 / 3600)
    # Work begins at 8 and is over by 9: it goes on on Tuesday at 8, 26 minutes for each of the two.
    assert found.done[0] == datetime(2026, 3, 3, 8, 26, tzinfo=UTC)
    assert found.notes[0] == "Every day of the week counts as a day of work."


def test_pauses_and_the_slowest_and_fastest_do_not_count_for_the_pace():
    work = working(days=1, each=20, people=1, seconds=5.0)
    odd = [WorkRecord(0, value, NOW) for value in (4000.0, 119.0, 0.0)]
    assert pace_of([*work, *odd], NOW, people=None, hours=None).seconds.value == pytest.approx(5.0)


@pytest.mark.parametrize("seconds", [None, 0.0, 0.02])
def test_what_a_program_answers_is_no_pace_of_people(storage_url, seconds):
    project = Project.create("p", ["ok", "spam"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": [f"text {number}" for number in range(40)]}))
    loop = project.pool_loop("l", strategy=Random(), batch_size=20, stop=[LabelBudget(500)])
    for query in loop.ask("script", refit=True):
        loop.tell(query, "ok", seconds=seconds)
    found = loop.forecast()
    # The pool ends before the budget does.
    assert (found.answers.value, found.measured, found.seconds.value, found.people) == (20, False, 10.0, 1)
    assert any("fewer than 5 answers of people were timed" in note for note in found.notes)
    assert (loop.progress("script").pace, loop.progress().left) == (None, 20)


def test_people_set_the_pace_beside_a_program(storage_url):
    project = Project.create("p", ["ok", "spam"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": [f"text {number}" for number in range(40)]}))
    loop = project.pool_loop("l", strategy=Random(), batch_size=5, stop=[LabelBudget(30)])
    for query in loop.ask("script"):
        loop.tell(query, "ok")
    for query in loop.ask("ann"):
        loop.tell(query, "spam", seconds=6.0)
    found = loop.forecast()
    assert (found.answers.value, found.measured, found.seconds.value, found.people) == (20, True, 6.0, 1)
    assert (loop.progress("ann").pace, loop.progress("ann").left) == (10.0, 20)


def test_a_hold_out_that_no_round_was_scored_on_is_not_called_none():
    found = forecast([], 0, 5, [], pace_of([], NOW, people=None, hours=None), NOW, held=7435)
    assert "there is no round yet that was scored on the 7,435 items of the hold-out." in " ".join(found.notes)


def test_the_caller_may_know_better_who_works_and_how_long():
    found = told([LabelBudget(3600)], people=5, hours=2.0)
    assert (found.people, found.hours_a_day) == (5, 2.0)
    # 9:00 to 11:00: an hour is left today, the second hour of each falls on Tuesday.
    assert found.done[0] == datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


def test_the_score_at_the_end_follows_the_learning_curve():
    found = told([LabelBudget(5000)], answered=500, history=curve(), work=working())
    truth = 0.9 - 1.5 * 5000**-0.5
    assert found.score.low <= truth <= found.score.high
    assert found.score.value == pytest.approx(truth, abs=0.01)
    assert found.score.high - found.score.low < 0.08
    assert str(found).endswith(f"expected 89 % ({round(100 * found.score.low)} to {round(100 * found.score.high)})")


def test_a_target_is_reached_where_the_curve_does():
    found = told([TargetScore("f1_macro", 0.85)], answered=500, history=curve(metric="f1_macro"), work=working())
    truth = (1.5 / 0.05) ** 2 - 500
    assert found.metric == "f1_macro"
    assert found.answers.low <= truth <= found.answers.high
    assert found.answers.value == pytest.approx(truth, rel=0.25)
    assert told([TargetScore("accuracy", 0.5)], answered=500, history=curve()).answers.value == 0
    assert str(told([TargetScore("accuracy", 0.5)], answered=500, history=curve())).startswith("done, expected")


def test_a_target_that_is_out_of_reach_is_said_to_be():
    found = told([TargetScore("accuracy", 0.97)], answered=500, history=curve(points=20))
    assert found.answers is None
    assert "more likely missed" in found.rules[0].why
    assert str(found) == "no end can be told"


def test_the_first_of_several_rules_ends_the_loop_and_the_pool_ends_it_at_the_latest():
    rules = [LabelBudget(2000), After(LabelBudget(700), 900), Stability()]
    found = told(rules, answered=500, left=10_000)
    assert [rule.answers and rule.answers.value for rule in found.rules] == [1500, 400, None]
    assert found.answers.value == 400
    assert any("Stability: When this rule fires cannot be told" in note for note in found.notes)
    assert told(rules, answered=500, left=30).answers.value == 30
    assert told([], answered=500, left=30).answers.value == 30
    assert told([Stability()], answered=500, left=30).answers is None


def test_answers_that_are_no_labels_are_counted_in():
    sure = told([TargetScore("accuracy", 0.85)], answered=500, history=curve())
    unsure = told([TargetScore("accuracy", 0.85)], answered=1000, history=curve())
    assert unsure.answers.value == pytest.approx(2 * sure.answers.value)


def test_a_day_far_away_is_told_by_its_date():
    assert str(told([LabelBudget(100_000)], left=1_000_000)) == "100,000 answers, done 17 April 2026"
    assert str(told([LabelBudget(360)])) == "360 answers, done today 11:00"


def test_a_loop_forecasts_before_and_after_each_round(storage_url):
    rng = np.random.default_rng(0)
    project = Project.create("p", ["low", "high"], storage=storage_url)
    x = rng.normal(size=300)
    gold = np.where(x + rng.normal(size=300) > 0, "high", "low")
    project.add_items(pl.DataFrame({"x": x, "z": rng.normal(size=300), "gold": gold}), gold="gold", progress=False)
    project.set_holdout(0.4, seed=0)
    loop = project.pool_loop("l", strategy=Random(), batch_size=8, stop=[LabelBudget(80)])
    first = loop.forecast(now=NOW)
    assert (first.answers.value, first.score) == (80, None)
    assert "no round yet" in " ".join(first.notes)
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    for _ in range(5):
        for query in loop.ask("ann"):
            loop.tell(query, truth[query.item_id], seconds=2.0)
        loop.refit()
    later = loop.forecast(people=1, hours_a_day=1.0)
    assert later.answers.value == 40
    assert later.seconds == Estimate(2.0, 2.0, 2.0)
    assert later.hours.value == pytest.approx(80 / 3600)
    assert 0 <= later.score.low <= later.score.value <= later.score.high <= 1
    assert str(later).startswith("40 answers, done ")
