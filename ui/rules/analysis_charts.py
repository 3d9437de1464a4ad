"""The charts that judge rules: how right each one is, who contradicts whom, what a threshold brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from ui.parts.charts import SILENT, class_colours, is_dark

MOST_POINTS = 200
ROW = 21
_GREY = "#8b8f94"


def _ink() -> str:
    return "#e8e6e1" if is_dark() else "#24221e"


def _accent() -> str:
    return "#5fb8a8" if is_dark() else "#1c6258"


def worth(frame: pl.DataFrame, labels: Sequence[str]) -> None:
    """Draw how right each function is: on known answers with the interval, and as weak labels estimate it.

    Parameters
    ----------
    frame
        Columns `function`, `label` (what it votes for), `votes`, `judged`, `accuracy`, `low`, `high`, `estimated`, in
        the order to draw.
    labels
        The classes in order.
    """
    names = frame["function"].to_list()
    colours = alt.Scale(domain=[*labels, SILENT], range=[*class_colours(labels), _GREY])
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "function:N",
            sort=names,
            title=None,
            axis=alt.Axis(labelLimit=150, labelOverlap=False, labelFlush=False, ticks=False, domain=False),
        ),
        tooltip=[
            alt.Tooltip("function:N", title="rule"),
            alt.Tooltip("votes:Q", format=","),
            alt.Tooltip("judged:Q", title="on known answers", format=","),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("low:Q", title="at least", format=".1%"),
            alt.Tooltip("high:Q", title="at most", format=".1%"),
            alt.Tooltip("estimated:Q", title="by the weak labels", format=".1%"),
        ],
    )
    axis = alt.Axis(format="%", orient="top", tickCount=5, domain=False, ticks=False)
    colour = alt.Color("label:N", scale=colours, legend=None)
    scale = alt.Scale(domain=[0, 1])
    span = base.mark_rule(strokeWidth=3, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", title=None, axis=axis, scale=scale), x2="high:Q", color=colour
    )
    known = base.mark_point(filled=True, size=80, opacity=1).encode(x=alt.X("accuracy:Q", scale=scale), color=colour)
    guessed = base.mark_point(
        shape="diamond", size=62, strokeWidth=1.6, filled=False, color=_ink(), opacity=0.85
    ).encode(x=alt.X("estimated:Q", scale=scale))
    st.altair_chart((span + known + guessed).properties(height=alt.Step(ROW)))


def conflicts(frame: pl.DataFrame, experts: Sequence[str], measure: str) -> None:
    """Draw who contradicts whom as a heat map.

    Parameters
    ----------
    frame
        A row a pair: `first`, `second`, `both`, `conflicts`, `share`.
    experts
        Everybody, in the order to draw.
    measure
        `conflicts` or `share`.
    """
    columns = ["first", "second", "both", "conflicts", "share"]
    mirrored = frame.select(pl.col("second").alias("first"), pl.col("first").alias("second"), *columns[2:])
    rows = pl.concat([frame.select(columns), mirrored])
    low, high = ("#22262a", "#f2919a") if is_dark() else ("#f6f1ea", "#a8323e")
    side = max(230, min(24 * len(experts), 520))
    chart = (
        alt.Chart(rows)
        .mark_rect(cornerRadius=2, stroke="#17191b" if is_dark() else "#fbfaf7", strokeWidth=1.5)
        .encode(
            x=alt.X(
                "first:N", sort=list(experts), title=None, axis=alt.Axis(labelAngle=-90, labelLimit=90, ticks=False)
            ),
            y=alt.Y(
                "second:N",
                sort=list(experts),
                title=None,
                axis=alt.Axis(labelLimit=110, labelOverlap=False, labelFlush=False, ticks=False),
            ),
            color=alt.Color(
                f"{measure}:Q",
                scale=alt.Scale(range=[low, high], domainMin=0),
                legend=alt.Legend(
                    title=None, orient="top", gradientLength=180, format=".0%" if measure == "share" else ",d"
                ),
            ),
            tooltip=[
                alt.Tooltip("first:N", title="one"),
                alt.Tooltip("second:N", title="the other"),
                alt.Tooltip("both:Q", title="both decide", format=","),
                alt.Tooltip("conflicts:Q", title="differently", format=","),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    st.altair_chart(chart.properties(height=side + 90))


def threshold(curve: pl.DataFrame, chosen: dict[str, Any]) -> None:
    """Draw accuracy over the share of the items that keep their label, and where the chosen threshold lies.

    Parameters
    ----------
    curve
        Columns `threshold`, `coverage`, `accuracy`, `low`, `high`.
    chosen
        One row of it.
    """
    rows = curve.drop_nulls("accuracy")
    rows = rows.gather_every(max(1, rows.height // MOST_POINTS))
    floor = max(0.0, float(rows["low"].min() or 0.0) - 0.02)  # type: ignore[arg-type]
    base = alt.Chart(rows).encode(
        x=alt.X("coverage:Q", title="items that keep their label", axis=alt.Axis(format="%", grid=False)),
        tooltip=[
            alt.Tooltip("threshold:Q", title="from", format=".1%"),
            alt.Tooltip("coverage:Q", title="kept", format=".1%"),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("low:Q", title="at least", format=".1%"),
            alt.Tooltip("high:Q", title="at most", format=".1%"),
        ],
    )
    scale = alt.Scale(domain=[floor, 1.0], nice=False)
    band = base.mark_area(opacity=0.16, color=_accent()).encode(
        y=alt.Y("low:Q", title=None, scale=scale, axis=alt.Axis(format="%")), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.5, color=_accent()).encode(y=alt.Y("accuracy:Q", scale=scale))
    points = base.mark_point(filled=True, size=36, color=_accent()).encode(y="accuracy:Q")
    here = alt.Chart(pl.DataFrame([chosen])).mark_point(filled=True, size=170, opacity=1, color=_mark())
    picture: Any = band + line
    if rows.height <= 30:
        picture = picture + points
    if chosen.get("accuracy") is not None:
        picture = picture + here.encode(x="coverage:Q", y="accuracy:Q")
    st.altair_chart(picture.properties(height=300))


def _mark() -> str:
    return "#f0a36b" if is_dark() else "#b3541e"
