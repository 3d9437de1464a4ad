"""Read a folder that `datasets` saved, ours or anyone's: its Arrow files, with `datasets` or without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import polars as pl

from labeling.formats.sources.limits import check_size

_DISTRIBUTIONS = ("probabilities", "weak_probabilities", "model_probabilities")
_SPLITS, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def saved_dataset(source: object) -> Path | None:
    """Return the folder where a source is one that `datasets` saved, None where it is anything else."""
    if not isinstance(source, str | PathLike):
        return None
    folder = Path(str(fspath(source))).expanduser()
    return folder if any((folder / name).is_file() for name in (_SPLITS, _STATE)) else None


def read_saved(folder: Path, limit: int | None = None) -> pl.DataFrame:
    """Return the rows of all splits, one after the other; ``split`` names that of each where the folder has splits.

    Classes are names again, pictures bytes, and the distributions of an export structures by class name.

    Raises
    ------
    ValueError
        A part of the folder is missing or broken, or it holds more than the limits allow.
    """
    named = _json(folder / _SPLITS).get("splits") if (folder / _SPLITS).is_file() else None
    parts = {str(name): folder / Path(str(name)).name for name in named} if named else {None: folder}
    frames, rows = [], 0
    for name, part in parts.items():
        features = _json(part / _INFO).get("features") or {}
        for table in _tables(folder, part, None if limit is None else limit - rows):
            rows += table.num_rows
            check_size(folder.name, rows, table.num_columns)
            frame = _as_written(pl.DataFrame(pl.from_arrow(table)), features)
            frames.append(frame if name is None else frame.with_columns(split=pl.lit(name, dtype=pl.String)))
    if not frames:
        raise ValueError(f"{folder} has no rows.")
    return pl.concat(frames, how="diagonal_relaxed")


def _json(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file.parent} is no whole data set: {file.name} is missing or broken.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file.parent} is no whole data set: {file.name} holds no object.")
    return found


def _tables(folder: Path, part: Path, limit: int | None) -> Iterator[Any]:
    """Yield the Arrow files of a split, up to `limit` rows."""
    import pyarrow as pa

    left = limit
    # What is named there lies beside it: a path that leads elsewhere is not followed.
    files = [part / Path(str(each.get("filename"))).name for each in _json(part / _STATE).get("_data_files") or []]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"{folder} is no whole data set: {missing[0].relative_to(folder)} is missing.")
    check_size(folder.name, 0, 0, sum(file.stat().st_size for file in files))
    for file in files:
        try:
            with pa.OSFile(str(file), "rb") as opened, pa.ipc.open_stream(opened) as reader:
                schema, batches = reader.schema.remove_metadata(), []
                for batch in reader:
                    if left is not None and left <= 0:
                        break
                    batches.append(batch.slice(0, left).replace_schema_metadata())
                    left = None if left is None else left - batches[-1].num_rows
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{file} is broken, perhaps cut off while it was copied: {error}") from error
        yield pa.Table.from_batches(batches, schema)


def _as_written(frame: pl.DataFrame, features: Mapping[str, Any]) -> pl.DataFrame:
    """Undo what a data set does to columns: classes as numbers, pictures as structures, distributions as lists."""
    kinds = {name: about for name, about in features.items() if isinstance(about, dict) and name in frame.columns}
    changed = []
    for name, about in kinds.items():
        if about.get("_type") == "ClassLabel":
            names = dict(enumerate(map(str, about.get("names") or [])))
            # -1 is how a data set says that there is no label.
            changed.append(pl.col(name).replace_strict(names, default=None, return_dtype=pl.String))
        elif about.get("_type") == "Image" and isinstance(frame.schema[name], pl.Struct):
            parts = {part.name for part in frame.schema[name].fields}  # type: ignore[attr-defined]
            held = "bytes" if "bytes" in parts and frame[name].struct.field("bytes").null_count() < frame.height else ""
            changed.append(pl.col(name).struct.field(held or "path").alias(name))
    classes = [str(name) for name in kinds.get("label", {}).get("names") or []]
    for name in _DISTRIBUTIONS:
        if name in frame.columns and isinstance(frame.schema[name], pl.List) and classes:
            shares = pl.struct(pl.col(name).list.get(n, null_on_oob=True).alias(c) for n, c in enumerate(classes))
            changed.append(pl.when(pl.col(name).is_not_null()).then(shares).alias(name))
    return frame.with_columns(changed)
