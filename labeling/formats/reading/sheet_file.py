"""Excel workbooks: one sheet as a table, each cell as what it is, the header where it stands."""

from __future__ import annotations

import datetime as dt
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import polars as pl

from labeling.formats.sources.compressed import check_unpacked, open_member
from labeling.formats.sources.limits import limits, setting_of
from labeling.formats.sources.source_file import SourceFile

SHEET_BYTES = b"\xd0\xcf\x11\xe0"
"""What an .xls file starts with; a locked .xlsx and old documents of other kinds do too."""

_BLOCK = 1 << 20
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>")
_PLACE = re.compile(rb'\br="([A-Za-z]{1,3})([0-9]{1,7})"')
_WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_MOST_CELLS = 64_000_000
_EXACT_DIGITS = 10**15
_LOOKED_AT = 50


@dataclass
class Sheet:
    """The table of one sheet: its columns by name, the row of the sheet that each row stands in, and what to say."""

    names: list[str]
    columns: list[list[Any]]
    lines: list[int]
    header: bool
    notes: list[str] = field(default_factory=list)

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """Return the columns under these names, each with the type that all of its cells have, else as text."""
        series = []
        for name, values in zip(names, self.columns, strict=True):
            typed, note = _column(name, values)
            series.append(typed)
            if note:
                self.notes.append(f"Column {name!r} {note}.")
        return pl.DataFrame(series)


def read_sheet(
    file: SourceFile, *, sheet: str | int | None = None, header: bool | None = None, limit: int | None = None
) -> Sheet:
    """Read a sheet of a workbook: by its name, its number from 1, or the first that holds anything.

    Empty rows and columns and a title above the header are left out. A formula is its value as it was saved,
    and a cell with an error is empty.

    Raises
    ------
    ValueError
        There is no such sheet, it is empty or too large, or the file is broken or locked with a password.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    _check(file)
    try:
        with CalamineWorkbook.from_object(file.whole()) as book:
            names = [meta.name for meta in book.sheets_metadata if str(meta.typ).endswith("WorkSheet")]
            chosen = _chosen(file.name, names, sheet)
            for name in chosen:
                found = book.get_sheet_by_name(name)
                rows = _rows(found.iter_rows(), limit)
                if rows or name == chosen[-1]:
                    merged = _merged(found)
                    break
    except PasswordError as error:
        raise _locked(file.name) from error
    except (CalamineError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file.name} is a broken workbook, or none that Excel writes: {error}") from error
    if not rows:
        raise ValueError(f"The sheet {name!r} of {file.name} has no rows.")
    table = _table(rows, merged, header, limit)
    if not table.lines and limit != 0:
        raise ValueError(f"The sheet {name!r} of {file.name} has a header ({', '.join(table.names)}) and no rows.")
    if len(names) > 1 and sheet is None:
        others = ", ".join(repr(each) for each in names if each != name)
        table.notes.insert(0, f"The sheet {name!r} was read, of {len(names)}; the others are {others}.")
    return table


def _chosen(file: str, names: list[str], sheet: str | int | None) -> list[str]:
    if not names:
        raise ValueError(f"{file} has no sheet of cells.")
    if sheet is None:
        return names
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 1 <= sheet <= len(names):
        return [names[sheet - 1]]
    if sheet in names:
        return [str(sheet)]
    shown = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
    raise ValueError(f"{file} has no sheet {sheet!r}. Its sheets are: {shown}.")


def _locked(name: str) -> ValueError:
    return ValueError(f"{name} is locked with a password. Save it without one, or save the sheet as CSV.")


def _check(file: SourceFile) -> None:
    """Refuse a workbook that is locked, broken, or larger unpacked than it may be, before its cells are laid out."""
    if file.head().startswith(SHEET_BYTES):
        return
    try:
        with file.seekable() as opened, zipfile.ZipFile(opened) as archive:
            check_unpacked(file.name, archive.infolist())
            if any(member.flag_bits & 1 for member in archive.infolist()):
                raise _locked(file.name)
            for member in archive.infolist():
                with open_member(archive, member, file.name, limits().unpacked_bytes) as part:
                    # Read to its end, a member shows whether it is as long as the archive says.
                    _check_member(file.name, part, scan=_WORKSHEET.fullmatch(member.filename) is not None)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{file.name} is a broken workbook, perhaps cut off while it was copied: {error}") from error


def _check_member(name: str, part: IO[bytes], *, scan: bool) -> None:
    most = limits()
    rows = columns = cells = 0
    kept = b""
    while block := part.read(_BLOCK):
        if not scan:
            continue
        text = kept + block
        end = text.rfind(b">") + 1
        kept = text[end:][-4096:]
        for attributes in _CELL.findall(text[:end]):
            cells += 1
            if place := _PLACE.search(attributes):
                rows = max(rows, int(place[2]))
                columns = max(columns, _position(place[1]))
        # Looked at block by block: what is too large is refused before the rest of it is unpacked.
        for count, what, limit in ((rows, "rows", most.rows), (columns, "columns", most.columns)):
            if count > limit:
                raise ValueError(
                    f"{name} has a sheet of {count:,} {what}; at most {limit:,} are read. Delete what lies far outside "
                    f"the table, or raise the limit by the environment variable {setting_of(what)}."
                )
    if rows * columns > max(_MOST_CELLS, 4 * cells):
        raise ValueError(
            f"{name} has a sheet of {rows:,} rows and {columns:,} columns with {cells:,} cells in use. "
            "Delete what lies far outside the table, or save the sheet as CSV."
        )


def _position(letters: bytes) -> int:
    position = 0
    for letter in letters.upper():
        position = position * 26 + letter - 64
    return position


def _rows(cells: Iterator[list[Any]], limit: int | None) -> list[tuple[int, list[Any]]]:
    """Return the rows that hold anything, with their numbers in the sheet from 1; some more than asked for."""
    rows = []
    for number, row in enumerate(cells, start=1):
        if any(cell != "" for cell in row):
            rows.append((number, row))
            if limit is not None and len(rows) >= limit + _LOOKED_AT:
                break
    return rows


def _merged(sheet: Any) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return merged ranges as (row, column) of their corners in the rows of the sheet, from 0."""
    left = (sheet.start or (0, 0))[1]
    return [((top, first - left), (end, last - left)) for (top, first), (end, last) in sheet.merged_cell_ranges or []]


