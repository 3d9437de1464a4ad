"""What a loop will cost and bring: answers, hours, the moment it is done, the score to expect."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling import serialization
from labeling.loops.stopping.curve_fit import LEVEL, Curve, Estimate, fit_curve
from labeling.loops.stopping.rules import After, LabelBudget, StopRule, TargetScore

if TYPE_CHECKING:
    from storage.records import WorkRecord

SECONDS = Estimate(10.0, 4.0, 25.0)
"""Seconds an answer, assumed before there are enough."""

HOURS = 6.0
"""Hours a day that a person labels, assumed before some days were worked."""

START = 9
"""The hour at which work begins, assumed before some days were worked."""

IDLE = 120.0
"""Seconds over an answer after which a person was busy elsewhere."""

LEAST = 0.2
"""Seconds in which nobody sees what is asked: an answer that took less, or that came without a time, is a program's."""

ENOUGH = 5
"""Answers from which a pace is measured, and days from which hours a day are."""

DAYS = 3


@dataclass(frozen=True)
class Pace:
    """How fast people answered of late, and how much they worked; answers by programs do not count.

    Attributes
    ----------
    seconds
        An answer; idle times and the slowest and fastest tenth left out.
    measured
        Whether that was measured; else it is assumed.
    people
        Who answered in the last seven days.
    hours
        A person and day.
    start
        The hour of the local day at which work begins.
    assumptions
        What was not measured, in sentences.
    """

    seconds: Estimate
    measured: bool
    people: int
    hours: float
    start: float
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class RuleForecast:
    """When one rule will end the loop: answers from now on, None where that cannot be told, and why."""

    rule: str
    answers: Estimate | None
    why: str


@dataclass(frozen=True)
class Forecast:
    """What is left to do, and what comes of it; intervals hold the truth in 90 % of cases.

    Attributes
    ----------
    answers
        Needed from now on until the first stop rule fires that can be told; None where none can.
    rules
        The same for each rule.
    seconds, measured
        An answer; and whether it is what people took, else it is assumed.
    hours
        Of all people together.
    done
        The moment the last answer is given, and the earliest and the latest.
    people, hours_a_day
        Who shares the work, and how long each works a day.
    metric, score
        What to expect on the hold-out at the end; None where that cannot be told.
    notes
        What was assumed, and what cannot be told, in sentences.
    """

    answers: Estimate | None
    rules: tuple[RuleForecast, ...]
    seconds: Estimate
    hours: Estimate | None
    done: tuple[datetime, datetime, datetime] | None
    people: int
    hours_a_day: float
    metric: str
    score: Estimate | None
    notes: tuple[str, ...]
    at: datetime
    measured: bool = True

    def __str__(self) -> str:
        if self.answers is None or self.done is None:
            parts = ["no end can be told"]
        elif not self.answers.value:
            parts = ["done"]
        else:
            parts = [f"{round(self.answers.value):,} answers", f"done {_moment(self.done[0], self.at)}"]
        if self.score is not None:
            low, high = (round(100 * bound) for bound in (self.score.low, self.score.high))
            parts.append(f"expected {round(100 * self.score.value)} % ({low} to {high})")
        return ", ".join(parts)


