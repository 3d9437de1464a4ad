"""Held back: groups of items that resemble nothing else, to discard or to welcome in one step each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from labeling import Project
from labeling.records import HeldGroup, LoopInfo
from ui import card
from ui.markup import count, empty, escape, notice
from ui.rule_analysis import title
from ui.state import EXPECTED, annotator, choose_loop, message, open_loop, problems

GUARD = "OutlierGuard"
KINDS = {
    "empty": ("Empty", "No word, no number: nothing to learn from."),
    "unlike the rest": ("Alone", "Each of them unlike anything else."),
    "cluster apart": ("A group apart", "Alike among themselves and unlike the rest, as another language is."),
}
_SAID = "held_said"
_UNDO = "held_undo"


def guarded(loops: list[LoopInfo]) -> list[str]:
    """Names of the loops that hold back what looks foreign."""
    return [info.name for info in loops if info.kind == "pool" and GUARD in info.strategy]


def draw(project: Project, names: list[str]) -> None:
    """Draw the groups that a loop holds back.

    Parameters
    ----------
    project
        The project.
    names
        The loops with a guard, at least one.
    """
    title(
        "Held back",
        "Items unlike anything else: asked only when nothing else is left. Say once for a whole group whether it "
        "belongs.",
    )
    name = choose_loop(names, st.container())
    with problems("The groups cannot be shown."):
        loop = open_loop(project, name)
        groups = loop.groups()
        _said(loop)
        if not groups:
            empty(
                "Nothing is held back",
                "After each round the loop sorts out what resembles nothing else, and shows it here.",
            )
            return
        who = annotator()
        if not who:
            notice("Write your name in the sidebar to judge them: it is stored with each step.")
        for group in groups:
            _group(project, loop, group, who)


def _said(loop: Any) -> None:
    said = st.session_state.pop(_SAID, None)
    if said is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="held-said"):
        notice(*said)
        if st.session_state.get(_UNDO) == loop.name:
            st.button("Undo", key="held-undo", icon=":material/undo:", on_click=_undo, args=(loop, annotator()))


def _group(project: Project, loop: Any, group: HeldGroup, who: str) -> None:
    name, meaning = KINDS.get(group.kind, (group.kind, ""))
    with st.container(border=True, key=f"held-{group.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(
                f'<h3 class="tally-h3">{escape(name)} <small>{count(group.size)} '
                f'{"item" if group.size == 1 else "items"}</small></h3><p class="tally-small">{escape(meaning)}</p>'
            )
            with st.container(horizontal=True, width="content", gap="small"):
                st.button(
                    "Discard all", key=f"held-discard-{group.id}", icon=":material/block:", disabled=not who,
                    on_click=_judge, args=(loop, group, who, False),
                )  # fmt: skip
                st.button(
                    "They belong", key=f"held-welcome-{group.id}", icon=":material/check:", disabled=not who,
                    on_click=_judge, args=(loop, group, who, True),
                )  # fmt: skip
        _items(project, group)


def _items(project: Project, group: HeldGroup) -> None:
    pictures = [(item, card.picture(item, project.image_column)) for item in group.items]
    shown = [(item, picture) for item, picture in pictures if picture is not None]
    if shown and project.text_column is None:
        st.image([picture for _, picture in shown], caption=[f"item {item['item_id']}" for item, _ in shown], width=110)
        return
    texts = "".join(f'<div class="tally-text"><small>item {item["item_id"]}</small>{_text(project, item)}</div>'
                    for item in group.items)  # fmt: skip
    rest = group.size - len(group.items)
    more = f'<p class="tally-small">and {count(rest)} more</p>' if rest else ""
    st.html(f'<div class="tally-texts tally-held" tabindex="0">{texts}{more}</div>')


def _text(project: Project, item: Mapping[str, Any]) -> str:
    if project.text_column is not None:
        text = item.get(project.text_column)
        return escape(text) if text not in (None, "") else "<i>no text</i>"
    facts = [f"{name}: {value}" for name, value in item.items() if name != "item_id" and value is not None]
    return escape("; ".join(facts[:6]))


def _judge(loop: Any, group: HeldGroup, who: str, belongs: bool) -> None:
    try:
        number = loop.welcome_group(group.id, who) if belongs else loop.discard_group(group.id, who)
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad")
        return
    items = "1 item" if number == 1 else f"{count(number)} items"
    did = f"{items} welcomed: from the next round on they are asked like any other." if belongs else (
        f"{items} discarded: out of the pool, and out of the export."
    )  # fmt: skip
    st.session_state[_SAID] = (did, "good")
    st.session_state[_UNDO] = loop.name


def _undo(loop: Any, who: str) -> None:
    try:
        undone = loop.undo(who)
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad")
        return
    st.session_state.pop(_UNDO, None)
    many = undone.together if undone else 0
    said = f"Taken back: {count(many)} {'item is' if many == 1 else 'items are'} held back again."
    st.session_state[_SAID] = (said if undone else "There is nothing to take back.", "info")
