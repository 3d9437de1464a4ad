"""Forecasts as people read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from labeling.loops.stopping.curve_fit import Estimate
from labeling.loops.stopping.forecast import Forecast
from ui.loop.forecasts import sentence

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOLD = Forecast(
    answers=Estimate(9400.0, 9400.0, 9400.0),
    rules=(),
    seconds=Estimate(10.0, 9.0, 11.0),
    hours=Estimate(26.1, 23.5, 28.7),
    done=(
        datetime(2026, 3, 5, 15, 0, tzinfo=UTC),
        datetime(2026, 3, 5, 9, 30, tzinfo=UTC),
        datetime(2026, 3, 6, 11, 0, tzinfo=UTC),
    ),
    people=1,
    hours_a_day=6.0,
    metric="f1_macro",
    score=Estimate(0.93, 0.91, 0.95),
    notes=(),
    at=NOW,
)


def test_a_forecast_names_answers_hours_moment_and_score_with_intervals() -> None:
    assert sentence(TOLD) == (
        "9,400 more answers: 26 person-hours (24 to 29) at 10 s an answer, done Thursday 15:00 (Thursday 09:30 to "
        "Friday 11:00). Expected macro F1 93 % (91 to 95 %)."
    )


def test_a_short_one_is_told_in_minutes_of_today() -> None:
    done = tuple(datetime(2026, 3, 2, 9, minute, tzinfo=UTC) for minute in (20, 15, 30))
    told = replace(
        TOLD,
        answers=Estimate(120.4, 90.0, 180.0),
        hours=Estimate(1 / 3, 1 / 4, 1 / 2),
        done=(done[0], done[1], done[2]),
        score=None,
    )
    assert sentence(told) == (
        "120 more answers (90 to 180): 20 person-minutes (15 to 30) at 10 s an answer, "
        "done today 09:20 (09:15 to 09:30)."
    )


def test_one_is_told_as_one() -> None:
    one = Estimate(1.0, 1.0, 1.0)
    told = replace(TOLD, answers=one, hours=Estimate(1 / 60, 1 / 60, 1 / 60), score=None)
    assert sentence(told).startswith("1 more answer: 1 person-minute at 10 s an answer")


def test_without_a_pace_of_people_it_is_said_that_none_is_known() -> None:
    told = replace(TOLD, measured=False, score=None)
    assert sentence(told, "") == (
        "9,400 answers. How fast people are is not known yet: at 10 s an answer, 26 person-hours (24 to 29), "
        "done Thursday 15:00 (Thursday 09:30 to Friday 11:00)."
    )


def test_what_cannot_be_told_is_not_made_up() -> None:
    told = replace(TOLD, answers=None, hours=None, done=None, score=None)
    assert sentence(told) == "When it is done cannot be told yet."
    assert sentence(replace(TOLD, answers=Estimate(0.0, 0.0, 0.0))) == ""
