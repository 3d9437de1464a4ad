"""A labeled data set with its evidence, row for row as it was imported, streamed in blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, to_positions
from labeling.formats.columns.names import export_name
from labeling.formats.export_format import About
from labeling.formats.writing.export_formats import export_format
from labeling.formats.writing.tables import write_rows
from labeling.labels.export_card import card
from labeling.labels.export_choice import Choice
from labeling.labels.records import ExportPreview, ExportReport
from labeling.labels.resolving import Resolving, check
from labeling.people.annotations import discarded
from labeling.store.holdout import holdout_ids
from labeling.store.imports.importing import BAR_DELAY
from labeling.store.items import in_columns
from labeling.votes.matrix import LabelMatrix

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.ledger import Ledger

ROWS = 20_000

Progress = bool | Callable[[int, int], None]
"""Whether to show a bar; or what to tell instead, how many rows are done and how many there are."""

VOTES = pl.List(pl.Struct({"function": pl.String(), "expert": pl.String(), "label": pl.String()}))

ASKED = {
    "item_id": pl.Int64(),
    "asked_loop": pl.String(),
    "asked_strategy": pl.String(),
    "asked_score": pl.Float64(),
    "asked_round": pl.Int64(),
}


class _Export:
    """One export under way: looks up once what every row needs."""

    def __init__(self, store: ProjectStore, choice: Choice) -> None:
        self.store = store
        self.choice = choice
        self.columns = store.items.columns()
        self.shown = choice.shown(self.columns)
        image = self.columns.named("image")
        self.image = image if image in self.shown else None
        self.held = holdout_ids(store.ledger)
        self.labels = Resolving(store)
        rows = self._rows()
        self.facts = self._facts(rows)
        # Facts are a row an item, so those that stay are looked at once, however many copies there are.
        self.rows = rows.join(self.facts.select("item_id"), on="item_id", how="semi") if choice.drops else rows

    @cached_property
    def counts(self) -> pl.DataFrame:
        """(label, source, split, rows): how many rows of each, the most first."""
        rows = self.rows.select("item_id").join(
            self.facts.select("item_id", "label", "source", "split"), on="item_id", how="left"
        )
        found = rows.group_by("label", "source", "split").agg(pl.len().cast(pl.Int64).alias("rows"))
        return found.sort("rows", "label", "source", "split", descending=[True, False, False, False])

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts of the data set."""
        if self.choice.split is not None:
            return (self.choice.split,)
        return ("train", "test") if self.held else ("train",)

    def sources(self) -> dict[str, int]:
        """Return how many rows have their label from each source."""
        counts = self.counts.drop_nulls("source").group_by("source", maintain_order=True).agg(pl.col("rows").sum())
        return dict(counts.iter_rows())

    def batches(self, progress: Progress) -> Iterator[pl.DataFrame]:
        """Yield the rows of the export, duplicates beside the item that stands for them."""
        from tqdm.auto import tqdm

        shown = progress is True
        functions, labels = self.store.functions, self.store.label_set
        matrix = functions.matrix(labels, progress=shown) if functions.infos(labels) else None
        done = 0
        if self.rows.height == 0:
            yield self.dress(self.rows, matrix)
        with tqdm(
            total=self.rows.height, desc="export", unit=" rows", disable=not shown, leave=False, delay=BAR_DELAY
        ) as bar:
            for part in self.rows.iter_slices(ROWS):
                yield self.dress(part, matrix)
                bar.update(part.height)
                done += part.height
                if callable(progress):
                    progress(done, self.rows.height)

    def _rows(self) -> pl.DataFrame:
        """(item_id, id): one row a row of the sources, without erased and discarded items."""
        facts = self.store.ledger.items
        schema = {"item_id": pl.Int64(), "import": pl.Int64(), "row": pl.Int64(), "id": pl.String()}
        items = in_columns(facts.index(), schema)
        gone = pl.Series("item_id", list(discarded(self.store.ledger)), dtype=pl.Int64())
        items = items.filter(~pl.col("item_id").is_in(gone.implode()))
        copies = in_columns(facts.duplicates(), schema)
        rows = pl.concat([items, copies.join(items, on="item_id", how="semi")])
        return rows.sort("import", "row").select("item_id", "id")

    def _facts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What is known of each item that stays, a row an item, sorted: its label, gold, split, soft labels."""
        held = pl.Series("item_id", sorted(self.held), dtype=pl.Int64())
        split = pl.when(pl.col("item_id").is_in(held.implode())).then(pl.lit("test")).otherwise(pl.lit("train"))
        check(None, self.choice.order, self.choice.probabilities)
        labels = self.labels.frame(self.choice.order, probabilities=False)
        facts = (
            rows.select("item_id")
            .unique()
            .sort("item_id")
            .join(labels, on="item_id", how="left", maintain_order="left")
            .join(self._gold(), on="item_id", how="left")
            .with_columns(split.alias("split"))
        )
        facts = self.choice.keep(facts, self.store)
        for more in self._history():
            facts = facts.join(more, on="item_id", how="left")
        return facts.sort("item_id").set_sorted("item_id")

    def _gold(self) -> pl.DataFrame:
        """(item_id, gold): what is known of items, by name."""
        items, label_ids = self.store.items.known()
        labels = self.labels.labels
        positions = to_positions(label_ids, labels.positions())
        known = pl.DataFrame({"item_id": items, "gold": positions}).filter(pl.col("gold") != NO_VOTE)
        return known.with_columns(pl.Series("gold", labels.names, dtype=pl.String()).gather(known["gold"]))

    def _distributions(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Add the class distributions of some items: kept for all rows at once, they would take the most room."""
        ids = facts["item_id"].to_numpy()
        found = [*self.labels.distributions(ids, facts["source"])]
        found += [self.labels.beside(name, ids) for name in self.choice.probabilities]
        place = facts.columns.index("calibrated_on") + 1
        return pl.DataFrame([*facts.get_columns()[:place], *found, *facts.get_columns()[place:]])

    def _history(self) -> Iterator[pl.DataFrame]:
        """Whether all that people said of an item was said of a near-duplicate of it; and why it was asked."""
        over: dict[int, bool] = {}
        answered: set[int] = set()
        for record in self.store.ledger.annotations.current():
            if record.query_id is not None:
                answered.add(record.query_id)
            if record.kind == "answer":
                over[record.item_id] = over.get(record.item_id, True) and record.origin == "alike"
        yield pl.DataFrame(list(over.items()), schema={"item_id": pl.Int64(), "taken_over": pl.Boolean()}, orient="row")
        loops = {loop.id: (loop.name, loop.settings.get("strategy_text")) for loop in self.store.ledger.loops.all()}
        asked: dict[int, tuple[int, str, str | None, float, int]] = {}
        # A question that was answered tells more than one that came to nothing; else the newest one does.
        for question in sorted(self.store.ledger.asked.all(), key=lambda each: each.query_id in answered):
            name, strategy = loops[question.loop_id]
            why = (question.item_id, name, question.strategy or strategy, question.score, question.round)
            asked[question.item_id] = why
        yield pl.DataFrame(list(asked.values()), schema=ASKED, orient="row")

    def dress(self, rows: pl.DataFrame, matrix: LabelMatrix | None, image: bool = True) -> pl.DataFrame:
        """Add labels, evidence and contents to rows."""
        ids = rows["item_id"].unique().sort()
        contents = self.store.items.some(
            ids.to_list(), private=self.choice.private, image=image and self.image is not None
        )
        own_id = self.columns.named("id")
        contents = contents.select(
            "item_id", *(name for name in self.shown if name in contents.columns and name != own_id)
        )
        contents = contents.rename({name: export_name(name) for name in contents.columns if name != "item_id"})
        first, last = (ids[0], ids[-1]) if len(ids) else (0, -1)
        known = self.facts["item_id"]
        near = self.facts[known.search_sorted(first, "left") : known.search_sorted(last, "right")]
        near = self._distributions(near.join(rows, on="item_id", how="semi"))
        frame = rows.join(near, on="item_id", how="left", maintain_order="left")
        if matrix is not None:
            frame = frame.join(_votes(matrix, ids), on="item_id", how="left", maintain_order="left")
        if own_id is None:
            frame = frame.drop("id")
        return frame.join(contents, on="item_id", how="left", maintain_order="left")


