"""Which column of a table is the text, the id, the gold label, the group, the picture."""

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from labeling.formats.columns.names import BYTES_PREFIX
from labeling.formats.reading.delimited import Rejected
from labeling.formats.reading.pictures import is_picture, read_images
from labeling.formats.reading.tables import Table
from labeling.label_names import find_label
from labeling.library_errors import in_plain_words

_TEXT_NAMES = (
    *("text", "tweet", "content", "message", "body", "comment", "post", "sentence", "utterance", "review", "document"),
    *("question", "description", "title"),
)
_GOLD_NAMES = ("gold", "gold_label", "label", "labels", "class", "category", "target", "truth", "intent", "y")
_ID_NAMES = ("id", "uid", "uuid", "guid", "key")
_GROUP_NAMES = ("group", "author", "author_id", "user", "user_id", "username", "thread", "thread_id", "conversation_id")
_PRIVATE_NAMES = ("email", "e-mail", "mail", "phone", "telephone", "ip", "ip_address", "address")
_LOOKED_AT = 20
_IMAGE_SUFFIX = r"(?i)\.(png|jpe?g|gif|webp|bmp|tiff?)$"


@dataclass(frozen=True)
class Mapping:
    """The part that columns play; every other column is content of the item as it is."""

    text: str | None = None
    id: str | None = None
    gold: str | None = None
    group: str | None = None
    private: tuple[str, ...] = ()
    image: str | None = None

    def roles(self) -> dict[str, str]:
        """Return the column of each role that has one.

        Examples
        --------
        >>> Mapping(text="tweet", gold="label").roles()
        {'text': 'tweet', 'gold': 'label'}
        """
        named = {"text": self.text, "id": self.id, "gold": self.gold, "group": self.group, "image": self.image}
        return {role: column for role, column in named.items() if column is not None}

    def to_json(self) -> dict[str, Any]:
        """Return the mapping as JSON can hold it: `Mapping(**values)` takes it back.

        Examples
        --------
        >>> Mapping(**Mapping(text="tweet", private=("email",)).to_json()).private
        ('email',)
        """
        return {**asdict(self), "private": list(self.private)}

    def __post_init__(self) -> None:
        given: object = self.private
        object.__setattr__(self, "private", (given,) if isinstance(given, str) else tuple(self.private))

    def check(self, frame: pl.DataFrame) -> None:
        """Raise ValueError for a column that the table lacks, that plays two parts, or that cannot play its part.

        Examples
        --------
        >>> Mapping(text="txet").check(pl.DataFrame({"text": ["a"], "label": ["ok"]}))
        Traceback (most recent call last):
        ...
        ValueError: There is no column 'txet' for text=. Did you mean 'text'? The columns are: text, label.
        """
        roles = self.roles()
        for role, column in [*roles.items(), *(("private", name) for name in self.private)]:
            if column not in frame.columns:
                close = difflib.get_close_matches(column, frame.columns, n=1, cutoff=0.5)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"There is no column {column!r} for {role}=.{hint} The columns are: {', '.join(frame.columns)}."
                )
        for role, column in roles.items():
            others = [other for other, name in roles.items() if name == column and other != role]
            if others:
                raise ValueError(f"Column {column!r} is given for {role}= and for {others[0]}=; it can play one part.")
            unfit = pl.List if role in ("image", "id", "group") else pl.List | pl.Binary
            if role != "image" and isinstance(frame.schema[column], unfit):
                raise ValueError(f"Column {column!r} holds {frame.schema[column]}; {role}= needs texts or numbers.")
        if self.image and frame.schema[self.image] not in (pl.Binary, pl.String):
            raise ValueError(f"Column {self.image!r} holds {frame.schema[self.image]}; image= needs paths or bytes.")
        hidden = set(self.private) & {self.text, self.image}
        if hidden:
            raise ValueError(f"Column {hidden.pop()!r} is what annotators read, so it cannot be private.")


def guess_mapping(frame: pl.DataFrame) -> Mapping:
    """Guess the part of each column from its name and its values.

    Examples
    --------
    >>> guess_mapping(pl.DataFrame({"tweet_id": ["01", "02"], "body": ["a b", "c d"], "label": ["x", "y"]}))
    Mapping(text='body', id='tweet_id', gold='label', group=None, private=(), image=None)
    """
    image = _guess_image(frame)
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String and name != image]
    gold = _named(frame.columns, _GOLD_NAMES)
    if gold and isinstance(frame.schema[gold], pl.List | pl.Binary | pl.Float64):
        gold = None
    group = _named([name for name in frame.columns if name != gold], _GROUP_NAMES)
    identity = _guess_id(frame, [name for name in frame.columns if name not in (gold, group, image)])
    text = _guess_text(frame, [name for name in texts if name not in (gold, identity, group)])
    private = tuple(name for name in frame.columns if name.casefold() in _PRIVATE_NAMES)
    return Mapping(text, identity, gold, group, tuple(name for name in private if name != text), image)


def named_like_answer(column: str) -> bool:
    """Tell whether a column is called as columns of known answers are.

    Examples
    --------
    >>> named_like_answer("Gold Label"), named_like_answer("text")
    (True, False)
    """
    return _named([column], _GOLD_NAMES) is not None


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    folded = {column.casefold().replace(" ", "_"): column for column in reversed(columns)}
    return next((folded[name] for name in names if name in folded), None)


