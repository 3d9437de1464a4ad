"""The items of a project: brought in, shown, held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arguments import whole_number
from labeling.arrays import BLOCK, pack
from labeling.formats.mapping import Mapping as ColumnMapping
from labeling.formats.mapping import guess_mapping
from labeling.formats.reading.tables import Table, read_source
from labeling.store.imports import importing, known_answers
from labeling.store.imports.column_labels import column_labels, with_labels
from labeling.store.imports.known_answers import GoldReport
from labeling.store.imports.previewing import LOOKED_AT, preview_of
from labeling.store.imports.reports import ImportPreview, ImportReport, UndoneImport
from labeling.store.near_duplicates import together
from storage.records import ImportRecord, Withdrawal

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore

READING = ("encoding", "delimiter", "sheet", "format", "decimal", "dates", "name")
"""How a source is read, by the names of the options."""


def _undone(record: ImportRecord, withdrawal: Withdrawal) -> UndoneImport:
    gone = len(withdrawal.items)
    return UndoneImport(
        record.id, record.name, gone, max(0, withdrawal.brought - gone), withdrawal.answers, withdrawal.gold
    )


class ProjectItems:
    """What a project does with its items: preview, import, look, search, hold out.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store

    def preview(self, source: object, options: Mapping[str, Any]) -> ImportPreview:
        """Return what `add` would do with the same options, by the names that `Project.add_items` has for them."""
        reading = {key: options[key] for key in READING if options.get(key) is not None}
        table = read_source(source, limit=LOOKED_AT, **reading)
        mapping = self._mapping(table, **{key: value for key, value in options.items() if key not in READING})
        return preview_of(table, mapping)

    def add(
        self,
        source: object,
        roles: Mapping[str, str | None],
        private: Sequence[str],
        reading: Mapping[str, Any],
        *,
        add_labels: bool,
        hidden: Sequence[str] | None,
        holdout: float | None,
        progress: importing.Progress,
    ) -> ImportReport:
        """Import rows; see `Project.add_items`.

        Parameters
        ----------
        source
            A path, an open file or a frame.
        roles
            The columns that were named: text, id, gold, group, image.
        private
            Columns that are not shown.
        reading
            How to read the source: encoding, delimiter, sheet, format, decimal, dates, name.
        add_labels, hidden, holdout, progress
            As `Project.add_items` takes them.
        """
        if holdout is not None:
            _check_share(holdout)
        table = read_source(source, **reading)
        mapping = self._mapping(table, private=private, **roles)
        table = _without_labels(table, mapping)
        labels, added = self._store.label_set, None
        if add_labels and mapping.gold is not None:
            labels, added = with_labels(labels, column_labels(table, mapping.gold))
        report = importing.import_table(
            self._store.ledger,
            labels,
            table,
            mapping,
            progress=progress,
            added_labels=added,
            hidden=hidden,
            needs_gold=holdout is not None,
        )
        if holdout is not None:
            self.set_holdout(holdout)
        return report

    def set_gold(
        self,
        source: object,
        gold: str,
        *,
        id: str | None,  # noqa: A002 - the users' word
        item_id: str | None,
        reading: Mapping[str, Any],
    ) -> GoldReport:
        """Add or correct known answers of items that are there; see `Project.set_gold`."""
        return known_answers.set_gold(
            self._store.ledger,
            self._store.label_set,
            source,
            gold=gold,
            id=id,
            item_id=item_id,
            own_id=self._store.items.columns().named("id"),
            **reading,
        )

    def imports(self) -> pl.DataFrame:
        """Return a row an import, oldest first."""
        counts = ("rows", "added", "known", "gold")
        rows = [
            {"import_id": record.id, "name": record.name, "kind": record.kind}
            | {count: (record.report or {}).get(count) for count in counts}
            | {"at": record.completed_at, "taken_back": record.taken_back}
            for record in self._store.ledger.imports.all()
        ]
        schema: dict[str, Any] = {"import_id": pl.Int64(), "name": pl.String(), "kind": pl.String()}
        schema |= dict.fromkeys(counts, pl.Int64())
        return pl.DataFrame(rows, schema=schema | {"at": pl.Datetime("us", "UTC"), "taken_back": pl.Boolean()})

    def preview_undo(self, import_id: int) -> UndoneImport:
        """Return what `undo` would take back."""
        record = self._undoable(import_id)
        return _undone(record, self._store.ledger.imports.withdrawal(record.id))

    def undo(self, import_id: int) -> UndoneImport:
        """Take an import back as one step: what it alone brought leaves the pool, labels, rules and export."""
        record = self._undoable(import_id)
        return _undone(record, self._store.ledger.imports.take_back(record.id))

    def _undoable(self, import_id: int) -> ImportRecord:
        records = {record.id: record for record in self._store.ledger.imports.all()}
        record = records.get(import_id)
        if record is None:
            known = ", ".join(str(number) for number in records) or "none yet"
            raise LookupError(
                f"There is no import {import_id!r} in the project {self._store.name!r}. Imports: {known}."
            )
        if record.taken_back:
            raise ValueError(f"The import {import_id} of {record.name!r} was taken back already.")
        if record.kind == "stream":
            raise ValueError(
                f"The import {import_id} holds records that were offered to a stream, which decided about each: "
                "they cannot be taken back. Imports of files can."
            )
        return record

    def _mapping(self, table: Table, *, private: Sequence[str] = (), **given: str | None) -> ColumnMapping:
        """Return the mapping to use: what was given, then what the last import had, then a guess."""
        frame = table.frame
        remembered, guess = self.last_mapping(), guess_mapping(frame)
        if not table.is_export:
            guess = replace(guess, gold=None, group=None, private=())
        elif "label" in frame.columns:
            # An export says which column its labels are in, whatever the columns of its items are called.
            guess = replace(guess, gold="label")
        chosen: dict[str, Any] = {}
        used = {column for column in given.values() if column} | set(private)
        for role in ("text", "id", "gold", "group", "image"):
            column = given.get(role)
            for source in (remembered, guess):
                found = None if source is None else getattr(source, role)
                # Gold is never guessed, but the column that held it last time holds it again.
                trusted = role != "gold" or source is remembered or table.is_export
                if column is None and found in frame.columns and found not in used and trusted:
                    column = found
            chosen[role] = column or None
            used |= {column} if column else set()
        kept = () if remembered is None else (n for n in remembered.private if n in frame.columns and n not in used)
        mapping = ColumnMapping(**chosen, private=tuple(dict.fromkeys((*private, *kept))))
        mapping.check(frame)
        return mapping

    def last_mapping(self) -> ColumnMapping | None:
        """Return how the columns of the last import were mapped."""
        imports = [
            record for record in self._store.ledger.imports.all() if record.kind != "gold" and not record.taken_back
        ]
        return importing.mapping_from_json(imports[-1].mapping) if imports else None

    def hide(self, columns: Sequence[str]) -> None:
        """Choose which columns annotators are not shown; [] shows all."""
        there = self._store.items.columns()
        names = list(dict.fromkeys([columns] if isinstance(columns, str) else columns))
        for name in names:
            if name not in there.dtypes:
                raise ValueError(f"There is no column {name!r}. The columns are: {', '.join(there.dtypes)}.")
            if name in (there.named("text"), there.named("image")):
                raise ValueError(f"The column {name!r} is what annotators are asked about, so it cannot be hidden.")
        self._store.ledger.change("hidden columns", {"columns": names})

    def one(self, item_id: int) -> dict[str, Any]:
        """Return one item with its picture."""
        rows = self._store.items.some([item_id], image=True).to_dicts()
        if not rows:
            raise LookupError(f"There is no item {item_id!r} in the project {self._store.name!r}.")
        return rows[0]

    def search(self, text: str, offset: int, limit: int) -> tuple[pl.DataFrame, int]:
        """Return a page of the items that contain `text` in any case, and how many there are in all."""
        items = self._store.items
        if not text:
            ids = items.ids()
            return items.some(ids[offset : offset + limit].tolist()), len(ids)
        frame = items.frame()
        strings = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        has = [pl.col(name).str.to_lowercase().str.contains(text.lower(), literal=True) for name in strings]
        has.append(pl.col("item_id").cast(pl.String) == text.strip())
        found, total = [frame.clear()], 0
        # A block at a time: texts in lower case take as much room as they do.
        for block in frame.iter_slices(BLOCK):
            rows = block.filter(pl.any_horizontal(has))
            found.append(rows.slice(max(offset - total, 0), max(offset + limit - max(total, offset), 0)))
            total += rows.height
        return pl.concat(found), total

    def set_holdout(self, fraction: float = 0.3, seed: int = 0) -> int:
        """Choose gold items that score classifiers and are never asked; return how many."""
        seed = whole_number("seed", seed, 0)
        fraction = _check_share(fraction)
        gold = [item for item, _ in self._store.ledger.items.gold()]
        if not gold:
            raise ValueError(importing.NO_GOLD)
        frame = self._store.items.frame()
        group = pl.Series("group", together(self._store.items))
        judged = frame.select("item_id", group).filter(pl.col("item_id").is_in(gold))
        groups = judged["group"].unique(maintain_order=True).to_list()
        order = {
            groups[position]: rank for rank, position in enumerate(np.random.default_rng(seed).permutation(len(groups)))
        }
        ranked = judged.with_columns(pl.col("group").replace_strict(order, return_dtype=pl.Int64).alias("rank"))
        held = (
            ranked.sort("rank", "item_id")
            .with_row_index("n")
            .filter(pl.col("n").min().over("rank") < round(fraction * judged.height))["item_id"]
            .sort()
        )
        self._store.ledger.items.set_holdout(fraction, seed, len(held), pack(held.to_numpy(), "<i8"))
        return len(held)


def _check_share(fraction: float) -> float:
    if not 0 < (share := float(fraction)) < 1:
        raise ValueError(f"The hold-out is a share of the gold items between 0 and 1, got {share!r}.")
    return share


def _without_labels(table: Table, mapping: ColumnMapping) -> Table:
    """Leave out the labels of another tool's tasks where they are not mapped: the answer is no content of an item."""
    if table.tool is None or table.is_export or "label" not in table.frame.columns:
        return table
    if "label" in mapping.roles().values():
        return table
    given = len(table.frame) - table.frame["label"].null_count()
    note = f"{given:,} labels of {table.tool} were left out. To take them as known answers, give gold='label'."
    return replace(table, frame=table.frame.drop("label"), notes=[*table.notes, *([note] if given else [])])
