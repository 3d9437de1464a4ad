"""Run labeling functions over rows: votes, faults and what each function cost."""

import difflib
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, VoteArray, vote_dtype
from labeling.functions.base import ABSTAIN, LabelingFunction, listed
from labeling.functions.code import When
from labeling.functions.keyword_search import plan_keywords
from labeling.functions.makers import as_function
from labeling.functions.rules import Comparison
from labeling.label_names import find_label, label_position
from labeling.library_errors import without_values

AT_ONCE = 262_144
"""Rows that expressions are computed on at a time."""
ROWS = 16_384
"""Rows that are Python objects at a time."""
SAMPLE = 2_048
"""Rows that tell what each expression costs, where many are computed together."""


@dataclass(frozen=True)
class Faults:
    """Exceptions of one function: how many rows, the first of them, and what was raised there.

    Values of the row are cut from the exception's text: a report never shows an item.
    """

    count: int
    first_row: int
    error: str

    def __str__(self) -> str:
        return f"{self.count} rows, first {self.first_row}: {self.error}"


@dataclass(frozen=True)
class Votes:
    """What functions said about rows.

    Attributes
    ----------
    values
        Class positions, shape (n, m); -1 abstains, faults included.
    names
        Function names, length m.
    faults
        For each function its faults, None without any.
    seconds
        For each function the time it took. Expressions that are computed
        together share their time in proportion to a timed sample.
    """

    values: VoteArray
    names: tuple[str, ...]
    faults: tuple[Faults | None, ...]
    seconds: tuple[float, ...]

    @staticmethod
    def concat(parts: Sequence["Votes"]) -> "Votes":
        """Join votes of the same functions on consecutive rows."""
        starts = np.cumsum([0, *(len(part.values) for part in parts)])
        return Votes(
            np.concatenate([part.values for part in parts]),
            parts[0].names,
            tuple(
                add_faults(part.faults[j] for part in shift_faults(parts, starts)) for j in range(len(parts[0].names))
            ),
            tuple(sum(part.seconds[j] for part in parts) for j in range(len(parts[0].names))),
        )


def shift_faults(parts: Sequence[Votes], starts: Sequence[int] | np.ndarray[Any, Any]) -> Iterator[Votes]:
    """Yield the same votes with the rows of their faults counted from each part's start."""
    for part, start in zip(parts, starts, strict=False):
        faults = tuple(fault and replace(fault, first_row=fault.first_row + int(start)) for fault in part.faults)
        yield Votes(part.values, part.names, faults, part.seconds)


def add_faults(parts: Iterable[Faults | None]) -> Faults | None:
    """Add the faults of consecutive parts."""
    found = [part for part in parts if part is not None]
    return Faults(sum(part.count for part in found), found[0].first_row, found[0].error) if found else None


def closest(name: str, known: Iterable[str]) -> str:
    """Sentence that offers the most similar name, empty where none is similar."""
    match = difflib.get_close_matches(name.casefold(), {k.casefold(): k for k in known}, n=1, cutoff=0.6)
    return f" Did you mean {next(k for k in known if k.casefold() == match[0])!r}?" if match else ""


def check_functions(
    functions: Sequence[object], columns: Iterable[str], labels: Sequence[str], text: str | None = "text"
) -> list[LabelingFunction]:
    """Return the functions ready to run; raise ValueError, with a hint, for what cannot.

    Parameters
    ----------
    functions
        Labeling functions of any origin.
    columns
        Columns of the rows.
    labels
        Class names.
    text
        Column that functions read which name none.

    Examples
    --------
    >>> from labeling import keyword
    >>> check_functions([keyword("politics", ["senate"], label="offensiv")], ["text"], ["ok", "offensive"])
    Traceback (most recent call last):
    ...
    ValueError: Labeling function 'politics' votes for 'offensiv', which is not a class. Did you mean 'offensive'?
    Known: ok, offensive.
    """
    columns = list(columns)
    ready = [as_function(function) for function in functions]
    twice = [name for name, count in Counter(function.name for function in ready).items() if count > 1]
    if twice:
        raise ValueError(f"Names of labeling functions are unique; given twice: {listed(twice)}.")
    for function in ready:
        for label in function.labels:
            if find_label(label, labels) is None:
                raise ValueError(
                    f"Labeling function {function.name!r} votes for {label!r}, which is not a class."
                    f"{closest(label, labels)} Known: {listed(labels)}."
                )
        for column in function.needs(text):
            if column not in columns:
                raise ValueError(
                    f"Labeling function {function.name!r} reads column {column!r}, which is not there."
                    f"{closest(column, columns)} Columns: {listed(columns)}."
                )
    return ready


