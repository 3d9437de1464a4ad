"""Known answers that come after the items, or correct what was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.formats.reading.delimited import Rejected
from labeling.formats.reading.tables import Table, read_source
from labeling.store.holdout import holdout_ids
from labeling.store.label_set import LabelSet

if TYPE_CHECKING:
    from storage.ledger import Ledger

EXAMPLES = 10
"""Unknown ids and contradictions that a report or a message names."""


@dataclass(frozen=True)
class GoldReport:
    """What became of known answers that were given for items of a project.

    Of the `rows` read, `matched` have an id of the project and a label of it: `added` items had no known answer,
    `changed` had another one, the rest had the same. `unknown` rows have an id that no item has, some of them in
    `unknown_ids`; `refused` counts values that are no label; `empty` rows have no id or no answer; `rejected` could
    not be read. `import_id` is what `Project.undo_import` takes, None where nothing was new.
    """

    rows: int
    matched: int
    added: int
    changed: int
    unknown: int
    unknown_ids: tuple[str, ...]
    refused: Mapping[str, int]
    empty: int
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]
    import_id: int | None

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows: {self.added:,} known answers added, {self.changed:,} changed"]
        if same := self.matched - self.added - self.changed:
            parts.append(f"{same:,} there already")
        if self.unknown:
            more = " …" if self.unknown > len(self.unknown_ids) else ""
            parts.append(f"{self.unknown:,} with an id that no item has ({', '.join(self.unknown_ids)}{more})")
        if self.refused:
            named = ", ".join(f"{value!r} ({count:,})" for value, count in list(self.refused.items())[:EXAMPLES])
            parts.append(f"{sum(self.refused.values()):,} with a value that is no label: {named}")
        if self.empty:
            parts.append(f"{self.empty:,} without an id or an answer")
        if self.rejected:
            parts.append(f"{len(self.rejected):,} rejected")
        return ", ".join(parts)


def set_gold(
    ledger: Ledger,
    labels: LabelSet,
    source: object,
    *,
    gold: str,
    id: str | None = None,  # noqa: A002 - the users' word
    item_id: str | None = None,
    own_id: str | None = None,
    **reading: Any,
) -> GoldReport:
    """Record known answers for items that are there; see `Project.set_gold`.

    `own_id` is what the project calls the column of the users' ids: it is looked for where neither id is named.
    """
    table = read_source(source, **reading)
    column, by_item = _key_column(table, id, item_id, own_id)
    import_id = ledger.imports.begin(table.name, kind="gold")
    try:
        given = pl.DataFrame({"id": _keys(table, column, by_item), "value": _values(table, gold)})
        stated = given.drop_nulls()
        names = {value: _named(labels, value) for value in stated["value"].unique(maintain_order=True)}
        stated = stated.with_columns(
            pl.col("value").replace_strict(names, default=None, return_dtype=pl.Int64).alias("label")
        )
        refused = dict(stated.filter(pl.col("label").is_null())["value"].value_counts(sort=True).iter_rows())
        stated = stated.drop_nulls("label")
        _check_repeats(stated, column)
        stated = stated.join(_items_by_id(ledger, by_item), on="id", how="left", maintain_order="left")
        matched = stated.drop_nulls("item_id")
        unknown = stated.filter(pl.col("item_id").is_null())["id"]
        there = pl.DataFrame(ledger.items.gold(), schema={"item_id": pl.Int64(), "there": pl.Int64()}, orient="row")
        new = (
            matched.unique("item_id", keep="first", maintain_order=True)
            .join(there, on="item_id", how="left", maintain_order="left")
            .filter(pl.col("there").is_null() | (pl.col("there") != pl.col("label")))
        )
        added = new["there"].null_count()
        report = GoldReport(
            rows=table.frame.height + len(table.rejected),
            matched=matched.height,
            added=added,
            changed=new.height - added,
            unknown=len(unknown),
            unknown_ids=tuple(unknown.head(EXAMPLES)),
            refused=refused,
            empty=given.height - given.drop_nulls().height,
            rejected=tuple(table.rejected),
            notes=(*table.notes, *_notes(ledger, matched, new)),
            import_id=import_id if new.height else None,
        )
        if not new.height:
            ledger.imports.abandon(import_id)
            return report
        ledger.imports.add_gold(import_id, list(new.select("item_id", "label").iter_rows()))
        mapping = {"item_id" if by_item else "id": column, "gold": gold}
        ledger.imports.complete(import_id, mapping, [], _summary(report))
    except BaseException:
        ledger.imports.abandon(import_id)
        raise
    return report


def _key_column(table: Table, id_: str | None, item_id: str | None, own_id: str | None) -> tuple[str, bool]:
    """Return the column that names items, and whether it holds Tally's own numbers."""
    if id_ is not None and item_id is not None:
        raise ValueError("Give the column of your own ids (id=) or that of Tally's item numbers (item_id=), not both.")
    there = _columns(table)
    if id_ is None and item_id is None:
        id_ = own_id if own_id in there else None
        item_id = "item_id" if id_ is None and "item_id" in there else None
    column = id_ or item_id
    if column is None:
        raise ValueError(
            "Which column names the items? Give id= with your own ids, or item_id= with Tally's numbers. "
            f"The columns are: {', '.join(there)}."
        )
    if column not in there:
        raise ValueError(f"There is no column {column!r} of ids. The columns are: {', '.join(there)}.")
    return column, id_ is None


