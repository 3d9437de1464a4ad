"""Where a stream stands: what was offered and asked, the share against the promise, and where it drifted."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from labeling import Project
from labeling.loops.records import LoopInfo
from ui.annotate.stream_desk import open_stream
from ui.loop.live import IDLE_SECONDS
from ui.parts.charts import is_dark
from ui.parts.markup import count, empty, escape, figures, notice, percent
from ui.parts.wording import on_page
from ui.rules.analysis import title
from ui.session import page, problems

_COLUMNS: dict[str, Any] = {
    "event": st.column_config.TextColumn("what", width="small"),
    "offered": st.column_config.NumberColumn("offered", width="small", format="localized"),
    "asked": st.column_config.NumberColumn("asked", width="small", format="localized"),
    "share": st.column_config.NumberColumn("share", width="small", format="percent"),
    "answered": st.column_config.NumberColumn("answered", width="small", format="localized"),
    "accuracy": st.column_config.NumberColumn("accuracy", width="small", format="percent"),
    "notes": st.column_config.ListColumn("notes", width="large"),
    "at": st.column_config.DatetimeColumn("when", format="D MMM, HH:mm:ss"),
}
_EVENTS = {"refit": "learned", "drift": "drift", "now": "now"}
_HEIGHT = 300


def draw(project: Project, info: LoopInfo) -> None:
    """Draw the state of a stream."""
    with problems("This stream cannot be opened."):
        # Records are offered, and questions answered, elsewhere: this page follows them.
        st.fragment(_follow, run_every=IDLE_SECONDS)(project, project.version())
        stream = open_stream(project, info.name)
        history = stream.history()
        waiting = len(stream.waiting())
        now = history.row(-1, named=True)
        promised = promise(project, info.name)
        _where(now, waiting, promised)
        st.html(
            f'<p class="tally-small">Decides by <b>{escape(info.strategy)}</b>. Records are offered by a program; '
            "the questions it asks wait on the Annotate page.</p>"
        )
        for note in now["notes"]:
            notice(on_page(note), "warn")
        if st.button(
            f"Answer {count(waiting)} {'question' if waiting == 1 else 'questions'}" if waiting else "Annotate",
            type="primary",
            key="stream-annotate",
            icon=":material/edit_note:",
        ):
            page("annotate")
        if now["offered"] == 0:
            empty("Nothing was offered yet", f"Offer records in Python: project.stream_loop({info.name!r}).offer(…)")
            return
        _charts(history, promised)
        title("What happened", "Newest first: each time it learned, and each drift that was noticed.")
        events = history.reverse().with_columns(pl.col("event").replace(_EVENTS))
        st.dataframe(
            events.select(*_COLUMNS),
            hide_index=True,
            column_config=_COLUMNS,
            height=min(36 * (history.height + 1) + 3, 360),
        )


def _follow(project: Project, drawn: int) -> None:
    if project.version() != drawn:
        st.rerun()


def promise(project: Project, name: str) -> float | None:
    """The share of the records that a stream's budget promises to ask about, None where it promises none."""
    record = project.ledger.loops.get(name)
    budget = record.settings.get("budget") if record else None
    share = (budget or {}).get("params", {}).get("share")
    return None if share is None else float(share)


def _where(now: dict[str, Any], waiting: int, promised: float | None) -> None:
    share = percent(now["share"]) + (f" of {percent(promised)}" if promised is not None else "")
    pairs = [
        ("offered", count(now["offered"])),
        ("asked", count(now["asked"])),
        ("share asked, of the promise" if promised is not None else "share asked", share),
        ("waiting for an answer", count(waiting)),
        ("answered", count(now["answered"])),
    ]
    if now["accuracy"] is not None:
        pairs.append((f"right on the last {count(now['judged'])} answers", percent(now["accuracy"])))
    if now["boost"] > 1:
        pairs.append(("asks more after a drift", f"× {now['boost']:g}"))
    figures(pairs)


def _charts(history: pl.DataFrame, promised: float | None) -> None:
    drifts = history.filter(pl.col("event") == "drift").select("offered", note=pl.col("notes").list.join("; "))
    with st.container(key="split-stream"):
        left, right = st.columns(2, gap="large")
    with left, st.container(key="stream-share"):
        title("How much it asks", "The share of all records so far; dashed: what its budget promises.")
        _line(history, "share", drifts, promised)
    with right, st.container(key="stream-accuracy"):
        title("How often it is right", "What it had said of the newest answered records, before it learned from them.")
        if history["accuracy"].drop_nulls().is_empty():
            st.html('<p class="tally-lead">Nothing to judge by yet: answers come first.</p>')
        else:
            _line(history, "accuracy", drifts, None)
    if drifts.height:
        times = "once" if drifts.height == 1 else f"{count(drifts.height)} times"
        st.html(f'<p class="tally-small">A drift was noticed {times}: the red lines in the charts.</p>')


def _line(history: pl.DataFrame, measure: str, drifts: pl.DataFrame, promised: float | None) -> None:
    rows = history.filter(pl.col("offered") > 0).drop_nulls(measure).unique("offered", keep="last", maintain_order=True)
    dark = is_dark()
    accent, red = ("#5fb8a8", "#f2919a") if dark else ("#1c6258", "#a8323e")
    top = max([*rows[measure].to_list(), promised or 0.0])
    scale = alt.Scale(domain=[0, 1 if measure == "accuracy" else min(1.0, 1.3 * top or 1.0)], nice=False)
    base = alt.Chart(rows).encode(
        x=alt.X("offered:Q", title="records offered", axis=alt.Axis(grid=False, format=",d")),
        y=alt.Y(f"{measure}:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=scale),
        tooltip=[
            alt.Tooltip("offered:Q", format=","),
            alt.Tooltip("asked:Q", format=","),
            alt.Tooltip(f"{measure}:Q", format=".1%"),
        ],
    )
    picture: Any = base.mark_line(strokeWidth=2.5, color=accent) + base.mark_point(
        filled=True, size=40, color=accent, opacity=1
    )
    if promised is not None:
        rule = alt.Chart(pl.DataFrame({measure: [promised]})).mark_rule(strokeDash=[5, 4], color="#8b8f94")
        picture = picture + rule.encode(y=alt.Y(f"{measure}:Q", scale=scale))
    if drifts.height:
        marks = alt.Chart(drifts).mark_rule(color=red, strokeWidth=2)
        picture = picture + marks.encode(x="offered:Q", tooltip=["note:N", alt.Tooltip("offered:Q", format=",")])
    st.altair_chart(picture.properties(height=_HEIGHT))
