"""Erasing what a project holds: in the database, in what is kept beside it, and in backups that are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from labeling.people.answers import annotator_name
from labeling.people.persons import People, person_of
from labeling.store.items import Items
from storage.upkeep import erasing

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.ledger import Ledger

T = TypeVar("T")


def erase_items(store: ProjectStore, item_ids: Sequence[int], reason: str, backups: Sequence[str | Path]) -> int:
    """Delete what items hold; see `Project.erase`."""

    def erase(ledger: Ledger, archived: bool) -> int:
        return erasing.erase_items(ledger, item_ids, reason, archived=archived)

    return _everywhere(store, erase, backups)


def erase_person(store: ProjectStore, annotator: str, backups: Sequence[str | Path]) -> None:
    """Delete the name of a person; see `Project.erase_person`."""
    name = annotator_name(annotator)
    people = People(store).frame().filter(pl.col("name").is_not_null())
    called = pl.col("names").list.contains(name) | (pl.col("name") == name) | (pl.col("person") == name)
    if people.filter(called).is_empty():
        known = people["name"].to_list()
        others = f"It has {', '.join(map(repr, known))}." if known else "Nobody has worked on it."
        raise LookupError(f"Nobody is called {name!r} in the project {store.ledger.project.name!r}. {others}")
    with store.ledger.view() as connection:
        person = person_of(store.ledger, connection, name)

    def erase(ledger: Ledger, archived: bool) -> bool:
        # A backup that is older than people with a UUID knows them by the name alone.
        who = (person.uuid, *([] if person.name is None else [person.name]), name)
        return any(erasing.erase_person(ledger, each, archived=archived) for each in who)

    # What was made of items holds no names of people.
    _everywhere(store, erase, backups, content=False)


def erase_project(store: ProjectStore, name: str, backups: Sequence[str | Path]) -> Mapping[str, int]:
    """Delete the whole project; see `Project.erase_project`."""
    own = store.ledger.project.name
    if name != own:
        raise ValueError(f"To erase the project, give its name {own!r}; got {name!r}. Nothing was erased.")

    def erase(ledger: Ledger, _archived: bool) -> Mapping[str, int]:
        return erasing.erase_project(ledger)

    return _everywhere(store, erase, backups)


def _everywhere(
    store: ProjectStore, erase: Callable[[Ledger, bool], T], backups: Sequence[str | Path], *, content: bool = True
) -> T:
    """Erase in a project, then in each backup; return the first.

    Where content of items goes, so does what was made of it and kept beside the database.
    """
    files = [Path(backup) for backup in ([backups] if isinstance(backups, (str, Path)) else backups)]
    for file in files:
        # A name that is wrong is said before anything is gone.
        with erasing.in_backup(file, store.ledger):
            pass
    done = erase(store.ledger, False)
    if content:
        store.items.forget()
    for file in files:
        with erasing.in_backup(file, store.ledger) as ledger:
            erase(ledger, True)
            if content:
                Items(ledger).forget()
    return done
