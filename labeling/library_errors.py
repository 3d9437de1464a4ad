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


_LISTED = re.compile(r"(values?(?:\(s\))?: )\[.*\]|(\(value=).*(?=\))", re.DOTALL)
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
    # What Polars says of an expression at the end stays.
    said, where, expression = str(error).rpartition("This error occurred")
    said, rest = (said, where + expression) if where else (expression, "")
    return _CONVERTED.sub(r"\1…", _LISTED.sub(r"\1\2…", said)) + rest
