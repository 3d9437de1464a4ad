"""Find out what a file is before it is read: format, encoding, delimiter, header."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from labeling.formats.sources.readable import READ_SUFFIXES, READABLE

SAMPLE_BYTES = 1 << 18
"""How much of a file is looked at to find its format, encoding, delimiter and header."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"PK\x03\x04", "a zip archive without a file to read", "Unpack it, or save the sheet as CSV"),
    (b"BZh", "bzip2-compressed", "Unpack it first"),
    (b"\xfd7zXZ", "xz-compressed", "Unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "Unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first"),
    (b"%PDF", "a PDF", "Export its text as CSV or JSONL"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow file", "Save it as Parquet"),
    (b"\x89PNG", "a picture", "List the paths of pictures in a CSV column"),
    (b"\xff\xd8\xff", "a picture", "List the paths of pictures in a CSV column"),
    (b"GIF8", "a picture", "List the paths of pictures in a CSV column"),
    (b"\x80\x04\x95", "a Python pickle, which is never read,", "Save the data as Parquet"),
)
_HTML = re.compile(rb"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]', re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d+)*|\.\d+)([eE][-+]?\d+)?%?")
_HEADER_WORDS = frozenset(
    [
        *(
            "annotator",
            "answer",
            "author",
            "body",
            "category",
            "class",
            "comment",
            "content",
            "count",
            "created",
            "date",
        ),
        *("email", "file", "gold", "group", "id", "image", "label", "labels", "lang", "language", "message", "name"),
        *(
            "path",
            "post",
            "question",
            "rating",
            "score",
            "sentence",
            "source",
            "split",
            "tag",
            "target",
            "text",
            "time",
        ),
        *("timestamp", "title", "topic", "tweet", "url", "user", "username", "value"),
    ]
)


@dataclass(frozen=True)
class Dialect:
    """How the rows of a delimited text file are written.

    ``delimiter=None`` is a file of one column, a text a line.
    """

    delimiter: str | None = ","
    quoting: bool = True
    escape: str | None = None
    skip_space: bool = False
    header: bool = True
    skip_lines: int = 0

    def reader(self, lines: Iterator[str]) -> Any:
        """Return a strict reader of the `csv` module over ``lines``."""
        return csv.reader(
            lines,
            # A file of one column is split at a character that no text holds.
            delimiter=self.delimiter or "\x1f",
            quotechar='"' if self.quoting else None,
            quoting=csv.QUOTE_MINIMAL if self.quoting else csv.QUOTE_NONE,
            escapechar=self.escape,
            skipinitialspace=self.skip_space,
            strict=True,
        )


def sniff_format(name: str, head: bytes) -> str:
    r"""Say which format a file has from its first bytes, and from its name where the bytes leave it open.

    Examples
    --------
    >>> sniff_format("posts.data", b'{"text": "hello"}\n')
    'jsonl'
    >>> sniff_format("posts.csv", b"%PDF-1.7")
    Traceback (most recent call last):
    ...
    ValueError: posts.csv is a PDF. Export its text as CSV or JSONL. CSV, TSV, JSON, JSON Lines, Parquet and Excel files
    can be read, packed as gz or zip too.
    """
    if not head:
        raise ValueError(f"{name} is empty: it has 0 bytes.")
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, kind, hint in _FOREIGN:
        if head.startswith(magic):
            raise ValueError(f"{name} is {kind}. {hint}. {READABLE}")
    suffixed = READ_SUFFIXES.get(PurePath(name).suffix.lower())
    if suffixed == "sheet":
        raise ValueError(f"{name} is no workbook that Excel writes: it starts with {head[:8]!r}. {READABLE}")
    if suffixed == "parquet":
        raise ValueError(f"{name} is not a Parquet file: it starts with {head[:8]!r} and not with b'PAR1'.")
    text = head.lstrip(codecs.BOM_UTF8)
    if _HTML.match(text):
        raise ValueError(
            f"{name} is an HTML page, perhaps the sign-in or error page of the site it came from. {READABLE}"
        )
    start = text.lstrip()[:1]
    if suffixed == "json" or (suffixed is None and start in (b"{", b"[")):
        return "json" if start == b"[" else "jsonl"
    return suffixed or "csv"


def sniff_encoding(name: str, head: bytes) -> str:
    r"""Tell UTF-8, UTF-16 and UTF-32 apart, with or without a byte order mark.

    Examples
    --------
    >>> sniff_encoding("posts.csv", "text\nolé\n".encode("utf-16"))
    'utf-16'
    >>> sniff_encoding("posts.csv", b"text\nhello\n")
    'utf-8'
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    zeros = head[:4096].count(0)
    if zeros:
        even, odd = head[:4096:2].count(0), head[1:4096:2].count(0)
        if max(even, odd) > len(head[:4096]) // 5 and min(even, odd) * 10 < max(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
    control = sum(head[:4096].count(byte) for byte in range(32) if byte not in (9, 10, 12, 13, 27, 31))
    if control * 10 > len(head[:4096]):
        raise ValueError(
            f"{name} is not text: {control} of its first {len(head[:4096])} bytes are control characters. {READABLE}"
        )
    return "utf-8"


def check_encoding(encoding: str) -> str:
    """Return the codec's own name of a text encoding, or say that there is none of that name."""
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"There is no encoding called {encoding!r}. Known are utf-8, utf-16, cp1252, latin-1, shift_jis, gb18030, …"
        ) from error
    if not getattr(codec, "_is_text_encoding", True):
        raise ValueError(f"{encoding!r} is not an encoding of text. Try utf-8, utf-16, cp1252 or latin-1.")
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def sniff_dialect(name: str, sample: str, delimiter: str | None, header: bool | None) -> Dialect:
    r"""Find the delimiter, the way of quoting and whether there is a header.

    Tried is which delimiter splits the sample's rows into as many fields as its first row has.

    Examples
    --------
    >>> sniff_dialect("posts.csv", "text;label\nhello, you;ok\ngo, away;offensive\n", None, None).delimiter
    ';'
    >>> sniff_dialect("posts.tsv", '1\t"so\n2\twhat"\n', None, None)
    Dialect(delimiter='\t', quoting=False, escape=None, skip_space=False, header=False, skip_lines=0)
    """
    skip = 0
    if found := _SEPARATOR_LINE.match(sample):
        delimiter, sample, skip = delimiter or found[1], sample[found.end() :].removeprefix("\n"), 1
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"A delimiter is one character, not {delimiter!r}.")
    best, best_score, best_rows = Dialect(None), 0.5, []
    for dialect in _candidates(name, sample, delimiter):
        rows, errors = _rows(dialect, sample)
        width = len(rows[0]) if rows else 0
        fitting = sum(len(row) == width for row in rows) / max(1, len(rows) + errors)
        if width > 1 and (fitting > best_score or (best.delimiter is None and fitting == best_score)):
            best, best_score, best_rows = dialect, fitting, rows
    if best.delimiter is None:
        best = _named_columns(name, sample, delimiter)
        best_rows, errors = _rows(best, sample)
        if errors and best.delimiter is None:
            best = Dialect(None, quoting=False)
            best_rows, _ = _rows(best, sample)
    return Dialect(
        best.delimiter,
        best.quoting,
        best.escape,
        best.skip_space,
        has_header(best_rows) if header is None else header,
        skip,
    )


