"""Loop: start one in plain words, see where it stands and what it has learned."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import LabelBudget, Project, TargetScore
from labeling.records import LoopInfo, LoopProgress
from ui import charts
from ui.card import duration
from ui.markup import bar, count, empty, escape, figures, notice, percent
from ui.menu import explain, strategy_menu
from ui.state import NEXT_LOOP, annotator, choose_loop, open_loop, page, problems, require_items, require_project

_USUAL = "Entropy"
_MEASURES = {"f1_macro": "macro F1 (each class counts the same)", "accuracy": "accuracy"}
_DONE = "loop_done"
_COLUMNS: dict[str, Any] = {
    "round": st.column_config.NumberColumn("round", width="small"),
    "labels": st.column_config.NumberColumn("answers", width="small"),
    "weak_labels": st.column_config.NumberColumn("weak labels", help="Learned from besides the answers."),
    "strategy": st.column_config.TextColumn("strategy"),
    "accuracy": st.column_config.NumberColumn("accuracy", format="percent"),
    "f1_macro": st.column_config.NumberColumn("macro F1", format="percent"),
    "judged": st.column_config.NumberColumn("scored on", help="Items of the hold-out."),
    "seconds": st.column_config.NumberColumn("seconds", format="%.1f"),
    "at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm"),
}


def render() -> None:
    """Draw the page."""
    project = require_project("Loop", "Ask, learn, ask again: people label the items that teach the model most.")
    require_items(project)
    done = st.session_state.pop(_DONE, None)
    if done:
        notice(done, "good")
    loops = [info for info in project.loops() if info.kind == "pool" and not info.blind]
    if not loops:
        empty("No loop yet", "Start one below. The usual settings are filled in, and suit most projects.")
        _new(project, "first")
        return
    state, new = st.tabs(["State", "New loop"])
    with state:
        _state(project, loops)
    with new:
        _new(project, _free_name([info.name for info in loops]))


def _free_name(taken: list[str]) -> str:
    for name in ("first", "second", "third"):
        if name not in taken:
            return name
    return f"loop {len(taken) + 1}"


def _state(project: Project, loops: list[LoopInfo]) -> None:
    name = choose_loop([info.name for info in loops], st.container())
    info = next(info for info in loops if info.name == name)
    with problems("This loop cannot be opened."):
        loop = open_loop(project, name)
        progress = loop.progress(annotator())
        history = loop.history()
        _where(loop, info, progress, history)
        _act(loop)
        _charts(project, history)


def _where(loop: Any, info: LoopInfo, progress: LoopProgress, history: pl.DataFrame) -> None:
    pairs = [
        ("answers", count(progress.answered) + (f" of {count(progress.budget)}" if progress.budget else "")),
        ("strategy", info.strategy),
        ("round", count(progress.round)),
        ("unsure", count(progress.unsure)),
        ("skipped", count(progress.skipped)),
    ]
    newest = _newest(history, "f1_macro")
    if newest is not None:
        pairs.append(("macro F1 on the hold-out", percent(newest)))
    if progress.pace and progress.budget and progress.budget > progress.answered:
        pairs.append(("left at this pace", duration((progress.budget - progress.answered) / progress.pace)))
    figures(pairs)
    if progress.budget:
        st.html(bar(progress.answered / progress.budget, text="answers given"))
    reason = loop.stopped
    if reason:
        notice(reason, "good", title="Done.")


def _newest(history: pl.DataFrame, measure: str) -> float | None:
    if history.is_empty() or measure not in history.columns:
        return None
    value = history[measure][-1]
    return None if value is None else float(value)


def _act(loop: Any) -> None:
    with st.container(horizontal=True):
        if st.button("Annotate", type="primary", key="loop-annotate", icon=":material/edit_note:"):
            page("annotate")
        if st.button(
            "Learn now",
            key="loop-refit",
            icon=":material/model_training:",
            disabled=bool(loop.refitting),
            help="Train on all answers so far, and rank the pool again.",
        ):
            with problems("It could not learn."):
                with st.spinner("Learning…", show_time=True):
                    refit = loop.refit()
                st.session_state[_DONE] = f"Learned from {count(refit.labels)} answers in {refit.seconds:.1f} s."
                st.rerun()


def _charts(project: Project, history: pl.DataFrame) -> None:
    if history.is_empty():
        empty("Nothing learned yet", "After the first round of answers the model learns, and its scores appear here.")
        return
    labels = list(project.label_names)
    with st.container(key="split-loop"):
        left, right = st.columns(2, gap="large")
    with left:
        st.html('<h2 class="tally-h2">How well it does</h2>')
        if _newest(history, "accuracy") is None:
            notice(
                "Its quality is not known: there is no hold-out. Import known answers and keep some aside (Data page)."
            )
        else:
            charts.learning_curve(history)
    with right:
        st.html('<h2 class="tally-h2">What was asked</h2>')
        charts.asked(history, labels)
    st.html('<h2 class="tally-h2">Round by round</h2>')
    shown = [name for name in history.columns if name in _COLUMNS or name.startswith("asked_")]
    config = _COLUMNS | {f"asked_{name}": st.column_config.NumberColumn(name) for name in labels}
    height = min(36 * (history.height + 1) + 3, 330)
    st.dataframe(history.select(shown).reverse(), hide_index=True, column_config=config, height=height)


def _new(project: Project, name: str) -> None:
    menu = strategy_menu()
    names = list(menu)
    held = project.status().holdout
    with st.container(key="split-newloop"):
        left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("Name", value=name, max_chars=100, key="new_loop_name") or ""
        strategy = str(st.selectbox("What to ask next", names, index=names.index(_USUAL), key="new_loop_strategy"))
        st.html(f'<p class="tally-small">{escape(explain(strategy))}</p>')
        batch = st.number_input(
            "Questions a round",
            1,
            1000,
            20,
            5,
            key="new_loop_batch",
            help="After so many answers the model learns again.",
        )
    with right:
        budget = st.number_input(
            "Budget of answers",
            1,
            10_000_000,
            500,
            50,
            key="new_loop_budget",
            help="The loop is done when so many answers are given.",
        )
        aim = st.toggle("Stop early at a target score", key="new_loop_aim", disabled=held == 0)
        measure, target = "f1_macro", 90
        if held == 0:
            st.html('<p class="tally-small">A target needs a hold-out: known answers kept aside on the Data page.</p>')
        elif aim:
            measure = str(
                st.selectbox("Score", list(_MEASURES), format_func=lambda key: _MEASURES[key], key="new_loop_measure")
            )
            target = st.slider("Target", 50, 99, 90, 1, format="%d %%", key="new_loop_target")
        seed = st.number_input(
            "Seed",
            0,
            2**31,
            0,
            1,
            key="new_loop_seed",
            help="The same seed and the same answers give the same questions.",
        )
    if st.button("Start the loop", type="primary", key="new-loop"):
        with problems("The loop was not started."):
            if not name.strip():
                raise ValueError("Give it a name.")
            stop: list[Any] = [LabelBudget(int(budget))]
            if aim and held:
                stop.append(TargetScore(measure, target / 100))
            with st.spinner("Starting…"):
                project.pool_loop(
                    name.strip(), strategy=menu[strategy](), batch_size=int(batch), seed=int(seed), stop=stop
                )
            st.session_state[NEXT_LOOP] = name.strip()
            st.session_state[_DONE] = f"Loop “{name.strip()}” is ready. Go to Annotate to answer its first questions."
            st.rerun()
