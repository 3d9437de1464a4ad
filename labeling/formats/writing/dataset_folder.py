"""A folder that `datasets.load_from_disk` opens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from labeling.extras import extra
from labeling.formats.export_format import About, ExportFormat
from labeling.formats.writing.parquet_file import arrow

CARD = "README.md"

_CLASSES = ("label", "gold")
_DISTRIBUTIONS = ("probabilities", "weak_probabilities", "model_probabilities")


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder is a saved data set, or empty: what an export may replace."""
    return folder.is_dir() and (not any(folder.iterdir()) or (folder / "dataset_dict.json").is_file())


def _write(path: Path, batches: Iterator[pl.DataFrame], about: About) -> int:
    datasets = _datasets()
    raw = Path(tempfile.mkdtemp(dir=path.parent))
    with ExitStack() as stack:
        splits = {name: _Split(raw / f"{number}.arrow", about, stack) for number, name in enumerate(about.splits)}
        for frame in batches:
            for name, split in splits.items():
                whose = frame if len(splits) == 1 else frame.filter(pl.col("split") == name)
                split.add(_for_dataset(whose.drop("split", strict=False), about.labels))
    saved = datasets.DatasetDict({name: split.opened() for name, split in splits.items()})
    with _quiet():
        saved.save_to_disk(path)
    if about.card is not None:
        (path / CARD).write_text(about.card, encoding="utf-8")
    return sum(split.rows for split in splits.values())


DATASET = ExportFormat(
    "dataset", "Folder for Hugging Face datasets, zipped", "application/zip", "", _write, folder=True
)


@dataclass
class _Split:
    """One split as an Arrow stream, which `datasets` maps into memory rather than reading it."""

    path: Path
    about: About
    stack: ExitStack
    rows: int = 0
    features: Any = field(default=None, init=False)
    writer: Any = field(default=None, init=False)

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows; the first ones, empty or not, say what the columns are."""
        if self.writer is None:
            self._open(frame)
        table = arrow(frame)
        image = self.about.image
        if image is not None and image in self.features:
            place = table.schema.get_field_index(image)
            table = table.set_column(place, image, self.features[image].cast_storage(table[image].combine_chunks()))
        self.writer.write_table(table.cast(self.features.arrow_schema))
        self.rows += frame.height

    def _open(self, frame: pl.DataFrame) -> None:
        import pyarrow as pa

        datasets = _datasets()
        self.features = datasets.Features.from_arrow_schema(_usual_types(arrow(frame).schema))
        for name in _CLASSES:
            if name in self.features:
                self.features[name] = datasets.ClassLabel(names=list(self.about.labels))
        if self.about.image is not None and self.about.image in self.features:
            self.features[self.about.image] = datasets.Image()
        sink = self.stack.enter_context(pa.OSFile(str(self.path), "wb"))
        self.writer = self.stack.enter_context(pa.ipc.new_stream(sink, self.features.arrow_schema))

    def opened(self) -> Any:
        """Return the split as a data set."""
        datasets = _datasets()
        return datasets.Dataset.from_file(str(self.path), info=datasets.DatasetInfo(features=self.features))


def _for_dataset(frame: pl.DataFrame, labels: tuple[str, ...]) -> pl.DataFrame:
    """Turn names of classes into their positions, distributions by name into lists in the order of the classes."""
    positions = {name: position for position, name in enumerate(labels)}
    changed = []
    for name in _CLASSES:
        if name not in frame.columns:
            continue
        unknown = frame[name].drop_nulls().filter(~frame[name].drop_nulls().is_in(list(positions)))
        if len(unknown):
            raise ValueError(f"Label {unknown[0]!r} is not among the classes: {', '.join(labels)}.")
        changed.append(pl.col(name).replace_strict(positions, default=None, return_dtype=pl.Int64))
    for name in _DISTRIBUTIONS:
        if isinstance(frame.schema.get(name), pl.Struct):
            soft = pl.concat_list(pl.col(name).struct.field(label) for label in labels)
            changed.append(pl.when(pl.col(name).is_not_null()).then(soft).alias(name))
    return frame.with_columns(changed)


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
    return extra("datasets", "A data set folder")


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
