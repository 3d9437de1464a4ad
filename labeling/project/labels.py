"""The classes of a project as they change while people work: each change a fact, with a look at what it touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labeling.store.items import known_truths
from labeling.tasks import single

if TYPE_CHECKING:
    from labeling.store.label_set import LabelSet
    from labeling.store.project_store import ProjectStore


@dataclass(frozen=True)
class LabelUse:
    """What names a class now, and so is touched when the class is merged, split or retired.

    Attributes
    ----------
    label
        The class.
    answers, items, people
        Answers with it that stand, the items they are on, and who gave them. A split asks these items again, by the
        loops that asked them; merged, they count for the other class; retired, they name no class.
    gold
        Known answers of the class. Split or retired, they are unknown until they are given anew.
    functions
        Rules that vote for it. Split or retired, they are paused until they are added for another class.
    """

    label: str
    answers: int
    items: int
    people: tuple[str, ...]
    gold: int
    functions: tuple[str, ...]


class ProjectLabels:
    """The classes of one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._ledger = store.ledger

    def use(self, name: str) -> LabelUse:
        """Return what names a class now."""
        labels = self._store.label_set
        target = labels.named(name)
        answers = [
            record
            for record in self._ledger.annotations.current()
            if record.kind == "answer" and _now(labels, single.class_of(record)) == target.id
        ]
        gold = sum(_now(labels, label) == target.id for label in known_truths(self._ledger)[1].tolist())
        functions = (info for info in self._store.functions.infos(labels) if not info.paused)
        return LabelUse(
            target.name,
            len(answers),
            len({record.item_id for record in answers}),
            tuple(sorted({record.annotator or "erased" for record in answers})),
            gold,
            tuple(info.name for info in functions if info.label == target.name),
        )

    def add(self, name: str, definition: str = "", key: str | None = None) -> None:
        """Add a class; earlier answers stay."""
        self._write({"kind": "add", "name": name}, self._store.label_set.add(name, key, definition))

    def rename(self, old: str, new: str) -> None:
        """Give a class another name; everything said about it follows."""
        self._write({"kind": "rename", "old": old, "new": new}, self._store.label_set.rename(old, new))

    def describe(self, name: str, definition: str | None, key: str | None) -> None:
        """Set the definition or the shortcut key of a class."""
        self._write({"kind": "describe", "name": name}, self._store.label_set.describe(name, definition, key))

    def merge(self, names: Iterable[str], into: str) -> None:
        """Make several classes one."""
        merged = list(names) if not isinstance(names, str | set | frozenset) else names
        labels = self._store.label_set.merge(merged, into)
        self._write({"kind": "merge", "names": list(merged), "into": into}, labels)

    def split(self, name: str, into: Iterable[str | Mapping[str, Any]]) -> int:
        """Put new classes in the place of one, and reopen its items; return how many these are."""
        parts = list(into) if not isinstance(into, str | set | frozenset) else into
        before = self._store.label_set
        labels = before.split(name, parts)
        target = before.named(name)
        change = {"kind": "split", "name": target.name, "into": list(labels.names_of(labels.former[-1].became))}
        ids = [id_ for id_ in before.positions() if before.current(id_) == target.id]
        with self._ledger.write() as write:
            items = self._ledger.reopened.take_back(write, ids)
            self._ledger.write_label_set(write, before.version, change, labels.dump())
        return items

    def retire(self, name: str) -> None:
        """Take a class out of use; what was said of it stays on record."""
        self._write({"kind": "retire", "name": name}, self._store.label_set.retire(name))

    def _write(self, change: Mapping[str, Any], labels: LabelSet) -> None:
        self._ledger.add_label_set(labels.version - 1, change, labels.dump())


def _now(labels: LabelSet, id_: int | None) -> int | None:
    return None if id_ is None else labels.current(id_)
