"""The items of a project as frames: what the ledger holds, made columnar once and kept until it changes."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arrays import BLOCK, IntArray
from labeling.formats.columns.types import parse_dtype
from labeling.formats.columns.values import EXACT, texts_of
from labeling.store.on_disk.item_snapshot import ItemSnapshot, Stored
from labeling.store.snapshots import cached, snapshots, tallies
from storage import ContentCache, StorageError, cache_file, cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from storage.ledger import Ledger
    from storage.records import ImportRecord


KNOWN = np.dtype([("item", "<i8"), ("label", "<i8")])


@dataclass(frozen=True)
class Columns:
    """The columns of a project over all its imports: their types and roles.

    Roles are text, id, group, image, private and data; the first import decides
    what the text, id, group and image columns are called. `large` are the columns with whole numbers that
    decimals cannot tell apart.
    """

    dtypes: Mapping[str, pl.DataType]
    roles: Mapping[str, str]
    large: frozenset[str] = frozenset()

    @classmethod
    def of(cls, imports: Sequence[ImportRecord]) -> Columns:
        """Merge the columns of imports; types that differ become their common supertype, or text to stay exact."""
        dtypes: dict[str, pl.DataType] = {}
        roles: dict[str, str] = {}
        large: set[str] = set()
        for record in imports:
            for column in record.columns if record.in_use else ():
                name, dtype = column["name"], parse_dtype(column["dtype"])
                if column.get("large"):
                    large.add(name)
                dtypes[name] = dtype if name not in dtypes else supertype(dtypes[name], dtype)
                roles.setdefault(name, column["role"])
        for name in large:
            dtypes[name] = exact_type(dtypes[name], large=True)
        return cls(dtypes, roles, frozenset(large))

    def named(self, role: str) -> str | None:
        """Return the column that has a role, None if there is none."""
        return next((name for name, r in self.roles.items() if r == role), None)

    def private(self) -> list[str]:
        """Return the names of the private columns."""
        return [name for name, role in self.roles.items() if role == "private"]


def supertype(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """Return the narrowest type that holds the values of both; text where there is none else."""
    if a == b:
        return a
    frames = [pl.DataFrame(schema={"x": a}), pl.DataFrame(schema={"x": b})]
    try:
        return pl.concat(frames, how="vertical_relaxed").schema["x"]
    except pl.exceptions.PolarsError:
        return pl.String()


def is_large(value: Any) -> bool:
    """Whether a value is, or a list holds, a whole number that decimals cannot tell from its neighbours."""
    if type(value) is list:
        return any(map(is_large, value))
    return type(value) is int and abs(value) > EXACT


def exact_type(dtype: pl.DataType, *, large: bool) -> pl.DataType:
    """Return text in place of decimals where a column has whole numbers too large for these."""
    inexact = dtype == pl.Float64 or dtype == pl.List(pl.Float64)
    return pl.String() if large and inexact else dtype


def becomes_text(known: Columns, name: str, dtype: pl.DataType, *, large: bool) -> bool:
    """Whether a column of numbers turns to text, to stay exact, by what another import brings."""
    if name not in known.dtypes or known.dtypes[name] == pl.String:
        return False
    joined = supertype(known.dtypes[name], dtype)
    return joined != exact_type(joined, large=large or name in known.large)


_FRAME, _MAPPED = "items", "mapped items"

LARGE = 20_000
"""Items from which on a snapshot on disk is worth it, and of which some are added to it."""


def known_truths(ledger: Ledger) -> tuple[IntArray, IntArray]:
    """Return the items (g,) whose truth is known, ascending, and the class id of each (g,), as the ledger has them."""
    known = np.fromiter(ledger.items.gold(), dtype=KNOWN)
    return np.ascontiguousarray(known["item"]), np.ascontiguousarray(known["label"])


def in_columns(rows: Iterable[tuple[Any, ...]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return rows as a frame, made a block at a time: a million tuples take more room than what they hold.

    Examples
    --------
    >>> in_columns(((n, n * n) for n in range(3)), {"n": pl.Int64(), "square": pl.Int64()})["square"].to_list()
    [0, 1, 4]
    """
    left, parts = iter(rows), [pl.DataFrame(schema=schema)]
    while block := list(itertools.islice(left, BLOCK)):
        parts.append(pl.DataFrame(block, schema=schema, orient="row"))
    return pl.concat(parts)


