"""The verbs of a project for labeling functions and weak labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from labeling import exporting
from labeling.matrix import LabelMatrix
from labeling.project_base import ProjectBase
from labeling.records import FunctionInfo, FunctionPreview, FunctionsReport
from labeling.weak import WeakPreview, WeakRun, preview_label_model, run_label_model

if TYPE_CHECKING:
    from labeling.label_model_base import LabelModel


class RuleVerbs(ProjectBase):
    """Functions, votes, weak runs."""

    def add_functions(self, functions: Sequence[object]) -> FunctionsReport:
        """Keep labeling functions; an identical one is no change, a changed body is a new version."""
        return self.function_store.add(functions, self.label_set)

    def functions(self) -> list[FunctionInfo]:
        """Return the labeling functions."""
        return self.function_store.infos(self.label_set)

    def remove_function(self, name: str) -> None:
        """Retire a labeling function; its history stays."""
        self.function_store.remove(name)

    def preview(self, function: object) -> FunctionPreview:
        """Return what a labeling function would match, without keeping it."""
        return self.function_store.preview(function, self.label_set)

    def label_matrix(self, progress: bool = False) -> LabelMatrix:
        """Return what every labeling function votes on every item."""
        return self.function_store.matrix(self.label_set, progress=progress)

    def item_votes(self, item_id: int) -> list[Mapping[str, str | None]]:
        """Return function, expert and label of every vote on one item."""
        return exporting.votes_of(self.label_matrix(), item_id)

    def weak_label(self, model: LabelModel) -> WeakRun:
        """Combine the votes into one soft label an item, and keep the run."""
        saw = self.version()
        return run_label_model(self.ledger, self.label_matrix(), model, self.label_set, saw)

    def preview_weak_label(self, model: LabelModel) -> WeakPreview:
        """Return what a weak run would give, without keeping it."""
        return preview_label_model(self.label_matrix(), model, self.label_set)

    def weak_run(self, number: int | None = None) -> WeakRun:
        """Return a weak run by its number, default the newest.

        Raises
        ------
        LookupError
            There is no such run.
        """
        records = self.ledger.functions.weak_runs()
        wanted = [r for r in records if number in (None, r.number)]
        if not wanted:
            raise LookupError(f"There is no weak run {number or ''}; there are {len(records)}. Run weak_label() first.")
        return WeakRun(self.ledger, wanted[-1], self.label_set)

    def newest_weak_run(self) -> WeakRun | None:
        """Return the newest weak run, None if there is none; its arrays are kept in this process."""
        records = self.ledger.functions.weak_runs()
        if not records:
            return None
        labels = self.label_set
        key = (records[-1].number, labels.version)
        run: WeakRun = self.item_store.cached("weak run", key, lambda: WeakRun(self.ledger, records[-1], labels))
        return run

    def weak_runs(self) -> pl.DataFrame:
        """Return a row a weak run: number, model, items, labeled, at."""
        rows = [
            (run.number, run.model, run.n_items, run.labeled, run.created_at)
            for run in (WeakRun(self.ledger, record, self.label_set) for record in self.ledger.functions.weak_runs())
        ]
        schema = ["number", "model", "items", "labeled", "at"]
        return pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)