def _guess_id(frame: pl.DataFrame, columns: list[str]) -> str | None:
    candidates = [found for name in _ID_NAMES if (found := _named(columns, [name]))]
    candidates += [name for name in columns if name.casefold().endswith(("_id", " id")) or name.endswith("Id")]
    held = {series.name: series for series in frame.get_columns()} if candidates else {}
    for name in candidates:
        series = held[name]
        if series.dtype in (pl.String, pl.Int64) and not series.null_count() and series.n_unique() == len(series):
            return name
    return None


def _guess_text(frame: pl.DataFrame, columns: list[str]) -> str | None:
    named = _named(columns, _TEXT_NAMES)
    if named or not columns:
        return named
    lengths = frame.select(pl.col(columns).head(1000).str.len_chars().mean()).row(0)
    return max(zip(lengths, columns, strict=True), key=lambda pair: pair[0] or 0)[1]


def _guess_image(frame: pl.DataFrame) -> str | None:
    for series in frame.get_columns():
        if series.dtype == pl.Binary and _are_pictures(series):
            return series.name
        if series.dtype == pl.String:
            values = series.drop_nulls().head(200)
            paths = values.str.contains(_IMAGE_SUFFIX) & (values.str.len_chars() < 300)
            if len(values) and int(paths.sum()) > 0.8 * len(values):
                return series.name
    return None


def _are_pictures(column: pl.Series) -> bool:
    """Whether bytes are pictures: digests, packed ids and other bytes are not, and stop no row."""
    given = column.drop_nulls().head(_LOOKED_AT)
    return len(given) > 0 and 2 * sum(map(is_picture, given)) >= len(given)


@dataclass(frozen=True, eq=False)
class ItemRows:
    """A table made ready to become items, all parts of one height.

    ``frame`` has the content of the items: every column but the id and the gold label; texts are
    text, pictures are bytes. ``lines`` tells where each row stood. ``unknown_gold`` counts gold values that
    are no label of the project; those rows have no gold. ``notes`` are sentences on what became of columns.
    """

    frame: pl.DataFrame
    lines: pl.Series
    id: pl.Series | None
    gold: pl.Series | None
    group: pl.Series | None
    rejected: list[Rejected] = field(default_factory=list)
    unknown_gold: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@in_plain_words("Preparing the rows")
def prepare_items(
    table: Table,
    mapping: Mapping,
    labels: Sequence[str] = (),
    *,
    image_root: str | Path | None = None,
) -> ItemRows:
    r"""Apply a mapping to a table: ids, texts and gold become text, pictures are read, bad rows are rejected.

    Without ``labels`` every gold value is taken.

    Examples
    --------
    >>> from labeling.formats.reading.tables import read_source
    >>> table = read_source(b"id,text,label\n007,1,ok\n008,2,oK\n", name="posts.csv")
    >>> rows = prepare_items(table, Mapping(text="text", id="id", gold="label"), ["ok", "offensive"])
    >>> rows.frame.rows(), rows.id.to_list(), rows.gold.to_list(), rows.unknown_gold
    ([('1',), ('2',)], ['007', '008'], ['ok', None], {'oK': 1})
    """
    mapping.check(table.frame)
    frame, rejected = table.frame, list(table.rejected)
    texts = [table.text_of(column).alias(column) for column in (mapping.text, mapping.gold) if column]
    keys = [table.keys_of(column).alias(column) for column in (mapping.id, mapping.group) if column]
    frame = frame.with_columns(*texts, *keys)
    lines = pl.Series("line", table.lines)
    if mapping.image:
        pictures, faults = read_images(frame[mapping.image], image_root or table.folder)
        frame = frame.with_columns(pictures)
        rejected += [Rejected(lines[row], reason) for row, reason in faults.items()]
        keep = pl.Series([row not in faults for row in range(frame.height)], dtype=pl.Boolean)
        frame, lines = frame.filter(keep), lines.filter(keep)
    strays = [name for name, dtype in frame.schema.items() if dtype == pl.Binary and name != mapping.image]
    # Content is kept as JSON, which holds no bytes; only pictures have a place of their own.
    frame = frame.with_columns(
        (pl.lit(BYTES_PREFIX) + pl.col(name).bin.encode("base64")).alias(name) for name in strays
    )
    gold, unknown = None, {}
    if mapping.gold:
        gold = frame[mapping.gold].set(frame[mapping.gold] == "", None)
        if labels:
            found = {value: find_label(value, labels) for value in gold.drop_nulls().unique()}
            strange = gold.filter(gold.is_in([value for value, position in found.items() if position is None]))
            unknown = dict(strange.value_counts(sort=True).iter_rows())
            names = {value: labels[position] for value, position in found.items() if position is not None}
            gold = gold.replace_strict(names, default=None, return_dtype=pl.String)
    return ItemRows(
        frame=frame.drop(column for column in (mapping.id, mapping.gold) if column),
        lines=lines,
        id=frame[mapping.id] if mapping.id else None,
        gold=gold,
        group=frame[mapping.group] if mapping.group else None,
        rejected=sorted(rejected, key=lambda row: row.line),
        unknown_gold=unknown,
        notes=[f"Column {name!r} holds bytes and is not mapped to image=; it became base64 text." for name in strays],
    )
