"""Roles, assignments, merges and the erasing of a name, each in a dialog that says before what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from labeling import Project
from labeling.people.roles import NONE, ROLES
from ui.parts.markup import escape, notice
from ui.parts.moments import end_of, readers_zone, work
from ui.people.names import ERASED, labels
from ui.session import annotator, open_project, problems, storage

MEANINGS = {
    "annotator": "answers questions",
    "reviewer": "decides where people disagree",
    "lead": "sets up the project, its labels and its people",
    NONE: "has no role any more",
}


@st.dialog("Set a role")
def set_role(project: str, done: str) -> None:
    """Give somebody a role."""
    role_form(open_project(storage(), project), done)


@st.dialog("Assign work")
def assign(project: str, done: str) -> None:
    """Give somebody work in a loop."""
    assign_form(open_project(storage(), project), done)


@st.dialog("Merge two people")
def merge(project: str, done: str) -> None:
    """Let somebody count as somebody else."""
    merge_form(open_project(storage(), project), done)


@st.dialog("Erase a name")
def erase(project: str, done: str) -> None:
    """Erase the name of somebody."""
    erase_form(open_project(storage(), project), done)


@st.dialog("Withdraw an assignment")
def withdraw(project: str, assignment: Mapping[str, Any], done: str) -> None:
    """Take an assignment back."""
    withdraw_form(open_project(storage(), project), assignment, done)


def role_form(project: Project, done: str) -> None:
    """Ask who gets which role, and give it."""
    who, name = _who("Who", labels(project.people()), "role-who", new=True)
    role = st.radio("Role", ROLES, captions=[MEANINGS[role] for role in ROLES], key="role-role")
    wide = st.checkbox("In all projects of this database that give them no role of their own", key="role-everywhere")
    st.caption("A role is put on record. It forbids nothing yet: nobody signs in.")

    def do() -> str:
        project.set_role(who, role, by=annotator() or None, everywhere=wide)
        return f"“{name}” has no role any more." if role == NONE else f"“{name}” is {role} from now on."

    _button("Set the role", "role-do", do, "The role was not set.", done, ready=bool(who))


def assign_form(project: Project, done: str) -> None:
    """Ask who works on what, how much and until when, and assign it."""
    loops = [loop.name for loop in project.loops() if loop.kind == "pool"]
    if not loops:
        notice("There is no pool loop yet to work on. Start one on the Loop page; a stream asks nobody in particular.")
        return
    who, name = _who("Who", labels(project.people()), "assign-who", new=True)
    loop = st.selectbox("Loop", loops, key="assign-loop")
    zone = readers_zone()
    items = st.number_input(
        "How many answers", min_value=1, step=10, value=None, placeholder="any number", key="assign-items"
    )
    day = st.date_input(
        "Until the end of", value=None, min_value=datetime.now(zone).date(), format="YYYY-MM-DD", key="assign-until"
    )
    for each in project.assignments().iter_rows(named=True):
        if (each["person"], each["loop"]) == (who, loop):
            now = work(each["answered"], each["items"], each["until"], zone)
            notice(f"It takes the place of what is assigned there: {now}.")

    def do() -> str:
        until = None if day is None else end_of(day, zone)
        project.assign(who, loop=loop, items=items, until=until, by=annotator() or None)
        return f"“{name}” works on {loop}: {work(0, items, until, zone)}."

    _button("Assign", "assign-do", do, "Nothing was assigned.", done, ready=bool(who))


def withdraw_form(project: Project, assignment: Mapping[str, Any], done: str) -> None:
    """Say what comes of taking an assignment back, and do it."""
    name, loop = assignment["name"] or ERASED, assignment["loop"]
    said = work(assignment["answered"], assignment["items"], assignment["until"], readers_zone())
    notice(f"{name} in {loop}: {said}. Answers stay, and {name} is asked as if nothing had been assigned.")

    def do() -> str:
        project.withdraw(assignment["assignment"], by=annotator() or None)
        return f"What “{name}” was assigned in {loop} is withdrawn."

    _button("Withdraw", "withdraw-do", do, "Nothing was withdrawn.", done)


def merge_form(project: Project, done: str) -> None:
    """Ask who counts as whom, say what that touches, and do it."""
    names = labels(project.people(), erased=True)
    if len(names) < 2:
        notice("It takes two people to merge, and this project has fewer.")
        return
    who, name = _who("Who", names, "merge-who")
    others = {person: label for person, label in names.items() if person != who}
    into, other = _who("Counts as", others, "merge-into")
    if who and into:
        with problems("They cannot be merged."):
            touched = project.preview_merge_people(who, into)
            notice(f"{touched}. Nothing that was said is changed, and the merge can be taken back.")

    def do() -> str:
        project.merge_people(who, into, by=annotator() or None)
        return f"“{name}” counts as “{other}” from now on."

    _button("Merge", "merge-do", do, "They were not merged.", done, ready=bool(who and into))


def erase_form(project: Project, done: str) -> None:
    """Say what goes with a name, and erase it once it is written."""
    people = project.people()
    names = labels(people)
    if not names:
        notice("Nobody here has a name to erase.")
        return
    who, _ = _who("Who", names, "erase-who")
    name = dict(people.select("person", "name").iter_rows()).get(who)
    st.html(
        f'<p class="tally-lead">The name <b>{escape(name or "…")}</b>, other names that count as the same person, and '
        "their accounts go from all projects of this database, for good. What this person said stays, by nobody named. "
        "Exported files, notes and backups are not touched; <code>python -m labeling erase --backup</code> reaches "
        "backups too.</p>"
    )
    typed = (st.text_input("The name, to confirm", key="erase-person-name") or "").strip()

    def do() -> str:
        project.erase_person(who)
        return "The name is erased."

    ready = name is not None and typed == name.strip()
    _button("Erase it for good", "erase-person", do, "Nothing was erased.", done, ready=ready)


def _who(title: str, names: Mapping[str, str], key: str, *, new: bool = False) -> tuple[str, str]:
    """Let somebody be chosen, or, where `new`, be written; return what they are known by and are called."""
    chosen = st.selectbox(
        title,
        list(names),
        index=None,
        format_func=lambda person: names.get(person, person),
        accept_new_options=new,
        placeholder="Choose, or write a new name" if new else "Choose",
        key=key,
    )
    who = (chosen or "").strip()
    return who, names.get(who, who)


def _button(text: str, key: str, do: Callable[[], str], failed: str, done: str, *, ready: bool = True) -> None:
    """Draw the button that does it; what was done is said on the page, what went wrong in the dialog."""
    if st.button(text, type="primary", key=key, disabled=not ready):
        with problems(failed):
            st.session_state[done] = do()
            st.rerun()
