"""The verbs of a project that bring items in and show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from labeling import importing, known_answers
from labeling import io as tables
from labeling.answer_columns import hidden_columns
from labeling.arguments import whole_number
from labeling.blocks import pack
from labeling.column_labels import column_labels, with_labels
from labeling.known_answers import GoldReport
from labeling.near_duplicates import together
from labeling.previewing import LOOKED_AT, preview_of
from labeling.project_base import ProjectBase
from labeling.records import ImportPreview, ImportReport, UndoneImport
from storage.records import ImportRecord, Withdrawal


def _undone(record: ImportRecord, withdrawal: Withdrawal) -> UndoneImport:
    gone = len(withdrawal.items)
    return UndoneImport(
        record.id, record.name, gone, max(0, withdrawal.brought - gone), withdrawal.answers, withdrawal.gold
    )


class ItemVerbs(ProjectBase):
    """Import, look, search, hold out, erase."""

    def preview_items(self, source: object, **options: Any) -> ImportPreview:
        """Return what `add_items` would do with the same options: the first rows, what would be rejected, and why."""
        names = ("encoding", "delimiter", "sheet", "format", "decimal", "dates", "name")
        reading = {key: options.pop(key) for key in names if options.get(key) is not None}
        table = tables.read_source(source, limit=LOOKED_AT, **reading)
        mapping = self._mapping(table, **{key: value for key, value in options.items() if key not in names})
        return preview_of(table, mapping)

    def add_items(
        self,
        source: object,
        *,
        text: str | None = None,
        id: str | None = None,  # noqa: A002 - the users' word
        gold: str | None = None,
        group: str | None = None,
        private: Sequence[str] = (),
        image: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | int | None = None,
        format: str | None = None,  # noqa: A002 - the name that users know
        decimal: str | None = None,
        dates: str | None = None,
        name: str | None = None,
        add_labels: bool = False,
        hidden: Sequence[str] | None = None,
        holdout: float | None = None,
        progress: importing.Progress = None,
    ) -> ImportReport:
        """Import rows: a path or an open file (CSV, JSON, Parquet, Excel, also as gz or zip), or a frame.

        The path may also be that of a data set folder: an export, or what `save_to_disk` of `datasets` wrote.

        Exact duplicates are kept as source rows of one item; rows that are in the
        project already, by id or by content, are not added again; rows that cannot
        be read are reported. It is all or nothing for a source that is broken.

        Parameters
        ----------
        text, id, gold, group, image
            The columns that hold the text, the user's own id, the known label, a
            group that no hold-out splits, a picture. What is not given is found by
            name as in the last import, else by a look at the columns; gold only
            counts where it is named here.
        private
            Columns that neither a page nor an export shows unless asked to.
        encoding, delimiter
            Of a text file, where the guess is wrong.
        sheet
            Of a workbook, its name, or its number from 1; None: the first that holds anything.
        format
            ``"label_studio"``, ``"prodigy"`` or ``"doccano"`` for tasks of these tools, ``"plain"`` for JSON as it
            is; None: found from the first tasks. Labels in them are known answers where ``gold="label"`` says so.
        decimal, dates
            ``","`` reads numbers with a decimal comma, ``"day-first"`` or ``"month-first"`` dates such as 31.12.2024,
            in columns where every cell is one. The preview offers them; unasked, such columns stay texts.
        name
            What to call the source in messages.
        add_labels
            Make labels of the values of the gold column that are none yet.
        hidden
            Columns that annotators are not shown, [] for none; default those that look like the answer, by name or
            by what they hold. `hide_columns` changes that later.
        holdout
            The share of the known answers to hold out once they are in, as by `set_holdout`. Where there are none,
            nothing is imported.
        progress
            None for a bar where it takes more than a second, True for one at once, False
            for none, or a callable that gets (rows done, rows in all).

        Raises
        ------
        ValueError
            The source is broken, a column is missing, a gold value is no label.
        """
        if holdout is not None:
            _check_share(holdout)
        table = tables.read_source(
            source,
            encoding=encoding,
            delimiter=delimiter,
            sheet=sheet,
            format=format,
            decimal=decimal,
            dates=dates,
            name=name,
        )
        mapping = self._mapping(table, text=text, id=id, gold=gold, group=group, private=private, image=image)
        table = _without_labels(table, mapping)
        labels, added = self.label_set, None
        if add_labels and mapping.gold is not None:
            labels, added = with_labels(labels, column_labels(table, mapping.gold))
        report = importing.import_table(
            self.ledger,
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
        *,
        gold: str,
        id: str | None = None,  # noqa: A002 - the users' word
        item_id: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | int | None = None,
        name: str | None = None,
    ) -> GoldReport:
        """Add or correct known answers of items that are there.

        Nothing is overwritten: the newest known answer of an item counts, and `undo_import` takes these back.
        A hold-out that was drawn stays as it is.

        Parameters
        ----------
        source
            A file or frame, as `add_items` takes it.
        gold
            The column of known answers. Values that are no label are left out and named in the report.
        id, item_id
            The column of your own ids, or of Tally's item numbers. Without either, the column that the project's
            ids have, else `item_id`.
        encoding, delimiter, sheet, name
            As for `add_items`.

        Raises
        ------
        ValueError
            The source is broken, a column is missing, or an id stands there with different answers.
        """
        return known_answers.set_gold(
            self.ledger,
            self.label_set,
            source,
            gold=gold,
            id=id,
            item_id=item_id,
            own_id=self.item_store.columns().named("id"),
            encoding=encoding,
            delimiter=delimiter,
            sheet=sheet,
            name=name,
        )

    def imports(self) -> pl.DataFrame:
        """Return a row an import, oldest first.

        Columns: import_id; name; kind ("items", "gold" for known answers alone, "stream" for records offered to a
        stream); rows, added, known, gold as its report counted them; at; taken_back.
        """
        counts = ("rows", "added", "known", "gold")
        rows = [
            {"import_id": record.id, "name": record.name, "kind": record.kind}
            | {count: (record.report or {}).get(count) for count in counts}
            | {"at": record.completed_at, "taken_back": record.taken_back}
            for record in self.ledger.imports.all()
        ]
        schema: dict[str, Any] = {"import_id": pl.Int64(), "name": pl.String(), "kind": pl.String()}
        schema |= dict.fromkeys(counts, pl.Int64())
        return pl.DataFrame(rows, schema=schema | {"at": pl.Datetime("us", "UTC"), "taken_back": pl.Boolean()})

    def preview_undo_import(self, import_id: int) -> UndoneImport:
        """Return what `undo_import` would take back."""
        record = self._undoable(import_id)
        return _undone(record, self.ledger.imports.withdrawal(record.id))

    def undo_import(self, import_id: int) -> UndoneImport:
        """Take an import back as one step: what it alone brought leaves the pool, labels, rules and export.

        Items that another import has too stay. What people answered stays on record, and counts again when the
        file is imported again. Known answers that came with the import go with it.

        Parameters
        ----------
        import_id
            As `imports` lists it, or `ImportReport.import_id`.

        Raises
        ------
        LookupError
            There is no such import.
        ValueError
            It was taken back already, or holds the records of a stream.
        """
        record = self._undoable(import_id)
        return _undone(record, self.ledger.imports.take_back(record.id))

    def _undoable(self, import_id: int) -> ImportRecord:
        records = {record.id: record for record in self.ledger.imports.all()}
        record = records.get(import_id)
        if record is None:
            known = ", ".join(str(number) for number in records) or "none yet"
            raise LookupError(f"There is no import {import_id!r} in the project {self.name!r}. Imports: {known}.")
        if record.taken_back:
            raise ValueError(f"The import {import_id} of {record.name!r} was taken back already.")
        if record.kind == "stream":
            raise ValueError(
                f"The import {import_id} holds records that were offered to a stream, which decided about each: "
                "they cannot be taken back. Imports of files can."
            )
        return record

    def _mapping(self, table: tables.Table, *, private: Sequence[str] = (), **given: str | None) -> tables.Mapping:
        """Return the mapping to use: what was given, then what the last import had, then a guess."""
        frame = table.frame
        remembered, guess = self.last_mapping(), tables.guess_mapping(frame)
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
        mapping = tables.Mapping(**chosen, private=tuple(dict.fromkeys((*private, *kept))))
        mapping.check(frame)
        return mapping

    def last_mapping(self) -> tables.Mapping | None:
        """Return how the columns of the last import were mapped."""
        imports = [record for record in self.ledger.imports.all() if record.kind != "gold" and not record.taken_back]
        return importing.mapping_from_json(imports[-1].mapping) if imports else None

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """The columns of the items and their types."""
        return dict(self.item_store.columns().dtypes)

    @property
    def text_column(self) -> str | None:
        """The column that holds the text."""
        return self.item_store.columns().named("text")

    @property
    def image_column(self) -> str | None:
        """The column that holds a picture."""
        return self.item_store.columns().named("image")

    @property
    def hidden_columns(self) -> tuple[str, ...]:
        """The columns that annotators are not shown, sorted."""
        return hidden_columns(self.ledger)

    def hide_columns(self, columns: Sequence[str]) -> None:
        """Choose which columns annotators are not shown; [] shows all. Rules, models and exports see them as before.

        Raises
        ------
        ValueError
            There is no such column, or it holds the text or the picture.
        """
        names = list(dict.fromkeys([columns] if isinstance(columns, str) else columns))
        for name in names:
            if name not in self.columns:
                raise ValueError(f"There is no column {name!r}. The columns are: {', '.join(self.columns)}.")
            if name in (self.text_column, self.image_column):
                raise ValueError(f"The column {name!r} is what annotators are asked about, so it cannot be hidden.")
        self.ledger.change("hidden columns", {"columns": names})

    def items(self, columns: Sequence[str] | None = None, private: bool = False) -> pl.DataFrame:
        """Return the items: item_id, then their columns (pictures left out)."""
        frame = self.item_store.frame(private=private)
        return frame if columns is None else frame.select("item_id", *columns)

    def item(self, item_id: int) -> dict[str, Any]:
        """Return one item with its picture.

        Raises
        ------
        LookupError
            There is no such item.
        """
        rows = self.item_store.some([item_id], image=True).to_dicts()
        if not rows:
            raise LookupError(f"There is no item {item_id!r} in the project {self.name!r}.")
        return rows[0]

    def search_items(self, text: str = "", offset: int = 0, limit: int = 50) -> tuple[pl.DataFrame, int]:
        """Return a page of the items that contain `text` in any case, and how many there are in all."""
        frame = self.item_store.frame()
        if text:
            strings = [name for name, dtype in frame.schema.items() if dtype == pl.String]
            has = [pl.col(name).str.to_lowercase().str.contains(text.lower(), literal=True) for name in strings]
            has.append(pl.col("item_id").cast(pl.String) == text.strip())
            frame = frame.filter(pl.any_horizontal(has))
        return frame.slice(offset, limit), frame.height

    def erase(self, item_ids: Sequence[int], reason: str = "") -> int:
        """Delete what items hold, for good; their ids stay as tombstones. Return how many there were."""
        return self.ledger.items.erase(item_ids, reason)

    def set_holdout(self, fraction: float = 0.3, seed: int = 0) -> int:
        """Choose gold items that score classifiers and are never asked; return how many.

        The choice is seeded and splits neither a group nor near-duplicate texts. Setting it again replaces it.

        Raises
        ------
        ValueError
            There is no gold, or the fraction is outside (0, 1).
        """
        seed = whole_number("seed", seed, 0)
        fraction = _check_share(fraction)
        gold = [item for item, _ in self.ledger.items.gold()]
        if not gold:
            raise ValueError(importing.NO_GOLD)
        frame = self.item_store.frame()
        group = pl.Series("group", together(self.item_store))
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
        self.ledger.items.set_holdout(fraction, seed, len(held), pack(held.to_numpy(), "<i8"))
        return len(held)


def _check_share(fraction: float) -> float:
    if not 0 < (share := float(fraction)) < 1:
        raise ValueError(f"The hold-out is a share of the gold items between 0 and 1, got {share!r}.")
    return share


def _without_labels(table: tables.Table, mapping: tables.Mapping) -> tables.Table:
    """Leave out the labels of another tool's tasks where they are not mapped: the answer is no content of an item."""
    if table.tool is None or table.is_export or "label" not in table.frame.columns:
        return table
    if "label" in mapping.roles().values():
        return table
    given = len(table.frame) - table.frame["label"].null_count()
    note = f"{given:,} labels of {table.tool} were left out. To take them as known answers, give gold='label'."
    return replace(table, frame=table.frame.drop("label"), notes=[*table.notes, *([note] if given else [])])
