"""Rules that are data: words, patterns and comparisons.

They can be written in the browser, stored as JSON and rebuilt from it. Polars'
regular expressions take time linear in the text, so no pattern can hang a project.
"""

import json
import re
import unicodedata
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import polars as pl
from polars import selectors

from labeling.functions.base import Rule, Spec, listed
from labeling.functions.fingerprint import digest
from labeling.functions.word_forms import word_pattern
from storage import check_text


@dataclass(frozen=True)
class TextRule(Rule):
    """A rule about one column, the text unless another is named.

    Attributes
    ----------
    title
        What a menu calls its kind.
    """

    column: str | None

    title: ClassVar[str]

    @property
    @abstractmethod
    def meaning(self) -> str:
        """What it asks of a row, in words."""

    def found_in(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each text to mark as what it found; nothing, unless a kind says more."""
        return [[] for _ in texts]

    def read(self, text: str | None) -> pl.Expr:
        """Return the column, as text."""
        return pl.col(self.needs(text)[0]).cast(pl.String)

    def needs(self, text: str | None) -> tuple[str, ...]:
        """The column that it reads."""
        column = self.column or text
        if column is None:
            raise ValueError(f"Labeling function {self.name!r} reads the text, but no column is the text. Set column=.")
        return (column,)


@dataclass(frozen=True)
class Keyword(TextRule):
    """Votes where one of some words occurs; made by `keyword`."""

    words: tuple[str, ...]
    whole_words: bool
    case_sensitive: bool

    kind: ClassVar[str] = "keyword"
    title: ClassVar[str] = "Words"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "words", tuple(self.words))
        if not self.words or not all(isinstance(word, str) and word.strip() for word in self.words):
            raise ValueError(f"keyword {self.name!r} needs words that are not empty, got {list(self.words)!r}.")
        for word in self.words:
            check_text(word, f"A word of {self.name!r}")
        check_pattern(self.name, self.pattern)

    @property
    def body(self) -> Spec:
        """Label, column, words and how they are compared."""
        return {
            "label": self.label,
            "column": self.column,
            "words": list(self.words),
            "whole_words": self.whole_words,
            "case_sensitive": self.case_sensitive,
        }

    @property
    def fingerprint(self) -> str | None:
        """Changes when its votes may change."""
        forms = forms_mark(self.words)
        return digest(self.kind, json.dumps(self.body, sort_keys=True), forms) if forms else super().fingerprint

    @property
    def pattern(self) -> str:
        """One regular expression that finds any of the words."""
        folded = pl.Series(self.words, dtype=pl.String)
        folded = folded if self.case_sensitive else folded.str.to_lowercase()
        return "|".join(dict.fromkeys(_bounded(word) if self.whole_words else _spaced(word) for word in folded))

    def condition(self, text: str | None) -> pl.Expr:
        """Where one of the words occurs."""
        column = self.read(text)
        return (column if self.case_sensitive else column.str.to_lowercase()).str.contains(self.pattern)

    @property
    def meaning(self) -> str:
        """Its words, and how they are looked for."""
        return f"matches {', '.join(self.words)} ({'whole words' if self.whole_words else 'parts of words too'})"

    def found_in(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text that are among its own, as they stand there."""
        return pieces(texts, self.pattern if self.case_sensitive else f"(?i){self.pattern}")


def forms_mark(words: Iterable[str]) -> str:
    r"""Return what the fingerprint of a rule with these words holds beside its spec.

    Words of other letters than ASCII's were once found in one of their forms only: votes kept from then are not those
    that the rule has now.

    Examples
    --------
    >>> forms_mark(["cafe"]), forms_mark(["cafe", "caf\u00e9"])
    ('', 'every form')
    """
    return "" if all(map(str.isascii, words)) else "every form"


def _spaced(word: str) -> str:
    return r"\s+".join(map(word_pattern, word.split()))


def _bounded(word: str) -> str:
    # A boundary stands only beside a letter or digit: "c++" ends where it ends, "!!!" may follow a word.
    word = unicodedata.normalize("NFC", word.strip())
    return (r"\b" if re.match(r"\w", word[0]) else "") + _spaced(word) + (r"\b" if re.match(r"\w", word[-1]) else "")


@dataclass(frozen=True)
class Regex(TextRule):
    """Votes where a pattern is found; made by `regex`."""

    pattern: str

    kind: ClassVar[str] = "regex"
    title: ClassVar[str] = "Pattern"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pattern(self.name, self.pattern)

    @property
    def body(self) -> Spec:
        """Label, column and pattern."""
        return {"label": self.label, "column": self.column, "pattern": self.pattern}

    def condition(self, text: str | None) -> pl.Expr:
        """Where the pattern is found."""
        return self.read(text).str.contains(self.pattern)

    @property
    def meaning(self) -> str:
        """Its pattern."""
        return f"matches {self.pattern}"

    def found_in(self, texts: Sequence[str]) -> list[list[str]]:
        """Return what of each text matches the pattern."""
        return pieces(texts, self.pattern)


def pieces(texts: Sequence[str], pattern: str) -> list[list[str]]:
    r"""Return what of each text matches a pattern, found by Polars: linear in the text, whatever the pattern.

    Examples
    --------
    >>> pieces(["a1 b22", "none"], r"\d+")
    [['1', '22'], []]
    """
    found: list[list[str]] = pl.Series(texts, dtype=pl.String).str.extract_all(pattern).to_list()
    return found


def check_pattern(name: str, pattern: str) -> None:
    """Raise ValueError where Polars cannot run a pattern."""
    check_text(pattern, f"The pattern of {name!r}")
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).partition("This error occurred")[0].rpartition("error: ")[2].split())
        hint = (
            "There is no look-around and no back-reference"
            if re.search(r"\(\?<?[=!]|\\\d", pattern)
            else "Put a backslash before special characters, or use keyword() for plain words"
        )
        raise ValueError(
            f"Labeling function {name!r}: {pattern!r} is not a pattern that Polars understands ({reason}). {hint}."
        ) from error