def run_functions(
    functions: Sequence[object],
    frame: pl.DataFrame,
    labels: Sequence[str],
    *,
    text: str | None = "text",
    progress: bool = False,
) -> Votes:
    """Ask every function about every row.

    Parameters
    ----------
    functions
        Labeling functions, m of them.
    frame
        n rows.
    labels
        Class names; their positions are the votes.
    text
        Column that functions read which name none.
    progress
        Show a bar.

    Returns
    -------
    Votes
        With values of shape (n, m).
    """
    from tqdm.auto import tqdm

    ready = check_functions(functions, frame.columns, labels, text)
    columnar = [j for j, function in enumerate(ready) if function.columnar]
    others = [j for j, function in enumerate(ready) if not function.columnar]
    values = np.full((len(frame), len(ready)), NO_VOTE, vote_dtype(len(labels)), order="F")
    seconds = np.zeros(len(ready))
    faults: list[Faults | None] = [None] * len(ready)
    searches = plan_keywords(ready, text)
    searched = {j for search in searches for j in search.rules}
    alone = [j for j in columnar if j not in searched]
    expressions = {f"vote {j}": ready[j].expression(text, labels) for j in alone}
    expressions |= {f"search {i}": search.found() for i, search in enumerate(searches)}
    _check_expressions(ready, frame, text)
    with tqdm(total=len(frame), unit=" rows", desc="votes", disable=not progress, leave=False, delay=1.0) as bar:
        for start in range(0, len(frame), AT_ONCE):
            block = frame[start : start + AT_ONCE]
            begin = time.perf_counter()
            votes = _evaluate(expressions, block)
            for j in alone:
                values[start : start + len(block), j] = votes[f"vote {j}"].to_numpy()
            for i, search in enumerate(searches):
                for j, rows in search.matches(block, votes[f"search {i}"]).items():
                    values[start + rows, j] = label_position(ready[j].labels[0], labels)
            seconds[columnar] += (time.perf_counter() - begin) / max(len(columnar), 1)
            for offset, answers in _row_by_row([ready[j] for j in others], block, labels):
                first = start + offset
                for j, (column, fault, spent) in zip(others, answers, strict=True):
                    values[first : first + len(column), j] = column
                    faults[j] = add_faults([faults[j], fault and replace(fault, first_row=fault.first_row + first)])
                    seconds[j] += spent
            bar.update(len(block))
    if len(columnar) > 1 and len(frame) > SAMPLE:
        each = {f"vote {j}": ready[j].expression(text, labels) for j in columnar}
        seconds[columnar] = seconds[columnar].sum() * _shares(each, frame[:SAMPLE])
    return Votes(values, tuple(f.name for f in ready), tuple(faults), tuple(map(float, seconds)))


def _evaluate(expressions: Mapping[str, pl.Expr], block: pl.DataFrame) -> pl.DataFrame:
    # One query, so that Polars computes what they share once and the rest side by side;
    # with_columns, so that constants reach every row.
    plan = block.lazy().with_columns(**expressions).select(*expressions)
    return plan.collect() if expressions else pl.DataFrame()


