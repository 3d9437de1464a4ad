"""The import on the Data page: upload, look at 20 rows, say which column is what, import, read the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st

from labeling import Project
from labeling.formats.mapping import Mapping, guess_mapping
from labeling.formats.sources.readable import FILE_HELP
from labeling.label_names import find_label
from labeling.store.imports.answer_columns import looks_like_answer
from ui.data.import_preview import choose_offers, show_remarks, ways_to_read
from ui.parts import work
from ui.parts.markup import count, counted, escape, figures, notice, plain
from ui.parts.wording import on_page
from ui.session import problems

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_REPORT = "import_report"
_PREVIEW = "import_preview"
_UPLOAD = "import_upload"
_WORK = "import"
MOST_LINES = 500


def has_report(project: Project) -> bool:
    """Whether an import into this project is under way, or there is a report of one just made."""
    return work.begun(_WORK, project.name) or _reported(project)


def _reported(project: Project) -> bool:
    report = st.session_state.get(_REPORT)
    return report is not None and report["project"] == project.name


def render(project: Project) -> None:
    """Draw the import, and the report of the one just made."""
    with problems("The file was not imported."):
        _end(project)
    place = st.container()
    turn = int(st.session_state.get(_UPLOAD, 0))
    file = st.file_uploader(
        "A file of items",
        # Any file may come: one that is not read is answered in words below, rather than by the widget.
        key=f"upload-{turn}",
        help=f"{FILE_HELP} Up to 1 GB. The first row of a table holds the column names.",
    )
    if work.watch(_WORK, project.name, "Reading", counted=True):
        return
    if file is None:
        if _reported(project):
            with place:
                _show_report(st.session_state[_REPORT])
        return
    st.session_state.pop(_REPORT, None)
    reading = ways_to_read(file.name)
    with problems("The file cannot be read."):
        preview = _preview(project, file, reading)
        if taken := choose_offers(preview.offers):
            reading |= taken
            preview = _preview(project, file, reading)
        _mapping(project, file, preview, reading)


def _preview(project: Project, file: UploadedFile, reading: dict[str, Any]) -> Any:
    """Return the preview of the file as it is to be read, made once for each way."""
    key = (project.name, project.version(), file.file_id)
    held = st.session_state.get(_PREVIEW)
    made: dict[Any, Any] = held[1] if held and held[0] == key else {}
    way = tuple(sorted(reading.items()))
    if way not in made:
        file.seek(0)
        with st.spinner("Reading the first rows…"):
            made[way] = project.preview_items(file, name=file.name, **reading)
    st.session_state[_PREVIEW] = (key, made)
    return made[way]


def _mapping(project: Project, file: UploadedFile, preview: Any, reading: dict[str, Any]) -> None:
    rows: pl.DataFrame = preview.rows
    columns = rows.columns
    guess = preview.mapping
    st.markdown("##### Which column is what?")
    first = st.columns(3)
    text = _choose(first[0], "Text", columns, guess.text, "What annotators read and rules look at.")
    item = _choose(first[1], "Your id", columns, guess.id, "Kept as text, so that 007 stays 007.")
    known = guess.gold or _known_answers(project, rows)
    gold = _choose(first[2], "Known answer", columns, known, "Where the label is known: scores rules and models.")
    second = st.columns(3)
    group = _choose(second[0], "Group", columns, guess.group, "Author or thread: a hold-out never splits one.")
    image = _choose(second[1], "Image", columns, guess.image, "A path on this machine, or the bytes of a picture.")
    private = second[2].multiselect(
        "Private",
        columns,
        default=_private(project, rows, guess.private),
        help="Stored, and shown on no page and in no export unless asked for.",
    )
    hidden = _hidden(project, preview, text, item, gold, group, image, private)
    missing = _missing_labels(project, rows, gold)
    st.html(f'<p class="tally-small">The first {rows.height} rows of {escape(file.name)}</p>')
    st.dataframe(rows, hide_index=True, height=min(38 * (rows.height + 1), 300))
    show_remarks(preview)
    if preview.table.renamed:
        _renamed(preview.table.renamed)
    if st.button("Import", type="primary", key="import", icon=":material/upload:"):
        file.seek(0)
        work.begin(
            _WORK,
            project.name,
            lambda tell: project.add_items(
                file,
                text=text,
                id=item,
                gold=gold,
                group=group,
                image=image,
                private=tuple(private),
                hidden=hidden,
                add_labels=missing,
                **reading,
                name=file.name,
                progress=tell,
            ),
            about=file.name,
        )


def _end(project: Project) -> None:
    """Note the report of an import that came to its end; one that went wrong says why."""
    done = work.ended(_WORK, project.name)
    if done is None:
        return
    st.session_state[_REPORT] = {"project": project.name, "name": done.about, "report": done.result()}
    st.session_state.pop(_PREVIEW, None)
    st.session_state[_UPLOAD] = int(st.session_state.get(_UPLOAD, 0)) + 1
    # What stands above was read before.
    st.rerun()


def _known_answers(project: Project, rows: pl.DataFrame) -> str | None:
    """The column that looks like known answers, where all that it holds are labels of the project."""
    column = guess_mapping(rows).gold
    if column is None:
        return None
    values = {str(value) for value in rows[column].drop_nulls().to_list()} - {""}
    known = all(find_label(value, project.label_names) is not None for value in values)
    return column if values and known else None


def _hidden(project: Project, preview: Any, *parts: Any) -> list[str]:
    """Which columns annotators are not shown: those that look like the answer, unless chosen otherwise."""
    text, item, gold, group, image, private = parts
    mapping = Mapping(text=text, id=item, gold=gold, group=group, image=image, private=tuple(private))
    # Labels of another tool's tasks that are not mapped are no content of items.
    left_out = ("label",) if preview.table.tool is not None else ()
    options = [name for name in preview.rows.columns if name not in {text, item, gold, image, *private, *left_out}]
    if not options:
        return []
    found = looks_like_answer(preview.table, mapping, project.label_names)
    kept = project.hidden_columns
    chosen = [name for name in options if name in (kept if name in project.columns else found)]
    return list(
        st.multiselect(
            "Not shown to annotators",
            options,
            default=chosen,
            help="Columns that look like the answer are hidden where items are labeled. Rules, models and exports see "
            "them as before.",
        )
    )


def _missing_labels(project: Project, rows: pl.DataFrame, gold: str | None) -> bool:
    """Whether values of the known answers that are no labels yet are to become labels."""
    if gold is None:
        return False
    values = [str(value) for value in rows[gold].drop_nulls().unique(maintain_order=True).to_list() if str(value)]
    new = [value for value in values if find_label(value, project.label_names) is None]
    if not new:
        return False
    named = ", ".join(f"“{plain(value[:40])}”" for value in new[:5]) + (" …" if len(new) > 5 else "")
    return bool(st.checkbox(f"Make labels of values that are none yet: {named}", key="import-add-labels"))


def _private(project: Project, rows: pl.DataFrame, known: Sequence[str]) -> list[str]:
    """Columns to keep private: those of the last import, and new ones that look like it."""
    new = [name for name in guess_mapping(rows).private if name not in project.columns]
    return [name for name in rows.columns if name in known or name in new]


def _choose(column: Any, name: str, columns: list[str], guess: str | None, why: str) -> str | None:
    options = ["", *columns]
    index = options.index(guess) if guess in columns else 0
    chosen = column.selectbox(
        name,
        options,
        index=index,
        format_func=lambda value: value or "none",
        help=why,
        key=f"map-{name}",
    )
    return str(chosen) if chosen else None


def _renamed(renamed: dict[str, str]) -> None:
    changes = ", ".join(f"“{old}” to “{new}”" for old, new in renamed.items())
    notice(f"Columns renamed: {changes}.")


def _show_report(held: dict[str, Any]) -> None:
    report = held["report"]
    kind = "good" if report.added + report.returned else "info"
    title = f"{counted(report.added, 'item')} added" if report.added else "Nothing new"
    if report.returned:
        title = f"{counted(report.added, 'item')} added, {count(report.returned)} brought back"
    notice(f"from {held['name']} in {report.seconds:.1f} s.", kind, title=title)  # type: ignore[arg-type]
    figures(
        [
            ("rows read", count(report.rows)),
            ("added", count(report.added)),
            ("duplicates in the file", count(report.duplicates)),
            ("there already", count(report.known)),
            *([("brought back", count(report.returned))] if report.returned else []),
            ("rejected", count(len(report.rejected))),
            ("known answers", count(report.gold)),
        ]
    )
    for note in report.notes:
        notice(on_page(note))
    if report.changed:
        notice(
            f"{count(report.changed)} rows have an id that is here already with another content: what is here stays."
        )
    if report.renamed:
        _renamed(report.renamed)
    if report.rejected:
        shown = report.rejected[:MOST_LINES]
        st.markdown("##### Rows that could not be read")
        st.dataframe(
            pl.DataFrame({"line": [row.line for row in shown], "reason": [row.reason for row in shown]}),
            hide_index=True,
            height=min(38 * (len(shown) + 1), 260),
        )
