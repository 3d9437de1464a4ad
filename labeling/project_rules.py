"""The verbs of a project for labeling functions and weak labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling import exporting
from labeling.comparing import FunctionComparison
from labeling.matrix import LabelMatrix
from labeling.project_analysis import Analysis
from labeling.project_base import ProjectBase
from labeling.records import FunctionInfo, FunctionNotLoaded, FunctionPreview, FunctionsReport
from labeling.resolve import human_labels
from labeling.suggesting import Suggestion
from labeling.votes import holdout_ids
from labeling.weak import WeakPreview, WeakRun, preview_label_model, run_label_model

if TYPE_CHECKING:
    from labeling.label_file import LabelFileReport
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

    def label_matrix(self, progress: bool = True) -> LabelMatrix:
        """Return what every labeling function votes on every item."""
        return self.function_store.matrix(self.label_set, progress=progress)

    def item_votes(self, item_id: int) -> list[Mapping[str, str | None]]:
        """Return function, expert and label of every vote on one item."""
        return exporting.votes_of(self.label_matrix(), item_id)

    def weak_label_file(
        self,
        source: str | Path,
        model: LabelModel,
        destination: str | Path,
        *,
        skip_missing: bool = False,
        **options: Any,
    ) -> LabelFileReport:
        """Label a Parquet file of any size with the functions of this project, past the ledger.

        Parameters
        ----------
        source, model, destination
            As for `labeling.weak_label_file`, with its `options`: keep, executor, progress.
        skip_missing
            Leave functions out whose code is not in this process.

        Raises
        ------
        FunctionNotLoaded
            The code of a function is not in this process.
        """
        from labeling.label_file import weak_label_file

        functions, missing = self.function_store.loaded(self.label_set)
        if missing and not skip_missing:
            raise FunctionNotLoaded(
                f"The code of {', '.join(map(repr, missing))} is not in this process. Add the functions again with "
                "add_functions(), or pass skip_missing=True."
            )
        text = self.item_store.columns().named("text") or "text"
        options = {"text": text} | options
        return weak_label_file(source, functions, model, destination, labels=self.label_names, **options)

    def judged_matrix(self) -> LabelMatrix:
        """Return the label matrix with all that label models may know: development gold, people's labels."""
        return self._judge(self.label_matrix())

    def _judge(self, matrix: LabelMatrix) -> LabelMatrix:
        held = holdout_ids(self.ledger)
        human = human_labels(self.ledger, self.label_set).filter(~pl.col("item_id").is_in(list(held)))
        if human.is_empty() or matrix.gold is None:
            return matrix
        known = dict(human.select("item_id", "label").iter_rows())
        rows = np.flatnonzero(np.isin(matrix.item_ids, list(known)))
        gold = matrix.gold.copy()
        # What people say now outranks what came with the import.
        gold[rows] = [matrix.labels.index(known[int(item)]) for item in matrix.item_ids[rows]]
        return matrix.with_gold(gold)

    def voted(self, versions: Sequence[str]) -> LabelMatrix:
        """Return what the functions voted as they were: `versions` are texts such as "politics@2"."""
        return self._judge(self.function_store.matrix_of(versions, self.label_set))

    def compare_functions(self, old: object, new: object) -> FunctionComparison:
        """Return which votes the new function gains, loses and flips beside the old one, with examples.

        Parameters
        ----------
        old, new
            A labeling function, kept or not; the name of a kept one; or its name and
            version, as in "politics@1".
        """
        return self.function_store.compare(old, new, self.label_set)

    def analysis(self) -> Analysis:
        """Return what the rules are worth and which are missing, as frames; see `Analysis`."""
        return Analysis(self)

    def suggest_functions(self, n: int = 20) -> list[Suggestion]:
        """Return keyword rules mined from people's labels and development gold, those that add most first."""
        return self.analysis().suggestions(n)

    def weak_label(self, model: LabelModel) -> WeakRun:
        """Combine the votes into one soft label an item, and keep the run.

        Label models that learn use what is known: development gold, and people's
        labels; never the hold-out's.
        """
        saw = self.version()
        return run_label_model(self, self.judged_matrix(), model, self.label_set, saw)

    def preview_weak_label(self, model: LabelModel) -> WeakPreview:
        """Return what a weak run would give, without keeping it."""
        return preview_label_model(self.judged_matrix(), model, self.label_set)

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
        return WeakRun(self, wanted[-1])

    def newest_weak_run(self) -> WeakRun | None:
        """Return the newest weak run, None if there is none; its arrays are kept in this process."""
        records = self.ledger.functions.weak_runs()
        if not records:
            return None
        labels = self.label_set
        key = (records[-1].number, labels.version)
        run: WeakRun = self.item_store.cached("weak run", key, lambda: WeakRun(self, records[-1]))
        return run

    def weak_runs(self) -> pl.DataFrame:
        """Return a row a weak run: number, model, items, labeled, at."""
        rows = [
            (run.number, run.model, run.n_items, run.labeled, run.created_at)
            for run in (WeakRun(self, record) for record in self.ledger.functions.weak_runs())
        ]
        schema = ["number", "model", "items", "labeled", "at"]
        return pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)