_OPERATORS: dict[str, tuple[str, Callable[[pl.Expr, Any], pl.Expr]]] = {
    ">": ("is above", lambda column, value: column > value),
    ">=": ("is at least", lambda column, value: column >= value),
    "<": ("is below", lambda column, value: column < value),
    "<=": ("is at most", lambda column, value: column <= value),
    "==": ("equals", lambda column, value: column == value),
    "!=": ("differs from", lambda column, value: column != value),
    "contains": ("contains", lambda column, value: column.cast(pl.String).str.contains(str(value), literal=True)),
    "starts_with": ("starts with", lambda column, value: column.cast(pl.String).str.starts_with(str(value))),
    "ends_with": ("ends with", lambda column, value: column.cast(pl.String).str.ends_with(str(value))),
    "longer_than": (
        "is longer than (characters)",
        lambda column, value: column.cast(pl.String).str.len_chars() > value,
    ),
    "shorter_than": (
        "is shorter than (characters)",
        lambda column, value: column.cast(pl.String).str.len_chars() < value,
    ),
    "is_empty": ("is empty", lambda column, _: column.cast(pl.String).str.strip_chars().fill_null("") == ""),
    "is_not_empty": ("is not empty", lambda column, _: column.cast(pl.String).str.strip_chars().fill_null("") != ""),
}
OPERATORS = tuple(_OPERATORS)
"""What `comparison` can ask of a column."""
OPERATOR_WORDS = {name: words for name, (words, _) in _OPERATORS.items()}
"""The same as it is read between the column and the value."""
UNARY = ("is_empty", "is_not_empty")
"""Those that compare with nothing."""
TEXT_OPERATORS = ("contains", "starts_with", "ends_with")
"""Those whose value is a piece of the text."""
COUNTING = ("longer_than", "shorter_than")
"""Those whose value is a number of characters."""


