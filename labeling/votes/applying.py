"""Ask labeling functions about a frame or a Parquet file, without a project, on any executor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.executors import Engine, map_in_order
from labeling.functions.base import LabelingFunction
from labeling.label_names import label_names
from labeling.votes.matrix import LabelMatrix
from labeling.votes.running import AT_ONCE, Votes, check_functions, run_functions

if TYPE_CHECKING:
    import pandas as pd

SLICE = AT_ONCE
"""Rows of a task at most."""


PIECE = 32_768
"""Rows of a frame that go to a worker at once, at most."""


@dataclass(frozen=True)
class Slice:
    """Rows of a Parquet file that one worker reads by itself, or of a frame.

    Attributes
    ----------
    start, rows
        First row and number of rows.
    path
        File, or None.
    frame
        The rows themselves, or None.
    """

    start: int
    rows: int
    path: str | None = None
    frame: pl.DataFrame | None = None

    def read(self, columns: Sequence[str] | None) -> pl.DataFrame:
        """Rows with the columns asked for; None: all."""
        if self.frame is not None:
            return self.frame
        lazy = pl.scan_parquet(str(self.path))
        return (lazy if columns is None else lazy.select(columns)).slice(self.start, self.rows).collect()


def apply(
    functions: Sequence[object],
    source: "pl.DataFrame | pd.DataFrame | list[dict[str, Any]] | str | Path",
    labels: Sequence[str],
    *,
    text: str | None = "text",
    executor: Engine = None,
    progress: bool = False,
) -> LabelMatrix:
    """Ask every function about every row; the matrix has the rows in the order of the source.

    Parameters
    ----------
    functions
        Labeling functions, Snorkel's included.
    source
        A polars or pandas frame (its index does not matter), a list of mappings, or the path of a Parquet file,
        which workers read by themselves.
    labels
        Class names.
    text
        Column that functions read which name none.
    executor
        None, ``"threads"``, ``"processes"``, or an executor object such as that of a Dask cluster.
    progress
        Show a bar.

    Examples
    --------
    >>> from labeling import keyword
    >>> posts = pl.DataFrame({"text": ["the senate", "a cat"]})
    >>> apply([keyword("politics", ["senate"], label="ok")], posts, labels=["ok", "offensive"]).values
    array([[ 0],
           [-1]], dtype=int8)
    """
    from tqdm.auto import tqdm

    labels = label_names(labels)
    slices, columns = open_source(source)
    ready = check_functions(functions, columns, labels, text)
    work = partial(vote_on, functions=ready, labels=labels, text=text, columns=needed(ready, text))
    parts = []
    with tqdm(total=sum(task.rows for task in slices), unit="rows", disable=not progress) as bar:
        for part in map_in_order(work, slices, executor):
            parts.append(part)
            bar.update(len(part.values))
    return LabelMatrix.from_functions(Votes.concat(parts), ready, labels)


def votes_of_frame(
    functions: Sequence[LabelingFunction],
    frame: pl.DataFrame,
    labels: Sequence[str],
    *,
    text: str | None = "text",
    executor: Engine = None,
    progress: bool = False,
) -> Votes:
    """Return what `run_functions` does, computed where the executor runs: workers get the columns that are read.

    Examples
    --------
    >>> from labeling import keyword
    >>> posts = pl.DataFrame({"text": ["the senate", "a cat"]})
    >>> rule = keyword("politics", ["senate"], label="ok")
    >>> votes_of_frame([rule], posts, ["ok", "bad"], executor="threads").values.tolist()
    [[0], [-1]]
    """
    if executor is None:
        return run_functions(functions, frame, labels, text=text, progress=progress)
    from tqdm.auto import tqdm

    ready = check_functions(functions, frame.columns, labels, text)
    read = needed(ready, text)
    held = frame if read is None else frame.select(read)
    tops = range(0, max(len(held), 1), PIECE)
    slices = (Slice(top, len(held[top : top + PIECE]), frame=held[top : top + PIECE]) for top in tops)
    work = partial(vote_on, functions=ready, labels=labels, text=text, columns=None)
    parts = []
    with tqdm(total=len(held), unit=" rows", desc="votes", disable=not progress, leave=False, delay=1.0) as bar:
        for part in map_in_order(work, slices, executor):
            parts.append(part)
            bar.update(len(part.values))
    return Votes.concat(parts)


def vote_on(
    task: Slice,
    functions: Sequence[LabelingFunction],
    labels: Sequence[str],
    text: str | None,
    columns: Sequence[str] | None,
) -> Votes:
    """Votes on one slice; this is what a worker does."""
    return run_functions(functions, task.read(columns), labels, text=text)


def open_source(source: Any) -> tuple[list[Slice], list[str]]:
    """Cut a source into slices of whole row groups (in parts, where they are large), and name its columns."""
    if isinstance(source, (str, Path)):
        return _file_slices(Path(source))
    if isinstance(source, pl.DataFrame):
        frame = source
    elif is_table(source):
        frame = table_of(source)
    else:
        raise TypeError(
            "A source is a polars or pandas frame, a list of mappings or the path of a Parquet file, "
            f"got {type(source)!r}."
        )
    starts = range(0, max(len(frame), 1), SLICE)
    return [Slice(s, len(frame[s : s + SLICE]), frame=frame[s : s + SLICE]) for s in starts], frame.columns


def is_table(source: object) -> bool:
    """Tell whether an object in memory holds rows with names: a frame of any kind, or a list of mappings."""
    return isinstance(source, list | pl.DataFrame | pl.LazyFrame) or type(source).__module__.startswith("pandas")


def table_of(source: object) -> pl.DataFrame:
    """Return the rows of an object in memory as a frame, none left out.

    Raises
    ------
    ValueError
        A row is none.
    """
    from labeling.formats.reading.tables import read_source

    for number, row in enumerate(source, 1) if isinstance(source, list) else ():
        if not isinstance(row, Mapping):
            raise ValueError(f"Row {number} cannot be read: {row!r:.80} is no mapping of names to values.")
    table = read_source(source)
    for rejected in table.rejected:
        raise ValueError(f"Row {rejected.line} cannot be read: {rejected.reason} Pass mappings of names to values.")
    return table.frame


def _file_slices(path: Path) -> tuple[list[Slice], list[str]]:
    from pyarrow.lib import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}. Pass the path of a Parquet file, or a frame.")
    try:
        with ParquetFile(path) as file:
            groups = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
            columns = list(file.schema_arrow.names)
    except ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file: {error}") from error
    slices: list[Slice] = []
    start = rows = 0
    for size in groups:
        if rows and rows + size > SLICE:
            slices.append(Slice(start, rows, str(path)))
            start, rows = start + rows, 0
        rows += size
        while rows > SLICE:
            slices.append(Slice(start, SLICE, str(path)))
            start, rows = start + SLICE, rows - SLICE
    if rows or not slices:
        slices.append(Slice(start, rows, str(path)))
    return slices, columns


def needed(functions: Sequence[LabelingFunction], text: str | None) -> list[str] | None:
    """Columns that the functions read; None: all, as for a Python function, which may read any."""
    names = [function.needs(text) for function in functions]
    return None if not all(names) else sorted({name for found in names for name in found})
