"""Labeling functions: small rules that vote for a class or abstain.

A rule in words, a pattern or a comparison is data: it can be written in the
browser, stored as JSON and rebuilt. ``when`` takes any Polars expression, and
``@labeling_function`` any Python function of one row. All are used alike.

Examples
--------
>>> from labeling.votes.running import run_functions
>>> posts = pl.DataFrame({"text": ["The Senate voted", "what an IDIOT", None]})
>>> functions = [
...     keyword("politics", ["senate", "election"], label="ok"),
...     regex("insult", r"(?i)idiots?", label="offensive"),
... ]
>>> run_functions(functions, posts, labels=["ok", "offensive"]).values
array([[ 0, -1],
       [-1,  1],
       [-1, -1]], dtype=int8)
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, overload

import polars as pl

from labeling.functions.base import ABSTAIN, LabelingFunction
from labeling.functions.code import PythonFunction, SnorkelFunction, When
from labeling.functions.rules import OPERATORS, Comparison, Keyword, Regex, TextRule

__all__ = [
    "ABSTAIN",
    "OPERATORS",
    "LabelingFunction",
    "as_function",
    "comparison",
    "keyword",
    "labeling_function",
    "regex",
    "when",
]

RowFunction = Callable[[dict[str, Any]], object]


def keyword(
    name: str,
    words: str | Sequence[str],
    label: str,
    *,
    expert: str | None = None,
    column: str | None = None,
    whole_words: bool = True,
    case_sensitive: bool = False,
) -> TextRule:
    r"""Vote where one of some words or phrases occurs.

    A whole word has no letter, digit or underscore beside it; spaces in a
    phrase match any white space.

    Parameters
    ----------
    name
        Unique name.
    words
        Words or phrases; punctuation counts as written ("c++").
    label
        Class to vote for.
    expert
        Whose rule it is.
    column
        Column to read; None: the text.
    whole_words
        False finds them inside words too.
    case_sensitive
        True compares letters as written.

    Examples
    --------
    >>> keyword("politics", ["senate", "white house"], label="ok").pattern
    '\\bsenate\\b|\\bwhite\\s+house\\b'
    """
    listed = (words,) if isinstance(words, str) else tuple(words)
    return Keyword(name, expert, label, column, listed, whole_words, case_sensitive)


def regex(name: str, pattern: str, label: str, *, expert: str | None = None, column: str | None = None) -> TextRule:
    """Vote where a pattern is found.

    The syntax is that of Polars (Rust): ``(?i)`` ignores case; there is no
    look-around, and time is linear in the text.

    Examples
    --------
    >>> regex("insult", "(?<=an )idiot", label="offensive")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: Labeling function 'insult': '(?<=an )idiot' is not a pattern that Polars understands...
    """
    return Regex(name, expert, label, column, pattern)


def comparison(
    name: str,
    column: str | None,
    operator: str,
    value: str | float | bool | date | None,
    label: str,
    *,
    expert: str | None = None,
) -> TextRule:
    """Vote where a column compares with a value; an empty cell abstains.

    Parameters
    ----------
    name
        Unique name.
    column
        Column to read; None: the text.
    operator
        One of ``OPERATORS``: ``>``, ``>=``, ``<``, ``<=``, ``==``, ``!=``, ``contains``, ``starts_with``,
        ``ends_with``, ``longer_than``, ``shorter_than`` (characters), ``is_empty``, ``is_not_empty``.
    value
        What to compare with; None for the last two. A column of dates or moments is compared with a date, a moment
        or an ISO text, as "2024-01-31" or "2024"; without a zone it is in UTC.
    label
        Class to vote for.
    expert
        Whose rule it is.

    Examples
    --------
    >>> comparison("adult", "over_18", "==", True, label="offensive").spec["operator"]
    '=='
    """
    return Comparison(name, expert, label, column, operator, value)


def when(
    name: str, expr: pl.Expr, label: str, *, expert: str | None = None, version: str | int | None = None
) -> LabelingFunction:
    """Vote where a Polars expression is true; null counts as no.

    Parameters
    ----------
    name
        Unique name.
    expr
        Boolean expression that decides each row by itself.
    label
        Class to vote for.
    expert
        Whose rule it is.
    version
        Names the state of code inside of the expression, which Tally cannot compare by itself.

    Examples
    --------
    >>> rule = when("all_caps", pl.col("text").str.to_uppercase() == pl.col("text"), label="offensive")
    >>> rule.kind, rule.labels
    ('when', ('offensive',))
    """
    if not isinstance(expr, pl.Expr):
        raise TypeError(f"when {name!r} needs a Polars expression such as pl.col('score') > 3, got {expr!r}.")
    return When(name, expert, label, expr, version)


@overload
def labeling_function(name: RowFunction) -> PythonFunction: ...


@overload
def labeling_function(
    name: str | None = None,
    *,
    expert: str | None = None,
    version: str | int | None = None,
    labels: Sequence[str] | None = None,
) -> Callable[[RowFunction], PythonFunction]: ...


def labeling_function(
    name: str | RowFunction | None = None,
    *,
    expert: str | None = None,
    version: str | int | None = None,
    labels: Sequence[str] | None = None,
) -> PythonFunction | Callable[[RowFunction], PythonFunction]:
    """Turn a Python function of one row into a labeling function.

    The row is a dict of its columns, shared by the functions and not to be
    changed. The function returns the name of a class, or ``ABSTAIN`` (or None).
    An exception is counted, reported and becomes an abstain.

    Parameters
    ----------
    name
        Unique name; the function's own, unless given.
    expert
        Whose rule it is.
    version
        Names the state of the code; needed where it reads what Tally cannot compare, such as a model or a file.
    labels
        Classes that it can vote for; None: any.

    Examples
    --------
    >>> @labeling_function(expert="person 3")
    ... def short_reply(row):
    ...     return "ok" if len(row["text"]) < 10 else ABSTAIN
    >>> short_reply.name, short_reply({"text": "thanks!"}), short_reply({"text": "no thanks to you"})
    ('short_reply', 'ok', ABSTAIN)
    """

    def wrap(function: RowFunction) -> PythonFunction:
        own = name if isinstance(name, str) else getattr(function, "__name__", type(function).__name__)
        return PythonFunction(own, expert, function, version, tuple(labels or ()))

    return wrap(name) if callable(name) else wrap


def as_function(
    source: object,
    *,
    labels: Sequence[str] = (),
    expert: str | None = None,
    version: str | int | None = None,
) -> LabelingFunction:
    """Take a labeling function of any origin: one of Tally's as it is, one of Snorkel's wrapped.

    Parameters
    ----------
    source
        Labeling function.
    labels
        Class names in the order of Snorkel's integers; (): those of the run.
    expert
        Whose rule it is, for Snorkel's.
    version
        Names the state of its code, for Snorkel's.
    """
    if isinstance(source, LabelingFunction):
        return source
    if type(source).__module__.startswith("snorkel.") and hasattr(source, "_f") and hasattr(source, "name"):
        return SnorkelFunction(source.name, expert, source, version, tuple(labels))
    made = "@labeling_function()" if callable(source) else "keyword(), regex(), when() or @labeling_function()"
    raise TypeError(f"Not a labeling function: {source!r}. Make one with {made}.")