def _columns(table: Table) -> list[str]:
    """The columns as the source calls them."""
    old = {new: name for name, new in table.renamed.items()}
    own = [old.get(name, name) for name in table.frame.columns]
    return own if table.evidence is None else ["item_id", *own]


def _keys(table: Table, column: str, by_item: bool) -> pl.Series:
    """Return the ids as the project keeps them: its own numbers, or text; null where there is none."""
    if table.evidence is not None and column == "item_id":
        return table.evidence["item_id"].cast(pl.String).alias("id")
    name = table.renamed.get(column, column)
    _check_plain(table, column)
    texts = table.keys_of(name)
    texts = texts.set(texts == "", None)
    if by_item:
        return texts.str.strip_chars().cast(pl.Int64, strict=False).cast(pl.String)
    # As the project keeps its ids; PostgreSQL's text holds no NUL.
    return texts.str.replace_all("\x00", "\ufffd", literal=True)


def _values(table: Table, column: str) -> pl.Series:
    there = _columns(table)
    if column not in there:
        raise ValueError(f"There is no column {column!r} of known answers. The columns are: {', '.join(there)}.")
    _check_plain(table, column)
    values = table.text_of(table.renamed.get(column, column)).str.strip_chars()
    return values.set(values == "", None)


def _check_plain(table: Table, column: str) -> None:
    dtype = table.frame.schema[table.renamed.get(column, column)]
    if dtype.is_nested() or dtype == pl.Binary:
        raise ValueError(f"Column {column!r} holds {dtype}; it needs texts or numbers.")


def _named(labels: LabelSet, value: str) -> int | None:
    try:
        return labels.named(value).id
    except ValueError:
        return None


def _check_repeats(stated: pl.DataFrame, column: str) -> None:
    torn = stated.group_by("id", maintain_order=True).agg(pl.col("value"), pl.col("label").n_unique().alias("n"))
    torn = torn.filter(pl.col("n") > 1)
    if torn.height:
        shown = "; ".join(
            f"{id_!r} as {', '.join(map(repr, dict.fromkeys(values)))}"
            for id_, values, _ in torn.head(EXAMPLES).iter_rows()
        )
        raise ValueError(
            f"{torn.height:,} ids in the column {column!r} have different answers: {shown}. "
            "Leave one answer an id; nothing was taken."
        )


def _items_by_id(ledger: Ledger, by_item: bool) -> pl.DataFrame:
    """(id, item_id): every visible item under the ids that its rows had."""
    items = [(item, external) for item, _, _, external, visible in ledger.items.known() if visible]
    if by_item:
        pairs = [(str(item), item) for item, _ in items]
    else:
        visible = {item for item, _ in items}
        pairs = [(external, item) for item, external in items if external is not None]
        rows = ledger.items.known_rows()
        pairs += [(external, item) for item, _, external in rows if external is not None and item in visible]
    frame = pl.DataFrame(pairs, schema={"id": pl.String(), "item_id": pl.Int64()}, orient="row")
    return frame.unique("id", keep="first", maintain_order=True)


def _notes(ledger: Ledger, matched: pl.DataFrame, new: pl.DataFrame) -> list[str]:
    notes = []
    torn = matched.group_by("item_id").agg(pl.col("label").n_unique()).filter(pl.col("label") > 1).height
    if torn:
        notes.append(f"{torn:,} items stand for several rows with different answers; the first row's was taken.")
    held = holdout_ids(ledger)
    if held and new.height:
        inside = int(new["item_id"].is_in(list(held)).sum())
        notes.append(
            "The hold-out stays as it was drawn: what came now is none of it. Draw it again to include that."
            if not inside
            else f"The hold-out stays as it was drawn; the answers to {inside:,} of its items changed."
        )
    return notes


def _summary(report: GoldReport) -> dict[str, Any]:
    counts = ("rows", "matched", "added", "changed", "unknown", "empty")
    named = {"unknown_ids": list(report.unknown_ids), "refused": dict(report.refused), "notes": list(report.notes)}
    return {name: getattr(report, name) for name in counts} | named | {"rejected": len(report.rejected)}
