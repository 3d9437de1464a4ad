"""Read a data set from a file, an upload or a frame, and account for every row of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.formats.columns.names import (
    EXPORT_COLUMNS,
    EXPORT_MARKS,
    as_text,
    infer_numbers,
    name_columns,
    split_export,
    unescape_formulas,
)
from labeling.formats.columns.pandas_columns import pandas_column
from labeling.formats.columns.supported import decimal_texts, exact_numbers, supported_columns
from labeling.formats.columns.values import EXACT
from labeling.formats.exchange import PLAIN
from labeling.formats.reading.delimited import DelimitedRows, Rejected
from labeling.formats.reading.json_file import json_records
from labeling.formats.reading.json_rows import CHUNK, RecordColumns
from labeling.formats.reading.kinds import file_kind
from labeling.formats.reading.offers import taken
from labeling.formats.reading.saved_dataset import read_saved, saved_dataset
from labeling.formats.reading.sheet_file import read_sheet
from labeling.formats.sources.compressed import unpacked
from labeling.formats.sources.limits import check_size
from labeling.formats.sources.sniffing import SAMPLE_BYTES, check_encoding, sniff_dialect
from labeling.formats.sources.source_file import SourceFile
from labeling.formats.sources.text_encoding import find_encoding
from labeling.formats.task_readers import tool_of
from labeling.library_errors import in_plain_words


@dataclass(frozen=True, eq=False)
class Table:
    """What was read: the rows, where each stood, and everything that was changed or left out.

    ``lines`` (n,) is the line of the file that a row starts at, the header included; for Parquet and
    frames the row number; both from 1. ``evidence`` holds the columns that an export of ours
    has beside the items' own (who labeled, when, how sure), row for row; None for any other source.
    ``tool`` names the labeling tool whose tasks they were, and ``answers`` who answered what in it, by row.
    """

    frame: pl.DataFrame
    lines: npt.NDArray[np.int64]
    rejected: list[Rejected] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    name: str = "the source"
    format: str = "frame"
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    is_export: bool = False
    evidence: pl.DataFrame | None = None
    originals: dict[str, pl.Series] = field(default_factory=dict, repr=False)
    exact: dict[str, int] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    tool: str | None = None
    answers: pl.DataFrame | None = field(default=None, repr=False)

    def text_of(self, column: str) -> pl.Series:
        """Return a column as it was written: numbers and truth values as their text, nothing rounded."""
        if column in self.originals:
            return self.originals[column]
        series = self.frame[column]
        if series.dtype == pl.Binary:
            return series.bin.encode("hex")
        if series.dtype != pl.Float64:
            return series if series.dtype == pl.String else series.cast(pl.String)
        number = pl.col(column)
        whole = (number % 1 == 0) & (number.abs() < EXACT)
        texts = (
            pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))
        )
        return self.frame.select(texts).to_series()

    def keys_of(self, column: str) -> pl.Series:
        """Return a column that tells rows apart, as it was written.

        Raises
        ------
        ValueError
            It holds decimals so large that two ids may have become one before they came here.
        """
        bound = self.exact.get(column)
        if bound is not None and column not in self.originals:
            large = self.frame[column].abs() >= bound
            if large.any():
                first = self.frame[column].filter(large)[0]
                raise ValueError(
                    f"Column {column!r} holds decimals as large as {first:.0f}: from {bound:,} on they do not tell "
                    "whole numbers apart, so that two ids may have become one. Give it as text or as whole numbers; "
                    "in pandas read it with dtype=str, as a column with gaps becomes decimals."
                )
        return self.text_of(column)


@in_plain_words("Reading the source")
def read_source(
    source: object,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    sheet: str | int | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know
    decimal: str | None = None,
    dates: str | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> Table:
    r"""Read CSV, TSV, JSON, JSON Lines, Parquet, Excel, any of them packed as gz or zip, a polars or a pandas frame.

    Rows that cannot be read are listed in ``rejected`` while the rest goes in; a file that is broken as a
    whole raises ValueError. Cells stay as they are written: only a column in which every
    value is a plain number becomes numbers, an empty cell is null, "NA" is a text.

    Parameters
    ----------
    source
        A path, bytes, an open binary file, a frame, or a list of dicts; the folder of a saved data set. No URL:
        nothing is fetched.
    encoding
        None: UTF-8, or UTF-16 and UTF-32 where the bytes show it; what is not UTF-8 is read as Windows-1252 where
        that fits, and a note says so.
    delimiter, header
        None: found from the first rows.
    sheet
        Of a workbook, its name, or its number from 1; None: the first that holds anything.
    format
        ``"label_studio"``, ``"prodigy"`` or ``"doccano"`` for JSON of these tools, ``"plain"`` for JSON as it is;
        None: found from the first tasks.
    decimal, dates
        ``","`` and ``"day-first"`` or ``"month-first"`` read columns of texts so, those in which every cell can be;
        None leaves them texts.
    name
        What to call bytes in messages; its suffix helps to find the format.
    limit
        Read the first rows only.

    Examples
    --------
    >>> table = read_source(b"id;text\n007;hello\n008;a;b\n", name="posts.csv")
    >>> table.frame.rows()
    [('007', 'hello')]
    >>> table.rejected
    [Rejected(line=3, reason='3 fields where the header has 2')]
    """
    if limit is not None and limit < 0:
        raise ValueError(f"limit is a number of rows, not {limit}.")
    table = _read(source, encoding, delimiter, header, sheet, format, name, limit)
    if table.is_export or (decimal is None and dates is None):
        return table
    frame, originals, notes = taken(table.frame, decimal, dates)
    if decimal == ",":
        notes += [
            f"Column {column!r} was read with a decimal point: {series.drop_nulls()[0]!r} has no comma."
            for column, series in table.originals.items()
        ]
    return replace(table, frame=frame, originals=table.originals | originals, notes=[*table.notes, *notes])


def _read(
    source: object,
    encoding: str | None,
    delimiter: str | None,
    header: bool | None,
    sheet: str | int | None,
    format: str | None,  # noqa: A002 - the name that users know
    name: str | None,
    limit: int | None,
) -> Table:
    if isinstance(source, pl.LazyFrame):
        source = (source if limit is None else source.head(limit)).collect()
    if isinstance(source, pl.DataFrame):
        source = source if limit is None else source.head(limit)
        check_size(name or "the frame", source.height, source.width)
        return _from_frame(source, name or "the frame", "polars")
    if type(source).__module__.split(".")[0] == "pandas":
        return _from_pandas(source, name or "the frame", limit)
    if isinstance(source, list):
        return _from_records(SourceFile(name or "the list"), enumerate(source, start=1), None, "records", limit)
    if (folder := saved_dataset(source)) is not None:
        return replace(_from_frame(read_saved(folder, limit), name or folder.name, "dataset"), folder=folder.resolve())
    file = unpacked(SourceFile.of(source, name))
    kind = file_kind(file)
    if kind == "parquet":
        return _from_parquet(file, limit)
    if kind == "sheet":
        return _from_sheet(file, sheet, header, limit)
    chosen, note = (check_encoding(encoding), None) if encoding else find_encoding(file)
    chosen = "utf-8-sig" if chosen == "utf-8" else chosen
    if kind in ("json", "jsonl"):
        records, kind, notes = json_records(file, chosen)
        tool, records = tool_of(file.name, records, format)
        if tool:
            table = _from_records(file, tool.rows(records), chosen, tool.name, limit)
            answers = tool.answer_frame(table.lines.tolist())
            table = replace(table, tool=tool.name, answers=answers, notes=[*tool.notes(), *table.notes])
        else:
            table = _from_records(file, records, chosen, kind, limit)
        return replace(table, notes=[*([note] if note else []), *notes, *table.notes])
    if format not in (None, PLAIN):
        raise ValueError(f"{file.name} is no JSON, which the files of {format!r} are.")
    table = _from_csv(file, chosen, delimiter, header, limit)
    return replace(table, notes=[note, *table.notes]) if note else table


def _table(file: SourceFile, frame: pl.DataFrame, lines: Any, **known: Any) -> Table:
    """Name the columns, bring them to the types that items have, and take an export apart."""
    renamed, notes, encoding = known.pop("renamed", {}), known.pop("notes", []), known.pop("encoding", None)
    originals: dict[str, pl.Series] = {}
    evidence = None
    is_export = set(frame.columns) >= EXPORT_MARKS
    if is_export:
        if known.get("format") in ("csv", "sheet"):
            frame = unescape_formulas(frame)
        frame, evidence = split_export(frame)
    if known.get("format") == "csv":
        frame, originals = infer_numbers(frame)
    exact, originals = exact_numbers(frame), originals | decimal_texts(frame)
    if known.get("format") == "csv":
        exact = {}
    check_size(file.name, frame.height, frame.width)
    frame, changed = supported_columns(frame)
    return Table(
        frame=frame,
        lines=np.asarray(lines, dtype=np.int64),
        renamed=renamed,
        notes=notes + changed,
        name=file.name,
        is_export=is_export,
        evidence=evidence,
        originals=originals,
        exact=exact,
        folder=file.folder,
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        **known,
    )


def _from_frame(frame: pl.DataFrame, name: str, kind: str) -> Table:
    names, renamed = name_columns(frame.columns, keep=set(frame.columns) >= EXPORT_MARKS)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    if frame.width == 0:
        raise ValueError(f"{name} has no columns.")
    return _table(SourceFile(name), frame, range(1, frame.height + 1), format=kind, renamed=renamed)


def _from_pandas(source: Any, name: str, limit: int | None) -> Table:
    if not hasattr(source, "columns"):
        raise TypeError(f"Cannot read a pandas {type(source).__name__}: give a frame, such as series.to_frame().")
    source = source if limit is None else source.head(limit)
    check_size(name, *source.shape)
    if any(level is not None for level in source.index.names):
        source = source.reset_index()
    old = [str(column) for column in source.columns]
    names, renamed = name_columns(old, keep=set(old) >= EXPORT_MARKS)
    columns: dict[str, pl.Series] = {}
    notes: list[str] = []
    for position, new in enumerate(names):
        columns[new], note = pandas_column(source.iloc[:, position], new)
        if note:
            notes.append(f"Column {new!r} {note}.")
    frame = pl.DataFrame(columns)
    return _table(SourceFile(name), frame, range(1, frame.height + 1), format="pandas", renamed=renamed, notes=notes)


def _from_parquet(file: SourceFile, limit: int | None) -> Table:
    try:
        whole = file.whole()
        _check_footer(file.name, whole)
        frame = pl.read_parquet(whole, n_rows=limit, use_pyarrow=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ValueError(
            f"{file.name} is a broken Parquet file, perhaps cut off while it was copied: {str(error).splitlines()[0]}"
        ) from error
    table = _from_frame(frame, file.name, "parquet")
    return replace(table, folder=file.folder)


def _check_footer(name: str, file: Any) -> None:
    """Refuse a Parquet file that is too large by what its footer says: rows of one value take no room in the file."""
    from pyarrow.lib import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        footer = read_metadata(file)
    except (ArrowException, OSError):
        # Polars says what is broken.
        return
    finally:
        if not isinstance(file, Path):
            file.seek(0)
    unpacked = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
    check_size(name, footer.num_rows, footer.num_columns, unpacked)


def _from_sheet(file: SourceFile, sheet: str | int | None, header: bool | None, limit: int | None) -> Table:
    read = read_sheet(file, sheet=sheet, header=header, limit=limit)
    names, renamed = name_columns(read.names, keep=set(read.names) >= EXPORT_MARKS)
    frame = read.frame(names)
    return _table(file, frame, read.lines, format="sheet", header=read.header, renamed=renamed, notes=read.notes)


def _from_records(
    file: SourceFile, records: Iterator[tuple[int, Any]], encoding: str | None, kind: str, limit: int | None
) -> Table:
    rows = RecordColumns()
    lines: list[int] = []
    rejected: list[Rejected] = []
    for number, record in records:
        if limit is not None and len(lines) >= limit:
            break
        if isinstance(record, dict):
            rows.add(record)
            lines.append(number)
            if len(lines) % CHUNK == 0:
                check_size(file.name, len(lines), rows.width)
        elif isinstance(record, Exception):
            rejected.append(Rejected(number, f"not valid JSON: {record}"))
        else:
            rejected.append(Rejected(number, f"not a JSON object but {as_text(record)[:40]}"))
    _check_some(file, len(lines), rejected, limit)
    frame = rows.frame()
    if frame.width == 0:
        raise ValueError(f"{file.name} has rows without any field.")
    is_export = set(frame.columns) >= EXPORT_MARKS
    names, renamed = name_columns(frame.columns, keep=is_export)
    notes = [note for column, note in rows.notes.items() if not is_export or column not in EXPORT_COLUMNS]
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return _table(file, frame, lines, format=kind, encoding=encoding, rejected=rejected, renamed=renamed, notes=notes)


def _check_some(file: SourceFile, kept: int, rejected: list[Rejected], limit: int | None) -> None:
    if kept or limit == 0:
        return
    if rejected:
        raise ValueError(
            f"None of the {len(rejected):,} rows of {file.name} could be read. The first: {rejected[0]}. "
            "Is it of the format, delimiter and encoding that you expect?"
        )
    raise ValueError(f"{file.name} has no rows.")


def _from_csv(file: SourceFile, encoding: str, delimiter: str | None, header: bool | None, limit: int | None) -> Table:
    sample = _sample(file, encoding)
    dialect = sniff_dialect(file.name, sample, delimiter, header)
    rows = DelimitedRows(file.lines(encoding), dialect)
    first = rows.names()
    check_size(file.name, 0, len(first))
    names, renamed = name_columns(first, keep=set(first) >= EXPORT_MARKS)
    frame = rows.read(names, limit, check=partial(check_size, file.name))
    if not frame.height and not rows.rejected and limit != 0:
        raise ValueError(f"{file.name} has a header ({', '.join(names)}) and no rows.")
    _check_some(file, frame.height, rows.rejected, limit)
    notes = [] if dialect.header else [f"No header was found: the columns are called {', '.join(names)}."]
    return _table(
        file,
        frame,
        rows.starts,
        format="csv",
        encoding=encoding,
        delimiter=dialect.delimiter,
        header=dialect.header,
        rejected=rows.rejected,
        renamed=renamed if dialect.header else {},
        notes=notes,
    )


def _sample(file: SourceFile, encoding: str) -> str:
    head = file.head()
    text = head.decode(encoding, errors="replace")
    if len(head) == SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1] or text
    if not text.strip():
        raise ValueError(f"{file.name} has no rows: it holds blank lines only.")
    return text
