"""The people of a project as a table, what they are assigned, who counts as whom; and how that changes."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.people.roles import NONE
from ui.parts.markup import count, escape, notice
from ui.parts.moments import moment, readers_zone, work
from ui.people import changes
from ui.people.names import ERASED
from ui.session import annotator, current_project, problems

MOST = 200
"""People listed at most: those with the most answers."""


def draw(done: str) -> None:
    """Draw the tab; what was done is left in the session under `done`."""
    project = current_project()
    if project is None:
        notice("Choose a project in the sidebar to see who works on it.")
        return
    with problems("The people of this project cannot be listed."):
        people, merged = project.people(), project.merged_people()
        zone = readers_zone()
        _table(people, merged, zone)
        _buttons(project, done)
        _assigned(project, zone, done)
        _merged(project, merged, done)


def _table(people: pl.DataFrame, merged: pl.DataFrame, zone: tzinfo) -> None:
    if people.is_empty():
        notice("Nobody has answered here yet, or has a role or an assignment. Whoever answers is listed by themselves.")
        return
    shown = people.sort("answers", "name", descending=[True, False], nulls_last=True).head(MOST)
    also = _also(people, merged)
    rows = "".join(_row(person, also.get(person["person"], []), zone) for person in shown.iter_rows(named=True))
    names = ("name", "role", "answers", "assigned", "since")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    st.html(
        f'<div class="tally-wide"><table class="tally-table tally-people"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    if people.height > MOST:
        st.caption(f"{count(MOST)} of {count(people.height)} people: those with the most answers.")


def _row(person: dict[str, Any], also: list[str], zone: tzinfo) -> str:
    name = f"<em>{ERASED}</em> <small>{escape(person['person'][:8])}</small>"
    if person["name"] is not None:
        name = f"<strong>{escape(person['name'])}</strong>"
    if also:
        name += f"<br><small>also {escape(', '.join(also))}</small>"
    role = "" if person["role"] in (None, NONE) else person["role"]
    cells = (name, *map(escape, (role, count(person["answers"]), ", ".join(person["assignments"]))))
    day, _, _ = moment(person["since"], zone).partition(",")
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}<td>{escape(day)}</td></tr>"


def _also(people: pl.DataFrame, merged: pl.DataFrame) -> dict[str, list[str]]:
    """The other names of each person: those of whoever counts as them, and under which they answered here."""
    into = dict(merged.select("person", "into").iter_rows())
    found: dict[str, set[str]] = {}
    for person, name in merged.select("person", "name").iter_rows():
        root, seen = into[person], {person}
        while root in into and root not in seen:
            seen.add(root)
            root = into[root]
        found.setdefault(root, set()).add(name or ERASED)
    for person, name, names in people.select("person", "name", "names").iter_rows():
        found.setdefault(person, set()).update(names)
        found[person] -= {name or ERASED}
    return {person: sorted(names) for person, names in found.items()}


def _buttons(project: Project, done: str) -> None:
    ask = {
        "role": ("Set a role", changes.set_role),
        "assign": ("Assign work", changes.assign),
        "merge": ("Merge two people", changes.merge),
        "erase": ("Erase a name", changes.erase),
    }
    with st.container(horizontal=True, key="people-changes"):
        for key, (text, dialog) in ask.items():
            if st.button(text, key=f"people-{key}"):
                dialog(project.name, done)


def _columns() -> tuple[Any, Any]:
    """What a row says, and its button at the right edge."""
    left, right = st.columns([5, 2], vertical_alignment="center")
    return left, right.container(horizontal=True, horizontal_alignment="right")


def _assigned(project: Project, zone: tzinfo, done: str) -> None:
    assignments = project.assignments()
    if assignments.is_empty():
        return
    st.markdown("##### Assigned")
    for each in assignments.iter_rows(named=True):
        left, right = _columns()
        by = f" · by {escape(each['by'])}" if each["by"] else ""
        said = escape(work(each["answered"], each["items"], each["until"], zone))
        left.html(
            f'<p class="tally-labelrow"><b>{escape(each["name"] or ERASED)}</b> in {escape(each["loop"])}: {said}'
            f'<span class="tally-small">{by}</span></p>'
        )
        if right.button("Withdraw", key=f"withdraw-{each['assignment']}"):
            changes.withdraw(project.name, each, done)


def _merged(project: Project, merged: pl.DataFrame, done: str) -> None:
    if merged.is_empty():
        return
    st.markdown("##### Counted as one")
    for each in merged.iter_rows(named=True):
        left, right = _columns()
        left.html(
            f'<p class="tally-labelrow"><b>{escape(each["name"] or ERASED)}</b> counts as '
            f"<b>{escape(each['into_name'] or ERASED)}</b></p>"
        )
        if right.button("Take back", key=f"unmerge-{each['person']}"):
            with problems("The merge was not taken back."):
                project.unmerge_people(each["person"], by=annotator() or None)
                one, other = each["name"] or ERASED, each["into_name"] or ERASED
                st.session_state[done] = f"“{one}” and “{other}” are two people again."
                st.rerun()
