"""Near-duplicates of an item that was just answered: offered for the same answer, never taken over silently."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from labeling import Project, Query
from labeling.loops.records import Alike
from ui.parts.markup import chip, count, escape
from ui.parts.palette import offer_keys
from ui.session import EXPECTED, message

SHOWN = 10
"""Texts of near-duplicates that are shown to read."""

NOTE = "desk_note"
_OFFER = "desk_offer"


@dataclass(frozen=True)
class Offer:
    """What resembles an item that was answered, and the answer."""

    loop: str
    query: Query
    label: str
    found: tuple[Alike, ...]
    uuid: str


def make(loop: Any, query: Query, label: str) -> None:
    """Note an offer where the item that was answered has near-duplicates; it replaces the one before."""
    why = getattr(query, "why", None)
    if why is None or not why.alike:
        return
    found = tuple(loop.alike(query))
    if found:
        st.session_state[_OFFER] = Offer(loop.name, query, label, found, uuid.uuid4().hex)


def forget() -> None:
    """Ignore the offer."""
    st.session_state.pop(_OFFER, None)


def draw(project: Project, loop: Any, who: str, taken: Sequence[str | None]) -> None:
    """Draw the offer, if there is one: what it would label, with a key to take it and one to ignore it.

    Parameters
    ----------
    project, loop, who
        Where the answer goes, and whose it is.
    taken
        Keys that classes have.
    """
    offer = st.session_state.get(_OFFER)
    if not isinstance(offer, Offer) or offer.loop != loop.name:
        return
    keys = offer_keys(taken)
    names = list(project.label_names)
    many = len(offer.found)
    with st.container(key="offer", border=True):
        what = "post is" if many == 1 else "posts are"
        label = chip(offer.label, names.index(offer.label) if offer.label in names else None, strong=True)
        texts = "".join(_text(project, alike) for alike in offer.found[:SHOWN])
        more = f"<p>and {count(many - SHOWN)} more</p>" if many > SHOWN else ""
        st.html(
            f'<div class="tally-offer" role="status"><p><b>{count(many)}</b> {what} nearly identical to item '
            f"{offer.query.item_id}. Same answer {label}?</p>"
            f'<div class="tally-texts" tabindex="0">{texts}{more}</div></div>'
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Same for it" if many == 1 else f"Same for all {count(many)}",
                key="offer-same",
                shortcut=keys["same"],
                on_click=_take,
                args=(loop, who, offer),
            )
            st.button("Ignore", key="offer-ignore", type="tertiary", shortcut=keys["ignore"], on_click=forget)


def _text(project: Project, alike: Alike) -> str:
    text = alike.item.get(project.text_column) if project.text_column else None
    return (
        f'<div class="tally-text"><small>item {alike.item_id} · {alike.similarity * 100:.0f} % the same</small>'
        f"{escape(text or '')}</div>"
    )


def _take(loop: Any, who: str, offer: Offer) -> None:
    forget()
    try:
        told = loop.tell_alike(offer.query, [alike.item_id for alike in offer.found], annotator=who, uuid=offer.uuid)
    except EXPECTED as error:
        st.session_state[NOTE] = (message(error), "warn")
        return
    what = "item" if len(told) == 1 else "items"
    st.session_state[NOTE] = (
        f"{count(len(told))} nearly identical {what} labeled {offer.label}, too. Undo takes that back in one step.",
        "good",
    )