class Items:
    """The visible items of one project, read through snapshots in this process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.project = ledger.place
        uuid = ledger.project.uuid
        self.snapshot = ItemSnapshot(cache_folder(ledger.full_url, f"items-{uuid}"), uuid)

    @property
    def version(self) -> int:
        """The number of the newest write that changed the items."""
        return self._ledger.items.version()

    def cache_file(self, name: str) -> Path:
        """Return a file for what is costly to compute of items: beside the database."""
        return cache_file(self._ledger.full_url, name)

    def columns(self) -> Columns:
        """Return the columns over all imports."""
        return self._imports()[1]

    def _imports(self) -> tuple[dict[int, ImportRecord], Columns]:
        """Return the imports by id, and the columns over all of them; new records of streams change neither."""

        def read() -> tuple[dict[int, ImportRecord], Columns]:
            records = self._ledger.imports.all()
            return {record.id: record for record in records}, Columns.of(records)

        return cached(self.project, "imports", self._ledger.items.changed(), read)

    def counts(self) -> tuple[int, int]:
        """Return how many items are visible, and how many of them have gold."""
        return cached(self.project, "counts", self.version, self._ledger.items.counts, tallies)

    def frame(self, private: bool = False) -> pl.DataFrame:
        """Return every item: item_id, then the columns; images and private columns only where asked for.

        Private columns are read anew each time and never kept.
        """
        if private:
            return self._read(None, private=True)
        return cached(self.project, _FRAME, self.version, self._all)

    def ids(self) -> IntArray:
        """Return the ids of all items (n,), ascending, without reading what they hold."""
        return cached(self.project, "ids", self.version, lambda: np.fromiter(self._ledger.items.ids(), dtype=np.int64))

    def part(self, item_ids: IntArray) -> pl.DataFrame:
        """Return some items in item order: of the frame where it is at hand or they are many, else from the ledger."""
        version = self.version
        kept: pl.DataFrame | None = snapshots.get((self.project, _FRAME, version))
        if kept is None and len(item_ids) <= BLOCK:
            return self.some(item_ids.tolist())
        frame = self.frame() if kept is None else kept
        if len(item_ids) == frame.height:
            return frame
        return frame.filter(pl.Series(np.isin(frame["item_id"].to_numpy(), item_ids, assume_unique=True)))

    def gold(self, item_ids: IntArray) -> IntArray:
        """Return the class id of each item's known truth, -1 where it is unknown."""
        items, labels = self.known()
        if not len(items):
            return np.full(len(item_ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(items, item_ids), len(items) - 1)
        return np.where(items[place] == item_ids, labels[place], -1)

    def known(self) -> tuple[IntArray, IntArray]:
        """Return the items (g,) whose truth is known, ascending, and the class id of each (g,)."""
        return cached(self.project, "gold", self.version, lambda: known_truths(self._ledger))

    def some(self, item_ids: Sequence[int], private: bool = False, image: bool = False) -> pl.DataFrame:
        """Return some items in item order, straight from the ledger."""
        return self._read(item_ids, private=private, image=image)

    def images(self, item_ids: Sequence[int] | None = None) -> dict[int, bytes]:
        """Return the images of items that have one."""
        facts = self._ledger.items
        blocks = facts.blocks(image=True) if item_ids is None else [facts.rows(item_ids, image=True)]
        return {row[0]: row[6] for rows in blocks for row in rows if row[6] is not None}

    def forget(self) -> None:
        """Delete what was made of items beside the ledger, on disk and in this process."""
        for kept in (_FRAME, _MAPPED):
            snapshots.drop(self.project, kept)
        self.snapshot.remove()
        ContentCache(self.cache_file("embeddings")).clear()

    def _all(self) -> pl.DataFrame:
        """Return every item: mapped from the snapshot where they are many, which is made or extended first."""
        if self.counts()[0] < LARGE:
            return self._read(None)
        facts, schema = self._ledger.items, self._schema()
        newest = facts.marks.newest()
        stored = self._stored(schema)
        if stored is not None and stored.newest == newest:
            return stored.frame
        names = zlib.crc32(repr(sorted(facts.other_names().items())).encode())
        added = None if stored is None or stored.names != str(names) else self._added(stored)
        if stored is not None and added is not None and len(added) < max(LARGE, len(stored.frame) // 10):
            return pl.concat([stored.frame, self._read(added.tolist())], rechunk=False)
        if stored is None or added is None:
            kept = self.snapshot.write(newest, str(names), schema, self._blocks(None))
        else:
            blocks = (added[start : start + BLOCK] for start in range(0, len(added), BLOCK))
            frames = (self._read(block.tolist()) for block in blocks)
            kept = self.snapshot.write(newest, str(names), schema, frames, stored.parts)
        if kept and facts.marks.newest() != newest:
            # It may hold what was erased meanwhile.
            self.snapshot.remove()
            kept = False
        stored = self._stored(schema) if kept else None
        return stored.frame if stored is not None and stored.newest == newest else self._read(None)

    def _stored(self, schema: Mapping[str, pl.DataType]) -> Stored | None:
        """Return the snapshot, None where there is none that holds; checked once in a process."""
        version = (self.snapshot.mark(), tuple(schema.items()))
        return cached(self.project, _MAPPED, version, lambda: self.snapshot.read(schema))

    def _added(self, stored: Stored) -> IntArray | None:
        """Return the items that came after those of a snapshot; None where these are no longer what it holds."""
        ids, rows = self.ids(), len(stored.frame)
        if not self._ledger.items.marks.only_added(stored.newest):
            return None
        return ids[rows:] if np.array_equal(ids[:rows], stored.frame["item_id"].to_numpy()) else None

    def _schema(self, private: bool = False, image: bool = False) -> dict[str, pl.DataType]:
        """Return the columns of a frame: item_id, then those that are wanted."""
        columns = self.columns()
        wanted = [
            name
            for name, role in columns.roles.items()
            if (role != "private" or private) and (role != "image" or image)
        ]
        return {"item_id": pl.Int64()} | {name: columns.dtypes[name] for name in wanted}

    def _read(self, item_ids: Sequence[int] | None, private: bool = False, image: bool = False) -> pl.DataFrame:
        empty = pl.DataFrame(schema=self._schema(private, image))
        return pl.concat([empty, *self._blocks(item_ids, private, image)], rechunk=True)

    def _blocks(
        self, item_ids: Sequence[int] | None, private: bool = False, image: bool = False
    ) -> Iterator[pl.DataFrame]:
        """Yield all items, or some, in item order, a block at a time."""
        imports, columns = self._imports()
        empty = pl.DataFrame(schema=self._schema(private, image))
        facts = self._ledger.items
        blocks = facts.blocks(private, image) if item_ids is None else [facts.rows(item_ids, private, image)]
        for rows in blocks:
            by_import: dict[int, list[tuple[Any, ...]]] = {}
            for row in rows:
                if row[5] is not None:
                    by_import.setdefault(row[2], []).append(row)
            parts = [
                _decode(imports[import_id], part, columns, private=private, image=image)
                for import_id, part in by_import.items()
            ]
            yield pl.concat([empty, *parts], how="diagonal_relaxed").sort("item_id").select(empty.columns)


def _records(stored: Mapping[int, str | None], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Turn records stored as JSON into columns; of one that is none any more the item is named, and nothing said."""
    try:
        return _json(stored.values(), schema)
    except pl.exceptions.PolarsError:
        damaged = [item for item, text in stored.items() if not _is_json(text, schema)]
        raise StorageError(
            f"What is stored of item {', '.join(map(str, damaged[:10]))}{' and more' if len(damaged) > 10 else ''} is "
            "damaged and cannot be read. Use a backup of the database."
        ) from None


def _json(texts: Iterable[str | None], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.Series(list(texts), dtype=pl.String()).str.json_decode(pl.Struct(schema)).struct.unnest()


def _is_json(text: str | None, schema: Mapping[str, pl.DataType]) -> bool:
    try:
        _json([text], schema)
    except pl.exceptions.PolarsError:
        return False
    return True


def _decode(
    record: ImportRecord, rows: list[tuple[Any, ...]], columns: Columns, *, private: bool, image: bool
) -> pl.DataFrame:
    """Turn rows of one import into a frame, by the types that import had."""
    frame = pl.DataFrame({"item_id": [row[0] for row in rows]}, schema={"item_id": pl.Int64()})
    here = {column["name"]: (parse_dtype(column["dtype"]), column["role"]) for column in record.columns}
    sources = [(5, {name: t for name, (t, role) in here.items() if role in ("text", "data")})]
    if private:
        sources.append((6, {name: t for name, (t, role) in here.items() if role == "private"}))
    for position, schema in sources:
        if schema:
            frame = frame.hstack(_records({row[0]: row[position] for row in rows}, schema))
    for role, position in (("id", 3), ("group", 4), ("image", 7 if private else 6)):
        name = next((n for n, (_, r) in here.items() if r == role), None)
        if name is not None and (role != "image" or image):
            dtype = pl.Binary() if role == "image" else pl.String()
            frame = frame.with_columns(pl.Series(name, [row[position] for row in rows], dtype=dtype))
    frame = frame.with_columns(
        texts_of(series.name, series.to_list())
        for series in frame.get_columns()
        if columns.dtypes.get(series.name) == pl.String and (series.dtype == pl.Float64 or series.dtype.is_nested())
    )
    return frame.select("item_id", *(n for n in columns.dtypes if n in frame.columns))