def _votes(matrix: LabelMatrix, ids: pl.Series) -> pl.DataFrame:
    """(item_id, votes): who voted for what, abstains left out; `ids` are distinct."""
    values = matrix.values[np.searchsorted(matrix.item_ids, ids.to_numpy())]
    row, source = np.nonzero(values != NO_VOTE)
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
    store: ProjectStore,
    path: str | Path,
    choice: Choice,
    *,
    format: str | None,  # noqa: A002 - the users' word
    escape_formulas: bool,
    progress: Progress,
) -> ExportReport:
    """Write the data set of a project; see `Project.export`."""
    kind = export_format(path, format)
    made = _Export(store, choice)
    options = choice.options(made.columns) | ({"escape_formulas": escape_formulas} if kind.name == "csv" else {})
    about = About(
        labels=store.label_names,
        text=export_name(text) if (text := made.columns.named("text")) in made.shown and text is not None else None,
        image=export_name(made.image) if made.image is not None else None,
        splits=made.splits,
        escape_formulas=escape_formulas,
        card=card(store, made.counts, options) if kind.folder else None,
    )
    report = write_rows(path, made.batches(progress), kind, about)
    store.ledger.note_export(Path(path).name, kind.name, report.rows, report.sha256, options)
    return ExportReport(report.rows, str(report.path), report.sha256, made.sources())


def preview(store: ProjectStore, choice: Choice, rows: int) -> ExportPreview:
    """Return what an export would hold; see `Project.preview_export`."""
    made = _Export(store, choice)
    private = [name for name in made.shown if name in made.columns.private()]
    first = made.dress(made.rows.head(rows), None, image=False)
    return ExportPreview(made.rows.height, made.facts.height, made.counts, tuple(made.shown), tuple(private), first)


def exports(ledger: Ledger) -> pl.DataFrame:
    """Return a row an export, newest first; see `Project.exports`."""
    rows = []
    for export in ledger.exports():
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


def votes_of(matrix: LabelMatrix, item_id: int) -> list[Mapping[str, str | None]]:
    """Return function, expert and label of every vote on one item."""
    row = int(np.searchsorted(matrix.item_ids, item_id))
    if row >= len(matrix.item_ids) or matrix.item_ids[row] != item_id:
        return []
    return list(_votes(matrix, pl.Series("item_id", [item_id]))["votes"][0])
