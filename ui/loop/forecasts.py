"""What a loop will still cost and bring, in a sentence: answers, person-hours, the moment it is done, the score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from labeling import Project, StopRule
from labeling.loops.stopping.curve_fit import Estimate
from labeling.loops.stopping.forecast import LEAST, Forecast, forecast, pace_of
from labeling.loops.stopping.rules import SCORES
from ui.parts.markup import count, counted, escape, percent, unbroken
from ui.session import open_loop, open_project, storage

_HELP = "Who shares the work from now on. Empty: as many as answered in the last seven days."


def sentence(told: Forecast, more: str = "more ") -> str:
    """Say what is left to do and what comes of it; empty where nothing is left."""
    answers, hours, done = told.answers, told.hours, told.done
    if answers is not None and answers.value == 0:
        return ""
    if answers is None or hours is None or done is None:
        first = "When it is done cannot be told yet"
    else:
        needed = counted(round(answers.value), f"{more}answer") + _between(answers)
        pace, end = f"{told.seconds.value:.0f} s an answer", f"{moment(done[0], told.at)}{_range(done, told.at)}"
        if told.measured:
            first = f"{needed}: {_hours(hours)} at {pace}, done {end}"
        else:
            first = f"{needed}. How fast people are is not known yet: at {pace}, {_hours(hours)}, done {end}"
    if told.score is None:
        return f"{first}."
    name = SCORES.get(told.metric, told.metric)
    span = f"{percent(told.score.low)} to {percent(told.score.high)}".replace(" % to", " to")
    return f"{first}. Expected {name} {percent(told.score.value)} ({span})."


def moment(at: datetime, now: datetime) -> str:
    """A moment as people say it.

    Examples
    --------
    >>> now = datetime(2026, 3, 2, 9, 0)
    >>> moment(datetime(2026, 3, 2, 15, 5), now), moment(datetime(2026, 3, 5, 15, 0), now)
    ('today 15:05', 'Thursday 15:00')
    >>> moment(datetime(2026, 4, 5, 15, 0), now)
    '5 April 2026'
    """
    days = (at.date() - now.date()).days
    if days == 0:
        return f"today {at:%H:%M}"
    return f"{at:%A %H:%M}" if days < 7 else f"{at.day} {at:%B %Y}"


def _range(done: tuple[datetime, datetime, datetime], now: datetime) -> str:
    middle, low, high = done
    if low.date() == middle.date() == high.date():
        said = f"{low:%H:%M}", f"{high:%H:%M}"
    else:
        said = moment(low, now), moment(high, now)
    return "" if said[0] == said[1] else f" ({said[0]} to {said[1]})"


def _between(estimate: Estimate) -> str:
    low, high = round(estimate.low), round(estimate.high)
    return "" if low == high else f" ({count(low)} to {count(high)})"


def _hours(hours: Estimate) -> str:
    low, high = (_exact(bound) for bound in (hours.low, hours.high))
    if hours.value < 1:
        low, high = (f"{60 * bound:.0f}" for bound in (hours.low, hours.high))
        minutes = counted(max(round(60 * hours.value), 1), "person-minute")
        return minutes + (f" ({low} to {high})" if low != high else "")
    return f"{_exact(hours.value)} person-hours" + (f" ({low} to {high})" if low != high else "")


def _exact(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def draw(project: Project, name: str) -> None:
    """Draw the forecast of a loop in a sentence."""
    said = sentence(_told(project, name))
    if said:
        st.html(f'<p class="tally-forecast" role="status">{unbroken(said)}</p>')


def draw_reckoning(project: Project, name: str) -> None:
    """Draw how the forecast of a loop is reckoned, and who shares the work."""
    told = _told(project, name)
    if not sentence(told):
        return
    with st.expander("How this is reckoned", key="forecast-how"):
        with st.container(horizontal=True, key="forecast-settings"):
            st.number_input(
                "People", 1, 1000, None, 1, key="forecast_people", placeholder=str(told.people), width=160, help=_HELP
            )
            st.number_input(
                "Hours a day each", 0.5, 24.0, None, 0.5, key="forecast_hours",
                placeholder=f"{told.hours_a_day:.1f}", width=180,
            )  # fmt: skip
        _notes(told)


def _told(project: Project, name: str) -> Forecast:
    people, hours = st.session_state.get("forecast_people"), st.session_state.get("forecast_hours")
    now = datetime.now().astimezone()
    told: Forecast = _of_loop(storage(), project.name, name, project.version(), people, hours, f"{now:%Y-%m-%d %H:%M}")
    return told


def of_rules(project: Project, rules: Sequence[StopRule]) -> Forecast:
    """What a loop with these rules would cost, before it is started."""
    now = datetime.now().astimezone()
    pace = pace_of(project.ledger.annotations.work(LEAST), now, people=None, hours=None)
    return forecast(rules, 0, project.open_items(), [], pace, now, held=project.status().holdout)


def draw_new(project: Project, rules: Sequence[StopRule]) -> None:
    """Draw what a loop with these rules would cost at most."""
    told = of_rules(project, rules)
    said = sentence(told, "")
    if said:
        st.html(f'<p class="tally-forecast" role="status">{unbroken(said)}</p>')
        _notes(told)


def _notes(told: Forecast) -> None:
    lines = "".join(f"<li>{escape(note)}</li>" for note in told.notes)
    st.html(f'<ul class="tally-small tally-list">{lines}<li>Intervals hold the truth in 90 % of cases.</li></ul>')


@st.cache_resource(show_spinner=False, max_entries=16)
def _of_loop(
    storage: str,
    project: str,
    name: str,
    version: int,  # noqa: ARG001 - part of the key
    people: int | None,
    hours: float | None,
    minute: str,  # noqa: ARG001 - part of the key
) -> Any:
    loop = open_loop(open_project(storage, project), name)
    return loop.forecast(people=people, hours_a_day=hours)
