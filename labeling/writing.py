"""Write tables to files: a batch at a time, all or nothing."""

import hashlib
import itertools
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
import polars.selectors as cs

from labeling.columns import BYTES_PREFIX, escape_formulas

_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
FORMATS = ("csv", "jsonl", "parquet")


@dataclass(frozen=True)
class WriteReport:
    """What was written: how many rows, where, and the SHA-256 of the file (empty for a folder)."""

    rows: int
    path: Path
    sha256: str


def file_format(path: str | Path, format: str | None = None) -> str:  # noqa: A002 - the name that users know
    """Return the format to write, from its name or from the suffix of the path.

    Examples
    --------
    >>> file_format("labels.jsonl")
    'jsonl'
    >>> file_format("labels.xlsx")
    Traceback (most recent call last):
    ...
    ValueError: 'labels.xlsx' does not say its format. Use the suffix .csv, .jsonl or .parquet, or give format=.
    """
    if format is not None:
        if format not in FORMATS:
            raise ValueError(f"There is no format {format!r}. Formats are: {', '.join(FORMATS)}.")
        return format
    try:
        return _SUFFIXES[Path(path).suffix.lower()]
    except KeyError:
        raise ValueError(
            f"{str(path)!r} does not say its format. Use the suffix .csv, .jsonl or .parquet, or give format=."
        ) from None


def write_table(
    path: str | Path,
    batches: Iterable[pl.DataFrame],
    *,
    format: str | None = None,  # noqa: A002 - the name that users know
    escape_formulas: bool = True,
) -> WriteReport:
    r"""Write frames of the same columns to one CSV, JSONL or Parquet file.

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
    kind = file_format(path, format)
    write = {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}[kind]
    destination = _destination(path)
    if destination.is_dir():
        raise IsADirectoryError(f"{destination} is a folder; give the path of a file.")
    first, batches = _first(batches)
    with _temporary(destination) as temporary:
        with temporary.open("xb") as file:
            rows = write(file, _alike(first, batches), escape_formulas)
            file.flush()
            os.fsync(file.fileno())
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        temporary.replace(destination)
        _sync_folder(destination.parent)
    return WriteReport(rows, destination, digest)


def write_dataset(
    path: str | Path,
    splits: Mapping[str, Iterable[pl.DataFrame]],
    label_names: Sequence[str],
    *,
    label: str = "label",
    probabilities: str | None = "probabilities",
    image: str | None = None,
) -> WriteReport:
    """Write a folder that `datasets.load_from_disk` opens, one split a name.

    The column ``label`` (class names, null where there is none) becomes a ClassLabel; ``probabilities``
    (a structure by class name, or a list in the order of the classes) a list of numbers in that order. An
    existing folder is replaced if it is such a data set, and left alone with an error if it is anything else.
    """
    destination = _destination(path)
    if destination.exists() and not _is_dataset(destination):
        raise FileExistsError(f"{destination} exists and is not a saved data set; choose another path or remove it.")
    if not splits:
        raise ValueError("There is nothing to write: give at least one split.")
    rows = 0
    with _temporary(destination) as temporary:
        temporary.mkdir()
        saved = _datasets().DatasetDict()
        for number, (name, batches) in enumerate(splits.items()):
            first, rest = _first(batches)
            prepared = (_for_dataset(frame, label_names, label, probabilities) for frame in _alike(first, rest))
            count, saved[name] = _arrow_split(temporary / f"{number}.arrow", prepared, label_names, label, image)
            rows += count
        with _quiet():
            saved.save_to_disk(temporary / "dataset")
        del saved
        for file in (temporary / "dataset").rglob("*"):
            if file.is_file():
                with file.open("rb") as opened:
                    os.fsync(opened.fileno())
        _replace_folder(temporary / "dataset", destination, temporary / "before")
    return WriteReport(rows, destination, "")


def _destination(path: str | Path) -> Path:
    destination = Path(path).expanduser().resolve()
    if not destination.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {destination.parent} to write {destination.name} to.")
    return destination


@contextmanager
def _temporary(destination: Path) -> Iterator[Path]:
    """Give a free path beside the destination, and remove what is left there in the end."""
    path = destination.parent / f".{destination.name[:100]}.{secrets.token_hex(8)}.part"
    try:
        yield path
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace_folder(new: Path, destination: Path, aside: Path) -> None:
    if not destination.exists():
        new.rename(destination)
    else:
        destination.rename(aside)
        try:
            new.rename(destination)
        except BaseException:
            aside.rename(destination)
            raise
    _sync_folder(destination.parent)


def _is_dataset(folder: Path) -> bool:
    return folder.is_dir() and (not any(folder.iterdir()) or (folder / "dataset_dict.json").is_file())


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


def _write_csv(file: IO[bytes], batches: Iterator[pl.DataFrame], escape: bool) -> int:
    rows = 0
    for number, frame in enumerate(batches):
        text = escape_formulas(_flat(frame), all_cells=escape)
        if number == 0:
            header = pl.DataFrame({"name": text.columns})
            names = escape_formulas(header, all_cells=escape)["name"]
            text = text.rename(dict(zip(text.columns, names, strict=True)))
        text.write_csv(file, include_header=number == 0)
        rows += frame.height
    return rows


def _write_jsonl(file: IO[bytes], batches: Iterator[pl.DataFrame], _escape: bool) -> int:
    rows = 0
    for frame in batches:
        _plain(frame).write_ndjson(file)
        rows += frame.height
    return rows


def _write_parquet(file: IO[bytes], batches: Iterator[pl.DataFrame], _escape: bool) -> int:
    import pyarrow.parquet as parquet

    first = next(batches)
    rows = 0
    schema = _arrow(first).schema
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for frame in itertools.chain([first], batches):
            writer.write_table(_arrow(frame).cast(schema))
            rows += frame.height
    return rows


def _arrow(frame: pl.DataFrame) -> Any:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Write bytes as base64, and times as ISO 8601, which no format of text has a type for."""
    return frame.with_columns(
        (pl.lit(BYTES_PREFIX) + cs.binary().bin.encode("base64")).name.keep(),
        (cs.temporal() - cs.duration()).dt.to_string("iso:strict"),
        cs.float().fill_nan(None),
    )


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    encoded = []
    for name in nested:
        text = pl.struct(pl.col(name).alias("v")).struct.json_encode()
        encoded.append(pl.when(pl.col(name).is_not_null()).then(text.str.slice(5).str.head(-1)).alias(name))
    return _plain(frame).with_columns(encoded)


