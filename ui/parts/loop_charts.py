"""The charts of loops: what they score round by round, what asked, and how strategies compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from ui.parts.charts import class_colours, is_dark

HEIGHT = 300
_GREY = "#8b8f94"


def _accent() -> str:
    return "#5fb8a8" if is_dark() else "#1c6258"


def _second() -> str:
    return "#f0a36b" if is_dark() else "#b3541e"


def _answers() -> alt.X:
    # Without a format, an axis of one number says it with six decimals.
    axis = alt.Axis(grid=False, tickMinStep=1, format=",d")
    return alt.X("labels:Q", title="answers", axis=axis, scale=alt.Scale(zero=False))


def scores(rows: pl.DataFrame, target: float | None = None) -> None:
    """Draw a score over the number of answers, with the band that it lies in.

    Parameters
    ----------
    rows
        Columns `labels`, `score`, `low`, `high`; the band may be null.
    target
        A score that is to be reached.
    """
    rows = rows.drop_nulls("score")
    lowest = min(value for name in ("score", "low") for value in rows[name].drop_nulls().to_list() or [1.0])
    scale = alt.Scale(domain=[max(0.0, lowest - 0.04), 1.0], nice=False)
    base = alt.Chart(rows).encode(
        x=_answers(),
        tooltip=[
            alt.Tooltip("labels:Q", title="answers", format=","),
            alt.Tooltip("score:Q", format=".1%"),
            alt.Tooltip("low:Q", title="at least", format=".1%"),
            alt.Tooltip("high:Q", title="at most", format=".1%"),
        ],
    )
    y = alt.Y("score:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=scale)
    band = base.mark_area(opacity=0.16, color=_accent()).encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q")
    line = base.mark_line(strokeWidth=2.5, color=_accent()).encode(y=y)
    points = base.mark_point(filled=True, size=44, color=_accent(), opacity=1).encode(y=y)
    picture: Any = line + points
    if rows["low"].drop_nulls().len():
        picture = band + picture
    if target is not None:
        rule = alt.Chart(pl.DataFrame({"score": [target]})).mark_rule(strokeDash=[5, 4], color=_GREY)
        picture = picture + rule.encode(y=alt.Y("score:Q", scale=scale))
    st.altair_chart(picture.properties(height=HEIGHT))


def measures(rows: pl.DataFrame, names: Mapping[str, str]) -> None:
    """Draw shares in [0, 1] over the number of answers, one line each.

    Parameters
    ----------
    rows
        Column `labels` and one column a measure.
    names
        What each measure is called.
    """
    long = (
        rows.select("labels", *names)
        .unpivot(list(names), index="labels", variable_name="measure", value_name="value")
        .drop_nulls("value")
        .with_columns(pl.col("measure").replace(dict(names)))
    )
    colours = [_accent(), _second(), "#bc9af0" if is_dark() else "#7646b5"][: len(names)]
    scale = alt.Scale(domain=list(names.values()), range=colours)
    legend = alt.Legend(title=None, orient="top", labelLimit=240, columns=2)
    base = alt.Chart(long).encode(
        x=_answers(),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("measure:N", scale=scale, legend=legend),
        tooltip=["measure:N", alt.Tooltip("labels:Q", title="answers"), alt.Tooltip("value:Q", format=".1%")],
    )
    st.altair_chart((base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=36)).properties(height=HEIGHT))


def shares(rows: pl.DataFrame, names: Sequence[str]) -> None:
    """Draw which part of a strategy asked how much of each round.

    Parameters
    ----------
    rows
        Columns `round`, `strategy`, `share`.
    names
        The parts in order.
    """
    chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("round:O", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("share:Q", title=None, stack="zero", axis=alt.Axis(format="%", tickCount=3)),
            color=alt.Color(
                "strategy:N",
                scale=alt.Scale(domain=list(names), range=class_colours(names)),
                legend=alt.Legend(title=None, orient="top", labelLimit=320, columns=1 if len(names) < 3 else 2),
            ),
            tooltip=["round:O", "strategy:N", alt.Tooltip("share:Q", format=".0%")],
        )
    )
    st.altair_chart(chart.properties(height=220 + 22 * len(names)))


def curves(mean: pl.DataFrame, names: Sequence[str], baseline: str | None) -> None:
    """Draw learning curves: a line a strategy, its interval as a band, the baseline in grey.

    Parameters
    ----------
    mean
        Columns `strategy`, `labels`, `mean`, `low`, `high`, as of `Curves.mean`.
    names
        The strategies in the order of the legend.
    baseline
        The one that the others are compared with.
    """
    others = [name for name in names if name != baseline]
    ordered = [*others, *([baseline] if baseline in names else [])]
    colours = [*class_colours(others), _GREY][: len(ordered)]
    colour = alt.Color(
        "strategy:N",
        scale=alt.Scale(domain=ordered, range=colours),
        legend=alt.Legend(title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1),
    )
    # With few runs the bands are wide: the lines, not the bands, say how much of the axis is shown.
    heights = mean["mean"].to_list() or [1.0]
    room = max(0.05, (max(heights) - min(heights)) / 3)
    scale = alt.Scale(domain=[max(0.0, min(heights) - room), min(1.0, max(heights) + room)], nice=False)
    base = alt.Chart(mean).encode(
        x=alt.X(
            "labels:Q",
            title="labels",
            axis=alt.Axis(grid=False, tickMinStep=1, format=",d"),
            scale=alt.Scale(zero=False, nice=False),
        ),
        color=colour,
        tooltip=[
            "strategy:N",
            alt.Tooltip("labels:Q", format=","),
            alt.Tooltip("mean:Q", format=".1%"),
            alt.Tooltip("low:Q", title="at least", format=".1%"),
            alt.Tooltip("high:Q", title="at most", format=".1%"),
        ],
    )
    line = base.mark_line(strokeWidth=2.5).encode(
        y=alt.Y("mean:Q", title=None, scale=scale, axis=alt.Axis(format="%", tickCount=6))
    )
    points = base.mark_point(filled=True, size=26, opacity=1).encode(y=alt.Y("mean:Q", scale=scale))
    band = base.mark_area(opacity=0.1, clip=True).encode(y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q")
    picture: Any = line + points
    if mean["low"].drop_nulls().len():
        picture = band + picture
    st.altair_chart(picture.properties(height=380))
