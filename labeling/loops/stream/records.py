"""Records that arrive one by one: checked, typed, encoded as items and as a frame to predict from."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.formats.columns.names import BYTES_PREFIX
from labeling.formats.columns.supported import supported_value
from labeling.formats.columns.types import dtype_name, parse_dtype
from labeling.formats.columns.values import EXACT, plain_value, shown_text, texts_of
from labeling.formats.mapping import Mapping as ColumnMapping
from labeling.formats.reading.pictures import is_picture
from labeling.store.content import content_hash, encoded_record
from labeling.store.items import Columns, exact_type, is_large, supertype
from storage.records import ItemRows

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.transactions import Write

RESERVED = frozenset({"item_id"})
PLAIN: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    bytes: pl.Binary(),
    date: pl.Date(),
}
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """The columns of a stream's records, as one import has them: types, roles, and which hold large numbers."""

    import_id: int | None
    dtypes: Mapping[str, pl.DataType]
    roles: Mapping[str, str]
    large: frozenset[str] = frozenset()

    def named(self, role: str) -> str | None:
        """Return the column of a role."""
        return next((name for name, r in self.roles.items() if r == role), None)

    def within(self, columns: Columns) -> Columns:
        """Return these columns and those of the project, which come first in what is said of both."""
        large = self.large | columns.large
        dtypes = {n: exact_type(t, large=n in large) for n, t in {**self.dtypes, **columns.dtypes}.items()}
        return Columns(dtypes, {**self.roles, **columns.roles}, large)

    def columns(self) -> list[dict[str, Any]]:
        """Return the columns as an import keeps them."""
        return [
            {"name": n, "dtype": dtype_name(t), "role": self.roles[n]} | ({"large": True} if n in self.large else {})
            for n, t in self.dtypes.items()
        ]

    def mapping(self) -> ColumnMapping:
        """Return which part each column plays."""
        private = tuple(name for name, role in self.roles.items() if role == "private")
        roles = {role: self.named(role) for role in ("text", "id", "group", "image")}
        return ColumnMapping(**roles, private=private)


