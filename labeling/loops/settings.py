"""Loops are opened as they were made: what is given for one that exists must be its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labeling import serialization

if TYPE_CHECKING:
    from storage.records import LoopRecord


def check_kind(record: LoopRecord, kind: str) -> None:
    """Raise where a loop is of another kind."""
    if record.kind != kind:
        raise ValueError(
            f"The loop {record.name!r} is a {record.kind} loop. "
            f"Open it with {record.kind}_loop(), or take another name."
        )


def check_setting(loop: str, key: str, value: Any, stored: Any, *others: Any) -> None:
    """Raise where a setting is neither the stored one nor one of the others that will do.

    Parameters
    ----------
    loop
        What the message calls it, as "The loop 'first'".
    stored, others
        As `serialization.dump` gives them.

    Examples
    --------
    >>> check_setting("The loop 'first'", "seed", 2, 1)
    Traceback (most recent call last):
    ValueError: The loop 'first' was made with seed = 1, not 2. Open it without settings, or take another name.
    """
    given = serialization.dump(value, key)
    if not any(serialization.same(given, known) for known in (stored, *others)):
        raise ValueError(
            f"{loop} was made with {key} = {serialization.describe(stored)}, not {serialization.describe(given)}. "
            "Open it without settings, or take another name."
        )
