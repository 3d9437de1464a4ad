"""Import and export: what a project reads and writes, in one place."""

from labeling.columns import EXPORT_COLUMNS, ITEM_PREFIX, export_name
from labeling.delimited import Rejected
from labeling.mapping import ItemRows, Mapping, guess_mapping, prepare_items
from labeling.reading import Table, read_source

__all__ = [
    "EXPORT_COLUMNS",
    "ITEM_PREFIX",
    "ItemRows",
    "Mapping",
    "Rejected",
    "Table",
    "export_name",
    "guess_mapping",
    "prepare_items",
    "read_source",
]
