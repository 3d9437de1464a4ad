"""The charts of the pages, in the colours of the classes and of the mode (light or dark)."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl
import streamlit as st

from ui.parts.palette import hue


def is_dark() -> bool:
    """Whether the page is shown dark."""
    return st.context.theme.type == "dark"


def class_colours(labels: Sequence[str]) -> list[str]:
    """One colour a class, in the order of the labels, readable in the present mode."""
    dark = is_dark()
    return [hue(position).dark if dark else hue(position).light for position in range(len(labels))]


def _colour(labels: Sequence[str], *, legend: bool) -> alt.Color:
    scale = alt.Scale(domain=list(labels), range=class_colours(labels))
    shown = alt.Legend(title=None, orient="top", labelLimit=220) if legend else None
    return alt.Color("label:N", scale=scale, legend=shown)


SILENT = "no label"
"""Name under which items without a label are drawn."""

FILLED = ", where rules leave it open"
"""What stands behind the name of a class where it only fills silence."""

_GREY = "#8b8f94"
_FILLED = "#c08a2e"


def balance_rows(frame: pl.DataFrame, labels: Sequence[str]) -> list[tuple[str, int, int | None]]:
    """The bars of a balance: what stands beside each, how many items, and the position of the class voted for.

    What only fills silence stands apart from what rules voted for, and what has no label apart from both.

    Examples
    --------
    >>> frame = pl.DataFrame({"label": ["ok", "bad", None], "count": [9, 1, 0], "filled": [6, 0, 0]})
    >>> balance_rows(frame, ["ok", "bad"])
    [('ok', 3, 0), ('bad', 1, 1), ('ok, where rules leave it open', 6, None)]
    >>> balance_rows(pl.DataFrame({"label": ["bad", None], "count": [1, 7]}), ["ok", "bad"])
    [('ok', 0, 0), ('bad', 1, 1), ('no label', 7, None)]
    """
    filled = frame["filled"] if "filled" in frame.columns else pl.zeros(frame.height, dtype=pl.Int64, eager=True)
    total = dict(zip(frame["label"].to_list(), frame["count"].to_list(), strict=True))
    fill = dict(zip(frame["label"].to_list(), filled.to_list(), strict=True))
    rows: list[tuple[str, int, int | None]] = [
        (name, total.get(name, 0) - fill.get(name, 0), position) for position, name in enumerate(labels)
    ]
    rows += [(f"{name}{FILLED}", fill[name], None) for name in labels if fill.get(name)]
    return rows + ([(SILENT, total[None], None)] if total.get(None) else [])


def balance(frame: pl.DataFrame, labels: Sequence[str]) -> None:
    """Draw how many items have each label.

    Parameters
    ----------
    frame
        Columns `label` (null where there is none), `count`, and, if any, `filled`: how many of them only fill silence.
    labels
        The classes in order.
    """
    bars = balance_rows(frame, labels)
    total = max(1, sum(number for _, number, _ in bars))
    colours = class_colours(labels)
    rows = pl.DataFrame(
        {
            "label": [name for name, _, _ in bars],
            "count": [number for _, number, _ in bars],
            "share": [number / total for _, number, _ in bars],
            "colour": [
                colours[position] if position is not None else _GREY if name == SILENT else _FILLED
                for name, _, position in bars
            ],
        }
    )
    order = rows["label"].to_list()
    base = alt.Chart(rows).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=230, ticks=False, domain=False)),
        x=alt.X(
            "count:Q",
            title=None,
            axis=alt.Axis(grid=False, labels=False, ticks=False, domain=False),
            scale=alt.Scale(domain=[0, max(rows["count"].to_list(), default=1) * 1.22]),
        ),
    )
    drawn = base.mark_bar(cornerRadiusEnd=4, height={"band": 0.66}).encode(
        color=alt.Color("colour:N", scale=None, legend=None),
        tooltip=["label:N", alt.Tooltip("count:Q", format=","), alt.Tooltip("share:Q", format=".1%")],
    )
    words = (
        base.transform_calculate(text="format(datum.count, ',') + '  ·  ' + format(datum.share, '.1%')")
        .mark_text(align="left", dx=7, color="#e8e6e1" if is_dark() else "#24221e")
        .encode(text="text:N")
    )
    st.altair_chart((drawn + words).properties(height=44 * len(order) + 8))


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
