"""The versions of a project's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.database import StorageError
from storage.records import LabelSetRecord
from storage.transactions import Transactions, Write

_VERSIONS = (
    select(tables.label_sets.c.version, tables.label_sets.c.change, tables.label_sets.c.classes)
    .where(tables.label_sets.c.project_id == bindparam("project"))
    .order_by(tables.label_sets.c.version)
)
"""Made once: to put it together takes as long as to run it."""


def label_sets(transactions: Transactions) -> list[LabelSetRecord]:
    """Return every version of the classes, oldest first."""
    return list(transactions.kept("label sets", [tables.label_sets], lambda each: _read(each, transactions.project.id)))


def _read(connection: Connection, project_id: int) -> tuple[LabelSetRecord, ...]:
    rows = connection.execute(_VERSIONS, {"project": project_id}).all()
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
