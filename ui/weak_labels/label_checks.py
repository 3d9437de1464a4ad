"""How good the weak labels are: a blind sample that people answer, and what a threshold on the probability brings."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.weak_labels.run import Check, WeakRun
from ui.parts.markup import bar, count, empty, figures, notice, percent
from ui.rules import analysis_charts
from ui.rules.analysis import analysis_of, title
from ui.session import NEXT_LOOP, page, problems
from ui.weak_labels.explanations import newest_run

USUAL = 50


def draw(project: Project) -> None:
    """Draw the checks of the newest run, and its threshold curve."""
    run = newest_run(project)
    if run is None:
        empty("No run kept yet", "Keep a run first: a sample of its labels is checked here.")
        return
    with st.container(key="split-check"):
        left, right = st.columns(2, gap="large")
    with left:
        _sample(run)
    with right, problems("The curve cannot be drawn."):
        _threshold(project)


def _sample(run: WeakRun) -> None:
    title(
        f"Check run {run.number}",
        "Items drawn by lot, which nobody answered yet. You answer them on the Annotate page without seeing any label, "
        "vote or suggestion; what you say is compared with the run.",
    )
    with problems("The check cannot be opened."):
        checks = run.checks()
        for number, check in enumerate(checks):
            _one(check, number)
        _new(run, again=bool(checks))


def _one(check: Check, number: int) -> None:
    result = check.result()
    goal = check.loop.budget or USUAL
    with st.container(border=True, key=f"check-{number}"):
        if result.accuracy is None:
            figures([("answered", f"{count(result.answered)} of {count(goal)}"), ("accuracy", "not known yet")])
        else:
            figures(
                [
                    ("answered", f"{count(result.answered)} of {count(goal)}"),
                    ("accuracy", percent(result.accuracy)),
                    ("95 % interval", f"{percent(result.low)} to {percent(result.high)}"),
                ]
            )
        st.html(bar(result.answered / goal, text="items checked"))
        if result.unlabeled:
            notice(f"{count(result.unlabeled)} of the answered items have no label in this run; they do not count.")
        if check.loop.done:
            notice("The sample is answered.", "good")
        elif st.button(
            "Go on answering" if result.answered else "Answer the sample",
            key=f"check-answer-{number}",
            type="primary",
            icon=":material/edit_note:",
        ):
            _answer(check)


def _new(run: WeakRun, *, again: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="check-new"):
        n = st.number_input(
            "Items to check", 10, 2000, 100 if again else USUAL, 10, key="check-n", width=140,
            help="50 items tell the accuracy to about 10 points, 200 to about 5.",
        )  # fmt: skip
        if st.button("Draw another sample" if again else "Draw the sample", key="check-draw",
                     type="secondary" if again else "primary"):  # fmt: skip
            _answer(run.check(int(n)))


def _answer(check: Check) -> None:
    st.session_state[NEXT_LOOP] = check.loop.name
    page("annotate")


@st.fragment
def _threshold(project: Project) -> None:
    title(
        "What a threshold brings",
        "Labels that the run is less sure of can be left out: fewer are kept, and more of those are right. Measured "
        "on known answers outside the hold-out.",
    )
    curve = analysis_of(project).threshold_curve()
    if curve.is_empty():
        notice("The run gives no item a label.")
        return
    low, high = (float(curve["threshold"][place]) for place in (0, -1))
    at = 100 * low
    if high - low >= 0.01:
        at = st.slider("Keep labels from", 100 * low, 100 * high, 100 * low, 0.5, format="%.0f %%", key="check-from")
    chosen: dict[str, Any] = curve.filter(pl.col("threshold") >= at / 100 - 1e-4).row(0, named=True)
    kept = ("kept", percent(chosen["coverage"]))
    if chosen["accuracy"] is None:
        figures([kept])
    else:
        interval = f"{percent(chosen['low'])} to {percent(chosen['high'])}"
        figures([kept, ("accuracy", percent(chosen["accuracy"])), ("95 % interval", interval)])
    if curve["accuracy"].drop_nulls().is_empty():
        notice("No known answers to measure accuracy on. Check a sample: answers count here, too.")
        return
    analysis_charts.threshold(curve, chosen)
