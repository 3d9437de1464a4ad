"""The charts of the pages, in the colours of the classes and of the mode (light or dark)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl
import streamlit as st

from ui.palette import hue


def is_dark() -> bool:
    """Whether the page is shown dark."""
    return st.context.theme.type == "dark"


def class_colours(labels: Sequence[str]) -> list[str]:
    """One colour a class, in the order of the labels, readable in the present mode."""
    dark = is_dark()
    return [hue(position).dark if dark else hue(position).light for position in range(len(labels))]


def _colour(labels: Sequence[str], *, legend: bool) -> alt.Color:
    rest = [name for name in labels if name == SILENT]
    named = [name for name in labels if name != SILENT]
    scale = alt.Scale(domain=[*named, *rest], range=[*class_colours(named), *["#8b8f94"] * len(rest)])
    shown = alt.Legend(title=None, orient="top", labelLimit=220) if legend else None
    return alt.Color("label:N", scale=scale, legend=shown)


SILENT = "no label"
"""Name under which items without a label are drawn."""


def balance(frame: pl.DataFrame, labels: Sequence[str]) -> None:
    """Draw how many items have each label.

    Parameters
    ----------
    frame
        Columns `label` (null where there is none) and `count`.
    labels
        The classes in order.
    """
    frame = frame.filter(pl.col("label").is_not_null() | (pl.col("count") > 0))
    total = max(1, int(frame["count"].sum()))
    rows = frame.select(pl.col("label").fill_null(SILENT), "count").with_columns(share=pl.col("count") / total)
    order = [*labels, SILENT] if SILENT in rows["label"].to_list() else list(labels)
    base = alt.Chart(rows).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False)),
        x=alt.X(
            "count:Q",
            title=None,
            axis=alt.Axis(grid=False, labels=False, ticks=False, domain=False),
            scale=alt.Scale(domain=[0, max(rows["count"].to_list(), default=1) * 1.22]),
        ),
    )
    bars = base.mark_bar(cornerRadiusEnd=4, height={"band": 0.66}).encode(
        color=_colour(order, legend=False),
        tooltip=["label:N", alt.Tooltip("count:Q", format=","), alt.Tooltip("share:Q", format=".1%")],
    )
    words = (
        base.transform_calculate(text="format(datum.count, ',') + '  ·  ' + format(datum.share, '.1%')")
        .mark_text(align="left", dx=7, color="#e8e6e1" if is_dark() else "#24221e")
        .encode(text="text:N")
    )
    st.altair_chart((bars + words).properties(height=44 * len(order) + 8))


def asked(history: pl.DataFrame, labels: Sequence[str]) -> None:
    """Draw how many of each class were among the labels given, refit by refit."""
    names = {f"asked_{name}": name for name in labels if f"asked_{name}" in history.columns}
    if not names:
        return
    rows = (
        history.select("labels", *names)
        .unpivot(list(names), index="labels", variable_name="label", value_name="count")
        .with_columns(pl.col("label").replace(names))
    )
    chart = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("labels:O", title="labels given", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("count:Q", title=None, stack="normalize", axis=alt.Axis(format="%", tickCount=3)),
            color=_colour(labels, legend=True),
            tooltip=["label:N", "labels:O", alt.Tooltip("count:Q", format=",")],
        )
    )
    st.altair_chart(chart.properties(height=300))
