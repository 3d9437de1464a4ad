"""What a project says of itself to those who work on it: a description and guidelines, in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labeling.people.answers import annotator_name

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


class Documents:
    """The texts about one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._ledger = store.ledger

    def set(self, kind: str, text: str, by: str | None, after: int | None = None) -> int:
        """Write the next version of a text, and return its number; see `Project.set_guidelines`."""
        if not isinstance(text, str):
            raise TypeError(f"The {kind} of a project is a text, got {text!r:.80}.")
        person = None if by is None else annotator_name(by)
        with self._ledger.write() as write:
            facts = self._ledger.annotations
            author = None if person is None else facts.annotator(write.connection, person)
            return self._ledger.documents.add(write, kind, text.strip(), author, after)

    def text(self, kind: str) -> str:
        """Return the newest version of a text, empty where there is none."""
        return next((record.text for record in reversed(self._ledger.documents.all(kind))), "")

    def versions(self, kind: str) -> pl.DataFrame:
        """Return a row a version, oldest first."""
        rows = [(each.version, each.text, each.who, each.created_at) for each in self._ledger.documents.all(kind)]
        schema = {"version": pl.Int64(), "text": pl.String(), "who": pl.String(), "at": pl.Datetime("us", "UTC")}
        return pl.DataFrame(rows, schema=schema, orient="row")
