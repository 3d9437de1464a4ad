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

ACTIVE, MERGED, SPLIT, RETIRED = "active", "merged", "split", "retired"


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
    former: tuple[LabelClass, ...] = ()
    """Classes that are none any more, with what became of them; their ids are never given again."""

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
        known = [_loaded(c) for c in classes]
        active = tuple(c for c in known if c.state == ACTIVE)
        return cls(active, version, tuple(c for c in known if c.state != ACTIVE))

    def dump(self) -> list[dict[str, Any]]:
        """Return the classes as the ledger stores them."""
        return [_dumped(c) for c in (*self.classes, *self.former)]

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
        gone = next((c for c in self.former if find_label(name, (c.name, *c.former_names)) is not None), None)
        if gone is not None and (now := self.current(gone.id)) is not None:
            return next(c for c in self.classes if c.id == now)
        there = f"The labels are {', '.join(map(repr, self.names))}."
        if gone is not None:
            into = " into " + ", ".join(map(repr, self.names_of(gone.became))) if gone.became else ""
            raise ValueError(f"The label {name!r} was {gone.state}{into} and is none any more. {there}")
        near = difflib.get_close_matches(str(name), self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"There is no label {name!r}. {there}{hint}")

    def name_of(self, id_: int) -> str:
        """Return the present name of a class id; that of a class that was split or retired as it was last."""
        now = self.current(id_)
        return self._any(id_ if now is None else now).name

    def current(self, id_: int) -> int | None:
        """Return the id of the class that a class is now: its own, or what it was merged into; None if there is none.

        Examples
        --------
        >>> labels = LabelSet.of(["ok", "insult", "threat"]).merge(["insult", "threat"], "insult")
        >>> labels.current(2), labels.split("insult", ["slur", "mockery"]).current(2)
        (1, None)
        """
        found = self._any(id_)
        while found.state == MERGED:
            found = self._any(found.became[0])
        return found.id if found.state == ACTIVE else None

    def names_of(self, ids: Iterable[int]) -> tuple[str, ...]:
        """Return the names of classes by their ids, whether they are in use or not."""
        return tuple(self._any(id_).name for id_ in ids)

    def _any(self, id_: int) -> LabelClass:
        return next(c for c in (*self.classes, *self.former) if c.id == id_)

    def positions(self) -> dict[int, int]:
        """Return the position of each class id; that of a class merged into another is that of the other."""
        own = {c.id: position for position, c in enumerate(self.classes)}
        merged = {c.id: own[now] for c in self.former if (now := self.current(c.id)) is not None}
        return own | merged

    def names_by_id(self) -> dict[int, str]:
        """Return the present name of each class id, of merged classes too."""
        return {id_: self.names[position] for id_, position in self.positions().items()}

    def add(self, name: str, key: str | None = None, definition: str = "") -> LabelSet:
        """Return the next version, with one class more at the end."""
        added = _new(self._next_id(), {"name": name, "key": key, "definition": definition}, self.classes, self.former)
        return replace(self, classes=(*self.classes, added), version=self.version + 1)

    def merge(self, names: Iterable[str], into: str) -> LabelSet:
        """Return the next version, in which several classes are one: one of them, another, or a new one.

        Raises
        ------
        ValueError
            A name is no label, there are not two to merge, or fewer than two labels would be left.
        """
        check_listed(names)
        merged = {self.named(name).id for name in names}
        target = next((c for c in self.classes if c.name == label_name(str(into))), None)
        others = tuple(c for c in self.classes if c.id not in merged)
        if target is None:
            target = _new(self._next_id(), {"name": into}, others, self.former)
        if len(merged | {target.id}) < 2 or not merged:
            raise ValueError(f"Merging takes at least two labels, got {into!r} alone.")
        left = list(others)
        if target.id not in {c.id for c in others}:
            left.insert(min(self.ids.index(id_) for id_ in merged), target)
        gone = (replace(c, state=MERGED, became=(target.id,)) for c in self.classes if c.id in merged - {target.id})
        return self._next(tuple(left), tuple(gone))

    def split(self, name: str, into: Iterable[str | Mapping[str, Any]]) -> LabelSet:
        """Return the next version, with new classes in the place of one; what was said of that one says nothing now.

        Raises
        ------
        ValueError
            There is no such label, or there are not two new ones with names of their own.
        """
        check_listed(into)
        target = self.named(name)
        place = self.ids.index(target.id)
        others = tuple(c for c in self.classes if c.id != target.id)
        parts: tuple[LabelClass, ...] = ()
        gone = (replace(target, state=SPLIT), *self.former)
        for number, part in enumerate(into):
            values: Mapping[str, Any] = part if isinstance(part, Mapping) else {"name": part}
            parts += (_new(self._next_id() + number, values, (*others, *parts), gone),)
        if len(parts) < 2:
            raise ValueError(f"A label is split into at least two, got {[c.name for c in parts]!r}.")
        left = (*self.classes[:place], *parts, *self.classes[place + 1 :])
        return self._next(left, (replace(target, state=SPLIT, became=tuple(c.id for c in parts)),))

    def retire(self, name: str) -> LabelSet:
        """Return the next version, without a class; what was said of it stays on record and names no class.

        Raises
        ------
        ValueError
            There is no such label, or fewer than two would be left.
        """
        target = self.named(name)
        return self._next(tuple(c for c in self.classes if c.id != target.id), (replace(target, state=RETIRED),))

    def _next_id(self) -> int:
        return max(c.id for c in (*self.classes, *self.former)) + 1

    def _next(self, classes: tuple[LabelClass, ...], gone: tuple[LabelClass, ...]) -> LabelSet:
        if len(classes) < 2:
            raise ValueError(f"A project needs at least two labels; only {classes[0].name!r} would be left.")
        return LabelSet(classes, self.version + 1, (*self.former, *gone))

    def rename(self, old: str, new: str) -> LabelSet:
        """Return the next version, with a class of another name and the same id."""
        target = self.named(old)
        others = tuple(c for c in self.classes if c.id != target.id)
        values = {"name": new, "key": target.key, "definition": target.definition}
        checked = _new(target.id, values, others, self.former)
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


def _loaded(stored: Mapping[str, Any]) -> LabelClass:
    lists = {name: tuple(stored.get(name, ())) for name in ("former_names", "became")}
    return LabelClass(**{**stored, **lists})


def _dumped(label: LabelClass) -> dict[str, Any]:
    """A class as the ledger stores it; what says that it is in use is left out, as in databases of old."""
    kept = {"id": label.id, "name": label.name, "key": label.key, "definition": label.definition}
    kept["former_names"] = list(label.former_names)
    return kept if label.state == ACTIVE else kept | {"state": label.state, "became": list(label.became)}


def _new(
    id_: int, values: Mapping[str, Any], others: Sequence[LabelClass], gone: Sequence[LabelClass] = ()
) -> LabelClass:
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
    for c in gone:
        if c.state != MERGED and c.name == name:
            raise ValueError(
                f"The label {name!r} was {c.state}; its name is not given again, since an answer sent before would "
                "mean another class. Choose another name."
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
    """A class: a permanent id, and the name, shortcut key and definition it has now.

    `state` says whether it is in use ("active"), or was "merged", "split" or "retired"; `became` has the ids of the
    classes that it was merged or split into.
    """

    id: int
    name: str
    key: str | None = None
    definition: str = ""
    former_names: tuple[str, ...] = ()
    state: str = ACTIVE
    became: tuple[int, ...] = ()
