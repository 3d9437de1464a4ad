"""What becomes of each row of a source: which items of the project it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labeling.formats.reading.delimited import Rejected

if TYPE_CHECKING:
    from storage.ledger import Ledger


def plan_rows(rows: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Decide what becomes of each row: new, duplicate, known, changed, returned or repeated_id.

    A row belongs to the item of its id, else to the one that the same row of a source made under whatever mapping,
    else to the one of the same content. `item_id` is that item where it exists; `same_as` is the row of this source
    that a row equals (its own number for a new one); `remapped` tells that the same row was known under another
    mapping; a `returned` row brings back an item that had gone with its import.

    Parameters
    ----------
    rows
        row, line, external_id, hash, source_key, gold: a row a row of the source.
    """
    items = pl.DataFrame(
        ledger.items.known(),
        schema={
            "item": pl.Int64(),
            "own_hash": pl.Binary(),
            "key": pl.Binary(),
            "external_id": pl.String(),
            "visible": pl.Boolean(),
        },
        orient="row",
    )
    copies = pl.DataFrame(
        ledger.items.known_rows(),
        schema={"item": pl.Int64(), "key": pl.Binary(), "external_id": pl.String()},
        orient="row",
    ).join(items.select("item", "own_hash", "visible"), on="item", how="inner", maintain_order="left")
    # What is there comes before what had gone with its import, an item's own row before later ones.
    seen = pl.concat([items, copies.select(items.columns)]).sort("visible", descending=True, maintain_order=True)
    plan = rows.select("row", "line", "external_id", "hash", "source_key", "gold")
    for name, column, known in (
        ("hash", "hash", items.sort("visible", descending=True, maintain_order=True).rename({"own_hash": "hash"})),
        ("key", "source_key", seen.rename({"key": "source_key"})),
        ("id", "external_id", seen),
    ):
        found = known.filter(pl.col(column).is_not_null()).unique(column, keep="first", maintain_order=True)
        found = found.select(column, pl.col("item").alias(f"{name}_item"))
        plan = plan.join(found, on=column, how="left", maintain_order="left")
    return _with_status(plan, items)


def _with_status(plan: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Add item_id, status, same_as and remapped."""
    has_id = pl.col("external_id").is_not_null()
    own = items.select(pl.col("item").alias("item_id"), "own_hash", "visible")
    ids = items.select(pl.col("item").alias("id_item"), pl.col("own_hash").alias("id_hash"), pl.col("visible"))
    plan = plan.join(ids, on="id_item", how="left", maintain_order="left")
    same = (pl.col("id_hash") == pl.col("hash")) | (pl.col("key_item") == pl.col("id_item"))
    # An id that had gone with its import is free for another content.
    stands = pl.col("visible") | same.fill_null(False)
    plan = plan.with_columns(pl.when(stands).then("id_item").alias("id_item")).drop("visible", "id_hash")
    plan = (
        plan.with_columns(
            pl.coalesce("id_item", "key_item", "hash_item").alias("item_id"),
            pl.when(has_id).then(pl.col("hash").first().over("external_id")).alias("first_hash"),
        )
        .join(own, on="item_id", how="left", maintain_order="left")
        .with_columns((pl.col("key_item") == pl.col("item_id")).fill_null(False).alias("same_row"))
    )
    plan = plan.with_columns(
        pl.when(pl.col("id_item").is_not_null())
        .then(
            pl.when(pl.col("same_row") | (pl.col("own_hash") == pl.col("hash")))
            .then(pl.lit("known"))
            .otherwise(pl.lit("changed"))
        )
        .when(has_id & (pl.col("first_hash") != pl.col("hash")))
        .then(pl.lit("repeated_id"))
        .when(pl.col("same_row"))
        .then(pl.lit("known"))
        .when(pl.col("hash_item").is_not_null())
        .then(pl.when(has_id).then(pl.lit("duplicate")).otherwise(pl.lit("known")))
        .alias("status"),
    )
    plan = plan.with_columns(
        (pl.col("same_row") & (pl.col("own_hash") != pl.col("hash")) & (pl.col("status") == "known")).alias("remapped")
    )
    # Of the rows of an item that had gone the first brings it back; further ones are copies again.
    gone = pl.col("visible").not_() & pl.col("status").is_in(["known", "duplicate"])
    brings = gone & (pl.col("row") == pl.col("row").filter(gone).min().over("item_id"))
    fresh = pl.col("status").is_null()
    first = pl.when(fresh).then(pl.col("row")).min().over("hash")
    return plan.with_columns(
        pl.when(fresh).then(first).alias("same_as"),
        pl.when(fresh)
        .then(pl.when(pl.col("row") == first).then(pl.lit("new")).otherwise(pl.lit("duplicate")))
        .when(brings)
        .then(pl.lit("returned"))
        .when(gone)
        .then(pl.lit("duplicate"))
        .otherwise(pl.col("status"))
        .alias("status"),
    )


def repeated_ids(plan: pl.DataFrame) -> list[Rejected]:
    """Return the rows whose id stands on an earlier row with other content."""
    repeated = plan.filter(pl.col("status") == "repeated_id").select("line", "external_id")
    return [
        Rejected(line, f"the id {external!r} stands on an earlier line with other content")
        for line, external in repeated.iter_rows()
    ]
