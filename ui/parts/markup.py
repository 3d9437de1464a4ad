"""Text of other people made safe to show, and the few pieces of HTML that the pages share.

Item text, label names, file names and messages are never markup: in HTML they are escaped, in Streamlit's Markdown
labels every character with a meaning is escaped too, because an image in Markdown is fetched by the reader's browser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import streamlit as st

from ui.parts.palette import hue

NoticeKind = Literal["info", "good", "warn", "bad"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&\"'^=])")

_FETCHING = re.compile(r"(?<=!)(?=\[)|(?<=\])(?=[(:\[])|(?<=<)(?=\S)|(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where a picture, a link, what defines one, or a tag would begin; addresses become links by themselves."""


def plain(text: str) -> str:
    r"""Escape text for a Streamlit label (button, pill, caption), which is Markdown.

    Examples
    --------
    >>> plain("![x](http://a)")
    '\\!\\[x\\]\\(http\\://a\\)'
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def unlinked(text: str) -> str:
    """Markdown of other people with its headings and lists, in which nothing is a picture, a link or a tag.

    An invisible character parts what would make one, in code too, where a backslash would be seen.

    Examples
    --------
    >>> unlinked("## Rules ![x](http://a) <b>").replace("\u2060", "|")
    '## Rules !|[x]|(http:|//a) <|b>'
    """
    return _FETCHING.sub("\u2060", text)


def escape(value: object) -> str:
    """Escape a value for HTML text and for quoted attributes."""
    return html.escape(str(value), quote=True)


def spans_of(text: str, found: Iterable[str]) -> list[tuple[int, int]]:
    """Where the pieces found in a text stand, when they are given first to last; one that is not there is passed over.

    Examples
    --------
    >>> spans_of("vote, then vote", ["vote", "vote"])
    [(0, 4), (11, 15)]
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for piece in found:
        start = text.find(piece, position) if piece else -1
        if start >= 0:
            position = start + len(piece)
            spans.append((start, position))
    return spans


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Escape a text and mark stretches of it; stretches that overlap become one.

    Examples
    --------
    >>> mark_spans("<b>vote now</b>", [(3, 7), (5, 7)])
    '&lt;b&gt;<mark>vote</mark> now&lt;/b&gt;'
    """
    parts: list[str] = []
    position = 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        start = max(start, position)
        parts.append(html.escape(text[position:start]))
        parts.append(f"<mark>{html.escape(text[start:end])}</mark>")
        position = end
    parts.append(html.escape(text[position:]))
    return "".join(parts)


def chip(text: str, position: int | None = None, *, strong: bool = False) -> str:
    """A small rounded tag, in the colour of the class at `position` or in grey."""
    colour = hue(position).css if position is not None else "var(--tally-muted)"
    kind = "tally-chip strong" if strong else "tally-chip"
    return f'<span class="{kind}" style="--hue:{colour}">{escape(text)}</span>'


def heading(title: str, lead: str = "") -> None:
    """The top of a page: its name and one sentence on what it is for."""
    note = f'<p class="tally-lead">{escape(lead)}</p>' if lead else ""
    st.html(f'<header class="tally-head"><h1>{escape(title)}</h1>{note}</header>')


def notice(text: str, kind: NoticeKind = "info", *, title: str = "") -> None:
    """A message in a calm box. The text is shown as it is, never as Markdown."""
    first = f"<strong>{escape(title)}</strong> " if title else ""
    role = "alert" if kind in ("bad", "warn") else "status"
    st.html(f'<div class="tally-notice {kind}" role="{role}">{first}<span>{escape(text)}</span></div>')


def empty(title: str, text: str) -> None:
    """What a page shows when there is nothing yet: what is missing and what to do next."""
    marks = "<i></i><i></i><i></i><i></i><b></b>"
    st.html(
        f'<div class="tally-empty"><div class="tally-marks" aria-hidden="true">{marks}</div>'
        f"<h2>{escape(title)}</h2><p>{escape(text)}</p></div>"
    )


def figures(pairs: Sequence[tuple[str, str]]) -> None:
    """A row of figures with their names."""
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    st.html(f'<dl class="tally-figures">{cells}</dl>')


def bar(share: float, *, text: str = "") -> str:
    """A thin progress bar; `share` is between 0 and 1."""
    width = max(0.0, min(1.0, share)) * 100
    return (
        f'<div class="tally-bar" role="progressbar" aria-valuenow="{width:.0f}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-label="{escape(text or "progress")}"><i style="width:{width:.2f}%"></i></div>'
    )


def share_bars(rows: Sequence[tuple[str, float, int | None]]) -> str:
    """Horizontal bars: name, share between 0 and 1, position of the class that gives the colour."""
    lines = []
    for name, share, position in rows:
        colour = hue(position).css if position is not None else "var(--tally-muted)"
        width = max(0.0, min(1.0, share)) * 100
        lines.append(
            f'<div class="tally-share" style="--hue:{colour}"><span>{escape(name)}</span>'
            f'<i><b style="width:{width:.1f}%"></b></i><em>{percent(share)}</em></div>'
        )
    return "".join(lines)


def percent(share: float | None) -> str:
    """A share as people say it.

    Examples
    --------
    >>> percent(0.034), percent(0.5), percent(None)
    ('3.4 %', '50 %', '–')
    """
    if share is None or share != share:
        return "–"
    value = share * 100
    return f"{value:.1f} %" if 0 < value < 10 else f"{value:.0f} %"


def unbroken(text: str) -> str:
    """Text of a page, escaped, in which no line ends between a number and its per cent sign.

    Examples
    --------
    >>> unbroken("85 % <of> all")
    '85&nbsp;% &lt;of&gt; all'
    """
    return escape(text).replace(" %", "&nbsp;%")


def count(number: int) -> str:
    """A whole number with thousands set apart.

    Examples
    --------
    >>> count(24783)
    '24,783'
    """
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A whole number of things, one or many, of a noun that takes an s.

    Examples
    --------
    >>> counted(1, "item"), counted(24783, "item")
    ('1 item', '24,783 items')
    """
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
