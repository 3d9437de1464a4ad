"""The versions of a project's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.database import StorageError
from storage.records import LabelSetRecord
from storage.transactions import Transactions, Write


def label_sets(transactions: Transactions) -> list[LabelSetRecord]:
    """Return every version of the classes, oldest first."""
    return list(
        transactions.kept("label sets", [tables.label_sets], lambda connection: _read(transactions, connection))
    )


def _read(transactions: Transactions, connection: Connection) -> tuple[LabelSetRecord, ...]:
    table = tables.label_sets
    own = table.c.project_id == transactions.project.id
    rows = connection.execute(select(table).where(own).order_by(table.c.version)).all()
    return tuple(LabelSetRecord(row.version, row.change, tuple(row.classes)) for row in rows)


def write_label_set(write: Write, after: int, change: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> None:
    """Write the version that follows version `after` inside `write`.

    Raises
    ------
    StorageError
        Somebody else changed the classes in between.
    """
    try:
        write.fact(tables.label_sets, version=after + 1, change=dict(change), classes=list(classes))
    except IntegrityError as error:
        raise StorageError(
            "Somebody else changed the labels at the same moment. Look at them and try again."
        ) from error
