"""Columns as items have them: their names, their types, and those that an export adds."""

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import polars as pl
import polars.selectors as cs

EXPORT_MARKS = frozenset({"item_id", "label", "source", "confidence", "annotators"})
"""A table that has all of these columns is an export of Tally."""

EXPORT_COLUMNS = (
    "item_id",
    "id",
    "label",
    "source",
    "confidence",
    "annotators",
    "taken_over",
    "labeled_at",
    "gold",
    "split",
    "calibrated_on",
    "probabilities",
    "probabilities_note",
    "weak_probabilities",
    "model_probabilities",
    "asked_loop",
    "asked_strategy",
    "asked_score",
    "asked_round",
    "votes",
)
"""What an export says about an item, beside the columns of the item itself."""

ITEM_PREFIX = "item:"
"""Set before a column of the items whose name an export needs for itself."""

BYTES_PREFIX = "data:application/octet-stream;base64,"
"""Set before bytes where they are written as text, so that they are known for bytes when read."""

_RESERVED = frozenset({"item_id"})
_LONGEST_NAME = 120
_FORMULA = r"^'*[=+\-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]"
_ESCAPED = r"^'+[=+\-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]"
_INTEGER = r"^(0|-?[1-9][0-9]{0,14})$"
_DECIMAL = r"^(0|-?[1-9][0-9]{0,14}|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,17}(e-?[0-9]{1,3})?|e-[0-9]{1,3}))$"


_TRUTH = r"^(true|false)$"


def export_name(column: str) -> str:
    """Return what a column of the items is called in an export, where some names are taken.

    Examples
    --------
    >>> export_name("text"), export_name("source")
    ('text', 'item:source')
    """
    return ITEM_PREFIX + column if column in EXPORT_COLUMNS or column.startswith(ITEM_PREFIX) else column


