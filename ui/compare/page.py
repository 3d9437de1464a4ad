"""Compare strategies: the project's own loop, run again and again on the items whose answers are known."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.loops.simulation.curves import Curves
from ui.annotate.card import duration
from ui.background import FOLLOW_SECONDS
from ui.compare import simulations
from ui.compare.job import HOLDOUT, MOST_ITEMS
from ui.compare.simulations import BASELINE, Plan
from ui.parts import loop_charts
from ui.parts.markup import bar, count, counted, empty, escape, notice
from ui.parts.menu import USUAL, explain, strategy_menu
from ui.rules.analysis import title
from ui.session import open_project, problems, storage

LEAST = 50
"""Fewer known answers say nothing."""

MEASURES = {"accuracy": "accuracy", "f1_macro": "macro F1"}
_WANTED = "compare_wanted"


def draw(project: Project) -> None:
    """Draw the form, the comparison under way, and the newest result."""
    title(
        "Compare strategies",
        "Loops are run again on the items whose answers are known, each strategy several times: which one would have "
        "learned most from the same number of labels? Nothing in the project changes.",
    )
    known = _known(storage(), project.name, project.version())
    said = lacking(known)
    if said:
        empty("Not enough known answers to compare on", said)
        st.page_link(st.session_state["pages"]["data"], label="Go to Data", icon=":material/arrow_forward:")
        return
    job = simulations.newest(project.name)
    running = job is not None and job.running
    with st.container(border=True, key="split-compare"):
        plan = _form(project, min(sum(known.values()), MOST_ITEMS), running=running)
        wanted = st.session_state.pop(_WANTED, False)
        if wanted and plan and not running:
            with problems("The comparison was not started."):
                simulations.start(plan)
                st.rerun()
        if running:
            if wanted:
                notice("Somebody started this comparison just before: yours was not. It can follow when this is done.")
            _watch(project.name)
        elif plan:
            # A press is kept and answered where the page is drawn, which knows what runs by then.
            st.button("Compare", type="primary", key="compare-start", icon=":material/play_arrow:", on_click=_want)
    if job is not None and not running:
        if job.cancelled:
            notice("The comparison was called off.")
        elif job.problem():
            notice(job.problem(), "bad", title="The comparison did not finish.")
    done = simulations.finished(project.name)
    curves = done.result() if done else None
    if done and curves is not None:
        _result(curves, done.plan)


def _want() -> None:
    st.session_state[_WANTED] = True


@st.cache_data(show_spinner=False, max_entries=8)
def _known(storage: str, name: str, version: int) -> dict[str, int]:  # noqa: ARG001 - part of the key
    """How many items are known to be of each class."""
    counts = open_project(storage, name).labels(source="gold")["label"].value_counts()
    return dict(counts.iter_rows())


def lacking(known: dict[str, int]) -> str:
    """Say what is missing to compare on so many known answers a class; empty where nothing is.

    Examples
    --------
    >>> lacking({"ok": 40, "spam": 20})
    ''
    >>> lacking({})[:41]
    'The answers of no item are known. Import '
    """
    total, classes = sum(known.values()), sum(1 for number in known.values() if number)
    how = f"Import a file with known answers: at least {LEAST} items of two classes."
    if total == 0:
        return f"The answers of no item are known. {how}"
    if total < LEAST:
        return f"The answers of {count(total)} {'item' if total == 1 else 'items'} are known, too few. {how}"
    if classes < 2:
        return f"All {count(total)} known answers are “{next(iter(known))}”, so there is nothing to tell apart. {how}"
    return ""


def _form(project: Project, known: int, *, running: bool) -> Plan | None:
    left, right = st.columns([5, 4], gap="large")
    pool = known - round(HOLDOUT * known)
    names = [name for name in strategy_menu() if name not in (BASELINE, "LabelConflict")]
    with left:
        chosen = st.multiselect(
            "Strategies",
            names,
            default=[name for name in (USUAL, "Margin") if name in names],
            max_selections=7,
            key="compare_strategies",
            disabled=running,
            help="Random questions are always among them: they are what the others are measured against.",
        )
        lines = "".join(f"<li><b>{escape(name)}</b> {escape(explain(name))}</li>" for name in [*chosen, BASELINE])
        st.html(f'<ul class="tally-small tally-list">{lines}</ul>')
    with right, st.container(key="compare-numbers"):
        one, two = st.columns(2)
        with one:
            batch = st.number_input(
                "Questions a round", 1, min(200, pool), min(20, max(1, pool // 10)), 5, key="compare_batch",
                disabled=running,
            )  # fmt: skip
        with two:
            seeds = st.number_input(
                "Runs of each", 1, 20, 3, 1, key="compare_seeds", disabled=running,
                help="Each run draws other first labels and another hold-out. More runs, narrower intervals.",
            )  # fmt: skip
        first = min(25, max(2, pool // 4))
        most = st.slider(
            "Labels in all", first + 1, min(pool, 2000), min(pool, max(first + 1, min(300, pool // 2))), 5,
            key="compare_labels", disabled=running,
            help=f"Each run begins with {first} labels drawn at random.",
        )  # fmt: skip
        some = "" if known < MOST_ITEMS else f" (drawn from all that are known: more than {count(MOST_ITEMS)})"
        st.html(
            f'<p class="tally-small">{counted(known, "known answer")}{some}: {count(known - pool)} score the models in '
            f"each run, {count(pool)} can be asked.</p>"
        )
    if not chosen:
        st.html('<p class="tally-small">Choose at least one strategy to compare with random questions.</p>')
        return None
    rounds = max(1, round((int(most) - first) / int(batch)))
    return Plan(project.name, (*chosen, BASELINE), int(seeds), first, int(batch), rounds)


@st.fragment(run_every=FOLLOW_SECONDS)
def _watch(name: str) -> None:
    job = simulations.newest(name)
    if job is None or not job.running:
        st.rerun()
    done, total = job.progress()
    left = job.seconds_left()
    when = f" · about {duration(left / 60)} left" if left is not None else ""
    strategies = ", ".join(job.plan.strategies)
    with st.container(horizontal=True, vertical_alignment="center", key="compare-progress"):
        st.html(
            f'<div class="tally-status" role="status"><span class="tally-learning">{done} of {total} runs done{when}'
            f'</span><span class="right">{escape(strategies)}</span></div>{bar(done / total, text="runs done")}'
        )
        st.button("Call it off", key="compare-cancel", on_click=job.cancel, icon=":material/stop:")


def _result(curves: Curves, plan: Plan) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        runs = "1 run" if plan.seeds == 1 else f"{plan.seeds} runs"
        most = plan.start + plan.rounds * plan.batch_size
        st.html(
            f'<h2 class="tally-h2">What each would have learned <small>{runs} of each, {plan.batch_size} questions a '
            f"round, up to {count(most)} labels</small></h2>"
        )
        measure = st.segmented_control(
            "Score", list(MEASURES), default="accuracy", required=True, format_func=lambda key: MEASURES[key],
            key="compare_measure", label_visibility="collapsed",
        )  # fmt: skip
    measure = str(measure or "accuracy")
    summary = curves.summary(measure)
    notice(verdict(summary, plan.seeds, MEASURES[measure]), "good")
    with st.container(key="compare-chart"):
        loop_charts.curves(curves.mean(measure), curves.names, curves.baseline)
    st.html(_table(summary))
    st.download_button(
        "Every run as CSV", lambda: curves.frame().write_csv(), "strategies.csv", "text/csv", key="compare-download",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def verdict(summary: pl.DataFrame, runs: int, measure: str) -> str:
    """What a comparison means, in two sentences.

    Parameters
    ----------
    summary
        As of `Curves.summary`, Random among the strategies.
    runs
        Of each strategy.
    measure
        What the score is called.
    """
    rows = {row["strategy"]: row for row in summary.iter_rows(named=True)}
    best = next(row for row in rows.values() if row["strategy"] != BASELINE)
    random = rows[BASELINE]
    gain, low, high = (best[key] for key in ("gain", "gain_low", "gain_high"))
    if gain <= 0:
        sure = _sure(low, high, runs)
        return f"None of them beats random questions here: {best['strategy']} comes closest. {sure}"
    name = best["strategy"]
    score = f"{measure} of {_exact(random['final'])}"
    if best["labels_to_reach"] is None or not random["labels_to_reach"]:
        first = f"{name} learns most on the way, but ends below the {score} that random questions end with."
    else:
        share = best["share_of_baseline"]
        first = (
            f"{name} learns fastest: it reaches the {score} that random questions end with after "
            f"{count(round(best['labels_to_reach']))} labels instead of {count(round(random['labels_to_reach']))} "
            f"({share * 100:.0f} %)."
        )
    return f"{first} {_sure(low, high, runs)}"


def _sure(low: float | None, high: float | None, runs: int) -> str:
    if low is None or high is None:
        return "One run alone does not tell skill from luck: compare over more."
    span = f"{low * 100:+.1f} to {high * 100:+.1f} points on average over the curve"
    if low > 0 or high < 0:
        return f"That is more than chance between the {runs} runs ({span})."
    return f"With {runs} runs that may still be chance ({span})."


def _exact(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _table(summary: pl.DataFrame) -> str:
    target = _exact(summary["target"][0])
    lines = "".join(_row(row) for row in summary.iter_rows(named=True))
    return (
        '<table class="tally-table tally-numbers"><thead><tr><th>strategy</th><th>mean over the curve</th>'
        f"<th>at the end</th><th>labels to {target}</th><th>of Random's</th><th>seconds a round</th></tr></thead>"
        f"<tbody>{lines}</tbody></table>"
    )


def _row(row: dict[str, Any]) -> str:
    def with_span(name: str) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        span = "" if low is None else f" <small>{low * 100:.1f} to {high * 100:.1f}</small>"
        return _exact(row[name]) + span

    labels, share = row["labels_to_reach"], row["share_of_baseline"]
    needed = "<small>not reached</small>" if labels is None else count(round(labels))
    relative = "–" if share is None else f"{share * 100:.0f} %"
    return (
        f"<tr><td>{escape(row['strategy'])}</td><td>{with_span('area')}</td><td>{with_span('final')}</td>"
        f"<td>{needed}</td><td>{relative}</td><td>{row['seconds']:.2f}</td></tr>"
    )