def _candidates(name: str, sample: str, delimiter: str | None) -> Iterator[Dialect]:
    suffix = PurePath(name).suffix.lower()
    first = "\t" if suffix in (".tsv", ".tab") else "|" if suffix == ".psv" else ","
    others = [mark for mark in ",\t;|" if mark != first] + ["\x1f", "^", "~"]
    delimiters = [delimiter] if delimiter is not None else [first, *others]
    for mark in delimiters:
        if mark not in sample and delimiter is None:
            continue
        if mark == "\t" and '"' in sample and not _quotes_enclose(sample, mark):
            yield Dialect(mark, quoting=False)
        spaced = [Dialect(mark, skip_space=True)] if f'{mark} "' in sample else []
        yield from [*spaced, Dialect(mark)] if _closes_before_space(sample, mark) else [Dialect(mark), *spaced]
        if '\\"' in sample:
            yield Dialect(mark, escape="\\")


def _closes_before_space(sample: str, mark: str) -> bool:
    """Say whether a quoted field ends, and after delimiter and space the next one begins."""
    return re.search(rf'(?<!")"{re.escape(mark)} "(?!")', sample) is not None


def _named_columns(name: str, sample: str, delimiter: str | None) -> Dialect:
    """Take the delimiter that the name of the file speaks of if it splits a header, however broken the rows are."""
    dialect = next(_candidates(name, sample, delimiter), Dialect(delimiter))
    rows, _ = _rows(dialect, sample)
    named = rows and len(rows[0]) > 1 and any(cell.strip().casefold() in _HEADER_WORDS for cell in rows[0])
    return dialect if named else Dialect(delimiter)


def _quotes_enclose(sample: str, mark: str) -> bool:
    """Say whether each field that begins with a quote ends with one, taken line by line."""
    fields = (field.strip() for line in sample.splitlines() for field in line.split(mark))
    return all(field.endswith('"') and len(field) > 1 for field in fields if field.startswith('"'))


def _rows(dialect: Dialect, sample: str) -> tuple[list[list[str]], int]:
    rows: list[list[str]] = []
    errors = 0
    reader = dialect.reader(iter(io.StringIO(sample, newline="")))
    while len(rows) < 1000:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            errors += 1
            continue
        if row:
            rows.append(row)
    return rows, errors


def has_header(rows: list[list[str]]) -> bool:
    """Say whether the first of these rows names columns.

    It does if it has words that headers have, or a word over a column of numbers. Otherwise it does not if it holds a
    number, a sentence, or a value that comes again below in its column.

    Examples
    --------
    >>> has_header([["text", "label"], ["hello you", "ok"]])
    True
    >>> has_header([["ham", "see you at nine tonight then"], ["spam", "win a prize now"], ["ham", "ok"]])
    False
    """
    if not rows:
        return True
    first, body = rows[0], rows[1:200]
    numbers = [_is_number(cell) for cell in first]
    known = sum(cell.strip().casefold() in _HEADER_WORDS for cell in first)
    if any(numbers):
        return known > 1
    short = [cell for cell in first if len(cell) <= 60 and len(cell.split()) <= 3]
    if known or any(word in _HEADER_WORDS for cell in short for word in re.split(r"[^a-z]+", cell.casefold())):
        return True
    columns = [[row[index] for row in body if len(row) > index] for index in range(len(first))]
    if any(column and all(map(_is_number, column)) for column in columns):
        return True
    if any(len(cell) > 60 or len(cell.split()) > 5 or "\n" in cell for cell in first):
        return False
    return not any(cell and cell in column for cell, column in zip(first, columns, strict=True))


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip()) is not None
