"""JSON: an object a line, an array of objects, or one object; each record with where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from labeling.formats.reading.json_rows import CHUNK
from labeling.formats.sources.limits import check_size
from labeling.formats.sources.source_file import SourceFile

Records = Iterator[tuple[int, Any]]
"""The place of each record, from 1, and the record, or the error of reading it."""

_OBJECTS = 'A row is an object with named fields, such as {"text": "hello"}.'
_ARRAYS = 100
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_END = re.compile(r"[ \t\n\r]*\]")


def json_records(file: SourceFile, encoding: str) -> tuple[Records, str, list[str]]:
    """Return the records of a JSON file, ``"json"`` or ``"jsonl"`` for how it is written, and what is to be said.

    One object is one record, unless it wraps a single list of objects: then those are.

    Raises
    ------
    ValueError
        The file is not JSON, or its lines are arrays, which name no fields.
    """
    first, more = _beginning(file, encoding)
    named = file.name.lower().endswith((".jsonl", ".ndjson"))
    if (named and not first.startswith("[")) or (more and isinstance(_parsed(first), dict)):
        return _lines(file, encoding), "jsonl", []
    try:
        value = _whole(file, encoding)
    except RecursionError as error:
        raise ValueError(f"{file.name} is not valid JSON for a table: it is nested too deeply") from error
    except json.JSONDecodeError as error:
        if named or isinstance(_parsed(first), list):
            return _lines(file, encoding), "jsonl", []
        raise ValueError(f"{file.name} is not valid JSON: {error}") from error
    records, notes = _unwrapped(file.name, value)
    return enumerate(records, start=1), "json", notes


def _whole(file: SourceFile, encoding: str) -> Any:
    """Return the value of a file; an array of too many rows is refused while it is taken apart.

    Of a list that an object wraps only the size of the file is bounded beforehand.
    """
    check_size(file.name, 0, 0, file.size())
    text = "".join(file.lines(encoding)).strip()
    if not text.startswith("["):
        return json.loads(text)
    rows: list[Any] = []
    between = _BETWEEN.match(text, 1)
    at = between.end() if between else 1
    if text.startswith("]", at):
        return json.loads(text)
    while True:
        row, at = _DECODER.raw_decode(text, at)
        rows.append(row)
        if len(rows) % CHUNK == 0:
            check_size(file.name, len(rows), 0)
        comma = _COMMA.match(text, at)
        if comma is None:
            break
        at = comma.end()
    if _END.fullmatch(text, at) is None:
        # What is wrong, and where, is the parser's to say.
        json.loads(text)
    return rows


def _unwrapped(name: str, value: Any) -> tuple[list[Any], list[str]]:
    if isinstance(value, list):
        if value and all(isinstance(row, list) for row in value):
            raise ValueError(f"{name} is an array of arrays. {_OBJECTS}")
        return value, []
    if not isinstance(value, dict):
        raise ValueError(f"{name} holds a single JSON {type(value).__name__}. {_OBJECTS}")
    lists = [key for key, held in value.items() if isinstance(held, list) and held and _all_objects(held)]
    if len(lists) == 1:
        return value[lists[0]], [f"The rows are those under {lists[0]!r} in the file."]
    if len(value) > 1 and all(isinstance(held, dict) and "0" in held for held in value.values()):
        raise ValueError(
            f"{name} is written column by column, as pandas does unasked: use orient='records'. {_OBJECTS}"
        )
    return [value], []


def _all_objects(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _lines(file: SourceFile, encoding: str) -> Records:
    arrays = 0
    for number, line in enumerate(file.lines(encoding), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, error
            continue
        # Told of the file as a whole: a reason for each of a million lines helps nobody.
        arrays = arrays + 1 if isinstance(record, list) and arrays == number - 1 else -1
        if arrays == _ARRAYS:
            raise ValueError(f"{file.name} holds an array a line, from its first line on. {_OBJECTS}")
        yield number, record
    if arrays > 0:
        raise ValueError(f"{file.name} holds an array a line. {_OBJECTS}")


def _beginning(file: SourceFile, encoding: str) -> tuple[str, bool]:
    """Return the first line that is not blank, and whether another follows."""
    filled = (line.strip() for line in file.lines(encoding) if line.strip())
    return next(filled, ""), next(filled, None) is not None


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
