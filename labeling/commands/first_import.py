"""The import that makes its project: both are there, or neither is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labeling.commands.parts.project_option import known_storage

if TYPE_CHECKING:
    from labeling.project.project import Project
    from labeling.store.imports.reports import ImportReport


def import_into(
    project: str, storage: str | None, labels: Sequence[str] | None, source: object, /, **options: Any
) -> tuple[Project, ImportReport]:
    """Import a source into a project; with labels, make the project where there is none of that name.

    Parameters
    ----------
    project, storage, labels
        Its name, and the rest as for `Project.create`; without labels the project has to be there.
    source, options
        As for `Project.add_items`.

    Raises
    ------
    LookupError
        There is no such project, and no labels to make it with.
    ValueError
        What `Project.create` and `Project.add_items` raise. A project that was made here is gone again.
    """
    from labeling.project.project import Project

    there = None
    if labels is not None:
        with suppress(LookupError, FileNotFoundError):
            there = Project.open(project, known_storage(storage))
    opened = (
        Project.open(project, known_storage(storage))
        if labels is None
        else Project.create(project, labels=labels, storage=storage, exist_ok=there is not None)
    )
    try:
        return opened, opened.add_items(source, **options)
    except BaseException:
        if labels is not None and there is None:
            opened.ledger.withdraw()
        raise
