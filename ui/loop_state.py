"""Where a loop stands: how far, how good, how sure that is, what it asked and why it stopped."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import Project, TargetScore
from labeling.records import LoopInfo, LoopProgress
from ui import charts, forecasts, loop_charts, stop_rules
from ui.markup import bar, chip, count, empty, escape, figures, notice, percent
from ui.menu import named
from ui.rule_analysis import title
from ui.state import annotator, open_loop, page, problems

DONE = "loop_done"
SCORES = {"f1_macro": "macro F1", "accuracy": "accuracy", "average_precision": "average precision"}
_TRUST = {"agreement": "agreement with the round before", "uncertainty": "mean uncertainty of what is left"}
_COLUMNS: dict[str, Any] = {
    "round": st.column_config.NumberColumn("round", width="small"),
    "labels": st.column_config.NumberColumn("answers", width="small"),
    "weak_labels": st.column_config.NumberColumn("weak labels", help="Learned from besides the answers."),
    "accuracy": st.column_config.NumberColumn("accuracy", format="percent"),
    "f1_macro": st.column_config.NumberColumn("macro F1", format="percent"),
    "average_precision": st.column_config.NumberColumn("avg. precision", format="percent"),
    "calibration_error": st.column_config.NumberColumn(
        "calibration error", format="percent", help="How far stated probabilities are from how often they are right."
    ),
    "agreement": st.column_config.NumberColumn(
        "agreement", format="%.2f", help="Cohen's kappa of the predictions with those of the round before."
    ),
    "uncertainty": st.column_config.NumberColumn("uncertainty", format="percent", help="Mean over the open items."),
    "judged": st.column_config.NumberColumn("scored on", help="Items of the hold-out."),
    "strategy": st.column_config.TextColumn("strategy"),
    "seconds": st.column_config.NumberColumn("seconds", format="%.1f"),
    "at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm"),
}


def draw(project: Project, info: LoopInfo) -> None:
    """Draw the state of a pool loop."""
    with problems("This loop cannot be opened."):
        loop = open_loop(project, info.name)
        progress = loop.progress(annotator())
        history = loop.history()
        _where(loop, info, progress, history)
        if loop.stopped is None:
            forecasts.draw(project, info.name)
        _act(loop)
        _charts(project, loop, history)


def _where(loop: Any, info: LoopInfo, progress: LoopProgress, history: pl.DataFrame) -> None:
    pairs = [
        ("answers", count(progress.answered) + (f" of {count(progress.budget)}" if progress.budget else "")),
        ("round", count(progress.round)),
        ("unsure", count(progress.unsure)),
        ("skipped", count(progress.skipped)),
    ]
    if progress.alike:
        pairs.insert(1, ("taken over for near-duplicates", count(progress.alike)))
    if progress.screened:
        pairs.append(("discarded as a group", count(progress.screened)))
    if not history.is_empty():
        pairs += _scores(history.row(-1, named=True))
    figures(pairs)
    if progress.budget:
        st.html(bar(progress.answered / progress.budget, text="answers given"))
    st.html(
        f'<p class="tally-small">Asks by <b>{escape(named(info.strategy))}</b>, {count(loop.batch_size)} questions a '
        f"round. Done {escape(', or '.join(map(stop_rules.words, loop.stop)) or 'when every item has an answer')}.</p>"
    )
    reason = loop.stopped
    if reason:
        notice(reason, "good", title="Done.")
        if not reason.startswith("Every item"):
            _go_on(loop)


def _go_on(loop: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="loop-go-on"):
        more = st.number_input(
            "More answers", 1, 1_000_000, 5 * int(loop.batch_size), int(loop.batch_size), key=f"go-on-{loop.name}",
            width=180, help="The budget is raised by so many; a score is looked at again after as many.",
        )  # fmt: skip
        if st.button("Go on", key="loop-more", icon=":material/play_arrow:"):
            with problems("The loop does not go on."):
                loop.go_on(int(more), annotator=annotator() or None)
                st.session_state[DONE] = f"The loop goes on for {count(int(more))} more answers."
                st.rerun()


def _scores(newest: dict[str, Any]) -> list[tuple[str, str]]:
    if newest["accuracy"] is None:
        return []
    span = f"{percent(newest['accuracy_low'])} to {percent(newest['accuracy_high'])}".replace(" % to", " to")
    return [
        ("macro F1 on the hold-out", percent(newest["f1_macro"])),
        ("accuracy", f"{percent(newest['accuracy'])} ({span})"),
        ("calibration error", percent(newest["calibration_error"])),
    ]


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
                st.session_state[DONE] = f"Learned from {count(refit.labels)} answers in {refit.seconds:.1f} s."
                st.rerun()


def _charts(project: Project, loop: Any, history: pl.DataFrame) -> None:
    if history.is_empty():
        empty("Nothing learned yet", "After the first round of answers the model learns, and its scores appear here.")
        return
    labels = list(project.label_names)
    with st.container(key="split-loop"):
        left, right = st.columns(2, gap="large")
    with left:
        _score(loop, history)
    with right:
        title("What was asked", "The classes of the answers so far, as each round learned from them.")
        charts.asked(history, labels)
    with st.container(key="split-loop-trust"):
        left, right = st.columns(2, gap="large")
    with left:
        title(
            "How steady it is",
            "Where the predictions no longer change and little is left in doubt, more answers bring little.",
        )
        with st.container(key="loop-trust"):
            loop_charts.measures(history.with_columns(pl.col("agreement").clip(0, 1)), _TRUST)
    with right:
        if history["accuracy"][-1] is not None:
            title("Class by class", "Measured on the hold-out after the newest round.")
            st.html(class_table(history.row(-1, named=True), labels))
        _shares(history)
    title("Round by round")
    shown = [*_COLUMNS, *(f"asked_{name}" for name in labels)]
    config = _COLUMNS | {f"asked_{name}": st.column_config.NumberColumn(name) for name in labels}
    height = min(36 * (history.height + 1) + 3, 330)
    rows = history.select(shown).reverse().with_columns(pl.col("strategy").map_elements(named, return_dtype=pl.String))
    st.dataframe(rows, hide_index=True, column_config=config, height=height)
    for note in history["notes"].to_list()[-1]:
        notice(note)


def _score(loop: Any, history: pl.DataFrame) -> None:
    title("How well it does", "Measured on the hold-out. The band is where the score lies with 95 % probability.")
    if history["accuracy"].drop_nulls().is_empty():
        notice("Its quality is not known: there is no hold-out. Import known answers and keep some aside (Data page).")
        return
    chosen: Any = st.segmented_control(
        "Score", list(SCORES), default="accuracy", required=True, format_func=lambda key: SCORES[key],
        key="loop_score", label_visibility="collapsed",
    )  # fmt: skip
    measure = str(chosen or "accuracy")
    none = pl.lit(None, dtype=pl.Float64)
    has = f"{measure}_low" in history.columns
    rows = history.select(
        "labels",
        pl.col(measure).alias("score"),
        (pl.col(f"{measure}_low") if has else none).alias("low"),
        (pl.col(f"{measure}_high") if has else none).alias("high"),
    )
    targets = [getattr(rule, "rule", rule) for rule in loop.stop]
    aim = next((rule.value for rule in targets if isinstance(rule, TargetScore) and rule.metric == measure), None)
    with st.container(key="loop-scores"):
        loop_charts.scores(rows, aim)


def _shares(history: pl.DataFrame) -> None:
    rows = (
        history.select("round", "shares")
        .explode("shares")
        .drop_nulls("shares")
        .unnest("shares")
        .filter(pl.col("share") > 0)
    )
    names = rows["strategy"].unique(maintain_order=True).to_list()
    if len(names) < 2:
        return
    title("Which part asked", "Whose questions each round began with.")
    with st.container(key="loop-shares"):
        loop_charts.shares(rows, names)


def class_table(newest: dict[str, Any], labels: list[str]) -> str:
    """Precision, recall and average precision of each class as safe HTML, with the mean over the classes."""
    rows = []
    for position, name in enumerate(labels):
        cells = [newest.get(f"{score}_{name}") for score in ("precision", "recall", "average_precision")]
        shown = "".join(f"<td>{percent(cell)}</td>" for cell in (*cells[:2], _f1(*cells[:2]), cells[2]))
        rows.append(
            f"<tr><td>{chip(name, position)}</td>{shown}<td>{count(newest.get(f'asked_{name}') or 0)}</td></tr>"
        )
    mean = (
        f"<tr><th>over all</th><td></td><td></td><td>{percent(newest['f1_macro'])}</td>"
        f"<td>{percent(newest['average_precision'])}</td><td>{count(newest['labels'])}</td></tr>"
    )
    span = f"{percent(newest['accuracy_low'])} to {percent(newest['accuracy_high'])}"
    return (
        '<table class="tally-table tally-numbers"><thead><tr><th>class</th><th>precision</th><th>recall</th>'
        "<th>F1</th><th>avg. precision</th><th>answers</th></tr></thead>"
        f"<tbody>{''.join(rows)}{mean}</tbody></table>"
        f'<p class="tally-small">Accuracy {percent(newest["accuracy"])} ({span}) on {count(newest["judged"])} items. '
        "Precision: how many of the items called so are. Recall: how many of those that are so are found.</p>"
    )


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
