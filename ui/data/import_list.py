"""What was imported, newest first, and taking an import back."""

from __future__ import annotations

import streamlit as st

from labeling import Project
from labeling.store.imports.reports import UndoneImport
from ui.parts import work
from ui.parts.markup import count, counted, escape, notice, plain
from ui.session import problems

_WORK = "undo-import"
_DONE = "undo-import-done"
_KINDS = {"items": "a file of items", "gold": "known answers alone", "stream": "records of a stream"}
_THINGS = {"items": "item", "gold": "answer", "stream": "item"}
MOST = 50


def under_way(project: Project) -> bool:
    """Whether an import is being taken back, or that it was is still to be said."""
    return work.begun(_WORK, project.name) or _DONE in st.session_state


def render(project: Project) -> None:
    """Draw the list."""
    with problems("The import was not taken back."):
        done = work.ended(_WORK, project.name)
        if done is not None:
            st.session_state[_DONE] = f"“{done.about}” was taken back: {_what(done.result())} are out of the project."
            # What stands above was read before.
            st.rerun()
    said = st.session_state.pop(_DONE, None)
    if said:
        notice(said, "good")
    st.html(
        '<p class="tally-lead">An import can be taken back as one step. What people answered stays on record, and '
        "counts again when the file is imported again.</p>"
    )
    waiting = work.watch(_WORK, project.name, "Taking the import back")
    rows = project.imports().reverse()
    for row in rows.head(MOST).iter_rows(named=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        added = "" if row["added"] is None else f"{counted(row['added'], _THINGS[row['kind']])} · "
        gold = "" if not row["gold"] else f"{counted(row['gold'], 'known answer')} · "
        state = " · taken back" if row["taken_back"] else ""
        left.html(
            f"<p><b>{escape(row['name'])}</b><br><span class='tally-small'>{escape(_KINDS[row['kind']])} · {added}"
            f"{gold}{row['at']:%d %B %Y, %H:%M}{state}</span></p>"
        )
        possible = not row["taken_back"] and row["kind"] != "stream" and not waiting
        if possible and right.button("Take back", key=f"undo-import-{row['import_id']}"):
            _confirm(project, row["import_id"], row["name"])
    if rows.height > MOST:
        st.caption(f"The newest {MOST} of {count(rows.height)} imports.")


@st.dialog("Take an import back")
def _confirm(project: Project, import_id: int, name: str) -> None:
    with problems("It cannot be taken back."):
        undone = project.preview_undo_import(import_id)
        st.markdown(f"**{plain(name)}**")
        lines = []
        if undone.items or not undone.gold:
            lines.append(f"{count(undone.items)} items leave the pool, the labels and the export.")
        if undone.answers:
            lines.append(
                f"{count(undone.answers)} answers of people on them stay on record, and count again when the file is "
                "imported again."
            )
        if undone.kept:
            lines.append(f"{count(undone.kept)} items stay, as another import has them too.")
        if undone.gold:
            lines.append(f"{count(undone.gold)} known answers that came with it go.")
        for line in lines:
            st.markdown(plain(line))
        if st.button(f"Take back {_what(undone)}", type="primary", key="undo-import-yes"):
            work.begin(_WORK, project.name, lambda _: project.undo_import(import_id), about=name)


def _what(undone: UndoneImport) -> str:
    """Say what goes: the items, or where only known answers came, those."""
    if undone.gold and not undone.items:
        return f"{count(undone.gold)} known answers"
    return f"{count(undone.items)} items"