def _shares(expressions: Mapping[str, pl.Expr], sample: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    spent = []
    for name, expression in expressions.items():
        begin = time.perf_counter()
        _evaluate({name: expression}, sample)
        spent.append(time.perf_counter() - begin)
    return np.array(spent) / sum(spent)


def _check_expressions(functions: Sequence[LabelingFunction], frame: pl.DataFrame, text: str | None) -> None:
    """Raise where an expression fails, is not boolean, or looks at other rows: name it and its columns."""
    head = frame[:64]
    for function in functions:
        if not function.columnar:
            continue
        condition = getattr(function, "condition", None)
        if condition is None:
            continue
        about = f"Labeling function {function.name!r} over columns {listed(function.needs(text)) or '(none)'}"
        try:
            whole = _evaluate({"condition": condition(text)}, head)["condition"]
            if whole.dtype not in (pl.Boolean, pl.Null):
                raise ValueError(f"{about} gives {whole.dtype}, not true or false. Compare it with something.")
            if isinstance(function, When) and len(head) > 1:
                alone = _evaluate({"condition": condition(text)}, head[: len(head) // 2])["condition"]
                if not alone.equals(whole[: len(head) // 2]):
                    raise ValueError(
                        f"{about} looks at other rows than the one it votes on (a mean, a rank, a shift), so that a "
                        "vote would depend on the batch. Compute that column first and compare with it."
                    )
        except pl.exceptions.PolarsError as error:
            types = listed(f"{column} is {frame.schema[column]}" for column in function.needs(text))
            said = _unlike(function, frame.schema, text) or " ".join(without_values(error).split())
            # The library's own error quotes what the items hold.
            raise ValueError(f"{about} fails: {said} ({types}).") from None


def _unlike(function: LabelingFunction, schema: pl.Schema, text: str | None) -> str | None:
    """Say that a comparison is one of text with a number; None where it is not."""
    if not isinstance(function, Comparison):
        return None
    (column,) = function.needs(text)
    numbers, texts = schema[column].is_numeric(), schema[column] == pl.String
    if texts and isinstance(function.value, int | float):
        return (
            f"the column holds text, and {function.value!r} is not. Compare it with a text, as in '{function.value}', "
            "or import the column as numbers"
        )
    if numbers and isinstance(function.value, str):
        return f"the column holds numbers, and {function.value!r} is a text. Compare it with a number"
    return None


def _row_by_row(
    functions: Sequence[LabelingFunction], block: pl.DataFrame, labels: Sequence[str]
) -> Iterator[tuple[int, list[tuple[VoteArray, Faults | None, float]]]]:
    """Ask functions about a few rows at a time: the first row, and for each function votes, faults and seconds."""
    codes: dict[object, int] = {None: NO_VOTE, ABSTAIN: NO_VOTE, NO_VOTE: NO_VOTE}
    codes |= {label: position for position, label in enumerate(labels)}
    for start in range(0, len(block) if functions else 0, ROWS):
        rows = list(block[start : start + ROWS].iter_rows(named=True))
        yield start, [_ask(function, rows, labels, codes) for function in functions]


def _ask(
    function: LabelingFunction, rows: list[dict[str, Any]], labels: Sequence[str], codes: dict[object, int]
) -> tuple[VoteArray, Faults | None, float]:
    """Ask one function about each row; an exception becomes an abstain that is counted."""
    column = np.full(len(rows), NO_VOTE, vote_dtype(len(labels)))
    known = function.labels or labels
    mine = {label_position(name, labels) for name in known}
    allowed = {key: code for key, code in codes.items() if code == NO_VOTE or code in mine}
    count, first, message = 0, 0, ""
    begin = time.perf_counter()
    for i, row in enumerate(rows):
        try:
            answer = function.call(row, labels)
            try:
                column[i] = allowed[answer]
            except (KeyError, TypeError):
                column[i] = _position(answer, known, labels)
        except Exception as error:  # noqa: BLE001 - counted, and reported with the votes
            if not count:
                first, message = i, _without_values(f"{type(error).__name__}: {error}", row)
            count += 1
    return column, Faults(count, first, message) if count else None, time.perf_counter() - begin


def _position(answer: object, known: Sequence[str], labels: Sequence[str]) -> int:
    """Return the position of an answer that is no name letter by letter."""
    if isinstance(answer, str | bool) and find_label(answer, known) is not None:
        return label_position(answer, labels)
    raise ValueError(_unknown(answer, known))


def _unknown(answer: object, labels: Sequence[str]) -> str:
    hint = closest(answer, labels) if isinstance(answer, str) else ""
    return f"returned {answer!r:.80}, which is neither a class nor ABSTAIN.{hint} Known: {listed(labels)}."


def _without_values(message: str, row: Mapping[str, Any]) -> str:
    """Cut what a row holds from an exception's text."""
    texts = [value for value in row.values() if isinstance(value, str) and value]
    for value in sorted(texts, key=len, reverse=True):
        message = message.replace(value, "…").replace(repr(value)[1:-1], "…")

    def hide(quoted: re.Match[str]) -> str:
        inside = quoted.group(2)
        return f"{quoted.group(1)}…{quoted.group(1)}" if any(inside in value for value in texts) else quoted.group(0)

    return re.sub(r"(['\"])(.+?)\1", hide, message)
