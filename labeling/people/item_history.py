"""Everything that ever happened to an item, as one frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


def item_history(store: ProjectStore, item_id: int) -> pl.DataFrame:
    """Return what happened to an item, oldest first; see `Project.history`.

    Raises
    ------
    LookupError
        There is no such item.
    """
    events = store.ledger.histories.of_item(item_id)
    if not events:
        raise LookupError(f"There is no item {item_id!r} in the project {store.name!r}.")
    labels = store.label_set
    names = {label.id: labels.name_of(label.id) for label in (*labels.classes, *labels.former)}
    loops = {loop.id: loop.name for loop in store.ledger.loops.all()}
    rows = []
    for event in events:
        details = dict(event.details)
        if "predicted" in details:
            details["predicted"] = names.get(details["predicted"])
        said = {name: value for name, value in details.items() if value is not None}
        loop = None if event.loop_id is None else loops.get(event.loop_id)
        label = None if event.label_id is None else names.get(event.label_id)
        rows.append((event.at, event.event, event.who, loop, label, json.dumps(said, ensure_ascii=False)))
    columns = {"event": pl.String(), "who": pl.String(), "loop": pl.String(), "label": pl.String()}
    schema = {"at": pl.Datetime("us", "UTC"), **columns, "details": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")
