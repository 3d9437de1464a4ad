"""The rules of a project: what they say of a file, and the weak runs made of their votes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.labels.checks import WeakChecks
from labeling.store.records import FunctionNotLoaded
from labeling.weak_labels.judged import judged_matrix
from labeling.weak_labels.run import WeakPreview, WeakRun, newest_run, preview_label_model, run_label_model

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.project_store import ProjectStore
    from labeling.votes.label_models.base import LabelModel
    from labeling.votes.weak_label_file import LabelFileReport
    from storage.records import WeakRunRecord


class ProjectRules:
    """Weak labels of a project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._checks = WeakChecks(store)

    def label_file(
        self,
        source: str | Path,
        model: LabelModel,
        destination: str | Path,
        *,
        skip_missing: bool,
        options: Mapping[str, Any],
    ) -> LabelFileReport:
        """Label a Parquet file of any size with the functions of this project, past the ledger."""
        from labeling.votes.weak_label_file import weak_label_file

        functions, missing = self._store.functions.loaded(self._store.label_set)
        if missing and not skip_missing:
            raise FunctionNotLoaded(
                f"The code of {', '.join(map(repr, missing))} is not in this process. Add the functions again with "
                "add_functions(), or pass skip_missing=True."
            )
        text = self._store.items.columns().named("text") or "text"
        return weak_label_file(
            source, functions, model, destination, labels=self._store.label_names, **({"text": text} | dict(options))
        )

    def run(self, model: LabelModel, executor: Engine = None) -> WeakRun:
        """Combine the votes into one soft label an item, and keep the run."""
        saw = self._store.ledger.version()
        matrix = judged_matrix(self._store, executor)
        return self._run(run_label_model(self._store, matrix, model, self._store.label_set, saw))

    def preview_run(self, model: LabelModel, executor: Engine = None) -> WeakPreview:
        """Return what a weak run would give, without keeping it."""
        return preview_label_model(judged_matrix(self._store, executor), model, self._store.label_set)

    def weak_run(self, number: int | None = None) -> WeakRun:
        """Return a weak run by its number, default the newest; raise LookupError where there is none."""
        records = self._store.ledger.functions.weak_runs()
        wanted = [r for r in records if number in (None, r.number)]
        if not wanted:
            raise LookupError(f"There is no weak run {number or ''}; there are {len(records)}. Run weak_label() first.")
        return self._run(wanted[-1])

    def newest_run(self) -> WeakRun | None:
        """Return the newest weak run, None if there is none; its arrays are kept in this process."""
        run = newest_run(self._store)
        return None if run is None else run.checked_by(self._checks)

    def runs(self) -> pl.DataFrame:
        """Return a row a weak run: number, model, items, labeled, at."""
        rows = [
            (run.number, run.model, run.n_items, run.labeled, run.created_at)
            for run in (self._run(record) for record in self._store.ledger.functions.weak_runs())
        ]
        schema = ["number", "model", "items", "labeled", "at"]
        return pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)

    def _run(self, record: WeakRunRecord) -> WeakRun:
        return WeakRun(self._store, record).checked_by(self._checks)