def forecast(
    rules: Sequence[StopRule],
    answered: int,
    left: int,
    history: Sequence[Mapping[str, Any]],
    pace: Pace,
    now: datetime,
    seed: int = 0,
    *,
    held: int = 0,
) -> Forecast:
    """Return what a loop needs until its end.

    Parameters
    ----------
    rules
        When it stops; without one, when the pool is exhausted.
    answered, left
        Answers so far, and open items.
    history
        A mapping a refit, as `PoolLoop.history` shows it.
    pace
        How fast people are, see `pace_of`.
    now
        With a zone.
    seed
        Of the draws for intervals.
    held
        Items of the hold-out.
    """
    metric = next((rule.metric for rule in map(_inner, rules) if isinstance(rule, TargetScore)), "accuracy")
    curve = _curve(history, metric, seed, held)
    labels = int(history[-1]["labels"]) if history else 0
    # Unsure and discarded items are answers and no labels.
    share = min(labels / answered, 1.0) if answered and labels else 1.0
    each = tuple(_rule(rule, answered, labels, share, history, seed, held) for rule in rules)
    told = [rule.answers for rule in each if rule.answers is not None]
    answers = _first([*told, Estimate(left, left, left)]) if told or not rules else None
    notes = [*pace.assumptions, *(f"{rule.rule}: {rule.why}" for rule in each if rule.answers is None)]
    score = None
    if isinstance(curve, str):
        notes.append(curve)
    elif answers is not None:
        ends = [curve.score(labels + share * count) for count in (answers.value, answers.low, answers.high)]
        score = Estimate(ends[0].value, min(end.low for end in ends), max(end.high for end in ends))
    hours = None if answers is None else _product(answers, pace.seconds)
    done = None
    if hours is not None:
        low, high = (_finished(now, bound, pace) for bound in (hours.low, hours.high))
        done = (_finished(now, hours.value, pace), low, high)
    return Forecast(
        answers,
        each,
        pace.seconds,
        hours,
        done,
        pace.people,
        pace.hours,
        metric,
        score,
        tuple(notes),
        now,
        pace.measured,
    )


def pace_of(work: Sequence[WorkRecord], now: datetime, *, people: int | None, hours: float | None) -> Pace:
    """Return how fast people answered of late; what was not measured is assumed, and said.

    Parameters
    ----------
    work
        The newest answers of people, oldest first: those whose time was measured.
    now
        With a zone, which is that of the days.
    people, hours
        Who shares the work, and how long each works a day, where the caller knows better.
    """
    notes = []
    by_person: dict[int, list[WorkRecord]] = defaultdict(list)
    for one in work:
        by_person[one.annotator_id].append(one)
    timed = _seconds(by_person)
    seconds = timed or SECONDS
    if timed is None:
        notes.append(
            f"{SECONDS.value:.0f} seconds an answer are assumed: fewer than {ENOUGH} answers of people were timed. "
            "What programs answer does not count."
        )
    week = [one for one in work if one.created_at > now - timedelta(days=7)]
    if people is None:
        people = len({one.annotator_id for one in week}) or 1
        if not week:
            notes.append("One person is assumed: nobody answered in the last seven days.")
    days: dict[tuple[int, Any], list[datetime]] = defaultdict(list)
    for one in week:
        local = one.created_at.astimezone(now.tzinfo)
        days[one.annotator_id, local.date()].append(local)
    start = float(START)
    worked = [_hours(moments, seconds.value) for moments in days.values()]
    measured = len({day for _, day in days}) >= DAYS
    if measured:
        start = float(np.median([min(moments).hour + min(moments).minute / 60 for moments in days.values()]))
    if hours is None:
        hours = float(np.clip(np.mean(worked), 0.1, 24.0 - start)) if measured else HOURS
        if not measured:
            notes.append(
                f"{HOURS:g} hours a day from {START}:00 on are assumed: fewer than {DAYS} days were worked of late."
            )
    notes.append("Every day of the week counts as a day of work.")
    return Pace(seconds, timed is not None, people, hours, start, tuple(notes))


def _seconds(by_person: Mapping[int, Sequence[WorkRecord]]) -> Estimate | None:
    """Seconds an answer took, None where too few were measured."""
    pooled = []
    for work in by_person.values():
        kept = np.sort([one.seconds for one in work if LEAST <= one.seconds <= IDLE])
        cut = len(kept) // 10
        pooled.append(kept[cut : len(kept) - cut])
    values = np.concatenate(pooled) if pooled else np.zeros(0)
    if len(values) < ENOUGH:
        return None
    drawn = np.random.default_rng(0).choice(values, (400, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values.mean()), float(low), float(high))


def _hours(moments: Sequence[datetime], seconds: float) -> float:
    """Hours that a person worked on a day: from answer to answer, without pauses of more than ten minutes."""
    gaps = [(b - a).total_seconds() for a, b in pairwise(sorted(moments))]
    return (sum(gap for gap in gaps if gap <= 600.0) + seconds) / 3600.0


