"""Where a loop stands: how far, how good, how sure that is, what it asked and why it stopped."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from labeling import Project, TargetScore
from labeling.loops.records import LoopInfo
from labeling.loops.stopping.rules import SCORES
from labeling.store.holdout import holdout_ids
from ui.loop import forecasts
from ui.loop import live as loop_live
from ui.parts import charts, loop_charts
from ui.parts.markup import chip, count, empty, escape, notice, percent
from ui.parts.menu import named
from ui.parts.wording import on_page
from ui.rules.analysis import title
from ui.session import EXPECTED, annotator, message, open_loop, page, problems

DONE = "loop_done"
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
        # Read first: what changes while the page is drawn is drawn next.
        drawn = loop_live.seen(project, loop)
        history = loop.history()
        loop_live.draw(project, info, drawn)
        done = ", or ".join(rule.meaning for rule in loop.stop) or "when every item has an answer"
        st.html(
            f'<p class="tally-small">Asks by <b>{escape(named(info.strategy))}</b>, {count(loop.batch_size)} questions '
            f"a round. Done {escape(done)}.</p>"
        )
        if drawn.stopped:
            notice(drawn.stopped, "good", title="Done.")
            if not drawn.stopped.startswith("Every item"):
                _go_on(loop)
        else:
            forecasts.draw_reckoning(project, info.name)
        _act(project, info)
        _charts(project, loop, history)


def _go_on(loop: Any) -> None:
    key = f"go-on-{loop.name}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="loop-go-on"):
        st.number_input(
            "More answers", 1, 1_000_000, 5 * int(loop.batch_size), int(loop.batch_size), key=key,
            width=180, help="The budget is raised by so many; a score is looked at again after as many.",
        )  # fmt: skip
        st.button("Go on", key="loop-more", icon=":material/play_arrow:", on_click=_gone_on, args=(loop, key))


def _gone_on(loop: Any, key: str) -> None:
    more = int(st.session_state[key])
    try:
        loop.go_on(more, annotator=annotator() or None)
    except EXPECTED as error:
        loop_live.say(message(error), "The loop does not go on.")
        return
    st.session_state[DONE] = f"The loop goes on for {count(more)} more answers."


def _act(project: Project, info: LoopInfo) -> None:
    with st.container(horizontal=True):
        if st.button("Annotate", type="primary", key="loop-annotate", icon=":material/edit_note:"):
            page("annotate")
        # Never disabled: a press on a button that is disabled by the time it arrives would be lost.
        st.button(
            "Learn now",
            key="loop-refit",
            icon=":material/model_training:",
            on_click=loop_live.learn,
            args=(project, info),
            help="Train on all answers so far, and rank the pool again.",
        )
    loop_live.problem_said()


def _charts(project: Project, loop: Any, history: pl.DataFrame) -> None:
    held = len(holdout_ids(project.ledger))
    if history.is_empty():
        empty("Nothing learned yet", f"After the first round of answers the model learns. {_measured(held)}")
        return
    labels = list(project.label_names)
    with st.container(key="split-loop"):
        left, right = st.columns(2, gap="large")
    with left:
        _score(loop, history, held)
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
        notice(on_page(note))


def _measured(held: int) -> str:
    if held:
        return f"Its scores on the {count(held)} items of the hold-out appear here."
    return "How well it does can be measured where known answers are kept aside (Data page)."


def unscored(held: int, seen: int, *, failed: bool = False) -> str:
    """Say why no round has a score.

    Parameters
    ----------
    held
        Items of the hold-out now.
    seen
        Items of the hold-out at the newest round.
    failed
        Whether the newest round could not learn.

    Examples
    --------
    >>> unscored(7435, 0)[:71]
    'Its quality is not known yet: the 7,435 items of the hold-out were kept'
    """
    if failed:
        return "Its quality is not known: the newest round could not learn, so there is no model to score yet."
    if not held:
        return "Its quality is not known: there is no hold-out. Import known answers and keep some aside (Data page)."
    if held != seen:
        return (
            f"Its quality is not known yet: the {count(held)} items of the hold-out were kept aside after the newest "
            "round. The next one is scored on them: press Learn now, or answer on."
        )
    return (
        f"Its quality is not known: of the {count(held)} items of the hold-out none has a known answer that is a label "
        "of this project now."
    )


def _score(loop: Any, history: pl.DataFrame, held: int) -> None:
    title("How well it does", "Measured on the hold-out. The band is where the score lies with 95 % probability.")
    if history["accuracy"].drop_nulls().is_empty():
        newest = loop.newest
        metrics = newest.metrics if newest else {}
        seen = int(metrics.get("inputs", {}).get("holdout", 0))
        notice(unscored(held, seen, failed=bool(metrics.get("failed"))))
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