@dataclass(frozen=True)
class Comparison(TextRule):
    """Votes where a column compares with a value; made by `comparison`."""

    operator: str
    value: str | int | float | bool | date | None

    kind: ClassVar[str] = "comparison"
    title: ClassVar[str] = "Comparison"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", plain_value(self.value))
        if self.operator not in _OPERATORS:
            raise ValueError(f"comparison {self.name!r}: no operator {self.operator!r}. Known: {listed(_OPERATORS)}.")
        if self.value is None and self.operator not in UNARY:
            raise ValueError(f"comparison {self.name!r}: {self.operator!r} needs a value to compare with.")
        if self.operator in COUNTING and (isinstance(self.value, bool) or not isinstance(self.value, (int, float))):
            raise ValueError(f"comparison {self.name!r}: {self.operator!r} needs a number, got {self.value!r}.")

    @property
    def body(self) -> Spec:
        """Label, column, operator and value."""
        return {"label": self.label, "column": self.column, "operator": self.operator, "value": self.value}

    def condition(self, text: str | None) -> pl.Expr:
        """Where the comparison holds."""
        (column,) = self.needs(text)
        _, compare = _OPERATORS[self.operator]
        moment = moment_of(self.value) if self.operator in _ORDERS else None
        return compare(pl.col(column), self.value) if moment is None else _in_time(column, compare, self.value, moment)

    @property
    def meaning(self) -> str:
        """Column, operator and value, read as one sentence."""
        value = "" if self.operator in UNARY else f" {self.value}"
        return f"{self.column or 'the text'} {OPERATOR_WORDS[self.operator]}{value}"

    def found_in(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the value, where it is a piece of the text that is asked for."""
        return [[str(self.value)] if self.operator in TEXT_OPERATORS else [] for _ in texts]


_ORDERS = (">", ">=", "<", "<=", "==", "!=")


def plain_value(value: Any) -> Any:
    """Return a value as JSON keeps it: a date or moment as ISO text, a number of NumPy's as Python's own.

    Examples
    --------
    >>> from datetime import date
    >>> plain_value(date(2024, 1, 31))
    '2024-01-31'
    """
    if hasattr(value, "dtype") and hasattr(value, "item"):
        value = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
    return value.isoformat() if isinstance(value, date) else value


def moment_of(value: object) -> datetime | None:
    """Return the moment that an ISO text names, in UTC where it names no zone; None for any other value.

    Examples
    --------
    >>> moment_of("2024-02")
    datetime.datetime(2024, 2, 1, 0, 0, tzinfo=datetime.timezone.utc)
    >>> moment_of("soon") is None
    True
    """
    if not isinstance(value, str):
        return None
    whole = value + "-01-01"[3 * (value.count("-")) :] if re.fullmatch(r"\d{4}(-\d{2})?", value) else value
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_time(column: str, compare: Callable[[pl.Expr, Any], pl.Expr], value: Any, moment: datetime) -> pl.Expr:
    """Return a comparison with a moment where the column holds dates or moments, with the text elsewhere.

    What the column holds shows only where the expression runs: of these selections one names it, the others nothing.
    """
    named = selectors.by_name(column)
    moment = moment.astimezone(UTC)
    zoned = (named & selectors.datetime(time_zone="*")).dt.convert_time_zone("UTC")
    plain = named & (selectors.date() | selectors.datetime(time_zone=None))
    other = named - selectors.date() - selectors.datetime()
    return pl.any_horizontal(
        compare(plain, pl.lit(moment.replace(tzinfo=None))), compare(zoned, pl.lit(moment)), compare(other, value)
    )


KINDS: dict[str, type[TextRule]] = {kind.kind: kind for kind in (Keyword, Regex, Comparison)}
"""Kinds that are data: stored as JSON, so that any process can run them. A new one is a class and its name here."""


def from_spec(spec: Mapping[str, Any]) -> TextRule:
    """Rebuild a rule from what was stored.

    Only kinds that are data, those of `KINDS`, can be rebuilt; code is never loaded from a database.

    Examples
    --------
    >>> from labeling import keyword
    >>> rule = keyword("politics", ["senate"], label="ok")
    >>> from_spec(rule.spec) == rule
    True
    """
    kind = spec.get("kind")
    if kind not in KINDS:
        raise ValueError(
            f"Labeling function {spec.get('name')!r} is of kind {kind!r}, which is code and never loaded from a "
            f"database. Import the script that defines it and pass it again; kept as data: {listed(KINDS)}."
        )
    return KINDS[kind](**{name: value for name, value in spec.items() if name != "kind"})
