"""What the import page says of a file before it is imported: how it is read, other ways, and what would be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st

from labeling.formats.sources.readable import kind_of_name
from ui.parts.markup import count, notice
from ui.parts.wording import on_page

if TYPE_CHECKING:
    from labeling.formats.reading.offers import Offer
    from labeling.store.imports.reports import ImportPreview

ENCODINGS = ("", "utf-8", "utf-16", "cp1252", "latin-1", "cp1251", "shift_jis", "gb18030")
DELIMITERS = {"": "found by itself", ",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_OFFERED = {
    ",": "numbers with a decimal comma",
    "day-first": "dates, the day first",
    "month-first": "dates, the month first",
}
_SHOWN = 100


def ways_to_read(name: str, place: str = "import") -> dict[str, Any]:
    """Ask how a file of this name is to be read; return the options that were chosen.

    `place` tells the form apart from others on the same page.
    """
    kind = kind_of_name(name)
    if kind == "parquet":
        return {}
    left, right = st.columns(2)
    if kind == "sheet":
        sheet = left.text_input("Sheet", placeholder="the first", key=f"{place}-sheet", help="The name of a sheet.")
        return {"sheet": sheet.strip()} if sheet.strip() else {}
    encoding = left.selectbox(
        "Encoding", ENCODINGS, format_func=lambda value: value or "found by itself", key=f"{place}-encoding"
    )
    if kind in ("json", "jsonl"):
        return {"encoding": encoding} if encoding else {}
    delimiter = right.selectbox(
        "Columns are parted by", list(DELIMITERS), format_func=lambda key: DELIMITERS[key], key=f"{place}-delimiter"
    )
    chosen = {"encoding": encoding, "delimiter": delimiter}
    return {key: value for key, value in chosen.items() if value}


def choose_offers(offers: Sequence[Offer]) -> dict[str, str]:
    """Offer other ways to read columns, with examples; return what was taken."""
    taken: dict[str, str] = {}
    for option in dict.fromkeys(offer.option for offer in offers):
        mine = [offer for offer in offers if offer.option == option]
        columns = ", ".join(f"“{name}”" for name in dict.fromkeys(name for offer in mine for name in offer.columns))
        shown = {offer.value: f"{_OFFERED[offer.value]}: {_examples(offer)}" for offer in mine}
        as_text = "text, as it is written"
        choices = [as_text, *shown.values()]
        chosen = st.radio(f"Read {columns} as", choices, key=f"import-{option}")
        found = next((value for value, title in shown.items() if title == chosen), None)
        if found:
            taken[option] = found
    return taken


def _examples(offer: Offer) -> str:
    return ", ".join(f"{written} → {read}" for written, read in offer.examples[:2])


def show_remarks(preview: ImportPreview) -> None:
    """Show what reading remarked on, and the rows that an import would leave out."""
    for note in preview.table.notes:
        notice(on_page(note))
    if not preview.rejected:
        return
    rejected = preview.rejected[:_SHOWN]
    notice(
        f"{count(len(preview.rejected))} of the first {count(preview.looked_at)} rows would be left out.",
        "warn",
        title="Not every row can be read.",
    )
    st.dataframe(
        pl.DataFrame({"line": [row.line for row in rejected], "reason": [row.reason for row in rejected]}),
        hide_index=True,
        height=min(38 * (len(rejected) + 1), 200),
    )
