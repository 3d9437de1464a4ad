"""The labeling functions of a project: kept in the ledger, run on its items, votes cached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.blocks import BLOCK, NO_LABEL, NOT_RUN, pack, to_positions, unpack
from labeling.function_base import LabelingFunction
from labeling.items import Items
from labeling.label_set import LabelSet
from labeling.matrix import LabelMatrix, Source
from labeling.records import FunctionInfo, FunctionPreview, FunctionsReport
from labeling.running import Faults, check_functions, run_functions
from storage.records import FunctionRecord, VoteBlock

if TYPE_CHECKING:
    from storage.ledger import Ledger

IntArray = npt.NDArray[np.int64]

DATA_KINDS = ("keyword", "regex", "comparison")
"""Kinds that the ledger keeps whole, so that any process can run them."""

EXAMPLES = 20


class Functions:
    """The labeling functions of one project, with those whose code this process has."""

    def __init__(self, ledger: Ledger, items: Items) -> None:
        self._ledger = ledger
        self._items = items
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
        self._code |= {function.name: function for function in ready if function.kind not in DATA_KINDS}
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
            )
            for record in self._ledger.functions.current()
        ]

    def matrix(self, labels: LabelSet, progress: bool = False, but: str | None = None) -> LabelMatrix:
        """Return what every function votes on every item; `but` leaves one function out."""
        records = self._ledger.functions.current()
        held = holdout_ids(self._ledger)
        key = (self._items.version, labels.version, tuple(record.version_id for record in records), hash(held))
        matrix: LabelMatrix = self._items.cached("matrix", key, lambda: self._matrix(records, labels, progress))
        if not all(source.loaded for source in matrix.sources) or any(record.fingerprint is None for record in records):
            matrix = self._matrix(records, labels, progress)
        if but is None:
            return matrix
        kept = [j for j, source in enumerate(matrix.sources) if source.name != but]
        return replace(matrix, values=matrix.values[:, kept], sources=tuple(matrix.sources[j] for j in kept))

    def _matrix(self, records: Sequence[FunctionRecord], labels: LabelSet, progress: bool) -> LabelMatrix:
        frame = self._items.frame()
        columns = self._columns(records, frame, labels, progress)
        positions = labels.positions()
        dtype = np.int8 if len(labels.classes) <= 127 else np.int16
        values = np.full((frame.height, len(records)), NO_LABEL, dtype=dtype, order="F")
        sources = []
        ids = frame["item_id"].to_numpy()
        for j, (record, column) in enumerate(zip(records, columns, strict=True)):
            values[:, j] = np.maximum(to_positions(column.ids, positions), NO_LABEL)
            missing = int((column.ids == NOT_RUN).sum())
            first = column.faults
            faults = first and Faults(first["count"], int(np.searchsorted(ids, first["first_item"])), first["error"])
            about = (record.name, record.expert, record.kind, record.version)
            sources.append(Source(*about, faults=faults, seconds=column.seconds, loaded=missing == 0))
        return LabelMatrix(values, labels.names, tuple(sources), ids, self.development_gold(labels, ids))

    def preview(self, function: object, labels: LabelSet) -> FunctionPreview:
        """Return what a function would match, without keeping it."""
        (ready,) = check_functions([function], self._names(), labels.names, self._text())
        frame = self._items.frame()
        votes = run_functions([ready], frame, labels.names, text=self._text() or "text")
        own = votes.values[:, 0]
        others = self.matrix(labels, but=ready.name).values
        matched = own != NO_LABEL
        n = max(frame.height, 1)
        other_voted = others != NO_LABEL
        overlaps = matched & other_voted.any(axis=1)
        conflicts = matched & (other_voted & (others != own[:, None])).any(axis=1)
        gold = self.development_gold(labels, frame["item_id"].to_numpy())
        judged = matched & (gold != NO_LABEL)
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
        known = self._ledger.items.gold()
        held = holdout_ids(self._ledger)
        gold = {item: label for item, label in known if item not in held}
        ids = np.fromiter((gold.get(int(item), NO_LABEL) for item in item_ids), dtype=np.int64, count=len(item_ids))
        return to_positions(ids, labels.positions())

    def _names(self) -> list[str]:
        columns = self._items.columns()
        hidden = [name for name, role in columns.roles.items() if role in ("private", "image")]
        return [name for name in columns.dtypes if name not in hidden]

    def _text(self) -> str | None:
        return self._items.columns().named("text")

    def _runnable(self, record: FunctionRecord, labels: LabelSet) -> LabelingFunction | None:
        """Return the function of a record if this process can run it."""
        if record.kind in DATA_KINDS:
            spec = {key: value for key, value in record.spec.items() if key != "label_id"}
            return LabelingFunction.from_spec(spec | {"label": labels.name_of(record.spec["label_id"])})
        code = self._code.get(record.name)
        if code is None:
            return None
        spec = stored_spec(code, labels)
        return code if _same(record, code, spec, _fingerprint(code, spec)) else None

    def _columns(
        self, records: Sequence[FunctionRecord], frame: pl.DataFrame, labels: LabelSet, progress: bool
    ) -> list[_Column]:
        """Return the votes of every record, running only what is not known yet."""
        cache: dict[int, _Column] = self._items.cached("votes", self._items.version, dict)
        ids = np.array(labels.ids, dtype=np.int64)
        by_data = [record for record in records if record.kind in DATA_KINDS and record.version_id not in cache]
        runnable = [function for record in by_data if (function := self._runnable(record, labels)) is not None]
        if runnable:
            votes = run_functions(runnable, frame, labels.names, text=self._text() or "text", progress=progress)
            for j, record in enumerate(by_data):
                cache[record.version_id] = _Column(_to_ids(votes.values[:, j], ids), None, votes.seconds[j])
        columns = []
        for record in records:
            column = cache.get(record.version_id)
            if column is None:
                column = self._code_column(record, frame, labels, progress)
                if record.fingerprint is not None and not (column.ids == NOT_RUN).any():
                    cache[record.version_id] = column
            columns.append(column)
        return columns

    def _code_column(self, record: FunctionRecord, frame: pl.DataFrame, labels: LabelSet, progress: bool) -> _Column:
        """Return the votes of a function that is code: from the ledger, the rest by running it here."""
        item_ids = frame["item_id"].to_numpy()
        stored = self._ledger.functions.votes(record.version_id) if record.fingerprint is not None else []
        ids = np.full(len(item_ids), NOT_RUN, dtype=np.int16)
        for block in stored:
            dense = unpack(block.votes, "<i2")
            inside = np.flatnonzero((item_ids // BLOCK == block.block) & (item_ids <= block.through))
            ids[inside] = dense[item_ids[inside] % BLOCK]
        faults = [block.faults for block in stored if block.faults]
        seconds = sum(block.seconds for block in stored)
        function = self._runnable(record, labels)
        todo = np.flatnonzero(ids == NOT_RUN)
        if function is not None and len(todo):
            part = frame[todo]
            votes = run_functions([function], part, labels.names, text=self._text() or "text", progress=progress)
            ids[todo] = _to_ids(votes.values[:, 0], np.array(labels.ids, dtype=np.int64))
            fault = votes.faults[0]
            if fault is not None:
                first = int(item_ids[todo[fault.first_row]])
                faults.append({"count": fault.count, "first_item": first, "error": fault.error})
            seconds += votes.seconds[0]
            if record.fingerprint is not None:
                self._ledger.functions.add_votes(
                    _blocks(record.version_id, item_ids, ids, todo, faults[-1] if fault else {}, votes.seconds[0])
                )
        return _Column(ids, _all_faults(faults), seconds)


class _Column:
    """The votes of one function on every item, as class ids."""

    def __init__(self, ids: npt.NDArray[np.int16], faults: Any, seconds: float) -> None:
        self.ids = ids
        self.faults = faults
        self.seconds = seconds


def stored_spec(function: LabelingFunction, labels: LabelSet) -> dict[str, Any]:
    """Return a function's spec as the ledger keeps it: with the class id in place of its name."""
    spec = json.loads(json.dumps(function.spec))
    if isinstance(spec.get("label"), str):
        spec["label_id"] = labels.named(spec.pop("label")).id
    return dict(spec)


