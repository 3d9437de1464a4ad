"""What everything of a project reads: its ledger, its items as frames, its labeling functions, its classes."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from labeling.store.function_store import Functions
from labeling.store.holdout import holdout_ids
from labeling.store.items import Items
from labeling.store.label_set import LabelClass, LabelSet
from storage import DESCRIPTION, Ledger, StorageError


class ProjectStore:
    """A project's ledger, items, functions and classes; loops, weak runs and exports take it.

    Parameters
    ----------
    ledger
        Where the project is kept.

    Attributes
    ----------
    name
        Of the project.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.name = ledger.project.name

    @property
    def description(self) -> str:
        """What the project is about, as it was said last."""
        versions = self.ledger.documents.all(DESCRIPTION)
        return versions[-1].text if versions else self.ledger.project.description

    @cached_property
    def items(self) -> Items:
        """The items, made columnar."""
        return Items(self.ledger)

    @cached_property
    def functions(self) -> Functions:
        """The labeling functions and their votes."""
        return Functions(self.ledger, self.items)

    @property
    def label_set(self) -> LabelSet:
        """The classes as they are now."""
        sets = self.ledger.label_sets()
        if not sets:
            raise StorageError(self.ledger.transactions.gone())
        newest = sets[-1]
        return LabelSet.load(newest.version, newest.classes)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in order."""
        return self.label_set.classes

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the classes in order."""
        return self.label_set.names

    def open_items(self) -> int:
        """Return how many items are neither held out nor answered."""
        taken = holdout_ids(self.ledger) | self.ledger.annotations.answered()
        ids = self.items.ids()
        return len(ids) - int(np.isin(ids, np.fromiter(taken, dtype=np.int64, count=len(taken))).sum())