def _table(rows: list[tuple[int, list[Any]]], merged: list[Any], header: bool | None, limit: int | None) -> Sheet:
    notes: list[str] = []
    start = _title_rows([row for _, row in rows])
    if start:
        shown = next(str(cell) for cell in rows[0][1] if cell != "")
        notes.append(f"{start} row{'s' * (start > 1)} above the header left out, beginning {shown[:60]!r}.")
    body = rows[start:]
    named = _is_header(body[0][1]) if header is None else header
    names = [_text(cell) or "" for cell in body[0][1]] if named else []
    if named:
        used, names = _spread(body, merged, names)
        if used > 1:
            notes.append(f"The header spans the rows {body[0][0]} and {body[1][0]} of the sheet.")
        body = body[used:]
    else:
        names = ["text"] if len(body[0][1]) == 1 else [f"column_{i + 1}" for i in range(len(body[0][1]))]
        notes.append(f"No header was found: the columns are called {', '.join(names)}.")
    body = body if limit is None else body[:limit]
    columns = [
        [None if cell == "" else cell for cell in column] for column in zip(*(row for _, row in body), strict=True)
    ]
    columns = columns or [[] for _ in names]
    keep = [i for i, name in enumerate(names) if (named and name) or any(cell is not None for cell in columns[i])]
    return Sheet([names[i] for i in keep], [columns[i] for i in keep], [number for number, _ in body], named, notes)


def _title_rows(rows: list[list[Any]]) -> int:
    """Return how many rows stand above the table: such with one cell where those below have several."""
    looked_at = rows[:_LOOKED_AT]
    filled = [sum(cell != "" for cell in row) for row in looked_at]
    usual = sorted(filled)[len(filled) // 2]
    if usual < 2:
        return 0
    return next((i for i, count in enumerate(filled) if count > 1), 0)


def _is_header(row: list[Any]) -> bool:
    return all(isinstance(cell, str) for cell in row)


def _spread(body: list[tuple[int, list[Any]]], merged: list[Any], names: list[str]) -> tuple[int, list[str]]:
    """Return how many rows the header has, and the names, those of a merged cell before each of the names below it."""
    top = body[0][0] - 1
    wide = [(first, last) for (row, first), (_, last) in merged if row == top and last > first]
    if not wide or len(body) < 2:
        return 1, names
    below = body[1][1]
    over = {at for first, last in wide for at in range(first, last + 1)}
    if not all(isinstance(cell, str) for cell in below) or any(
        below[at] != "" and at not in over for at in range(len(below))
    ):
        return 1, names
    for first, last in wide:
        for at in range(first, min(last + 1, len(names))):
            names[at] = f"{names[first]} {below[at]}".strip() if at > first else names[first]
        names[first] = f"{names[first]} {below[first]}".strip()
    return 2, names


def _column(name: str, values: list[Any]) -> tuple[pl.Series, str]:
    """Return cells as a column of the type that all of them share, else as text, and what is to be said of it."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds or kinds == {str}:
        return pl.Series(name, values, dtype=pl.String), ""
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean), ""
    if kinds <= {int, float}:
        whole = all(value is None or (math.isfinite(value) and value == int(value)) for value in values)
        large = [value for value in values if value is not None and abs(value) >= _EXACT_DIGITS]
        note = "has numbers of more than 15 digits, which spreadsheets round: keep such ids as text" if large else ""
        if whole and all(abs(value) < 2**63 for value in large):
            return pl.Series(name, [None if v is None else int(v) for v in values], dtype=pl.Int64), note
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64), note
    if kinds == {dt.date}:
        return pl.Series(name, values, dtype=pl.Date), ""
    if kinds <= {dt.date, dt.datetime}:
        return pl.Series(name, [_moment(value) for value in values], dtype=pl.Datetime("us")), ""
    if kinds == {dt.timedelta}:
        return pl.Series(name, values, dtype=pl.Duration("us")), ""
    note = "" if kinds == {dt.time} else "holds cells of several kinds; they became text"
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String), note


def _moment(value: Any) -> dt.datetime | None:
    # A sheet knows no time zones.
    return value if value is None or isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def _text(cell: Any) -> str | None:
    """Return a cell as it would be typed: 3 for 3.0, 2024-12-31 for a date."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and math.isfinite(cell) and cell == int(cell) and abs(cell) < 2**63:
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
