"""What is true of a loop right now: drawn again by itself, so that answers and refits from anywhere appear."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.loops.records import LoopInfo, LoopProgress, Refit
from storage.facts.asking.refit_leases import RefitHolder
from ui import background
from ui.background import FOLLOW_SECONDS, Standing
from ui.loop import forecasts
from ui.parts.markup import bar, count, counted, escape, figures, notice, percent
from ui.session import EXPECTED, annotator, message, open_loop, problems

IDLE_SECONDS = 5.0
"""How often the figures are read while nothing runs here: people and programs answer elsewhere."""

_NAMED = 6

_PRESSED = "loop_pressed"
_SAID = "loop_said"


@dataclass(frozen=True)
class Pressed:
    """A press of *Learn now*: when the loop stood how, and whether it came while something was learning already."""

    loop: tuple[str, str]
    round: int
    answered: int
    late: bool


@dataclass(frozen=True)
class Seen:
    """What the rest of the page was drawn from; when another one is true, the whole page is drawn again."""

    round: int
    learning: bool
    problem: str
    stopped: str | None


def seen(project: Project, loop: Any) -> Seen:
    """Read what the rest of the page depends on."""
    standing = background.standing(project, loop)
    return Seen(_round(loop.newest), standing.learning, standing.problem, loop.stopped)


def _round(newest: Refit | None) -> int:
    return -1 if newest is None else newest.round


def draw(project: Project, info: LoopInfo, drawn: Seen) -> None:
    """Draw the figures of a loop, and keep them true.

    Parameters
    ----------
    project
        The project.
    info
        The loop.
    drawn
        What the rest of the page is drawn from.
    """
    every = FOLLOW_SECONDS if drawn.learning else IDLE_SECONDS
    with st.container(key="loop-live"):
        st.fragment(_live, run_every=every)(project, info, drawn)


def _live(project: Project, info: LoopInfo, drawn: Seen) -> None:
    with problems("Where the loop stands cannot be read."):
        loop = open_loop(project, info.name)
        standing, newest = background.standing(project, loop), loop.newest
        if Seen(_round(newest), standing.learning, standing.problem, loop.stopped) != drawn:
            st.rerun()
        progress = loop.progress(annotator())
        figures(_figures(progress, newest))
        if progress.budget:
            st.html(bar(progress.answered / progress.budget, text="answers given"))
        _status(project, info, progress, newest, standing)
        if who := held(loop.holders()):
            st.html(f'<p class="tally-small">{escape(who)}.</p>')
        if drawn.stopped is None:
            forecasts.draw(project, info.name)


def _figures(progress: LoopProgress, newest: Refit | None) -> list[tuple[str, str]]:
    pairs = [
        ("answers", count(progress.answered) + (f" of {count(progress.budget)}" if progress.budget else "")),
        ("round", "–" if newest is None else count(newest.round)),
        ("unsure", count(progress.unsure)),
        ("skipped", count(progress.skipped)),
    ]
    if progress.alike:
        pairs.insert(1, ("taken over for near-duplicates", count(progress.alike)))
    if progress.screened:
        pairs.append(("discarded as a group", count(progress.screened)))
    scores = newest.metrics if newest is not None else {}
    if scores.get("accuracy") is not None:
        span = f"{percent(scores['accuracy_low'])} to {percent(scores['accuracy_high'])}".replace(" % to", " to")
        pairs += [
            ("macro F1 on the hold-out", percent(scores["f1_macro"])),
            ("accuracy", f"{percent(scores['accuracy'])} ({span})"),
            ("calibration error", percent(scores["calibration_error"])),
        ]
    return pairs


def _status(project: Project, info: LoopInfo, progress: LoopProgress, newest: Refit | None, now: Standing) -> None:
    """Say what is learned and what runs, in one line that is always there; the answer to a press is part of it."""
    kept = st.session_state.get(_PRESSED)
    pressed = kept if isinstance(kept, Pressed) and kept.loop == (project.name, info.name) else None
    same = pressed is not None and pressed.round == _round(newest)
    if now.learning:
        seconds = None if now.since is None else time.monotonic() - now.since
        late = same and pressed is not None and pressed.late
        said = learning(_round(newest) + 1, seconds, now.elsewhere, late=late)
    else:
        nothing = same and pressed is not None and pressed.answered == progress.answered and not now.problem
        said = learned(newest, progress, again=nothing)
    kind = "tally-learning" if now.learning else ""
    st.html(f'<div class="tally-status" role="status"><span class="{kind}">{escape(said)}</span></div>')
    if now.problem:
        notice(now.problem, "bad", title="The model did not learn.")


def learning(round_: int, seconds: float | None, elsewhere: RefitHolder | None = None, *, late: bool) -> str:
    """Say that a round is being learned.

    Parameters
    ----------
    round_
        The round that comes of it.
    seconds
        Since when, None where another program does it.
    elsewhere
        Which program does.
    late
        Whether somebody wanted that when it was under way.

    Examples
    --------
    >>> learning(3, 12.4, late=False), learning(3, None, late=True)
    ('Learning: round 3, for 12 s.', 'Already learning: round 3, started elsewhere.')
    >>> learning(3, None, RefitHolder("desk", 4711, 12.4), late=False)
    'Learning: round 3, by process 4711 of desk, for 12 s.'
    """
    parts = ["Already learning" if late else "Learning", f": round {round_}"]
    if elsewhere is not None and elsewhere.host:
        parts.append(f", by process {elsewhere.process} of {elsewhere.host}")
        seconds = elsewhere.seconds
    elif seconds is None:
        parts.append(", started elsewhere")
    if seconds is not None:
        parts.append(f", for {seconds:.0f} s")
    return f"{''.join(parts)}."


def held(holders: pl.DataFrame) -> str:
    """Say who holds questions of a loop, and since when.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    >>> held(pl.DataFrame({"annotator": ["ann"], "questions": [3], "since": [at]})).startswith("ann has 3 questions")
    True
    >>> held(pl.DataFrame({"annotator": [], "questions": [], "since": []}))
    ''
    """
    people = [
        f"{row['annotator'] or 'somebody'} has {counted(row['questions'], 'question')}"
        f" since {row['since'].astimezone():%H:%M}"
        for row in holders.head(_NAMED).iter_rows(named=True)
    ]
    more = holders.height - len(people)
    return "; ".join(people) + (f"; and {more} more" if more else "")


def learned(newest: Refit | None, progress: LoopProgress, *, again: bool) -> str:
    """Say what was learned last, and from what; round 0 ranks before anything can be learned.

    Parameters
    ----------
    newest
        The newest refit.
    progress
        Where the loop stands.
    again
        Whether somebody wanted to learn since, and there was nothing new to learn from.
    """
    if newest is None:
        return "Not begun: the first question is chosen when somebody asks for one."
    weak = int(newest.metrics.get("weak_labels", 0))
    nothing = f"Nothing is new since round {newest.round}. " if again else ""
    if newest.metrics.get("failed"):
        answers = f"{count(newest.labels)} {'answer' if newest.labels == 1 else 'answers'}"
        return (
            f"{nothing}Round {newest.round} could not learn from {answers} yet, and chose its questions without a "
            "model. Why stands under “Round by round”."
        )
    if not newest.metrics["trained"]:
        ranked = "by what the rules say" if newest.metrics.get("inputs", {}).get("weak_run") else "without a model"
        more = f"it learns after {count(progress.due)} more answers" if progress.due else "it learns in the next round"
        return f"{nothing}Nothing learned yet: round {newest.round} ranked the first questions {ranked}; {more}."
    answers = f"{count(newest.labels)} {'answer' if newest.labels == 1 else 'answers'}"
    whole = f"{answers} and {count(weak)} weak labels" if weak else answers
    return (
        f"{nothing}Learned from {whole} in round {newest.round}, {newest.at.astimezone():%d %b %H:%M}, "
        f"in {newest.seconds:.1f} s."
    )


def learn(project: Project, info: LoopInfo) -> None:
    """Learn now, as somebody pressed; to be called in a callback. What became of it is said in the status line."""
    try:
        loop = open_loop(project, info.name)
        round_, answered = _round(loop.newest), loop.progress().answered
        late = not background.learn(project, loop)
        st.session_state[_PRESSED] = Pressed((project.name, info.name), round_, answered, late)
    except EXPECTED as error:
        say(message(error), "It could not learn.")


def say(problem: str, title: str) -> None:
    """Keep what went wrong with a press, to be shown once; to be called in a callback."""
    st.session_state[_SAID] = (problem, title)


def problem_said() -> None:
    """Show what went wrong with a press."""
    said = st.session_state.pop(_SAID, None)
    if said:
        notice(said[0], "bad", title=said[1])