class Records:
    """Turns what is offered to one stream into items; new columns and types widen its shape."""

    def __init__(self, store: ProjectStore, name: str, text: str | None) -> None:
        self._store = store
        self._name = f"stream {name}"
        self._text = text
        self._shape: Shape | None = None

    def read(self, records: Sequence[Record]) -> tuple[Shape, list[dict[str, Any]]]:
        """Check records and give their values the types of the stream's columns.

        Raises
        ------
        TypeError, ValueError
            A record is no mapping, is empty, lacks the text, or holds what items cannot keep.
        """
        shape = self._shape = self._shape or self._stored()
        plain = [_plain(record) for record in records]
        found: dict[str, pl.DataType] = {}
        for values in plain:
            for name, value in values.items():
                dtype = _dtype(value)
                if dtype is None:
                    continue
                known = found.get(name)
                found[name] = dtype if known is None or known == dtype else supertype(known, dtype)
        # Beside decimals, whole numbers that a decimal cannot hold stay exact as text.
        large = shape.large | {name for values in plain for name, value in values.items() if is_large(value)}
        found = {name: exact_type(dtype, large=name in large) for name, dtype in found.items()}
        names = list(dict.fromkeys(name for values in plain for name in values))
        shape = self._widened(shape, names, found, plain, large)
        text = shape.named("text")
        if text is not None:
            lacking = next((values for values in plain if text not in values), None)
            if lacking is not None:
                raise ValueError(
                    f"A record has no {text!r}, which holds the text; it has {', '.join(map(repr, lacking))}. "
                    f"Pass {text!r}, or None where there is none."
                )
        return shape, [_typed(values, shape.dtypes) for values in plain]

    def rows(self, shape: Shape, records: Sequence[Record], start: int) -> ItemRows:
        """Return records as rows of items, the first at the position `start`."""
        public = sorted(name for name, role in shape.roles.items() if role in ("text", "data"))
        private = sorted(name for name, role in shape.roles.items() if role == "private")
        id_, group, image = shape.named("id"), shape.named("group"), shape.named("image")
        data = [encoded_record(record, public) for record in records]
        hidden = [encoded_record(record, private) if private else None for record in records]
        images = [None if image is None else record.get(image) for record in records]
        return ItemRows(
            item_ids=range(len(records)),
            rows=range(start, start + len(records)),
            external_ids=[_name(record, id_) for record in records],
            groups=[_name(record, group) for record in records],
            hashes=[content_hash(*parts) for parts in zip(data, hidden, images, strict=True)],
            data=data,
            private=hidden,
            images=images,
        )

    @staticmethod
    def frame(shape: Shape, records: Sequence[Record], columns: Columns) -> pl.DataFrame:
        """Return records as a frame with the public columns of all items of the project, which are `columns`."""
        both = shape.within(columns)
        public = {name: dtype for name, dtype in both.dtypes.items() if both.roles[name] not in ("private", "image")}
        series: dict[str, Any] = {name: [record.get(name) for record in records] for name in public}
        turned = [n for n, t in public.items() if t == pl.String and shape.dtypes.get(n, t) != pl.String]
        series |= {name: texts_of(name, series[name]) for name in turned}
        return pl.DataFrame(series, schema=public, strict=False)

    def source(self, write: Write, shape: Shape) -> int:
        """Return the import under which records of this shape arrive, made in `write` where it is new."""
        if shape.import_id is not None:
            return shape.import_id
        streams = self._store.ledger.streams
        return streams.add_source(write, self._name, shape.mapping().to_json(), shape.columns())

    def keep(self, shape: Shape, import_id: int) -> Shape:
        """Remember the shape of records that were committed, and return it."""
        if shape.import_id is None:
            shape = self._shape = replace(shape, import_id=import_id)
        return shape

    def text_column(self) -> str | None:
        """The column that holds the text, None before the first record or where there is none."""
        shape = self._shape or self._stored()
        return shape.named("text") or self._store.items.columns().named("text")

    def _stored(self) -> Shape:
        found = self._store.ledger.streams.source(self._name)
        if found is None:
            return Shape(None, {}, {})
        import_id, columns = found
        dtypes = {column["name"]: parse_dtype(column["dtype"]) for column in columns}
        roles = {column["name"]: column["role"] for column in columns}
        return Shape(import_id, dtypes, roles, frozenset(column["name"] for column in columns if column.get("large")))

    def _widened(
        self,
        shape: Shape,
        names: Sequence[str],
        found: Mapping[str, pl.DataType],
        records: Sequence[Record],
        large: frozenset[str],
    ) -> Shape:
        """Return the shape that holds these columns too; the same object where it does already."""
        dtypes = dict(shape.dtypes)
        for name in names:
            new, known = found.get(name), dtypes.get(name)
            if known is None:
                dtypes[name] = new or pl.String()
            elif new is not None and new != known:
                dtypes[name] = supertype(known, new)
            if name in dtypes:
                dtypes[name] = exact_type(dtypes[name], large=name in large)
        if (dtypes, large) == (shape.dtypes, shape.large):
            return shape
        own = self._store.items.columns()
        roles = {name: shape.roles.get(name) or own.roles.get(name, "data") for name in dtypes}
        text = shape.named("text") or own.named("text")
        if text is None and shape.import_id is None:
            text = self._text or _longest(dtypes, records)
        elif self._text not in (None, text) and shape.import_id is None:
            raise ValueError(
                f"The column {text!r} holds the text in this store, not {self._text!r}. "
                f"Open the stream with text={text!r}, and name it so in the records."
            )
        if text in dtypes and roles[text] == "data":
            roles[text] = "text"
        if text is not None and text not in dtypes:
            raise ValueError(
                f"A record has no {text!r}, which holds the text; it has {', '.join(map(repr, dtypes))}. "
                f"Pass {text!r}, or None where there is none."
            )
        _settle(dtypes, roles, records)
        same = (dtypes, roles, large) == (shape.dtypes, shape.roles, shape.large)
        return shape if same else Shape(None, dtypes, roles, large)


def _settle(dtypes: dict[str, pl.DataType], roles: dict[str, str], records: Sequence[Record]) -> None:
    """Make ids, groups and the text texts; bytes a picture where they are one, else text."""
    for name, dtype in dtypes.items():
        dtypes[name] = pl.String() if roles[name] in ("id", "group", "text") else dtype
        if dtype == pl.Binary() and roles[name] != "image":
            if not _pictures(records, name):
                dtypes[name] = pl.String()
                continue
            if "image" in roles.values():
                raise ValueError(f"The column {name!r} holds bytes beside a picture; a record has one picture.")
            roles[name] = "image"


