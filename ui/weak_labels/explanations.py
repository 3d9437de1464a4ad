"""Why an item has its weak label: each vote, what its rule is worth, what the label would be without it."""

from __future__ import annotations

import polars as pl
import streamlit as st

from labeling import Project
from labeling.votes.explanation import Explanation
from labeling.weak_labels.run import WeakRun
from ui.parts.markup import chip, count, empty, escape, notice, percent, share_bars
from ui.rules.analysis import analysis_of, text_of, title
from ui.session import open_project, problems, storage

MOST = 200
_ROW = 36


@st.fragment
def draw(project: Project) -> None:
    """Draw the choice of an item, and the explanation of its label."""
    run = newest_run(project)
    if run is None:
        empty("No run kept yet", "Keep a run first: its labels are explained here, vote by vote.")
        return
    column = project.text_column
    frame = _labels(storage(), project.name, run.number, project.version())
    with st.container(key="split-explain"):
        left, right = st.columns([6, 5], gap="large")
    with left:
        title(f"Labels of run {run.number}", f"{run.model}. Those that it is least sure of come first.")
        item = _choose(frame, column)
    with right, problems("This label cannot be explained."):
        if item is not None:
            with st.spinner("Explaining…"):
                explanation = run.explain(item)
            _explain(project, explanation, frame.filter(item_id=item))


def newest_run(project: Project) -> WeakRun | None:
    """The newest weak run of a project, kept so that its label model is fitted once; None without any."""
    runs = project.weak_runs()
    return _run(storage(), project.name, int(runs["number"][-1]), project.version()) if runs.height else None


@st.cache_resource(show_spinner=False, max_entries=2)
def _run(storage: str, name: str, number: int, version: int) -> WeakRun:  # noqa: ARG001 - part of the key
    return open_project(storage, name).weak_run(number)


@st.cache_resource(show_spinner=False, max_entries=2)
def _labels(storage: str, name: str, number: int, version: int) -> pl.DataFrame:
    """Item, label and confidence of a run, with the items' text; what rules decided first, the least sure first."""
    project, run = open_project(storage, name), _run(storage, name, number, version)
    frame = run.frame().select("item_id", "label", "confidence")
    frame = frame.with_columns(decided=~pl.col("item_id").is_in(run.filled()["item_id"].implode()))
    if project.text_column is not None:
        frame = frame.join(project.items([project.text_column]), on="item_id", how="left")
    return in_order(frame)


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Put labels that rules decided first, the least sure first; then what only fills silence, then what has no label.

    Examples
    --------
    >>> frame = pl.DataFrame({"item_id": [1, 2, 3, 4], "label": ["a", None, "a", "b"],
    ...                       "confidence": [0.7, None, 0.9, 0.6], "decided": [False, True, True, True]})
    >>> in_order(frame)["item_id"].to_list()
    [4, 3, 1, 2]
    """
    order = [pl.col("label").is_null(), ~pl.col("decided"), "confidence", "item_id"]
    return frame.sort(order)


def _choose(frame: pl.DataFrame, column: str | None) -> int | None:
    words = st.text_input("Find", key="explain-find", live=True, placeholder="an item's number, or words of its text")
    words = (words or "").strip()
    # Unasked, only what has a label that can be explained is listed; what is looked for is found, label or not.
    rows = _matching(frame, column, words) if words else frame.filter("decided", pl.col("label").is_not_null())
    rows = rows.head(MOST)
    if rows.is_empty():
        notice("No item matches." if words else "The rules decide on no item in this run.")
        return None
    config = {
        "item_id": st.column_config.NumberColumn("item", width="small", format="%d"),
        "label": st.column_config.TextColumn("label", width="small"),
        "confidence": st.column_config.NumberColumn("sure", width="small", format="percent"),
    }
    if column is not None:
        config[column] = st.column_config.TextColumn("text", width="large")
    chosen = st.dataframe(
        rows.select(*config),
        hide_index=True,
        column_config=config,
        on_select="rerun",
        selection_mode="single-row",
        key="explain-table",
        height=min(_ROW * (rows.height + 1) + 3, 520),
    )
    selected = chosen["selection"]["rows"] if chosen else []
    return int(rows["item_id"][selected[0] if selected and selected[0] < rows.height else 0])


def _matching(frame: pl.DataFrame, column: str | None, words: str) -> pl.DataFrame:
    wanted = pl.col("item_id") == int(words) if words.isdecimal() else pl.lit(False)
    if column is not None and not words.isdecimal():
        wanted = pl.col(column).cast(pl.String).str.to_lowercase().str.contains(words.lower(), literal=True)
    return frame.filter(wanted)


def _explain(project: Project, explanation: Explanation, row: pl.DataFrame) -> None:
    labels = list(project.label_names)
    text = text_of(project, row)[0]
    if explanation.label is None:
        head = "<p>It has no label.</p>"
    else:
        label = chip(explanation.label, labels.index(explanation.label), strong=True)
        head = f"<p>It is labeled {label} with {percent(explanation.confidence)}.</p>"
    shares = [(name, share, labels.index(name)) for name, share in explanation.probabilities.items()]
    st.html(
        f'<div class="tally-text"><small>item {explanation.item_id}</small>{escape(text)}</div>'
        f'<div class="tally-side tally-explained">{head}{share_bars(shares)}</div>'
    )
    votes, known = _judged(project, explanation.votes.sort("effect", "function", descending=[True, False]))
    if votes.is_empty():
        notice("No rule votes on it. What is stated is what the run gives where rules are silent.")
        return
    lines = "".join(_vote(vote, explanation.label, labels) for vote in votes.iter_rows(named=True))
    st.html(
        f'<h3 class="tally-h3">{count(votes.height)} {"vote" if votes.height == 1 else "votes"}</h3>'
        '<table class="tally-table"><thead><tr><th>rule</th><th>votes for</th><th>accuracy</th><th>adds</th>'
        f"<th>without it</th></tr></thead><tbody>{lines}</tbody></table>"
        f'<p class="tally-small">Accuracy: {known}. Adds: points of probability that the label owes to it.</p>'
    )


def _judged(project: Project, votes: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The votes with the accuracy of each rule, and where that is from."""
    if votes["accuracy"].drop_nulls().len():
        return votes, "as the label model estimates it"
    worth = analysis_of(project).accuracy().select("function", known=pl.coalesce("accuracy", "estimated"))
    judged = votes.join(worth, on="function", how="left", maintain_order="left")
    return judged.with_columns(accuracy="known"), "on known answers where there are some, else by the weak labels"


def _vote(vote: dict[str, object], label: str | None, labels: list[str]) -> str:
    who = f"<small>{escape(vote['expert'])}</small>" if vote["expert"] else ""
    effect = float(vote["effect"])  # type: ignore[arg-type]
    points = "0" if abs(effect) < 0.0005 else f"{'+' if effect > 0 else '−'}{abs(effect) * 100:.1f}"
    tone = "good" if effect > 0.0005 else "bad" if effect < -0.0005 else ""
    without = vote["label_without"]
    if without == label:
        then = "<small>the same</small>"
    else:
        then = chip(str(without), labels.index(str(without))) if without else "<small>no label</small>"
    accuracy, voted = vote["accuracy"], str(vote["vote"])
    return (
        f"<tr><td>{escape(vote['function'])} {who}</td><td>{chip(voted, labels.index(voted))}</td>"
        f"<td>{percent(float(accuracy)) if isinstance(accuracy, float) else '–'}</td>"
        f'<td class="{tone}">{points}</td><td>{then}</td></tr>'
    )
