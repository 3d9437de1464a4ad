"""Import and export: what a project reads and writes, in one place."""

from labeling.columns import EXPORT_COLUMNS, ITEM_PREFIX, export_name
from labeling.delimited import Rejected
from labeling.formats.base import About, ExportFormat
from labeling.formats.export_formats import EXPORT_FORMATS, export_format
from labeling.mapping import ItemRows, Mapping, guess_mapping, prepare_items
from labeling.reading import Table, read_source
from labeling.writing import WriteReport, write_dataset, write_rows, write_table

__all__ = [
    "EXPORT_COLUMNS",
    "EXPORT_FORMATS",
    "ITEM_PREFIX",
    "About",
    "ExportFormat",
    "ItemRows",
    "Mapping",
    "Rejected",
    "Table",
    "WriteReport",
    "export_format",
    "export_name",
    "guess_mapping",
    "prepare_items",
    "read_source",
    "write_dataset",
    "write_rows",
    "write_table",
]