def _inner(rule: StopRule) -> StopRule:
    return _inner(rule.rule) if isinstance(rule, After) else rule


def _curve(history: Sequence[Mapping[str, Any]], metric: str, seed: int, held: int) -> Curve | str:
    rows = [row for row in history if row.get(metric) is not None]
    if not rows and not held:
        return "No score can be expected: there is no hold-out to measure one on."
    if not rows:
        return f"No score can be expected: there is no round yet that was scored on the {held:,} items of the hold-out."
    fitted = fit_curve([row["labels"] for row in rows], [row[metric] for row in rows], rows[-1]["judged"], seed=seed)
    return f"No score can be expected yet. {fitted}" if isinstance(fitted, str) else fitted


def _rule(
    rule: StopRule,
    answered: int,
    labels: int,
    share: float,
    history: Sequence[Mapping[str, Any]],
    seed: int,
    held: int,
) -> RuleForecast:
    name = serialization.describe(serialization.dump(rule))
    if isinstance(rule, LabelBudget):
        left = float(max(rule.labels - answered, 0))
        return RuleForecast(name, Estimate(left, left, left), "What is left of the budget.")
    if isinstance(rule, After):
        inner, wait = (
            _rule(rule.rule, answered, labels, share, history, seed, held),
            float(max(rule.answers - answered, 0)),
        )
        if inner.answers is None:
            return RuleForecast(name, None, inner.why)
        later = Estimate(*(max(wait, bound) for bound in (inner.answers.value, inner.answers.low, inner.answers.high)))
        return RuleForecast(name, later, inner.why)
    if not isinstance(rule, TargetScore):
        return RuleForecast(name, None, "When this rule fires cannot be told beforehand.")
    if rule.reason(answered, history) is not None:
        return RuleForecast(name, Estimate(0.0, 0.0, 0.0), "The target is reached.")
    curve = _curve(history, rule.metric, seed, held)
    if isinstance(curve, str):
        return RuleForecast(name, None, curve)
    needed = curve.labels_for(rule.value)
    if math.isinf(needed.value):
        return RuleForecast(name, None, "As the scores rise now, the target is more likely missed than reached.")
    more = Estimate(*(max(bound - labels, 0.0) / share for bound in (needed.value, needed.low, needed.high)))
    return RuleForecast(name, more, "Where the learning curve reaches the target.")


def _first(estimates: Sequence[Estimate]) -> Estimate:
    """Return what comes first of several: of each bound the least."""
    return Estimate(*(min(getattr(each, bound) for each in estimates) for bound in ("value", "low", "high")))


def _product(answers: Estimate, seconds: Estimate) -> Estimate:
    """Return hours."""
    pairs = ((answers.value, seconds.value), (answers.low, seconds.low), (answers.high, seconds.high))
    return Estimate(*(count * each / 3600.0 for count, each in pairs))


def _finished(now: datetime, hours: float, pace: Pace) -> datetime:
    """Return when so many hours of all people together are worked, in days of `pace.hours` from `pace.start` on."""
    left = hours / pace.people
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=pace.start)
    today = max((begin + timedelta(hours=pace.hours) - max(now, begin)) / timedelta(hours=1), 0.0)
    if left <= today:
        return max(now, begin) + timedelta(hours=left)
    days = max(math.ceil((left - today) / pace.hours - 1e-9), 1)
    if days > 365_000:
        return datetime.max.replace(tzinfo=UTC)
    return begin + timedelta(days=days, hours=left - today - (days - 1) * pace.hours)


def _moment(moment: datetime, now: datetime) -> str:
    """Return a moment as people say it: the weekday within a week, else the date."""
    if moment.date() == now.date():
        return f"today {moment:%H:%M}"
    if (moment.date() - now.date()).days < 7:
        return f"{moment:%A %H:%M}"
    return f"{moment.day} {moment:%B %Y}"
