"""Known answers that come after the items: a file, which column is what, and what became of each row."""

from __future__ import annotations

from typing import Any

import streamlit as st

from labeling import Project
from labeling.formats.mapping import guess_mapping
from labeling.formats.reading.tables import read_source
from labeling.formats.sources.readable import FILE_HELP
from ui.data.import_preview import ways_to_read
from ui.parts import work
from ui.parts.markup import count, counted, escape, figures, notice
from ui.parts.wording import on_page
from ui.session import problems

_REPORT = "gold_report"
_UPLOAD = "gold_upload"
_WORK = "gold"
_TALLYS = "Tally's item number"


def render(project: Project) -> None:
    """Draw the form, and the report of what was taken just now."""
    st.html(
        '<p class="tally-lead">A file with your ids and the right answer of each. The newest known answer of an item '
        "counts; what was known before stays on record.</p>"
    )
    with problems("Nothing was taken."):
        done = work.ended(_WORK, project.name)
        if done is not None:
            st.session_state[_REPORT] = {"project": project.name, "name": done.about, "report": done.result()}
            st.session_state[_UPLOAD] = int(st.session_state.get(_UPLOAD, 0)) + 1
            # What stands above was read before.
            st.rerun()
    held = st.session_state.get(_REPORT)
    if held is not None and held["project"] == project.name:
        _show(held)
    turn = int(st.session_state.get(_UPLOAD, 0))
    # Any file may come: one that is not read is answered in words.
    file = st.file_uploader("A file of known answers", key=f"gold-{turn}", help=FILE_HELP)
    if work.watch(_WORK, project.name, "Taking the answers") or file is None:
        return
    st.session_state.pop(_REPORT, None)
    reading = ways_to_read(file.name, "gold")
    with problems("The file cannot be read."):
        preview = read_source(file, name=file.name, limit=200, **reading)
        frame = preview.frame
        ids, named = project.item_store.columns().named("id"), project.ledger.items.named_by_users()
        guess = guess_mapping(frame)
        left, right = st.columns(2)
        options = list(frame.columns)
        known = ids if ids in options else guess.id
        id_column = left.selectbox(
            "Your id", options, index=options.index(known) if known in options else 0, key="gold-map-id"
        )
        by_number = not named or left.checkbox(
            _TALLYS, help="The column holds the numbers that the Data page shows as “item”.", key="gold-by-number"
        )
        rest = [name for name in options if name != id_column] or options
        answer = right.selectbox(
            "Known answer", rest, index=rest.index(guess.gold) if guess.gold in rest else 0, key="gold-map-answer"
        )
        if not named:
            left.caption("No item has an id of yours, so this column is read as the numbers that Browse shows.")
        st.html(f'<p class="tally-small">The first rows of {escape(file.name)}</p>')
        st.dataframe(frame.head(20), hide_index=True, height=min(38 * (min(frame.height, 20) + 1), 300))
        if by_number and not preview.text_of(id_column).str.contains(r"^\s*\d+\s*$").any():
            notice(
                f"“{id_column}” holds no item numbers. Import the items again with the column of your ids chosen as "
                "“Your id”: the items stay, and can be named by them then.",
                "warn",
            )
        elif st.button("Take these answers", type="primary", key="gold-take"):
            file.seek(0)
            key: dict[str, Any] = {"item_id": id_column} if by_number else {"id": id_column}
            work.begin(
                _WORK,
                project.name,
                lambda _: project.set_gold(file, gold=str(answer), name=file.name, **key, **reading),
                about=file.name,
            )


def _show(held: dict[str, Any]) -> None:
    report = held["report"]
    new = report.added + report.changed
    title = f"{counted(new, 'known answer')} taken" if new else "Nothing new"
    notice(f"from {held['name']}.", "good" if new else "info", title=title)
    figures(
        [
            ("rows read", count(report.rows)),
            ("added", count(report.added)),
            ("changed", count(report.changed)),
            ("there already", count(report.matched - report.added - report.changed)),
            ("unknown ids", count(report.unknown)),
            ("without id or answer", count(report.empty)),
            ("no label", count(sum(report.refused.values()))),
        ]
    )
    if report.unknown:
        more = " …" if report.unknown > len(report.unknown_ids) else ""
        notice(f"No item has these ids: {', '.join(report.unknown_ids)}{more}", "warn")
    if report.refused:
        named = ", ".join(f"“{value}” ({count(rows)})" for value, rows in list(report.refused.items())[:10])
        notice(f"These values are no labels of the project, so their rows were left out: {named}", "warn")
    for note in report.notes:
        notice(on_page(note))
