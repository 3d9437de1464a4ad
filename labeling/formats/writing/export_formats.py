"""The formats that a data set can be exported in; calls, messages, the command line and the page read this list."""

from __future__ import annotations

from pathlib import Path

from labeling.formats.doccano import DOCCANO
from labeling.formats.export_format import ExportFormat
from labeling.formats.label_studio import LABEL_STUDIO
from labeling.formats.prodigy import PRODIGY
from labeling.formats.writing.csv_file import CSV
from labeling.formats.writing.dataset_folder import DATASET
from labeling.formats.writing.jsonl_file import JSONL
from labeling.formats.writing.parquet_file import PARQUET

EXPORT_FORMATS: tuple[ExportFormat, ...] = (CSV, JSONL, PARQUET, DATASET, LABEL_STUDIO, PRODIGY, DOCCANO)
"""In the order of menus."""


def export_format(path: str | Path, name: str | None = None) -> ExportFormat:
    """Return the format to write: by its name, else by the suffix of the path, where none means the folder.

    Raises
    ------
    ValueError
        There is no format of that name, or the path does not say which; the message lists those there are.

    Examples
    --------
    >>> export_format("labels.ndjson").name, export_format("data/forum").name, export_format("x.txt", "csv").name
    ('jsonl', 'dataset', 'csv')
    >>> export_format("labels.xlsx")
    Traceback (most recent call last):
    ...
    ValueError: 'labels.xlsx' does not say its format. Use the suffix .csv, .jsonl or .parquet, or give
    format= (csv, jsonl, parquet, dataset, label_studio, prodigy, doccano).
    """
    names = ", ".join(each.name for each in EXPORT_FORMATS)
    if name is not None:
        found = next((each for each in EXPORT_FORMATS if each.name == name), None)
        if found is None:
            raise ValueError(f"There is no format {name!r}. Formats are: {names}.")
        return found
    suffix = Path(path).suffix.lower()
    for each in EXPORT_FORMATS:
        if suffix in each.chosen_by or (each.folder and not suffix):
            return each
    *most, last = (each.chosen_by[0] for each in EXPORT_FORMATS if each.chosen_by)
    raise ValueError(
        f"{str(path)!r} does not say its format. Use the suffix {', '.join(most)} or {last}, or give format= ({names})."
    )
