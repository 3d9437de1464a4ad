"""Held back: groups of items that resemble nothing else, to discard or to welcome in one step each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from labeling import Project
from labeling.loops.records import HeldGroup, LoopInfo
from ui.annotate import card
from ui.parts.markup import count, counted, empty, escape, notice
from ui.rules.analysis import title
from ui.session import EXPECTED, annotator, choose_loop, message, open_loop, problems

GUARD = "OutlierGuard"
ALONE = "unlike the rest"
KINDS = {
    "empty": ("Empty", "No word, no number: nothing to learn from."),
    ALONE: ("Alone", "Each of them unlike anything else."),
    "cluster apart": ("A group apart", "Alike among themselves and unlike the rest, as another language is."),
}
PAGE = 12
"""Items of a group that are shown at a time."""

_SAID = "held_said"
_DONE = "held_done"
_ASKED = "held_asked"


@dataclass(frozen=True)
class Done:
    """A step just taken: it can be taken back until it is dismissed, or another one is taken."""

    loop: str
    who: str
    uuid: str
    text: str


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
    if said is not None:
        notice(*said)
    done = st.session_state.get(_DONE)
    if not isinstance(done, Done) or done.loop != loop.name:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="held-said"):
        notice(done.text, "good")
        st.button("Undo", key="held-undo", icon=":material/undo:", on_click=_undo, args=(loop, done))
        st.button("Dismiss", key="held-dismiss", type="tertiary", on_click=_dismiss)


def _group(project: Project, loop: Any, group: HeldGroup, who: str) -> None:
    name, meaning = KINDS.get(group.kind, (group.kind, ""))
    chosen = _chosen(loop, group)
    number = len(chosen) if group.kind == ALONE else group.size - len(chosen)
    with st.container(border=True, key=f"held-{group.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(
                f'<h3 class="tally-h3">{escape(name)} <small>{counted(group.size, "item")}</small></h3>'
                f'<p class="tally-small">{escape(meaning)}</p>'
            )
            with st.container(horizontal=True, width="content", gap="small"):
                st.button(
                    f"Discard {count(number)}…", key=f"held-discard-{group.id}", icon=":material/block:",
                    disabled=not who or not number, on_click=_ask, args=(loop, group),
                )  # fmt: skip
                st.button(
                    f"{count(number)} {'belongs' if number == 1 else 'belong'}", key=f"held-welcome-{group.id}",
                    icon=":material/check:", disabled=not who or not number, on_click=_judge,
                    args=(loop, group, who, chosen, True),
                )  # fmt: skip
        if st.session_state.get(_ASKED) == (loop.name, group.id) and number:
            _confirm(loop, group, who, chosen, number)
        _items(project, loop, group, chosen)


def _confirm(loop: Any, group: HeldGroup, who: str, chosen: frozenset[int], number: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"held-confirm-{group.id}"):
        notice(f"{counted(number, 'item')} will leave the pool and the export.", "warn")
        st.button(
            f"Discard {counted(number, 'item')}", key=f"held-sure-{group.id}", type="primary", disabled=not who,
            on_click=_judge, args=(loop, group, who, chosen, False),
        )  # fmt: skip
        st.button("Keep them", key=f"held-keep-{group.id}", on_click=_keep)


def _chosen(loop: Any, group: HeldGroup) -> frozenset[int]:
    """The items whose box is not as it is drawn first: of a group those left out, of what is alone those chosen."""
    return frozenset(st.session_state.get(f"held-boxes-{loop.name}-{group.id}", ()))


def _flip(loop: Any, group: HeldGroup, item: int) -> None:
    st.session_state[f"held-boxes-{loop.name}-{group.id}"] = _chosen(loop, group) ^ {item}


def _items(project: Project, loop: Any, group: HeldGroup, chosen: frozenset[int]) -> None:
    alone = group.kind == ALONE
    st.caption(
        "They have nothing in common, so each is judged by itself: tick those that you judge."
        if alone
        else "Take the tick off what you do not judge with the others."
    )
    pages = -(-group.size // PAGE)
    page = 1
    if pages > 1:
        page = int(st.pagination(pages, key=f"held-page-{group.id}") or 1)
    shown = loop.group_items(group.id, (min(page, pages) - 1) * PAGE, PAGE)
    with st.container(key=f"held-items-{group.id}", gap="small"):
        for item in shown:
            number = int(item["item_id"])
            picture = card.picture(item, project.image_column)
            row = f"heldrow-{loop.name}-{group.id}-{number}"
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=row):
                st.checkbox(
                    f"item {number}",
                    value=(number in chosen) == alone,
                    key=f"held-box-{loop.name}-{group.id}-{number}",
                    on_change=_flip,
                    args=(loop, group, number),
                )
                if picture is not None and project.text_column is None:
                    st.image(picture, width=110)
                else:
                    st.html(f'<div class="tally-text tally-heldtext">{_text(project, item)}</div>')


def _text(project: Project, item: Mapping[str, Any]) -> str:
    if project.text_column is not None:
        text = item.get(project.text_column)
        return escape(text) if text not in (None, "") else "<i>no text</i>"
    facts = [
        f"{name}: {value}"
        for name, value in item.items()
        if name != "item_id" and value is not None and not isinstance(value, bytes)
    ]
    return escape("; ".join(facts[:6]))


def _ask(loop: Any, group: HeldGroup) -> None:
    st.session_state[_ASKED] = (loop.name, group.id)


def _keep() -> None:
    st.session_state.pop(_ASKED, None)


def _dismiss() -> None:
    st.session_state.pop(_DONE, None)


def _judge(loop: Any, group: HeldGroup, who: str, chosen: frozenset[int], belongs: bool) -> None:
    st.session_state.pop(_ASKED, None)
    step = str(uuid.uuid4())
    which = {"only": chosen} if group.kind == ALONE else {"but": chosen}
    try:
        number = (loop.welcome_group if belongs else loop.discard_group)(group.id, who, uuid=step, **which)
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad")
        return
    st.session_state.pop(f"held-boxes-{loop.name}-{group.id}", None)
    if not number:
        st.session_state[_SAID] = ("Nothing was left to judge: somebody else has these items.", "info")
        return
    did = (
        "welcomed: from the next round on they are asked like any other."
        if belongs
        else "discarded: out of the pool, and out of the export."
    )
    st.session_state[_DONE] = Done(loop.name, who, step, f"{counted(number, 'item')} {did}")


def _undo(loop: Any, done: Done) -> None:
    try:
        undone = loop.undo_step(done.uuid, done.who)
    except EXPECTED as error:
        st.session_state[_SAID] = (message(error), "bad")
        return
    st.session_state.pop(_DONE, None)
    many = undone.together if undone else 0
    said = f"Taken back: {counted(many, 'item')} {'is' if many == 1 else 'are'} held back again."
    st.session_state[_SAID] = (said if undone else "It was taken back already.", "info")