def split_export(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part an export into what was imported, with its label, and the evidence that was added."""
    items: list[pl.Series] = []
    for series in frame:
        name = series.name
        if name in EXPORT_COLUMNS and name not in ("label", "id"):
            continue
        own = name.removeprefix(ITEM_PREFIX)
        items.append(series if own in frame.columns and own in ("label", "id") else series.alias(own))
    evidence = frame.select(name for name in frame.columns if name in EXPORT_COLUMNS)
    return pl.DataFrame([_bytes_back(series) for series in items]), _typed_evidence(evidence)


def _typed_evidence(evidence: pl.DataFrame) -> pl.DataFrame:
    """Give the columns of an export their types back where a format of text has lost them."""
    typed = evidence.with_columns(
        pl.col("item_id").cast(pl.Int64, strict=False), pl.col("confidence").cast(pl.Float64, strict=False)
    )
    if typed.schema["annotators"] != pl.String:
        return typed
    try:
        return typed.with_columns(pl.col("annotators").str.json_decode(pl.List(pl.String)))
    except pl.exceptions.ComputeError:
        return typed


def _bytes_back(series: pl.Series) -> pl.Series:
    if series.dtype != pl.String or series.null_count() == len(series):
        return series
    if not series.str.starts_with(BYTES_PREFIX).all():
        return series
    return series.str.strip_prefix(BYTES_PREFIX).str.decode("base64", strict=False)


def escape_formulas(frame: pl.DataFrame, *, all_cells: bool = True) -> pl.DataFrame:
    """Put ' before texts that a spreadsheet would run as a formula.

    With ``all_cells=False`` only texts that look escaped already, so that reading can take one ' off in any case.

    Examples
    --------
    >>> escape_formulas(pl.DataFrame({"text": ["=1+1", "'=1", "'tis", "-5"]}))["text"].to_list()
    ["'=1+1", "''=1", "'tis", "'-5"]
    """
    pattern = _FORMULA if all_cells else _ESCAPED
    text = cs.string()
    return frame.with_columns(pl.when(text.str.contains(pattern)).then(pl.lit("'") + text).otherwise(text).name.keep())


def unescape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Take off the one ' that `escape_formulas` has put there."""
    text = cs.string()
    return frame.with_columns(pl.when(text.str.contains(_ESCAPED)).then(text.str.slice(1)).otherwise(text).name.keep())


def name_columns(names: Sequence[str], *, keep: bool = False) -> tuple[list[str], dict[str, str]]:
    r"""Give each column a name of its own that can be shown and typed.

    Control characters and outer spaces go, a blank name becomes ``column_3``, a second "text" becomes "text_2", and
    so does a name that Tally uses itself (``item_id``), unless ``keep``.

    Examples
    --------
    >>> name_columns(["text", " text ", "", "item_id"])
    (['text', 'text_2', 'column_3', 'item_id_2'],
     {' text ': 'text_2', '(column 3)': 'column_3', 'item_id': 'item_id_2'})
    """
    plain = [_plain_name(name) for name in names]
    taken = set() if keep else set(_RESERVED)
    # A name that is given as it is keeps it, whatever stands before it.
    result: list[str] = []
    renamed: dict[str, str] = {}
    asked = set(plain)
    for position, (old, wanted) in enumerate(zip(names, plain, strict=True), start=1):
        base = wanted or f"column_{position}"
        new, count = base, 2
        while new in taken or (new != base and new in asked):
            new, count = f"{base}_{count}", count + 1
        taken.add(new)
        result.append(new)
        if new != old:
            key = old if old and old not in renamed else f"{old} (column {position})".strip()
            renamed[key] = new
    return result, renamed


def _plain_name(name: str) -> str:
    shown = "".join(" " if unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Zl", "Zp") else mark for mark in name)
    return re.sub(r"\s+", " ", shown).strip()[:_LONGEST_NAME].strip() if shown != name else name.strip()[:_LONGEST_NAME]


def infer_numbers(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Turn columns of texts that are numbers without exception into numbers.

    A number is one that is written as a program would write it: no leading zeros or plus sign, at most 15 digits
    before the point, so that ids stay text. ``true`` and ``false`` become truth values.

    Returns
    -------
    tuple
        The frame, and the columns of decimals as they were written: 1.50 and 1.5 differ as texts.
    """
    # A query over all columns costs little more than one over a single column.
    left = [name for name, nulls in frame.null_count().to_dicts()[0].items() if nulls < frame.height]
    schema = frame.schema
    left = [name for name in left if schema[name] == pl.String]
    found: dict[str, list[str]] = {}
    for pattern in (_INTEGER, _DECIMAL, _TRUTH):
        found[pattern] = _matching(frame, left, pattern)
        left = [name for name in left if name not in set(found[pattern])]
    originals = {series.name: series for series in frame.select(found[_DECIMAL]).get_columns()}
    typed = frame.with_columns(
        pl.col(found[_INTEGER]).cast(pl.Int64),
        pl.col(found[_DECIMAL]).cast(pl.Float64),
        pl.col(found[_TRUTH]) == "true",
    )
    return typed, originals


def _matching(frame: pl.DataFrame, names: list[str], pattern: str) -> list[str]:
    """Return the columns whose texts match without exception; the first rows rule out most."""
    for part in (frame.head(100), frame):
        if names:
            matches = part.select(pl.col(names).str.contains(pattern).all()).row(0)
            names = [name for name, whole in zip(names, matches, strict=True) if whole]
    return names


def as_text(value: Any) -> str:
    """Return a value as text; characters that no encoding holds are replaced."""
    if isinstance(value, dict | list | bool | int | float):
        return whole_text(json.dumps(value, ensure_ascii=False, default=str))
    return whole_text(str(value))


def whole_text(text: str) -> str:
    r"""Return the text with U+FFFD for halves of characters, which JSON can hold and UTF-8 cannot.

    Examples
    --------
    >>> whole_text("a\ud800b")
    'a�b'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
