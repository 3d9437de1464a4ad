"""The colours of classes, and the keys that choose them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESERVED_KEYS = frozenset("cr")
"""Keys that Streamlit keeps for itself (clear cache, rerun): no button can have them."""

ACTION_KEYS = {"skip": "s", "unsure": "u", "discard": "d", "undo": "z"}
OFFER_KEYS = {"same": "a", "ignore": "x"}


@dataclass(frozen=True)
class Hue:
    """One colour in two strengths: `light` is read on a light page, `dark` on a dark one; both pass WCAG AA."""

    light: str
    dark: str

    @property
    def css(self) -> str:
        """The colour as CSS that follows the page's colour scheme."""
        return f"light-dark({self.light}, {self.dark})"


HUES = (
    Hue("#2563b0", "#7fb2f0"),
    Hue("#b3541e", "#f0a36b"),
    Hue("#2f7d4f", "#7ccb98"),
    Hue("#7646b5", "#bc9af0"),
    Hue("#b0346f", "#f08db8"),
    Hue("#77670f", "#d9c65b"),
    Hue("#0f7480", "#6cc7d2"),
    Hue("#5b6068", "#b3b8c0"),
)


def hue(position: int) -> Hue:
    """Colour of the class at a position; more classes than colours go round again.

    Examples
    --------
    >>> hue(0) == hue(8)
    True
    """
    return HUES[position % len(HUES)]


def assign_keys(wanted: Sequence[str | None]) -> list[str | None]:
    """Give each class one key: the one it asks for where that can be had, else the next free digit.

    Keys are one letter or digit. A key asked for twice goes to the first; C and R belong to Streamlit.

    Examples
    --------
    >>> assign_keys([None, "o", "c", None])
    ['1', 'o', '2', '3']
    """
    keys: list[str | None] = []
    for key in wanted:
        key = (key or "").strip().lower()
        usable = len(key) == 1 and key.isascii() and key.isalnum() and key not in RESERVED_KEYS
        keys.append(key if usable and key not in keys else None)
    digits = iter([digit for digit in "123456789" if digit not in keys])
    return [key or next(digits, None) for key in keys]


def action_keys(taken: Sequence[str | None]) -> dict[str, str | None]:
    """Keys of skip, unsure, discard and undo: a class that took one of them keeps it.

    Examples
    --------
    >>> action_keys(["1", "s"])
    {'skip': None, 'unsure': 'u', 'discard': 'd', 'undo': 'z'}
    """
    return {action: None if key in taken else key for action, key in ACTION_KEYS.items()}


def offer_keys(taken: Sequence[str | None]) -> dict[str, str | None]:
    """Keys of taking an answer over for near-duplicates and of ignoring that: a class keeps the one it took.

    Examples
    --------
    >>> offer_keys(["1", "a"])
    {'same': None, 'ignore': 'x'}
    """
    return {action: None if key in taken else key for action, key in OFFER_KEYS.items()}
