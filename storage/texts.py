"""What every database can keep as text, checked before it gets there: both refuse the same, in the same words."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import Dialect, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

NAME = 500
"""Characters of a name at most: PostgreSQL's indexes hold 2,700 bytes."""

# Written as JSON: what no text of PostgreSQL's holds, and what is no character.
_SUSPECT = re.compile(r"\\u(?:0000|d[89a-f])")


class RefusedText(ValueError):
    """A text cannot be kept: it holds a NUL or half a character, or is too long."""


class DamagedText(ValueError):
    """What is stored as JSON is none; the message says nothing of what it is."""


def from_json(text: str | bytes) -> Any:
    """Read a value of a JSON column.

    Raises
    ------
    DamagedText
        It is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        raise DamagedText("What is stored is damaged and cannot be read.") from None


def check_text(value: str, what: str, most: int | None = None) -> str:
    r"""Return a text that any database keeps; raise for any other.

    Raises
    ------
    RefusedText
        It holds a NUL or half of a surrogate pair, or has more than `most` characters.

    Examples
    --------
    >>> check_text("a\0b", "A loop's name")
    Traceback (most recent call last):
    ...
    storage.texts.RefusedText: A loop's name cannot hold a NUL character, got 'a\x00b'. Leave it out.
    """
    if "\0" in value:
        raise RefusedText(f"{what} cannot hold a NUL character, got {_short(value)}. Leave it out.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = value[error.start]
        raise RefusedText(
            f"{what} holds {half!r}, half of a character, in {_short(value)}. Leave it out, or put the whole one there."
        ) from None
    if most is not None and len(value) > most:
        raise RefusedText(f"{what} has at most {most} characters, got {len(value):,}: {_short(value)}. Shorten it.")
    return value


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else f"{value[:57]}...")


def to_json(value: Any) -> str:
    """Write a value of a JSON column: no NaN, no infinity, no text that `check_text` refuses.

    Raises
    ------
    RefusedText
        A text, or a number that JSON does not have.
    """
    try:
        written = json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise RefusedText(
            f"NaN and infinity are no numbers of JSON, and cannot be kept: {_short(str(value))}."
        ) from error
    if _SUSPECT.search(written):
        _walk(value)
    return written


def _walk(value: Any) -> None:
    if isinstance(value, str):
        check_text(value, "A text")
    elif isinstance(value, dict):
        for key, each in value.items():
            _walk(key)
            _walk(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _walk(each)


class Words(TypeDecorator[str]):
    """A text that people chose, checked as it goes to the database, and as it is looked up.

    Parameters
    ----------
    what
        What a message calls it, as "A loop's name".
    most
        Characters at most.
    width
        Of the column, where it has one.
    """

    impl: TypeEngine[str] | type[TypeEngine[str]] = Text
    cache_ok = True

    def __init__(self, what: str, most: int | None = None, width: int | None = None) -> None:
        super().__init__()
        self.what, self.most, self.width = what, most, width
        if width is not None:
            self.impl = String(width)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the text as it is, checked."""
        return None if value is None else check_text(value, self.what, self.most)
