"""Projects: what is in the database, a new project, and the labels of the current one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import streamlit as st

from labeling import Project
from labeling.formats.mapping import guess_mapping
from labeling.formats.reading.tables import read_source
from labeling.formats.sources.readable import FILE_HELP
from labeling.store.imports.column_labels import column_labels
from storage import cautions
from ui import guidelines, people
from ui.label_changes import change_label
from ui.parts import next_step
from ui.parts.markup import bar, chip, count, counted, empty, escape, heading, notice, percent, unbroken
from ui.parts.palette import assign_keys
from ui.session import choose_project, current_project, not_listed, page, problems, storage

if TYPE_CHECKING:
    from labeling.project.records import ProjectInfo

_LINE = re.compile(r"^(?P<name>[^:]*?)(?:\s*\[(?P<key>[^\]]*)\])?\s*(?::\s*(?P<definition>.*))?$")
_DONE = "projects_done"
_EXAMPLE = "ok [1]: nothing to object to\noffensive [2]: insults a person or a group"


@dataclass(frozen=True)
class LabelLine:
    """One line of the form for labels: a name, what it means, the key that chooses it."""

    name: str
    definition: str = ""
    key: str | None = None


def parse_labels(text: str) -> list[LabelLine]:
    r"""Read labels from text, one a line: ``name [key]: definition``, where key and definition may be left out.

    Examples
    --------
    >>> parse_labels("ok\n\noffensive [o]: insults a person")
    [LabelLine(name='ok', definition='', key=None),
     LabelLine(name='offensive', definition='insults a person', key='o')]
    """
    labels = []
    for line in text.splitlines():
        found = _LINE.match(line.strip())
        if found and found["name"].strip():
            labels.append(LabelLine(found["name"].strip(), (found["definition"] or "").strip(), found["key"] or None))
    return labels


def render() -> None:
    """Draw the page."""
    heading("Projects", "A project is a set of items, the labels to choose from, and the record of every decision.")
    done = st.session_state.pop(_DONE, None)
    if done:
        notice(done, "good")
    why = not_listed()
    if why:
        notice(why, "warn")
    everything = Project.list(storage(), archived=None)
    projects = [info for info in everything if not info.archived]
    archived = [info for info in everything if info.archived]
    if not projects:
        empty("Start with a project", "Give it a name and its labels here. Items come next, on the Data page.")
        _new_project()
        if archived:
            _archive(archived)
        return
    _cards(projects)
    next_step.offer(current_project(), "projects")
    st.space("small")
    # A key of its own: what comes and goes above must not make other tabs of them, opened at the first.
    tabs = ["Labels of this project", "Guidelines", "People", "New project", "Archive"]
    labels, words, team, new, away = st.tabs(tabs, key="projects-tabs")
    with labels:
        _labels()
    with words:
        guidelines.edit(_DONE)
    with team:
        people.draw(_DONE)
    with new:
        _new_project()
    with away:
        _put_away()
        _archive(archived)
    for text in cautions(storage()):
        notice(text, "warn")


def _put_away() -> None:
    project = current_project()
    if project is None:
        return
    st.html(
        '<p class="tally-lead">A project that is archived is left out of all lists and can only be read. Everything '
        f"in it stays. Archive <b>{escape(project.name)}</b>?</p>"
    )
    if st.button("Archive this project", key="archive-project", icon=":material/archive:"):
        with problems("Not archived."):
            project.archive()
            st.rerun()


@st.dialog("Erase a project")
def _erase(name: str) -> None:
    """Erase a project once its name is written, and say what goes."""
    st.html(
        f'<p class="tally-lead">Everything in <b>{escape(name)}</b> goes for good: items, answers, rules, loops. What '
        "stays is that there was a project, and how much it held. Exported files and backups are not touched; "
        "<code>python -m labeling erase --backup</code> reaches backups too.</p>"
    )
    typed = st.text_input("Its name, to confirm", key="erase-name")
    if st.button("Erase it for good", type="primary", key="erase-project", disabled=typed != name):
        with problems("Nothing was erased."):
            counts = Project.open(name, storage()).erase_project(typed)
            st.session_state[_DONE] = f"Project “{name}” is erased: {counted(counts.get('items', 0), 'item')}."
            st.rerun()


def _archive(archived: Sequence[ProjectInfo]) -> None:
    if not archived:
        return
    st.markdown("##### Archived")
    for position, info in enumerate(archived):
        left, right = st.columns([3, 2], vertical_alignment="center")
        left.html(
            f"<p><b>{escape(info.name)}</b><br><span class='tally-small'>{counted(info.items, 'item')} · "
            f"{count(info.labeled)} labeled by people · {escape(_since(info))}</span></p>"
        )
        buttons = right.container(horizontal=True, horizontal_alignment="right")
        if buttons.button("Restore", key=f"restore-{position}"):
            with problems("Not restored."):
                Project.open(info.name, storage()).restore()
                st.session_state["project_next"] = info.name
                st.session_state[_DONE] = f"Project “{info.name}” is back."
                st.rerun()
        if buttons.button("Erase", key=f"erase-{position}", help="For good, after its name is written"):
            _erase(info.name)


def _cards(projects: Sequence[ProjectInfo]) -> None:
    current = st.session_state.get("project")
    with st.container(key="split-cards"):
        columns = st.columns(min(3, max(2, len(projects))))
    for position, info in enumerate(projects):
        with columns[position % len(columns)].container(border=True, key=f"project-card-{position}"):
            share = info.labeled / info.items if info.items else 0.0
            here = chip("open", 2) if info.name == current else ""
            st.html(
                f'<div class="tally-card"><h3>{escape(info.name)} {here}</h3>'
                f"<p>{unbroken(info.description or _since(info))}</p>"
                f'<dl class="tally-figures"><div><dt>items</dt><dd>{count(info.items)}</dd></div>'
                f"<div><dt>labeled by people</dt><dd>{count(info.labeled)}</dd></div>"
                f"<div><dt>share</dt><dd>{percent(share)}</dd></div></dl>{bar(share, text='labeled by people')}</div>"
            )
            left, right = st.columns(2)
            if info.name != current:
                left.button("Open", key=f"open-{position}", on_click=choose_project, args=(info.name,), width="stretch")
            else:
                for column, name, text in ((left, "annotate", "Annotate"), (right, "data", "Data")):
                    if column.button(text, key=f"{name}-{position}", width="stretch"):
                        page(name)


def _since(info: ProjectInfo) -> str:
    return f"since {info.created_at:%d %B %Y}"


def _labels_of_file() -> list[LabelLine] | None:
    """Labels from a column of a file; None where they are written."""
    if not st.toggle("Take the labels from a column of a file", key="labels-from-file"):
        return None
    # Any file may come: one that is not read is answered in words.
    file = st.file_uploader("A file with a label in each row", help=FILE_HELP)
    if file is None:
        return []
    names: list[str] = []
    with problems("No labels can be taken from it."):
        table = read_source(file, name=file.name)
        columns = table.frame.columns
        guess = guess_mapping(table.frame).gold
        column = st.selectbox("Column", columns, index=columns.index(guess) if guess in columns else 0)
        names = column_labels(table, str(column))
        st.html(" ".join(chip(name, position) for position, name in enumerate(names)))
    return [LabelLine(name) for name in names]


def _new_project() -> None:
    taken = _labels_of_file()
    with st.form("new-project", border=False):
        left, right = st.columns(2)
        name = left.text_input("Name", placeholder="moderation", max_chars=200)
        description = left.text_input("What it is for", placeholder="Posts that insult people", max_chars=500)
        text = right.text_area(
            "Labels",
            height=160,
            disabled=taken is not None,
            placeholder=_EXAMPLE if taken is None else "Taken from the file",
            help="One a line. What stands in brackets is the key that chooses it, what follows the colon says what "
            "it means. Both can be left out.",
        )
        if st.form_submit_button("Create project", type="primary"):
            with problems("The project was not created."):
                labels = parse_labels(text or "") if taken is None else taken
                _create(name.strip() if name else "", description or "", labels)


def _create(name: str, description: str, labels: Sequence[LabelLine]) -> None:
    if not name:
        raise ValueError("It needs a name, for example 'moderation'.")
    if len(labels) < 2:
        raise ValueError(
            f"It needs at least two labels to choose from, got {len(labels)}. "
            "Write one a line, or take them from a file."
        )
    Project.create(name, [asdict(label) for label in labels], storage=storage(), description=description)
    st.session_state["project_next"] = name
    st.session_state[_DONE] = f"Project “{name}” is ready. Import its items on the Data page."
    st.rerun()


def _labels() -> None:
    project = current_project()
    if project is None:
        notice("Choose a project in the sidebar to see its labels.")
        return
    classes = project.classes
    keys = assign_keys([label.key for label in classes])
    for position, (label, key) in enumerate(zip(classes, keys, strict=True)):
        left, right = st.columns([5, 2], vertical_alignment="center")
        meaning = escape(label.definition) or "<em>no definition yet</em>"
        badge = f"key {key.upper()}" if key else "no key"
        left.html(
            f'<div class="tally-labelrow">{chip(label.name, position, strong=True)} '
            f'<span class="tally-small">{escape(badge)}</span><div>{meaning}</div></div>'
        )
        buttons = right.container(horizontal=True, horizontal_alignment="right")
        if buttons.button("Edit", key=f"edit-label-{label.id}"):
            _edit_label(label.name, label.definition, label.key or "")
        if buttons.button("Change", key=f"change-label-{label.id}", help="Merge, split or retire it"):
            change_label(label.name, _DONE)
    if st.button("Add a label", icon=":material/add:"):
        _edit_label("", "", "")


@st.dialog("Label")
def _edit_label(name: str, definition: str, key: str) -> None:
    project = current_project()
    if project is None:
        return
    with st.form("edit-label", border=False):
        new_name = (st.text_input("Name", value=name, max_chars=200) or "").strip()
        new_definition = (st.text_area("What it means", value=definition, height=100) or "").strip()
        new_key = (st.text_input("Key", value=key, max_chars=1, help="One letter or digit; not C or R.") or "").strip()
        st.caption("Answers given so far keep their label: a new name is the same class.")
        if st.form_submit_button("Save", type="primary"):
            with problems("Not saved."):
                if not new_name:
                    raise ValueError("A label needs a name.")
                if not name:
                    project.add_label(new_name, new_definition, key=new_key or None)
                else:
                    if new_name != name:
                        project.rename_label(name, new_name)
                    if (new_definition, new_key) != (definition, key):
                        project.describe_label(new_name, new_definition, key=new_key or None)
                st.session_state[_DONE] = f"Label “{new_name}” is saved."
                st.rerun()
