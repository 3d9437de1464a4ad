"""A labeled data set with its evidence, row for row as it was imported, streamed in blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.blocks import NO_LABEL
from labeling.importing import BAR_DELAY
from labeling.io import About, export_format, export_name, write_rows
from labeling.matrix import LabelMatrix
from labeling.records import ExportReport
from labeling.votes import holdout_ids

if TYPE_CHECKING:
    from labeling.project import Project

ROWS = 20_000

VOTES = pl.List(pl.Struct({"function": pl.String(), "expert": pl.String(), "label": pl.String()}))


class _Export:
    """One export under way: looks up once what every row needs."""

    def __init__(self, project: Project, private: bool, progress: bool) -> None:
        self.project = project
        self.progress = progress
        self.columns = project.item_store.columns()
        self.private = private
        self.held = holdout_ids(project.ledger)
        self.matrix = project.label_matrix() if project.functions() else None
        self.sources: Counter[str] = Counter()
        self.image = self.columns.named("image")
        self.rows = self._rows()
        self.facts = self._facts()

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of the export, duplicates beside the item that stands for them."""
        from tqdm.auto import tqdm

        if self.rows.height == 0:
            yield self._dress(self.rows)
        with tqdm(
            total=self.rows.height, desc="export", unit=" rows", disable=not self.progress, leave=False, delay=BAR_DELAY
        ) as bar:
            for part in self.rows.iter_slices(ROWS):
                frame = self._dress(part)
                self.sources.update(frame["source"].drop_nulls().to_list())
                yield frame
                bar.update(part.height)

    def _rows(self) -> pl.DataFrame:
        """(item_id, id): one row a row of the sources, without erased and discarded items."""
        facts = self.project.ledger.items
        schema = {"item_id": pl.Int64(), "import": pl.Int64(), "row": pl.Int64(), "id": pl.String()}
        items = pl.DataFrame(facts.index(), schema=schema, orient="row")
        gone = pl.Series("item_id", list(self.project.discarded()), dtype=pl.Int64())
        items = items.filter(~pl.col("item_id").is_in(gone.implode()))
        copies = pl.DataFrame(facts.duplicates(), schema=schema, orient="row")
        rows = pl.concat([items, copies.join(items, on="item_id", how="semi")])
        return rows.sort("import", "row").select("item_id", "id")

    def _facts(self) -> pl.DataFrame:
        """What is known of each item, a row an item, sorted: its label, gold, split, soft labels."""
        held = pl.Series("item_id", sorted(self.held), dtype=pl.Int64())
        split = pl.when(pl.col("item_id").is_in(held.implode())).then(pl.lit("test")).otherwise(pl.lit("train"))
        facts = (
            self.rows.select("item_id")
            .unique()
            .sort("item_id")
            .join(self.project.labels(), on="item_id", how="left", maintain_order="left")
            .join(self.project.labels("gold").select("item_id", gold="label"), on="item_id", how="left")
            .with_columns(split.alias("split"))
            .join(self._taken_over(), on="item_id", how="left")
        )
        return facts.sort("item_id").set_sorted("item_id")

    def _taken_over(self) -> pl.DataFrame:
        """(item_id, taken_over): whether all that people said of an item was said of a near-duplicate of it."""
        over: dict[int, bool] = {}
        for record in self.project.ledger.annotations.current():
            if record.kind == "answer":
                over[record.item_id] = over.get(record.item_id, True) and record.origin == "alike"
        schema = {"item_id": pl.Int64(), "taken_over": pl.Boolean()}
        return pl.DataFrame(list(over.items()), schema=schema, orient="row")

    def _dress(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add labels, evidence and contents to rows."""
        ids = rows["item_id"].unique().sort()
        contents = self.project.item_store.some(ids.to_list(), private=self.private, image=self.image is not None)
        if (own_id := self.columns.named("id")) is not None and own_id in contents.columns:
            contents = contents.drop(own_id)
        contents = contents.rename({name: export_name(name) for name in contents.columns if name != "item_id"})
        near = self.facts
        if len(ids):
            near = near.filter(pl.col("item_id").is_between(ids[0], ids[-1]))
        frame = rows.join(near, on="item_id", how="left", maintain_order="left")
        if self.matrix is not None:
            frame = frame.join(_votes(self.matrix, ids), on="item_id", how="left", maintain_order="left")
        if own_id is None:
            frame = frame.drop("id")
        return frame.join(contents, on="item_id", how="left", maintain_order="left")


def _votes(matrix: LabelMatrix, ids: pl.Series) -> pl.DataFrame:
    """(item_id, votes): who voted for what, abstains left out; `ids` are distinct."""
    values = matrix.values[np.searchsorted(matrix.item_ids, ids.to_numpy())]
    row, source = np.nonzero(values != NO_LABEL)
    who = pl.DataFrame(
        {"function": [s.name for s in matrix.sources], "expert": [s.expert for s in matrix.sources]},
        schema={"function": pl.String(), "expert": pl.String()},
    )
    names = pl.Series("label", matrix.labels, dtype=pl.String())
    cast = who[source].with_columns(names.gather(values[row, source].astype(np.int64)))
    grouped = (
        cast.select(row=pl.Series(row, dtype=pl.Int64()), votes=pl.struct("function", "expert", "label"))
        .group_by("row", maintain_order=True)
        .agg("votes")
    )
    frame = pl.DataFrame({"item_id": ids, "row": pl.int_range(len(ids), eager=True)})
    empty = pl.lit([], dtype=VOTES)
    joined = frame.join(grouped, on="row", how="left", maintain_order="left")
    return joined.select("item_id", pl.col("votes").cast(VOTES).fill_null(empty))


def export(
    project: Project,
    path: str | Path,
    *,
    format: str | None,  # noqa: A002 - the users' word
    private: bool,
    escape_formulas: bool,
    progress: bool,
) -> ExportReport:
    """Write the data set of a project; see `Project.export`."""
    kind = export_format(path, format)
    made = _Export(project, private, progress)
    about = About(
        labels=project.label_names,
        text=export_name(name) if (name := made.columns.named("text")) is not None else None,
        image=export_name(made.image) if made.image is not None else None,
        splits=("train", "test") if made.held else ("train",),
        escape_formulas=escape_formulas,
    )
    report = write_rows(path, made.batches(), kind, about)
    options = {"private": private, "escape_formulas": escape_formulas}
    project.ledger.note_export(Path(path).name, kind.name, report.rows, report.sha256, options)
    return ExportReport(report.rows, str(report.path), report.sha256, dict(made.sources))


def votes_of(matrix: LabelMatrix, item_id: int) -> list[Mapping[str, str | None]]:
    """Return function, expert and label of every vote on one item."""
    row = int(np.searchsorted(matrix.item_ids, item_id))
    if row >= len(matrix.item_ids) or matrix.item_ids[row] != item_id:
        return []
    return list(_votes(matrix, pl.Series("item_id", [item_id]))["votes"][0])
