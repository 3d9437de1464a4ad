"""Errors of libraries that nobody foresaw, said in words of the data."""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

LIBRARIES = frozenset({"polars", "pyo3_runtime", "pyarrow", "pandas", "numpy", "PIL"})

P = ParamSpec("P")
T = TypeVar("T")


def in_plain_words(doing: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Turn errors of the libraries below into a ValueError that says what could not be done; others pass.

    Examples
    --------
    >>> import polars as pl
    >>> @in_plain_words("Reading the rows")
    ... def read():
    ...     return pl.DataFrame({"a": [1]})["b"]
    >>> read()
    Traceback (most recent call last):
    ...
    ValueError: Reading the rows failed: "b" not found. Convert the columns to texts, numbers or dates, and try again.
    """

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                # A panic of Polars is no Exception.
                if type(error).__module__.partition(".")[0] not in LIBRARIES:
                    raise
                reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
                raise ValueError(
                    f"{doing} failed: {reason}. Convert the columns to texts, numbers or dates, and try again."
                ) from error

        return called

    return wrap


_LISTED = re.compile(r"(values?: )\[.*\]|(\(value=).*(?=\))", re.DOTALL)
_CONVERTED = re.compile(r"(could not convert string to \w+: |invalid literal for [^:]*: ).*", re.DOTALL)


def without_values(error: BaseException) -> str:
    """Return what a library says is wrong, without the values of items that it quotes.

    Examples
    --------
    >>> without_values(ValueError("could not convert string to float: 'you idiot'"))
    'could not convert string to float: …'
    >>> without_values(KeyError("likes"))
    "'likes'"
    """
    return _CONVERTED.sub(r"\1…", _LISTED.sub(r"\1\2…", str(error)))
