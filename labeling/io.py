"""Import and export: what a project reads and writes, in one place."""

from labeling.columns import EXPORT_COLUMNS, ITEM_PREFIX, export_name
from labeling.delimited import Rejected
from labeling.mapping import ItemRows, Mapping, guess_mapping, prepare_items
from labeling.reading import Table, read_source
from labeling.writing import FORMATS, WriteReport, file_format, write_dataset, write_table

__all__ = [
    "EXPORT_COLUMNS",
    "FORMATS",
    "ITEM_PREFIX",
    "ItemRows",
    "Mapping",
    "Rejected",
    "Table",
    "WriteReport",
    "export_name",
    "file_format",
    "guess_mapping",
    "prepare_items",
    "read_source",
    "write_dataset",
    "write_table",
]
