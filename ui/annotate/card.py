"""The annotation card: one item as safe HTML, and why it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from labeling.formats.reading.pictures import check_image
from labeling.loops.records import LoopProgress, Query
from labeling.store.label_set import LabelClass
from ui.parts.markup import bar, chip, count, escape, mark_spans, share_bars
from ui.parts.menu import PARTS, explain
from ui.parts.moments import work

MOST_COLUMNS = 6
MOST_VOTES = 12


def item_html(
    query: Query, shown: str, text_column: str | None, spans: Sequence[tuple[int, int]], hint: str, hidden: set[str]
) -> str:
    """The item as HTML; every value is escaped.

    Parameters
    ----------
    query
        The question.
    shown
        Name of this showing: another item, or the same one shown again, has another name.
    text_column
        Column that is read large; None where items have no text.
    spans
        Stretches of the text that rules matched.
    hint
        Safe HTML at the top: the suggestion.
    hidden
        Columns that are not shown.
    """
    text = query.item.get(text_column) if text_column else None
    body = (
        f'<div class="body">{mark_spans(str(text), spans)}</div>' if text not in (None, "") else _no_text(text_column)
    )
    rest = [
        (name, value)
        for name, value in query.item.items()
        if name != text_column and name not in hidden and value is not None and not isinstance(value, bytes)
    ]
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_short(value))}</dd></div>" for name, value in rest[:MOST_COLUMNS]
    )
    details = f"<dl>{facts}</dl>" if facts else ""
    return (
        f'<article class="tally-item" data-shown="{escape(shown)}" data-query="{query.id}">'
        f"<header><span>item {query.item_id}</span>{hint}</header>{body}{details}</article>"
    )


def _short(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _no_text(text_column: str | None) -> str:
    return '<div class="body none">This item has no text.</div>' if text_column else ""


def status_html(progress: LoopProgress, query: Query | None, *, learning: bool, zone: tzinfo = UTC) -> str:
    """The slim line over the card: how far, how fast, how long still."""
    goal = progress.budget
    done = f"<b>{count(progress.answered)}</b>" + (f" / {count(goal)}" if goal else "")
    parts = [done]
    if progress.pace:
        parts.append(f"{progress.pace:.1f} a minute")
    left = max(goal - progress.answered, 0) if progress.left is None and goal else progress.left
    if left:
        parts.append(f"about {duration(left / progress.pace)} left" if progress.pace else "pace not known yet")
    mine = progress.assigned
    if mine is not None:
        parts.append(escape(work(mine.answered, mine.items, mine.until, zone, "your assignment")))
    line = " · ".join(parts)
    state = '<span class="tally-learning">model is learning…</span>' if learning else ""
    where = f"{escape(query.strategy)} · round {query.round}" if query else ""
    share = progress.answered / goal if goal else 0.0
    return (
        f'<div class="tally-status"><span>{line}</span>{state}<span class="right">{where}</span></div>'
        f"{bar(share, text='answers given') if goal else ''}"
    )


def duration(minutes: float) -> str:
    """A time to wait as people say it.

    Examples
    --------
    >>> duration(0.4), duration(9.6), duration(170)
    ('1 min', '10 min', '2 h 50')
    """
    whole = max(1, round(minutes))
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60:02d}"


@dataclass(frozen=True)
class Neighbour:
    """A labeled item near the one that is asked: its label then, how similar it is in [0, 1], its text."""

    item_id: int
    label: str
    similarity: float
    text: str


def why_html(
    query: Query,
    labels: Sequence[LabelClass],
    votes: Sequence[Mapping[str, Any]],
    near: Sequence[Neighbour] = (),
    *,
    blind: bool,
) -> str:
    """Why this item: the score and its parts, the model's probabilities, the votes of the rules, what is near."""
    names = [label.name for label in labels]
    sections = [_score(query)]
    if not blind:
        if query.probabilities:
            rows = [
                (name, query.probabilities[name], names.index(name) if name in names else None)
                for name in [*names, *(set(query.probabilities) - set(names))]
                if name in query.probabilities
            ]
            sections.append(f"<h4>What the model thinks</h4>{share_bars(rows)}")
        sections.append(_votes(votes, names))
        sections.append(_near(near, names))
    return '<div class="tally-side">' + "".join(f"<section>{part}</section>" for part in sections if part) + "</div>"


def meanings_html(labels: Sequence[LabelClass]) -> str:
    """What the labels mean; empty where nobody wrote that down."""
    lines = "".join(
        f"<p>{chip(label.name, position)} {escape(label.definition)}</p>"
        for position, label in enumerate(labels)
        if label.definition
    )
    return f'<div class="tally-side"><section><h4>What the labels mean</h4>{lines}</section></div>' if lines else ""


def _score(query: Query) -> str:
    parts = (
        "".join(
            f'<div class="tally-part"><span><b>{escape(name)}</b> <small>{escape(PARTS.get(name) or explain(name))}'
            f"</small></span><span>{value:.2f}</span></div>"
            for name, value in query.parts.items()
        )
        if len(query.parts) > 1
        else ""
    )
    place = "first" if query.rank == 0 else f"number {count(query.rank + 1)}"
    where = f" and is {place} in round {query.round}" if query.annotator else ", enough for the stream to ask"
    return f"<p>{escape(explain(query.strategy))} It scores {query.score:.2f} of 1{where}.</p>{parts}"


def _near(near: Sequence[Neighbour], names: Sequence[str]) -> str:
    if not near:
        return ""
    lines = "".join(
        f'<div class="tally-near"><p>{chip(item.label, names.index(item.label) if item.label in names else None)} '
        f"<small>item {item.item_id} · {item.similarity:.2f} similar</small></p>"
        f"<p>{escape(item.text)}</p></div>"
        for item in near
    )
    return f"<h4>Nearest labeled items</h4>{lines}"


def _votes(votes: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    if not votes:
        return "<h4>Votes of the rules</h4><p>No rule says anything about it.</p>"
    lines = []
    for vote in votes[:MOST_VOTES]:
        who = f" <small>{escape(vote['expert'])}</small>" if vote["expert"] else ""
        position = names.index(vote["label"]) if vote["label"] in names else None
        lines.append(
            f'<div class="tally-vote"><span>{escape(vote["function"])}{who}</span>{chip(vote["label"], position)}</div>'
        )
    more = f"<p>and {len(votes) - MOST_VOTES} more</p>" if len(votes) > MOST_VOTES else ""
    return f"<h4>Votes of the rules</h4>{''.join(lines)}{more}"


def picture(item: Mapping[str, Any], column: str | None) -> bytes | None:
    """The bytes of an item's image; None where there are none, or they are no image, or a larger one than is read.

    A text in the column is a text: as a path it would show files of the server, as a link ask whoever wrote it.

    Examples
    --------
    >>> picture({"photo": b"hello"}, "photo") is None
    True
    """
    value = item.get(column) if column else None
    if not isinstance(value, bytes):
        return None
    try:
        check_image(value)
    except ValueError:
        return None
    return value
