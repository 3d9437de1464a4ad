"""Label a Parquet file of any size in bounded memory, and go on where a killed run stopped."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from labeling.arrays import known_where
from labeling.executors import Engine, map_in_order
from labeling.functions.base import LabelingFunction
from labeling.label_names import label_names
from labeling.votes.applying import Slice, needed, open_source, vote_on
from labeling.votes.label_models import LabelModel, MajorityVote
from labeling.votes.matrix import LabelMatrix, Source
from labeling.votes.patterns import Patterns
from labeling.votes.running import Faults, add_faults, check_functions

JOIN = 16
"""Batches of patterns that are joined at a time."""

MARK = "run"
"""The file that says which run the parts beside it are of."""


@dataclass(frozen=True)
class LabelFileReport:
    """What a run over a file did.

    Attributes
    ----------
    path
        File written.
    rows
        Rows in it.
    counts
        Rows by class, in the order of the classes.
    unlabeled
        Rows that the label model left open.
    seconds
        Time of this run.
    resumed
        Rows that an earlier run had finished.
    faults
        Exceptions by function name, for those with any.
    notes
        What the label model said about its fit.
    """

    path: Path
    rows: int
    counts: dict[str, int]
    unlabeled: int
    seconds: float
    resumed: int
    faults: dict[str, Faults]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Job:
    """All that a worker has to know."""

    functions: tuple[LabelingFunction, ...]
    labels: tuple[str, ...]
    text: str | None
    columns: tuple[str, ...] | None
    keep: tuple[str, ...]
    model: LabelModel
    folder: Path

    def part(self, task: Slice, suffix: str) -> Path:
        return self.folder / f"{task.start:012d}{suffix}"


def weak_label_file(
    source: str | Path,
    functions: Sequence[object],
    label_model: LabelModel,
    destination: str | Path,
    *,
    labels: Sequence[str],
    text: str | None = "text",
    keep: Sequence[str] = (),
    executor: Engine = None,
    progress: bool = True,
) -> LabelFileReport:
    """Label every row of a Parquet file and write the labels to another.

    The source is read slice by slice, by the workers themselves; a label model
    that learns is fitted on the patterns of votes of all rows. Finished slices
    lie in ``DESTINATION.parts`` until the file is complete: the same call after
    a kill goes on from there. The destination appears whole or not at all.

    Parameters
    ----------
    source
        Parquet file; on a cluster, where every worker finds it.
    functions
        Labeling functions.
    label_model
        How votes are combined; fitted here unless it is fitted already.
    destination
        File to write: ``row``, the columns to keep, ``label`` (null where the model leaves it open), ``confidence``,
        ``weight`` and ``p_<class>``; rows in the order of the source.
    labels
        Class names.
    text
        Column that functions read which name none.
    keep
        Columns of the source to carry over.
    executor
        None, ``"threads"``, ``"processes"``, or an executor object such as that of a Dask cluster.
    progress
        Show a bar.

    Raises
    ------
    TypeError
        The source is no path.
    """
    begin = time.perf_counter()
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"weak_label_file reads a Parquet file, got a {type(source).__name__}. Write it to one first, as with "
            "write_parquet(), or label what fits in memory with apply() and a label model."
        )
    source, destination, labels = Path(source), Path(destination), label_names(labels)
    slices, columns = open_source(source)
    ready = check_functions(functions, columns, labels, text)
    missing = [name for name in keep if name not in columns]
    if missing:
        raise ValueError(f"keep names {missing[0]!r}, which is no column of {source}. Columns: {', '.join(columns)}.")
    folder = destination.with_name(destination.name + ".parts")
    read = needed(ready, text)
    wanted = None if read is None else tuple(sorted({*read, *keep}))
    job = _Job(tuple(ready), tuple(labels), text, wanted, tuple(keep), label_model, folder)
    _open_folder(folder, _run_key(job, source))
    slices = [task for task in slices if task.rows] or slices
    resumed = sum(task.rows for task in slices if job.part(task, ".json").exists())
    if _must_fit(label_model):
        job = replace(job, model=_fit(job, slices, executor, progress))
    counts, faults = _label(job, slices, executor, progress)
    _join_parts(job, slices, destination)
    _clear(folder)
    return LabelFileReport(
        path=destination,
        rows=sum(task.rows for task in slices),
        counts={label: int(counts[position]) for position, label in enumerate(labels)},
        unlabeled=int(counts[-1]),
        seconds=time.perf_counter() - begin,
        resumed=resumed,
        faults={function.name: fault for function, fault in zip(ready, faults, strict=True) if fault},
        notes=job.model.notes,
    )


def _must_fit(model: LabelModel) -> bool:
    return model.fitted is None and not (isinstance(model, MajorityVote) and model.ties != "prior")


def _run_key(job: _Job, source: Path) -> str:
    """Tell runs apart: the same source, functions, classes and label model can go on where one stopped."""
    about = source.stat()
    prints = [function.fingerprint for function in job.functions]
    if job.model.fitted is not None or None in prints:
        # What was learned elsewhere, or code that cannot be compared, may differ the next time.
        return os.urandom(16).hex()
    names = [(function.name, function.expert) for function in job.functions]
    model = (type(job.model).__name__, job.model.parameters)
    told = [
        str(source.resolve()),
        about.st_size,
        about.st_mtime_ns,
        prints,
        names,
        job.labels,
        job.text,
        job.keep,
        model,
    ]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def _open_folder(folder: Path, key: str) -> None:
    """Keep the parts of the same run, clear those of another."""
    mark = folder / MARK
    if mark.exists() and mark.read_text() == key:
        return
    if folder.exists():
        _clear(folder)
    folder.mkdir(parents=True)
    mark.write_text(key)


def _clear(folder: Path) -> None:
    """Remove the parts of a run, its mark first: what a kill leaves of them is nothing to go on from."""
    (folder / MARK).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _fit(job: _Job, slices: Sequence[Slice], executor: Engine, progress: bool) -> LabelModel:
    """Collect the patterns of all votes, a few batches at a time, and fit the label model on them."""
    from tqdm.auto import tqdm

    waiting: list[Patterns] = []
    with tqdm(total=sum(task.rows for task in slices), unit="rows", desc="votes", disable=not progress) as bar:
        for task, patterns in zip(slices, map_in_order(partial(_patterns, job=job), slices, executor), strict=True):
            waiting.append(patterns)
            if len(waiting) >= JOIN:
                waiting = [Patterns.concat(waiting)]
            bar.update(task.rows)
    return job.model.fit_patterns(Patterns.concat(waiting))


def _patterns(task: Slice, job: _Job) -> Patterns:
    """Patterns of one slice; its votes are kept for the second pass."""
    matrix = _matrix(task, job, keep_votes=True)
    return replace(matrix.patterns, inverse=None)


def _matrix(task: Slice, job: _Job, *, keep_votes: bool) -> LabelMatrix:
    """Votes of one slice, from the first pass where there was one."""
    kept, about = job.part(task, ".npy"), job.part(task, ".votes.json")
    ids = np.arange(task.start, task.start + task.rows)
    if kept.exists() and about.exists():
        found = [fault and Faults(**fault) for fault in json.loads(about.read_text())]
        values = np.load(kept, allow_pickle=False)
    else:
        votes = vote_on(task, job.functions, job.labels, job.text, job.columns)
        values = votes.values
        found = [fault and replace(fault, first_row=fault.first_row + task.start) for fault in votes.faults]
        if keep_votes:
            _write(kept, lambda path: _save(path, values))
            _write(about, lambda path: path.write_text(json.dumps([fault and asdict(fault) for fault in found])))
    sources = tuple(
        Source(function.name, function.expert, function.kind, faults=fault)
        for function, fault in zip(job.functions, found, strict=True)
    )
    return LabelMatrix(values, job.labels, sources, ids)


def _label(
    job: _Job, slices: Sequence[Slice], executor: Engine, progress: bool
) -> tuple[np.ndarray[Any, Any], list[Faults | None]]:
    """Label the slices that are not done; return the rows by class (the open ones last), and the faults."""
    from tqdm.auto import tqdm

    counts = np.zeros(len(job.labels) + 1, dtype=np.int64)
    faults: list[Faults | None] = [None] * len(job.functions)
    with tqdm(total=sum(task.rows for task in slices), unit="rows", desc="labels", disable=not progress) as bar:
        for task, about in zip(slices, map_in_order(partial(_label_slice, job=job), slices, executor), strict=True):
            counts += np.array(about["counts"])
            found = [fault and Faults(**fault) for fault in about["faults"]]
            faults = [add_faults(pair) for pair in zip(faults, found, strict=True)]
            bar.update(task.rows)
    return counts, faults


def _label_slice(task: Slice, job: _Job) -> dict[str, Any]:
    """Label one slice into a part of the destination; what is known of it lies beside, and says that it is done."""
    done = job.part(task, ".json")
    if done.exists():
        known: dict[str, Any] = json.loads(done.read_text())
        return known
    matrix = _matrix(task, job, keep_votes=False)
    weak = job.model.label(matrix)
    k = len(job.labels)
    label = pl.Series(np.where(weak.positions < 0, k, weak.positions), dtype=pl.UInt32)
    names = pl.Series([*job.labels, None], dtype=pl.Enum(job.labels))
    labeled = pl.Series(weak.positions >= 0)
    said = labeled | pl.Series(matrix.votes_per_item > 0)
    frame = pl.DataFrame(
        {
            "row": matrix.item_ids,
            "label": names.gather(label),
            "confidence": known_where(labeled, weak.proba.max(axis=1).astype(np.float32)),
            "weight": weak.weight.astype(np.float32),
            **{
                f"p_{name}": known_where(said, weak.proba[:, c].astype(np.float32)) for c, name in enumerate(job.labels)
            },
        }
    )
    if job.keep:
        kept = task.read(job.keep)
        frame = frame.select("row").hstack(kept.get_columns()).hstack(frame.drop("row").get_columns())
    _write(job.part(task, ".parquet"), lambda path: frame.write_parquet(path, compression="zstd", compression_level=1))
    about = {
        "counts": np.bincount(np.asarray(label), minlength=k + 1).tolist(),
        "faults": [source.faults and asdict(source.faults) for source in matrix.sources],
    }
    _write(done, lambda path: path.write_text(json.dumps(about)))
    return about


def _save(path: Path, values: np.ndarray[Any, Any]) -> None:
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def _write(path: Path, write: Any) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write(temporary)
    temporary.replace(path)


def _join_parts(job: _Job, slices: Sequence[Slice], destination: Path) -> None:
    parts = [job.part(task, ".parquet") for task in slices]
    temporary = job.folder / "whole.tmp"
    pl.scan_parquet(parts).sink_parquet(temporary, compression="zstd", compression_level=1)
    temporary.replace(destination)