def _usual_types(schema: Any) -> Any:
    """Return the schema with 32-bit offsets, as other programs write them: `string` rather than `large_string`."""
    import pyarrow as pa

    def usual(kind: Any) -> Any:
        if pa.types.is_large_string(kind):
            return pa.string()
        if pa.types.is_large_binary(kind):
            return pa.binary()
        if pa.types.is_large_list(kind):
            return pa.list_(usual(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([(field.name, usual(field.type)) for field in kind])
        return kind

    return pa.schema([(field.name, usual(field.type)) for field in schema])


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            "Writing a data set folder needs the datasets package: pip install 'tally-labeling[datasets]'."
        ) from error
    return datasets


@contextmanager
def _quiet() -> Iterator[None]:
    datasets = _datasets()
    shown = not datasets.utils.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _for_dataset(
    frame: pl.DataFrame, label_names: Sequence[str], label: str, probabilities: str | None
) -> pl.DataFrame:
    positions = {name: position for position, name in enumerate(label_names)}
    changed = []
    if label in frame.columns:
        unknown = frame[label].drop_nulls().filter(~frame[label].drop_nulls().is_in(list(positions)))
        if len(unknown):
            raise ValueError(f"Label {unknown[0]!r} is not among the classes: {', '.join(label_names)}.")
        changed.append(pl.col(label).replace_strict(positions, default=None, return_dtype=pl.Int64))
    if probabilities in frame.columns and isinstance(frame.schema[probabilities], pl.Struct):
        soft = pl.concat_list(pl.col(probabilities).struct.field(name) for name in label_names)
        changed.append(pl.when(pl.col(probabilities).is_not_null()).then(soft).alias(probabilities))
    return frame.with_columns(changed)


def _arrow_split(
    path: Path, frames: Iterator[pl.DataFrame], label_names: Sequence[str], label: str, image: str | None
) -> tuple[int, Any]:
    """Write one split as an Arrow stream, which `datasets` maps into memory rather than reading it."""
    import pyarrow as pa

    datasets = _datasets()
    first = next(frames)
    features = datasets.Features.from_arrow_schema(_usual_types(_arrow(first).schema))
    if label in features:
        features[label] = datasets.ClassLabel(names=list(label_names))
    if image is not None and image in features:
        features[image] = datasets.Image()
    rows = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, features.arrow_schema) as writer:
        for frame in itertools.chain([first], frames):
            table = _arrow(frame)
            if image is not None and image in features:
                place = table.schema.get_field_index(image)
                table = table.set_column(place, image, features[image].cast_storage(table[image].combine_chunks()))
            writer.write_table(table.cast(features.arrow_schema))
            rows += frame.height
    return rows, datasets.Dataset.from_file(str(path), info=datasets.DatasetInfo(features=features))