def _fingerprint(function: LabelingFunction, spec: dict[str, Any]) -> str | None:
    if function.kind not in DATA_KINDS:
        return function.fingerprint
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def _same(record: FunctionRecord, function: LabelingFunction, spec: dict[str, Any], fingerprint: str | None) -> bool:
    if record.kind != function.kind or record.expert != function.expert:
        return False
    return record.fingerprint == fingerprint if fingerprint is not None else record.spec == spec


def _to_ids(positions: npt.NDArray[Any], ids: IntArray) -> npt.NDArray[np.int16]:
    return np.where(positions < 0, positions, ids[np.maximum(positions, 0)]).astype(np.int16)


def _blocks(
    version_id: int,
    item_ids: IntArray,
    ids: npt.NDArray[np.int16],
    ran: IntArray,
    faults: Mapping[str, Any],
    seconds: float,
) -> list[VoteBlock]:
    """Return one whole block for each that `ran` touched; an older, shorter one of it is superseded."""
    blocks = []
    touched = np.unique(item_ids[ran] // BLOCK)
    for number in touched.tolist():
        inside = item_ids // BLOCK == number
        dense = np.full(BLOCK, NOT_RUN, dtype=np.int16)
        dense[item_ids[inside] % BLOCK] = ids[inside]
        # What a run cost and where it failed is told once, with its first block.
        first = number == touched[0]
        blocks.append(
            VoteBlock(
                version_id,
                int(number),
                int(item_ids[inside].max()),
                pack(dense, "<i2"),
                faults if first else {},
                seconds / len(touched),
            )
        )
    return blocks


def _all_faults(parts: Sequence[Any]) -> Any:
    if not parts:
        return None
    return {
        "count": sum(part["count"] for part in parts),
        "first_item": parts[0]["first_item"],
        "error": parts[0]["error"],
    }


def holdout_ids(ledger: Ledger) -> frozenset[int]:
    """Return the items that score classifiers and are never asked."""
    record = ledger.items.holdout()
    return frozenset() if record is None else frozenset(unpack(record.item_ids, "<i8").tolist())
