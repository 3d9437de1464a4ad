"""Which rows refer to which, so that rows can be looked through, and can move to another database under new ids.

Ids of items and classes count within a project and stay as they are. Ids of rows count over a whole database: they
are the columns of the type `Id`, and the ids of annotations that events of streams keep in their details.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, and_, select

from storage import tables
from storage.schema import Id
from storage.texts import to_json

TARGETS: Mapping[str, Table] = {
    "project_id": tables.projects,
    "import_id": tables.imports,
    "function_id": tables.functions,
    "function_version_id": tables.function_versions,
    "weak_run_id": tables.weak_runs,
    "loop_id": tables.loops,
    "refit_id": tables.refits,
    "annotator_id": tables.annotators,
    "person_id": tables.persons,
    "into_id": tables.persons,
    "by_id": tables.persons,
    "query_id": tables.queries,
    "from_query_id": tables.queries,
    "annotation_id": tables.annotations,
    "undoes": tables.annotations,
}
"""The table whose rows a column names, by the column's name."""

LEFT_OUT = frozenset({"refit_leases", "erased_projects"})
"""Tables that stay where they are: which process works on what right now, and what was erased here."""

DATABASE_WIDE = frozenset({"persons", "person_merges", "roles"})
"""Tables whose rows are of no single project: what a project needs of them is found, or added, in another database."""

PARENTS = {"weak_blocks": "weak_run_id", "refit_blocks": "refit_id", "annotation_labels": "annotation_id"}
"""Tables whose rows belong to a project by what they are part of, and the column that says of what."""

COPIED = tuple(table for table in tables.metadata.sorted_tables if table.name not in LEFT_OUT | DATABASE_WIDE)
"""Tables of which a project's rows are a part, those first that others refer to."""


def references(table: Table) -> dict[str, Table]:
    """Return the columns of a table that name rows by their ids, and the table of those."""
    return {column.name: TARGETS[column.name] for column in table.columns if column.type is Id and column.name != "id"}


def own_id(table: Table) -> bool:
    """Tell whether the rows of a table have ids of their own."""
    return "id" in table.c


def of_project(table: Table, project_id: int) -> ColumnElement[bool]:
    """Return the condition that a row is a project's, and not of an import that has not completed."""
    if table is tables.projects:
        return table.c.id == project_id
    if table.name in PARENTS:
        column = table.c[PARENTS[table.name]]
        parent = TARGETS[column.name]
        return column.in_(select(parent.c.id).where(parent.c.project_id == project_id))
    mine: ColumnElement[bool] = table.c.project_id == project_id
    if table is tables.imports:
        return and_(mine, table.c.seq.is_not(None))
    if table in (tables.items, tables.source_rows, tables.gold):
        return and_(mine, table.c.import_id.not_in(under_way(project_id)))
    if table is tables.contents:
        item = tables.items
        begun = select(item.c.item_id).where(
            item.c.project_id == project_id, item.c.import_id.in_(under_way(project_id))
        )
        return and_(mine, table.c.item_id.not_in(begun))
    return mine


def all_of_project(table: Table, project_id: int) -> ColumnElement[bool]:
    """Return the condition that a row is a project's, whatever became of the import that brought it."""
    if table is tables.refit_leases:
        return table.c.loop_id.in_(select(tables.loops.c.id).where(tables.loops.c.project_id == project_id))
    if table is tables.projects or table.name in PARENTS:
        return of_project(table, project_id)
    return table.c.project_id == project_id


def under_way(project_id: int) -> Select[Any]:
    """Return a SELECT of the ids of a project's imports that have not completed."""
    table = tables.imports
    return select(table.c.id).where(table.c.project_id == project_id, table.c.seq.is_(None))


def key_of(table: Table) -> list[Column[Any]]:
    """Return the columns of a table's key, in which its rows are ordered."""
    return list(table.primary_key.columns)


def details_moved(written: str, by: int) -> str:
    """Return the details of a stream's event with ids of annotations that are higher by so many.

    0 stays: it means from the first on.

    Examples
    --------
    >>> details_moved('{"since": 0, "upto": 7, "judged": [[7, true]], "anchor": [40, 3, 9]}', 100)
    '{"since": 0, "upto": 107, "judged": [[107, true]], "anchor": [40, 103, 9]}'
    """
    details = json.loads(written)
    for name in ("since", "upto"):
        if details.get(name):
            details[name] += by
    if details.get("judged"):
        details["judged"] = [[annotation + by, wrong] for annotation, wrong in details["judged"]]
    if details.get("anchor"):
        position, annotation, answers = details["anchor"]
        details["anchor"] = [position, annotation + by if annotation else 0, answers]
    return to_json(details)
