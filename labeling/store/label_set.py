"""The classes of a project: permanent ids; names, keys and definitions that may change."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labeling.label_names import check_listed, check_name, find_label, label_name

RESERVED_KEYS = frozenset("cr")
"""Keys that the browser or Streamlit keeps for itself."""


@dataclass(frozen=True)
class LabelSet:
    """One version of the classes, in order; positions in arrays are positions here.

    Examples
    --------
    >>> labels = LabelSet.of(["ok", "offensive"])
    >>> labels.names
    ('ok', 'offensive')
    >>> labels.rename("ok", "fine").named("ok").name
    'fine'
    """

    classes: tuple[LabelClass, ...]
    version: int = 1

    @classmethod
    def of(cls, labels: Iterable[str | Mapping[str, Any]]) -> LabelSet:
        """Make the first version from names, or mappings with name, key and definition.

        Raises
        ------
        ValueError
            There are fewer than two classes, or a name or key is empty, odd or repeated.
        TypeError
            One string was given instead of a list of names, or a set, whose order differs from process to process.
        """
        check_listed(labels)
        classes: tuple[LabelClass, ...] = ()
        for id_, label in enumerate(labels):
            values: Mapping[str, Any] = label if isinstance(label, Mapping) else {"name": label}
            classes += (_new(id_, values, classes),)
        if len(classes) < 2:
            raise ValueError(f"A project needs at least two labels, got {[c.name for c in classes]!r}.")
        return cls(classes)

    @classmethod
    def load(cls, version: int, classes: Sequence[Mapping[str, Any]]) -> LabelSet:
        """Rebuild a version from what the ledger holds."""
        known = (LabelClass(**{**c, "former_names": tuple(c.get("former_names", ()))}) for c in classes)
        return cls(tuple(known), version)

    def dump(self) -> list[dict[str, Any]]:
        """Return the classes as the ledger stores them."""
        return [
            {"id": c.id, "name": c.name, "key": c.key, "definition": c.definition, "former_names": list(c.former_names)}
            for c in self.classes
        ]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(c.name for c in self.classes)

    @property
    def ids(self) -> tuple[int, ...]:
        """The permanent ids in order."""
        return tuple(c.id for c in self.classes)

    def named(self, name: str) -> LabelClass:
        """Return the class of a name; a former name works where it is unambiguous.

        Raises
        ------
        ValueError
            No class has that name; the message gives those there are.
        """
        position = find_label(name, self.names)
        if position is not None:
            return self.classes[position]
        former = [c for c in self.classes if find_label(name, c.former_names) is not None]
        if len(former) == 1:
            return former[0]
        near = difflib.get_close_matches(str(name), self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"There is no label {name!r}. The labels are {', '.join(map(repr, self.names))}.{hint}")

    def name_of(self, id_: int) -> str:
        """Return the present name of a class id."""
        return next(c.name for c in self.classes if c.id == id_)

    def positions(self) -> dict[int, int]:
        """Return the position of each class id."""
        return {c.id: position for position, c in enumerate(self.classes)}

    def add(self, name: str, key: str | None = None, definition: str = "") -> LabelSet:
        """Return the next version, with one class more at the end."""
        id_ = max(self.ids) + 1
        added = _new(id_, {"name": name, "key": key, "definition": definition}, self.classes)
        return replace(self, classes=(*self.classes, added), version=self.version + 1)

    def rename(self, old: str, new: str) -> LabelSet:
        """Return the next version, with a class of another name and the same id."""
        target = self.named(old)
        others = tuple(c for c in self.classes if c.id != target.id)
        checked = _new(target.id, {"name": new, "key": target.key, "definition": target.definition}, others)
        return self._with(replace(checked, former_names=(*target.former_names, target.name)))

    def describe(self, name: str, definition: str | None = None, key: str | None = None) -> LabelSet:
        """Return the next version, with another definition or key of a class."""
        target = self.named(name)
        others = tuple(c for c in self.classes if c.id != target.id)
        values = {
            "name": target.name,
            "key": target.key if key is None else key,
            "definition": target.definition if definition is None else definition,
        }
        return self._with(replace(_new(target.id, values, others), former_names=target.former_names))

    def _with(self, changed: LabelClass) -> LabelSet:
        classes = tuple(changed if c.id == changed.id else c for c in self.classes)
        return replace(self, classes=classes, version=self.version + 1)


def _new(id_: int, values: Mapping[str, Any], others: Sequence[LabelClass]) -> LabelClass:
    name = values.get("name")
    check_name(name)
    if not isinstance(name, str) or not label_name(name):
        raise ValueError(f"A label needs a name, got {name!r}.")
    name = label_name(name)
    if any(unicodedata.category(c) == "Cc" for c in name):
        raise ValueError(f"The label {name!r} holds control characters. Use letters, digits, spaces and punctuation.")
    if len(name) > 100:
        raise ValueError(
            f"The label {name[:20]!r}… has {len(name)} characters. Use at most 100, and a definition for more."
        )
    if any(c.name == name for c in others):
        raise ValueError(f"The label {name!r} is there twice. Each label needs a name of its own.")
    key = values.get("key") or None
    if key is not None:
        key = str(key).lower()
        if len(key) != 1 or not key.isalnum() or key in RESERVED_KEYS:
            raise ValueError(f"The key {key!r} of {name!r} cannot be used. Use one letter (not c or r) or digit.")
        if any(c.key == key for c in others):
            raise ValueError(f"The key {key!r} of {name!r} is taken by another label.")
    unknown = set(values) - {"name", "key", "definition"}
    if unknown:
        raise ValueError(
            f"The label {name!r} has the unknown setting {sorted(unknown)[0]!r}. Use name, key, definition."
        )
    return LabelClass(id_, name, key, str(values.get("definition") or ""))


@dataclass(frozen=True)
class LabelClass:
    """A class: a permanent id, and the name, shortcut key and definition it has now."""

    id: int
    name: str
    key: str | None = None
    definition: str = ""
    former_names: tuple[str, ...] = ()
