"""A rule as it is being written: words, a pattern or a comparison. Data, never code."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from labeling import comparison, keyword, regex
from labeling.functions.rules import KINDS, TextRule, from_spec
from labeling.store.records import FunctionInfo

FORMS = ("keyword", "regex", "comparison")
"""Kinds that are written, and changed, in the form; the first stands in it at the start."""


@dataclass(frozen=True)
class Draft:
    """A rule as it stands in the form, saved or not."""

    kind: str
    name: str = ""
    expert: str | None = None
    label: str = ""
    column: str | None = None
    words: tuple[str, ...] = ()
    whole_words: bool = True
    case_sensitive: bool = False
    pattern: str = ""
    operator: str = ">"
    value: str | float | bool | None = None
    missing: str = field(default="", compare=False)

    @property
    def complete(self) -> bool:
        """Whether there is enough of it to run."""
        return not self.missing

    def build(self, name: str) -> TextRule:
        """Make the labeling function that the form describes.

        Examples
        --------
        >>> Draft("keyword", label="ok", words=("vote",)).build("politics").kind
        'keyword'
        """
        if self.kind == "keyword":
            return keyword(
                name,
                list(self.words),
                self.label,
                expert=self.expert,
                column=self.column,
                whole_words=self.whole_words,
                case_sensitive=self.case_sensitive,
            )
        if self.kind == "regex":
            pattern = self.pattern if self.case_sensitive else f"(?i){self.pattern}"
            return regex(name, pattern, self.label, expert=self.expert, column=self.column)
        return comparison(name, self.column, self.operator, self.value, self.label, expert=self.expert)


def split_words(text: str) -> tuple[str, ...]:
    """Read words and phrases, parted by commas or new lines.

    Examples
    --------
    >>> split_words("senate, white house,, vote ")
    ('senate', 'white house', 'vote')
    """
    return tuple(word.strip() for word in text.replace("\n", ",").split(",") if word.strip())


def typed(text: str, dtype: pl.DataType) -> str | float | bool:
    """Read a value for a column of a type: a number for numbers, yes or no for booleans, else the text.

    Examples
    --------
    >>> typed("3", pl.Int64()), typed("yes", pl.Boolean()), typed("3", pl.String())
    (3, True, '3')
    """
    text = text.strip()
    if dtype == pl.Boolean:
        answer = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower())
        if answer is None:
            raise ValueError(f"This column holds yes or no, got {text!r}.")
        return answer
    if not dtype.is_numeric():
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"This column holds numbers, got {text!r}.") from None


def describe(info: FunctionInfo) -> str:
    """Say in words what a stored rule does.

    Code is shown as its source text where that is stored.
    """
    if info.kind in KINDS:
        # What it means hangs on no label, and a rule whose class is gone has none.
        return from_spec({**info.spec, "label": info.label or "none"}).meaning
    return str(info.spec.get("source") or info.spec.get("expression") or "written in Python; its code is not kept here")


def draft_of(info: FunctionInfo) -> Draft:
    """A stored rule as a draft, to change it; saved under the same name it is a new version."""
    spec = info.spec
    pattern = str(spec.get("pattern", ""))
    folded = pattern.startswith("(?i)")
    return Draft(
        kind=info.kind,
        name=info.name,
        expert=info.expert,
        label=info.label or "",
        column=spec.get("column"),
        words=tuple(map(str, spec.get("words", ()))),
        whole_words=bool(spec.get("whole_words", True)),
        case_sensitive=not folded if info.kind == "regex" else bool(spec.get("case_sensitive", False)),
        pattern=pattern.removeprefix("(?i)"),
        operator=str(spec.get("operator", ">")),
        value=spec.get("value"),
    )
