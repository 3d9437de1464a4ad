"""What can be read, in one place: suffixes for pickers, names for messages."""

from pathlib import PurePath

READ_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "sheet",
    ".xlsm": "sheet",
    ".xls": "sheet",
}
"""The kind of file that a suffix speaks of."""

PACKED_SUFFIXES = (".gz", ".zip")
"""What a file may be packed as."""

READABLE = "CSV, TSV, JSON, JSON Lines, Parquet and Excel files can be read, packed as gz or zip too."
"""A sentence for messages about a file that cannot be."""

FILE_HELP = "A CSV, TSV, JSON, JSON Lines, Parquet or Excel file, which may be packed as gz or zip."
"""What the command line and the page say of a file to give."""


def kind_of_name(name: str) -> str | None:
    """Return the kind that the name of a file speaks of, packed or not; None where it speaks of none.

    Examples
    --------
    >>> kind_of_name("posts.csv.gz"), kind_of_name("posts.XLSX"), kind_of_name("posts.zip")
    ('csv', 'sheet', None)
    """
    path = PurePath(name.lower())
    suffix = path.with_suffix("").suffix if path.suffix in PACKED_SUFFIXES else path.suffix
    return READ_SUFFIXES.get(suffix)