def _pictures(records: Sequence[Record], name: str) -> bool:
    given = [value for record in records if isinstance(value := record.get(name), bytes)]
    return bool(given) and is_picture(given[0])


def _plain(record: object) -> dict[str, Any]:
    """Return a record with Python's own values."""
    if type(record).__module__.startswith("pandas") and getattr(record, "ndim", 0) == 1:
        # A row of a frame of pandas.
        record = record.to_dict()  # type: ignore[attr-defined]
    if not isinstance(record, Mapping):
        if hasattr(record, "columns"):
            raise TypeError(
                f"A record is a mapping such as {{'text': '…'}}, got a {type(record).__name__}. "
                "Pass its rows, all at once with offer_many()."
            )
        raise TypeError(f"A record is a mapping such as {{'text': '…'}}, got {record!r}.")
    if not record:
        raise ValueError("A record is empty. Pass at least one column, such as {'text': '…'}.")
    for name in record:
        if not isinstance(name, str) or not name.strip() or name in RESERVED:
            raise ValueError(f"A record has a column {name!r}. Use a name, other than {', '.join(sorted(RESERVED))}.")
    return {name: _kept(name, value) for name, value in record.items()}


def _kept(name: str, value: Any) -> Any:
    """Return a value of a type that items keep, else what an import makes of it."""
    value = plain_value(value)
    if value is None or isinstance(value, datetime) or (type(value) in PLAIN and not _beyond(value)):
        return value
    if type(value) is list:
        entries = [plain_value(entry) for entry in value]
        kinds = set(map(type, entries)) - {type(None)}
        if kinds <= {str} or (kinds <= {int, float} and not any(map(_beyond, entries))):
            return entries
    kept = supported_value(value)
    if kept is None:
        raise TypeError(
            f"The column {name!r} holds a {type(value).__name__}, which has no text that means anything tomorrow. "
            "Pass text, numbers, dates, True or False, or a list of numbers or of text."
        )
    return kept


def _beyond(value: Any) -> bool:
    return type(value) is int and not -(2**63) <= value < 2**63


def _dtype(value: Any) -> pl.DataType | None:
    """Return the column type of a value, None for nothing."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return pl.Datetime("us") if value.tzinfo is None else pl.Datetime("us", "UTC")
    if isinstance(value, list):
        kinds = {type(entry) for entry in value} - {type(None)}
        return pl.List(pl.String() if str in kinds else pl.Int64() if kinds == {int} else pl.Float64())
    return PLAIN[type(value)]


def _longest(dtypes: Mapping[str, pl.DataType], records: Sequence[Record]) -> str | None:
    """Return the column to take for the text: `text`, else the text column with the longest values."""
    texts = [name for name, dtype in dtypes.items() if dtype == pl.String()]
    if "text" in texts or not texts:
        return "text" if texts else None
    return max(texts, key=lambda name: sum(len(str(record.get(name) or "")) for record in records))


def _typed(values: Record, dtypes: Mapping[str, pl.DataType]) -> dict[str, Any]:
    """Return values as their columns hold them."""
    return {
        name: _text(name, _clean(value)) if dtypes[name] == pl.String() else _clean(value)
        for name, value in values.items()
    }


def _text(name: str, value: Any) -> str | None:
    """Return a value as the text that an import makes of it; a decimal too large to be exact is refused."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return BYTES_PREFIX + base64.b64encode(value).decode()
    if isinstance(value, float) and abs(value) >= EXACT:
        raise ValueError(
            f"The column {name!r} holds the decimal {value!r}, too large to tell whole numbers apart. Pass it as text "
            "or as a whole number."
        )
    return shown_text(value)


def _clean(value: Any) -> Any:
    """Return a value without what no database or JSON keeps."""
    if isinstance(value, str):
        # Half of a surrogate pair is no text.
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, list | tuple):
        return [_clean(element) for element in value]
    return value


def _name(record: Record, column: str | None) -> str | None:
    value = None if column is None else record.get(column)
    # PostgreSQL's text holds no NUL.
    return str(value).replace("\x00", "\ufffd") if value not in (None, "") else None
