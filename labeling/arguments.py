"""Arguments as people pass them, NumPy's numbers among them, checked and made plain."""

from __future__ import annotations

import operator
from typing import Any


def whole_number(what: str, value: Any, least: int) -> int:
    """Return a whole number of any kind as Python's own; raise for what is none, truth values among them.

    Raises
    ------
    ValueError
        It is no whole number, or less than `least`.

    Examples
    --------
    >>> import numpy as np
    >>> whole_number("batch_size", np.int64(20), 1)
    20
    >>> whole_number("batch_size", 2.5, 1)
    Traceback (most recent call last):
    ValueError: batch_size must be a whole number of at least 1, got 2.5.
    """
    number: int | None = None
    # NumPy's truth values refuse to be an index, Python's do not.
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        try:
            number = operator.index(value)
        except TypeError:
            number = None
    if number is None or number < least:
        raise ValueError(f"{what} must be a whole number of at least {least}, got {value!r}.")
    return number
