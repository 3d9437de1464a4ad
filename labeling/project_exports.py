"""The verbs of a project that let its labels out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl

from labeling import exporting
from labeling.export_choice import Choice
from labeling.function_base import Rule
from labeling.project_base import ProjectBase
from labeling.records import ExportPreview, ExportReport

if TYPE_CHECKING:
    from labeling.project import Project


class ExportVerbs(ProjectBase):
    """Look at what an export would hold, write it, list those there were."""

    def export(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002 - the users' word
        source: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        min_confidence: float | None = None,
        split: str | None = None,
        columns: str | Sequence[str] | None = None,
        where: str | Rule | pl.Expr | None = None,
        private: bool = False,
        probabilities: str | Sequence[str] = (),
        escape_formulas: bool = True,
        progress: exporting.Progress = True,
    ) -> ExportReport:
        """Write the data set with its evidence: a file by its suffix, or a folder for `datasets`.

        Rows come as they were imported, duplicates included, discarded items left out. The file appears when it is
        complete; on an error nothing changes. What was chosen is put on record, see `exports`.

        Parameters
        ----------
        path
            With the suffix of a format (.csv, .jsonl, .parquet); without a suffix a folder that
            `datasets.load_from_disk` opens, the hold-out as its test split, with a card that says what it holds.
        format
            The name of a format, where the path does not say.
        source
            Only rows whose label comes from there: one or several of "human", "weak", "model".
        order
            Which source comes first where several have a label, as for `labels`; one that is not listed is left out.
        min_confidence
            Only labels at least that sure, from 0 to 1.
        split
            "train" or "test": only what is not held out, or only what is.
        columns
            Only these columns of the items, beside those that tell of the label. Default: all that are not private.
        where
            Only items that a filter picks out: the name of a saved one, a rule made by `keyword`, `regex` or
            `comparison`, or a Polars expression over the columns of the items.
        private
            Let private columns out: all, or those that `columns` names.
        probabilities
            "weak", "model" or both: their distributions in columns of their own, `weak_probabilities` and
            `model_probabilities`, beside `probabilities`, which are those of each row's own source.
        escape_formulas
            In CSV, put an apostrophe before cells that a spreadsheet would run.
        progress
            Show a bar where it takes more than a second; or a function to call instead, after each block, with the rows
            that are done and those there are.

        Raises
        ------
        ValueError, LookupError, TypeError
            A choice names what is not there, or a private column without `private=True`; or no row is left.
        """
        self.ledger.check_writable()
        choice = Choice.of(
            source=source,
            order=order,
            min_confidence=min_confidence,
            split=split,
            columns=columns,
            where=where,
            private=private,
            probabilities=probabilities,
        )
        return exporting.export(
            cast("Project", self), path, choice, format=format, escape_formulas=escape_formulas, progress=progress
        )

    def preview_export(
        self,
        *,
        source: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        min_confidence: float | None = None,
        split: str | None = None,
        columns: str | Sequence[str] | None = None,
        where: str | Rule | pl.Expr | None = None,
        private: bool = False,
        probabilities: str | Sequence[str] = (),
        rows: int = 5,
    ) -> ExportPreview:
        """Return what an export with the same choices would hold: counts by label and source, and the first rows.

        Nothing is written or put on record; the votes of the rules are left out of the rows.
        """
        choice = Choice.of(
            source=source,
            order=order,
            min_confidence=min_confidence,
            split=split,
            columns=columns,
            where=where,
            private=private,
            probabilities=probabilities,
        )
        return exporting.preview(cast("Project", self), choice, rows)

    def exports(self) -> pl.DataFrame:
        """Return a row an export, newest first: name, format, rows, sha256, at, private, options.

        `private` lists the private columns that left; null for exports made before that was kept, which say in
        their `options` (JSON: what was chosen) whether all of them did.
        """
        rows = []
        for export in self.ledger.exports():
            options = dict(export["options"])
            left = options.pop("private") if isinstance(options.get("private"), list) else None
            facts = [export[name] for name in ("name", "format", "rows", "sha256", "created_at")]
            rows.append((*facts, left, json.dumps(options, ensure_ascii=False)))
        schema = {
            "name": pl.String(),
            "format": pl.String(),
            "rows": pl.Int64(),
            "sha256": pl.String(),
            "at": pl.Datetime("us", "UTC"),
            "private": pl.List(pl.String()),
            "options": pl.String(),
        }
        return pl.DataFrame(rows, schema=schema, orient="row")
