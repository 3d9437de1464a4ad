"""What every verb of a project stands on: its ledger, its classes, its items and functions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from labeling.items import Items
from labeling.label_set import LabelSet
from labeling.records import LabelClass
from labeling.votes import Functions
from storage import Ledger


class ProjectBase:
    """A project's ledger and classes."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.name = ledger.project.name
        self.description = ledger.project.description
        ledger.imports.purge()

    @property
    def storage(self) -> str:
        """The database's URL, with the password hidden."""
        return self.ledger.url

    def version(self) -> int:
        """Return the number of the newest write: it changes when anything does."""
        return self.ledger.version()

    def archive(self) -> None:
        """Put the project away: lists leave it out, and it can only be read.

        Its name stays taken, and all in it stays. Whoever was asked holds nothing any longer. `restore` brings it back.
        """
        self.ledger.set_archived(True)

    def restore(self) -> None:
        """Bring a project back that was archived."""
        self.ledger.set_archived(False)

    @property
    def archived(self) -> bool:
        """Whether the project was archived: it can be read, and nothing can be written to it."""
        return self.ledger.archived_at() is not None

    @cached_property
    def item_store(self) -> Items:
        """The items, made columnar."""
        return Items(self.ledger)

    @cached_property
    def function_store(self) -> Functions:
        """The labeling functions and their votes."""
        return Functions(self.ledger, self.item_store)

    @property
    def label_set(self) -> LabelSet:
        """The classes as they are now."""
        newest = self.ledger.label_sets()[-1]
        return LabelSet.load(newest.version, newest.classes)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in order."""
        return self.label_set.classes

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the classes in order."""
        return self.label_set.names

    def add_label(self, name: str, definition: str = "", key: str | None = None) -> None:
        """Add a class; earlier answers stay."""
        self._relabel({"kind": "add", "name": name}, self.label_set.add(name, key, definition))

    def rename_label(self, old: str, new: str) -> None:
        """Give a class another name; everything said about it follows."""
        self._relabel({"kind": "rename", "old": old, "new": new}, self.label_set.rename(old, new))

    def describe_label(self, name: str, definition: str | None = None, key: str | None = None) -> None:
        """Set the definition or the shortcut key of a class."""
        self._relabel({"kind": "describe", "name": name}, self.label_set.describe(name, definition, key))

    def _relabel(self, change: Mapping[str, Any], labels: LabelSet) -> None:
        self.ledger.add_label_set(labels.version - 1, change, labels.dump())
