"""Write tables to files: a batch at a time, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from labeling.formats.export_format import About, ExportFormat
from labeling.formats.writing.dataset_folder import DATASET, is_dataset
from labeling.formats.writing.export_formats import export_format
from labeling.formats.writing.whole_files import digest, whole


@dataclass(frozen=True)
class WriteReport:
    """What was written: how many rows, where, and the SHA-256 of the file, or of the list of a folder's files."""

    rows: int
    path: Path
    sha256: str


def write_rows(path: str | Path, batches: Iterable[pl.DataFrame], kind: ExportFormat, about: About) -> WriteReport:
    """Write frames of the same columns in one of the `EXPORT_FORMATS`.

    The file or folder appears under its name when it is complete and on disk; until then, and if anything fails,
    what stood there before stays. A folder is replaced if it is a saved data set, and left alone with an error if
    it is anything else.
    """
    destination = _destination(path)
    if kind.folder and destination.exists() and not is_dataset(destination):
        raise FileExistsError(f"{destination} exists and is not a saved data set; choose another path or remove it.")
    if not kind.folder and destination.is_dir():
        raise IsADirectoryError(f"{destination} is a folder; give the path of a file.")
    first, rest = _first(batches)
    with whole(destination) as temporary:
        rows = kind.write(temporary, _alike(first, rest), about)
        sha256 = digest(temporary)
    return WriteReport(rows, destination, sha256)


def write_table(
    path: str | Path,
    batches: Iterable[pl.DataFrame],
    *,
    format: str | None = None,  # noqa: A002 - the name that users know
    escape_formulas: bool = True,
) -> WriteReport:
    r"""Write frames of the same columns to one file, in the format that its suffix or `format` says.

    The file appears under its name when it is complete and on disk; until then, and if anything fails, what stood
    there before stays. In CSV, texts that a spreadsheet would run as a formula get a ' in front, which
    `read_source` takes off an export again; lists and structures become JSON. Bytes are base64 in CSV and JSONL.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> report = write_table(f"{folder.name}/labels.csv", [pl.DataFrame({"text": ["=1+1", "hello"], "score": [-1, 2]})])
    >>> report.rows, report.path.read_text()
    (2, "text,score\n'=1+1,-1\nhello,2\n")
    >>> folder.cleanup()
    """
    kind = export_format(path, format)
    if kind.folder:
        raise ValueError(f"{str(path)!r} would be a folder. Give the path a suffix, or write it with write_dataset().")
    return write_rows(path, batches, kind, About(escape_formulas=escape_formulas))


def write_dataset(
    path: str | Path,
    splits: Mapping[str, Iterable[pl.DataFrame]],
    label_names: Sequence[str],
    *,
    image: str | None = None,
) -> WriteReport:
    """Write a folder that `datasets.load_from_disk` opens, one split a name.

    The columns ``label`` and ``gold`` (class names, null where there is none) become ClassLabels; ``probabilities``
    (a structure by class name) a list of numbers in the order of the classes.
    """
    if not splits:
        raise ValueError("There is nothing to write: give at least one split.")
    batches = (
        frame.with_columns(split=pl.lit(name, dtype=pl.String)) for name, frames in splits.items() for frame in frames
    )
    return write_rows(path, batches, DATASET, About(tuple(label_names), image=image, splits=tuple(splits)))


def _destination(path: str | Path) -> Path:
    destination = Path(path).expanduser().resolve()
    if not destination.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {destination.parent} to write {destination.name} to.")
    return destination


def _first(batches: Iterable[pl.DataFrame]) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        raise ValueError("There is nothing to write: give at least one frame, an empty one for its columns.")
    return first, rest


def _alike(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    for number, frame in enumerate(rest, start=2):
        if frame.columns != first.columns:
            raise ValueError(f"Batch {number} has the columns {frame.columns}, the first has {first.columns}.")
        yield frame if frame.schema == first.schema else frame.cast(first.schema)
