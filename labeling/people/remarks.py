"""Notes and flags on items, and comments on what somebody said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labeling.arguments import whole_number
from labeling.people.answers import annotator_name

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore

NOTE, FLAG, UNFLAG, COMMENT = "note", "flag", "unflag", "comment"


class Remarks:
    """What people remark in one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._ledger = store.ledger

    def note(self, item_id: int, text: str, annotator: str) -> None:
        """Note something about an item."""
        self._add(NOTE, item_id, _said(text), annotator)

    def flag(self, item_id: int, annotator: str, reason: str = "") -> None:
        """Flag an item for a second look."""
        self._add(FLAG, item_id, reason, annotator)

    def unflag(self, item_id: int, annotator: str) -> None:
        """Take the flag of an item away."""
        self._add(UNFLAG, item_id, "", annotator)

    def comment(self, uuid: str, text: str, annotator: str) -> None:
        """Comment on an annotation, by its UUID; raise LookupError where the project has none such."""
        text, person = _said(text), annotator_name(annotator)
        with self._ledger.write(shared=True) as write:
            about = self._ledger.annotations.by_uuid(write.connection, uuid)
            if about is None or about.project_id != self._ledger.project.id:
                raise LookupError(f"The project {self._store.name!r} has no annotation {uuid!r}.")
            self._check_kept(about.item_id)
            by = self._ledger.annotations.annotator(write.connection, person)
            self._ledger.remarks.add(write, COMMENT, about.item_id, by, text, about.id)

    def flagged(self) -> pl.DataFrame:
        """Return the items that are flagged now, in the order they were."""
        flags: dict[int, tuple[int, str | None, str, object]] = {}
        for record in self._ledger.remarks.all():
            if record.kind == FLAG:
                flags[record.item_id] = (record.item_id, record.who, record.text, record.created_at)
            elif record.kind == UNFLAG:
                flags.pop(record.item_id, None)
        schema = {"item_id": pl.Int64(), "who": pl.String(), "reason": pl.String(), "at": pl.Datetime("us", "UTC")}
        return pl.DataFrame(list(flags.values()), schema=schema, orient="row")

    def frame(self, item_id: int | None = None) -> pl.DataFrame:
        """Return remarks as a frame, oldest first; see `Project.remarks`."""
        rows = [
            (r.item_id, r.kind, r.text, r.who, r.annotation, r.created_at) for r in self._ledger.remarks.all(item_id)
        ]
        columns = dict.fromkeys(("kind", "text", "who", "annotation"), pl.String())
        schema = {"item_id": pl.Int64(), **columns, "at": pl.Datetime("us", "UTC")}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _check_kept(self, item_id: int) -> None:
        """Raise for an item that was erased: what is remarked may say what it said."""
        if item_id in self._ledger.items.erased():
            raise LookupError(f"The item {item_id} of the project {self._store.name!r} was erased; nothing was saved.")

    def _add(self, kind: str, item_id: int, text: str, annotator: str) -> None:
        person = annotator_name(annotator)
        item_id = whole_number("The id of an item", item_id, 1)
        with self._ledger.write(shared=True) as write:
            if item_id >= 2**63 or not self._ledger.remarks.has_item(write.connection, item_id):
                raise LookupError(f"There is no item {item_id!r} in the project {self._store.name!r}.")
            self._check_kept(item_id)
            by = self._ledger.annotations.annotator(write.connection, person)
            self._ledger.remarks.add(write, kind, item_id, by, text)


def _said(text: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"A remark needs a text, got {text!r}.")
    return text.strip()
