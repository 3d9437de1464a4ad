"""Delimited text, row by row: each row with the line that it starts at, or with the reason why it fails."""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from labeling.formats.sources.sniffing import Dialect

_CHUNK_ROWS = 20_000
_LARGEST_FIELD = 1 << 24
_RESCANNED_LINES = 5_000_000


@dataclass(frozen=True)
class Rejected:
    """A row that could not be read: where it starts in the source, from 1, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class DelimitedRows:
    """The rows of a delimited text file, one pass, with the line that each starts at.

    A quote that is never closed swallows the rows below it; so a row that fails is put back but for its
    first line, and reading goes on from the second.
    """

    def __init__(self, source: Iterator[str], dialect: Dialect):
        if csv.field_size_limit() < _LARGEST_FIELD:
            csv.field_size_limit(_LARGEST_FIELD)
        self.rejected: list[Rejected] = []
        self.starts: list[int] = []
        self._source, self._dialect = source, dialect
        self._taken: list[str] = []
        self._ahead: deque[str] = deque()
        self._line = 1
        self._rescanned = 0
        self._first: list[str] = []
        for _ in range(dialect.skip_lines):
            next(source, None)
            self._line += 1

    def names(self) -> list[str]:
        """Return the names in the header; without one, names by position."""
        for _, row in self._records():
            self._first = row
            break
        if self._dialect.header:
            return self._first
        self._ahead.extendleft(reversed(self._replay))
        self._line -= len(self._replay)
        return ["text"] if len(self._first) == 1 else [f"column_{i + 1}" for i in range(len(self._first))]

    def read(
        self, names: list[str], limit: int | None, check: Callable[[int, int], None] | None = None
    ) -> pl.DataFrame:
        """Return the rows as a frame of texts; an empty cell is null, a quoted empty one an empty text.

        ``check`` gets the rows and columns read so far now and then, and raises where they are too many.
        """
        width = len(names)
        rows: list[list[str]] = []
        empties: list[tuple[int, int]] = []
        frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
        quoted = self._dialect.quoting and self._dialect.escape is None
        if limit == 0:
            return frames[0]
        for start, row in self._records():
            if len(row) != width:
                self.rejected.append(Rejected(start, f"{len(row)} fields where the {self._model} has {width}"))
                continue
            if quoted and "" in row and any('""' in line for line in self._replay):
                empties += [(len(rows), at) for at in _quoted_empties("".join(self._replay), self._dialect)]
            rows.append(row)
            self.starts.append(start)
            if len(rows) == _CHUNK_ROWS:
                if check is not None:
                    check(len(self.starts), width)
                frames.append(_text_frame(rows, names, empties))
                rows, empties = [], []
            if limit is not None and len(self.starts) == limit:
                break
        if rows:
            frames.append(_text_frame(rows, names, empties))
        return pl.concat(frames)

    @property
    def _model(self) -> str:
        return "header" if self._dialect.header else "first row"

    def _feed(self) -> Iterator[str]:
        taken, ahead, source = self._taken, self._ahead, self._source
        while True:
            line = ahead.popleft() if ahead else next(source, None)
            if line is None:
                return
            taken.append(line)
            yield line

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (first line, fields); the lines of the row are in ``_replay`` until the next."""
        reader = self._dialect.reader(self._feed())
        taken = self._taken
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.rejected.append(Rejected(self._line, _reason(error)))
                self._put_back()
                reader = self._dialect.reader(self._feed())
                continue
            start = self._line
            self._line += len(taken)
            self._replay = taken.copy()
            taken.clear()
            if row:
                yield start, row

    def _put_back(self) -> None:
        self._ahead.extendleft(reversed(self._taken[1:]))
        self._rescanned += len(self._taken)
        self._taken.clear()
        self._line += 1
        if self._rescanned > _RESCANNED_LINES:
            raise ValueError(
                f"The quotes of this file do not pair up; the first that failed: {self.rejected[0]}. "
                "Was it written without quoting? Save it as JSONL or Parquet."
            )


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote that is opened here is never closed"
    if "expected after" in text:
        return "text follows a closing quote, or a quote inside a text is not doubled"
    if "field limit" in text:
        return f"a field has over {_LARGEST_FIELD:,} characters; perhaps a quote is never closed"
    return text


def _quoted_empties(raw: str, dialect: Dialect) -> list[int]:
    """Return the positions of the fields that are written as two quotes: empty texts rather than nothing."""
    mark = dialect.delimiter or "\x1f"
    found, at, position = [], 0, 0
    while True:
        while dialect.skip_space and raw.startswith(" ", at):
            at += 1
        if raw.startswith('"', at):
            end = raw.index('"', at + 1)
            while raw.startswith('"', end + 1):
                end = raw.index('"', end + 2)
            if end == at + 1:
                found.append(position)
            at = end + 1
        at = raw.find(mark, at) + 1
        if at == 0:
            return found
        position += 1


def _text_frame(rows: list[list[str]], names: list[str], empties: list[tuple[int, int]]) -> pl.DataFrame:
    columns = [
        pl.Series(name, values, dtype=pl.String) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    frame = pl.DataFrame(columns).with_columns(pl.when(pl.all() != "").then(pl.all()))
    for position in {at for _, at in empties}:
        places = [row for row, at in empties if at == position]
        frame.replace_column(position, frame.to_series(position).scatter(places, ""))
    return frame
