"""A labeled data set with its evidence, row for row as it was imported, streamed in blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.blocks import NO_LABEL
from labeling.io import export_name, write_dataset, write_table
from labeling.matrix import LabelMatrix
from labeling.records import ExportReport
from labeling.votes import holdout_ids

if TYPE_CHECKING:
    from labeling.project import Project

ROWS = 20_000

VOTES = pl.List(pl.Struct({"function": pl.String(), "expert": pl.String(), "label": pl.String()}))


class _Export:
    """One export under way: looks up once what every row needs."""

    def __init__(self, project: Project, private: bool) -> None:
        self.project = project
        self.columns = project.item_store.columns()
        self.private = private
        self.held = holdout_ids(project.ledger)
        self.discarded = project.discarded()
        self.resolved = project.labels()
        self.gold = project.labels(source="gold").select("item_id", gold="label")
        self.matrix = project.label_matrix() if project.functions() else None
        self.probabilities = self._probabilities()
        self.sources: Counter[str] = Counter()
        self.image = self.columns.named("image")

    def _probabilities(self) -> pl.DataFrame | None:
        run = self.project.newest_weak_run()
        return None if run is None else run.frame().drop("label", "confidence")

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of the export, duplicates beside the item that stands for them."""
        rows = self._rows()
        if rows.height == 0:
            yield self._dress(rows)
        for part in rows.iter_slices(ROWS):
            frame = self._dress(part)
            self.sources.update(frame["source"].drop_nulls().to_list())
            yield frame

    def _rows(self) -> pl.DataFrame:
        """(item_id, id): one row a row of the sources."""
        facts = self.project.ledger.items
        items = [(row[0], row[2], row[1], row[3]) for row in facts.rows() if row[5] is not None]
        alive = {item for item, *_ in items}
        copies = [row for row in facts.duplicates() if row[0] in alive]
        schema = {"item_id": pl.Int64(), "import": pl.Int64(), "row": pl.Int64(), "id": pl.String()}
        rows = pl.DataFrame([*items, *copies], schema=schema, orient="row")
        rows = rows.filter(~pl.col("item_id").is_in(list(self.discarded)))
        return rows.sort("import", "row").select("item_id", "id")

    def _dress(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add labels, evidence and contents to rows."""
        ids = rows["item_id"].unique().sort().to_list()
        contents = self.project.item_store.some(ids, private=self.private, image=self.image is not None)
        if (own_id := self.columns.named("id")) is not None and own_id in contents.columns:
            contents = contents.drop(own_id)
        contents = contents.rename({name: export_name(name) for name in contents.columns if name != "item_id"})
        frame = (
            rows.join(self.resolved, on="item_id", how="left", maintain_order="left")
            .join(self.gold, on="item_id", how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col("item_id").is_in(list(self.held)))
                .then(pl.lit("test"))
                .otherwise(pl.lit("train"))
                .alias("split")
            )
        )
        if self.probabilities is not None:
            named = {name: name.removeprefix("p_") for name in self.probabilities.columns if name != "item_id"}
            soft = self.probabilities.select(
                "item_id", pl.struct(pl.col(n).alias(c) for n, c in named.items()).alias("probabilities")
            )
            frame = frame.join(soft, on="item_id", how="left", maintain_order="left")
        if self.matrix is not None:
            frame = frame.join(_votes(self.matrix, ids), on="item_id", how="left", maintain_order="left")
        if own_id is None:
            frame = frame.drop("id")
        return frame.join(contents, on="item_id", how="left", maintain_order="left")


def _votes(matrix: LabelMatrix, ids: list[int]) -> pl.DataFrame:
    """(item_id, votes): who voted for what, abstains left out."""
    rows = np.searchsorted(matrix.item_ids, np.array(ids))
    votes = [
        [
            {"function": matrix.sources[j].name, "expert": matrix.sources[j].expert, "label": matrix.labels[vote[j]]}
            for j in np.flatnonzero(vote != NO_LABEL)
        ]
        for vote in matrix.values[rows]
    ]
    return pl.DataFrame({"item_id": ids, "votes": votes}, schema={"item_id": pl.Int64(), "votes": VOTES})


def export(
    project: Project,
    path: str | Path,
    *,
    format: str | None,  # noqa: A002 - the users' word
    private: bool,
    escape_formulas: bool,
) -> ExportReport:
    """Write the data set of a project; see `Project.export`."""
    made = _Export(project, private)
    options = {"private": private, "escape_formulas": escape_formulas}
    folder = format == "dataset" or (format is None and Path(path).suffix == "")
    if folder:
        report: Any = write_dataset(
            path,
            {split: _of_split(made, split) for split in (("train", "test") if made.held else ("train",))},
            project.label_names,
            probabilities="probabilities" if made.probabilities is not None else None,
            image=made.image,
        )
    else:
        report = write_table(path, made.batches(), format=format, escape_formulas=escape_formulas)
    kind = "dataset" if folder else (format or Path(path).suffix.lstrip(".").lower())
    project.ledger.note_export(Path(path).name, kind, report.rows, report.sha256 or None, options)
    return ExportReport(report.rows, str(report.path), report.sha256 or None, dict(made.sources))


def _of_split(made: _Export, split: str) -> Iterator[pl.DataFrame]:
    for frame in made.batches():
        yield frame.filter(pl.col("split") == split).drop("split")


def votes_of(matrix: LabelMatrix, item_id: int) -> list[Mapping[str, str | None]]:
    """Return function, expert and label of every vote on one item."""
    row = int(np.searchsorted(matrix.item_ids, item_id))
    if row >= len(matrix.item_ids) or matrix.item_ids[row] != item_id:
        return []
    return list(_votes(matrix, [item_id])["votes"][0])
