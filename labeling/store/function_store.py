"""The labeling functions of a project: kept in the ledger, run on its items, votes cached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, NOT_RUN, IntArray, to_positions
from labeling.functions.base import LabelingFunction
from labeling.functions.rules import KINDS, from_spec
from labeling.store.function_comparison import FunctionComparison, compare_votes
from labeling.store.holdout import holdout_ids
from labeling.store.items import Items
from labeling.store.label_set import LabelSet
from labeling.store.records import FunctionInfo, FunctionPreview, FunctionsReport
from labeling.store.snapshots import cached
from labeling.store.vote_cache import VoteStore, spec_fingerprint
from labeling.votes.matrix import LabelMatrix, Source
from labeling.votes.running import Faults, check_functions, run_functions
from storage.records import FunctionRecord

if TYPE_CHECKING:
    from labeling.executors import Engine
    from storage.ledger import Ledger


EXAMPLES = 20


class Functions:
    """The labeling functions of one project, with those whose code this process has."""

    def __init__(self, ledger: Ledger, items: Items) -> None:
        self._ledger = ledger
        self._items = items
        self._votes = VoteStore(ledger, items)
        self._code: dict[str, LabelingFunction] = {}

    def add(self, functions: Sequence[object], labels: LabelSet) -> FunctionsReport:
        """Keep functions; an identical one is no change, a changed one becomes a new version.

        Raises
        ------
        ValueError
            A label or column is unknown, or a name stands twice.
        """
        ready = check_functions(functions, self._names(), labels.names, self._text())
        current = {record.name: record for record in self._ledger.functions.current(inactive=True)}
        added: list[str] = []
        changed: list[str] = []
        unchanged: list[str] = []
        changes: list[dict[str, Any]] = []
        for function in ready:
            spec = stored_spec(function, labels)
            fingerprint = _fingerprint(function, spec)
            before = current.get(function.name)
            if before is not None and before.active and _same(before, function, spec, fingerprint):
                unchanged.append(function.name)
                continue
            (added if before is None or not before.active else changed).append(function.name)
            changes.append(
                {
                    "name": function.name,
                    "active": True,
                    "kind": function.kind,
                    "expert": function.expert,
                    "fingerprint": fingerprint,
                    "spec": spec,
                }
            )
        if changes:
            self._ledger.functions.add_versions(changes)
        self._code |= {function.name: function for function in ready if function.kind not in KINDS}
        return FunctionsReport(tuple(added), tuple(changed), tuple(unchanged))

    def remove(self, name: str) -> None:
        """Retire a function: its versions and votes stay on record, it votes no more.

        Raises
        ------
        ValueError
            There is no such function.
        """
        record = next((r for r in self._ledger.functions.current() if r.name == name), None)
        if record is None:
            known = ", ".join(repr(r.name) for r in self._ledger.functions.current()) or "none yet"
            raise ValueError(f"There is no labeling function {name!r}. There are: {known}.")
        change = {"name": name, "active": False, "kind": record.kind, "expert": record.expert}
        self._ledger.functions.add_versions([change | {"fingerprint": record.fingerprint, "spec": dict(record.spec)}])

    def infos(self, labels: LabelSet) -> list[FunctionInfo]:
        """Return the functions in the order they were first added."""
        return [
            FunctionInfo(
                name=record.name,
                expert=record.expert,
                kind=record.kind,
                label=None if (label := record.spec.get("label_id")) is None else labels.name_of(label),
                version=record.version,
                spec={key: value for key, value in record.spec.items() if key != "label_id"},
                loaded=self._runnable(record, labels) is not None,
                created_at=record.created_at,
                paused=_paused(record, labels),
            )
            for record in self._ledger.functions.current()
        ]

    def voting(self, labels: LabelSet) -> list[FunctionRecord]:
        """Return the functions that vote: those whose class is still one."""
        return [record for record in self._ledger.functions.current() if not _paused(record, labels)]

    def matrix(
        self, labels: LabelSet, progress: bool = False, but: str | None = None, executor: Engine = None
    ) -> LabelMatrix:
        """Return what every function votes on every item; `but` leaves one function out.

        Votes that nobody has asked for yet are computed where the executor runs.
        """
        records = self.voting(labels)
        held = holdout_ids(self._ledger)
        key = (self._items.version, labels.version, tuple(record.version_id for record in records), hash(held))
        matrix = cached(self._items.project, "matrix", key, lambda: self._matrix(records, labels, progress, executor))
        if not all(source.loaded for source in matrix.sources) or any(record.fingerprint is None for record in records):
            matrix = self._matrix(records, labels, progress, executor)
        if but is None:
            return matrix
        kept = [j for j, source in enumerate(matrix.sources) if source.name != but]
        return replace(matrix, values=matrix.values[:, kept], sources=tuple(matrix.sources[j] for j in kept))

    def _matrix(
        self, records: Sequence[FunctionRecord], labels: LabelSet, progress: bool, executor: Engine = None
    ) -> LabelMatrix:
        ids = self._items.ids()
        wanted = [(record, self._runnable(record, labels)) for record in records]
        columns = self._votes.columns(wanted, ids, labels, self._text() or "text", progress, executor)
        positions = labels.positions()
        dtype = np.int8 if len(labels.classes) <= 127 else np.int16
        values = np.full((len(ids), len(records)), NO_VOTE, dtype=dtype, order="F")
        sources = []
        for j, (record, column) in enumerate(zip(records, columns, strict=True)):
            voted = column.dense[ids]
            values[:, j] = np.maximum(to_positions(voted, positions), NO_VOTE)
            missing = int((voted == NOT_RUN).sum())
            first = column.fault()
            faults = None
            if first is not None:
                faults = Faults(first["count"], int(np.searchsorted(ids, first["first_item"])), first["error"])
            about = (record.name, record.expert, record.kind, record.version)
            sources.append(Source(*about, faults=faults, seconds=column.seconds, loaded=missing == 0))
        return LabelMatrix(values, labels.names, tuple(sources), ids, self.development_gold(labels, ids))

    def loaded(self, labels: LabelSet) -> tuple[list[LabelingFunction], list[str]]:
        """Return the functions that this process can run, and the names of those whose code it lacks."""
        records = self.voting(labels)
        found = [(record.name, self._runnable(record, labels)) for record in records]
        return [f for _, f in found if f is not None], [name for name, f in found if f is None]

    def matrix_of(self, versions: Sequence[str], labels: LabelSet) -> LabelMatrix:
        """Return the votes of function versions, retired and superseded ones too."""
        return self._matrix([self._version(version) for version in versions], labels, progress=False)

    def _version(self, text: str) -> FunctionRecord:
        """Return the record of "name" (its newest version) or "name@version"."""
        records = self._ledger.functions.versions(text)
        name, _, number = text.rpartition("@")
        if not records and name and number.isdigit():
            records = [r for r in self._ledger.functions.versions(name) if r.version == int(number)]
        if not records:
            known = ", ".join(repr(r.name) for r in self._ledger.functions.current(inactive=True)) or "none yet"
            raise ValueError(f"There is no labeling function {text!r}. There are: {known}.")
        return records[-1]

    def compare(self, old: object, new: object, labels: LabelSet) -> FunctionComparison:
        """Return what changes from one function to another; see `Project.compare_functions`."""
        frame = self._items.frame()
        gold = self.development_gold(labels, frame["item_id"].to_numpy())
        return compare_votes(self._column(old, labels), self._column(new, labels), gold, frame, labels.names)

    def _column(self, function: object, labels: LabelSet) -> IntArray:
        """Return what one function votes on every item, as positions."""
        if isinstance(function, str):
            return self.matrix_of([function], labels).values[:, 0].astype(np.int64)
        ready = check_functions([function], self._names(), labels.names, self._text())
        votes = run_functions(ready, self._items.frame(), labels.names, text=self._text() or "text")
        return votes.values[:, 0].astype(np.int64)

    def preview(self, function: object, labels: LabelSet) -> FunctionPreview:
        """Return what a function would match, without keeping it."""
        (ready,) = check_functions([function], self._names(), labels.names, self._text())
        frame = self._items.frame()
        votes = run_functions([ready], frame, labels.names, text=self._text() or "text")
        own = votes.values[:, 0]
        others = self.matrix(labels, but=ready.name).values
        matched = own != NO_VOTE
        n = max(frame.height, 1)
        other_voted = others != NO_VOTE
        overlaps = matched & other_voted.any(axis=1)
        conflicts = matched & (other_voted & (others != own[:, None])).any(axis=1)
        gold = self.development_gold(labels, frame["item_id"].to_numpy())
        judged = matched & (gold != NO_VOTE)
        fault = votes.faults[0]
        rows = np.flatnonzero(matched)[:EXAMPLES]
        names = pl.Series([*labels.names, None], dtype=pl.String())
        examples = frame[rows].with_columns(
            vote=names.gather(own[rows].astype(np.int64) % len(names)),
            gold=names.gather(gold[rows] % len(names)),
            conflict=pl.Series(conflicts[rows]),
        )
        return FunctionPreview(
            matches=int(matched.sum()),
            coverage=float(matched.sum() / n),
            overlaps=float(overlaps.sum() / n),
            conflicts=float(conflicts.sum() / n),
            accuracy=float((own[judged] == gold[judged]).mean()) if judged.any() else None,
            gold_matches=int(judged.sum()),
            faults=fault.count if fault else 0,
            first_fault=None if fault is None else f"item {frame['item_id'][fault.first_row]}: {fault.error}",
            examples=examples,
        )

    def development_gold(self, labels: LabelSet, item_ids: IntArray) -> IntArray:
        """Return the position of each item's known truth, -1 where unknown or held out."""
        held = holdout_ids(self._ledger)
        gold = self._items.gold(item_ids)
        gold[np.isin(item_ids, np.fromiter(held, dtype=np.int64, count=len(held)))] = NO_VOTE
        return to_positions(gold, labels.positions())

    def _names(self) -> list[str]:
        columns = self._items.columns()
        hidden = [name for name, role in columns.roles.items() if role in ("private", "image")]
        return [name for name in columns.dtypes if name not in hidden]

    def _text(self) -> str | None:
        return self._items.columns().named("text")

    def _runnable(self, record: FunctionRecord, labels: LabelSet) -> LabelingFunction | None:
        """Return the function of a record if this process can run it, and its class is still one."""
        if _paused(record, labels):
            return None
        if record.kind in KINDS:
            spec = {key: value for key, value in record.spec.items() if key != "label_id"}
            return from_spec(spec | {"label": labels.name_of(record.spec["label_id"])})
        code = self._code.get(record.name)
        if code is None:
            return None
        spec = stored_spec(code, labels)
        return code if _same(record, code, spec, _fingerprint(code, spec)) else None


def _paused(record: FunctionRecord, labels: LabelSet) -> bool:
    label = record.spec.get("label_id")
    return label is not None and labels.current(label) is None


def stored_spec(function: LabelingFunction, labels: LabelSet) -> dict[str, Any]:
    """Return a function's spec as the ledger keeps it: with the class id in place of its name."""
    spec = json.loads(json.dumps(function.spec))
    if isinstance(spec.get("label"), str):
        spec["label_id"] = labels.named(spec.pop("label")).id
    return dict(spec)


def _fingerprint(function: LabelingFunction, spec: dict[str, Any]) -> str | None:
    if function.kind not in KINDS:
        return function.fingerprint
    return spec_fingerprint(spec)


def _same(record: FunctionRecord, function: LabelingFunction, spec: dict[str, Any], fingerprint: str | None) -> bool:
    if record.kind != function.kind or record.expert != function.expert:
        return False
    return record.fingerprint == fingerprint if fingerprint is not None else record.spec == spec
