"""Which kind of file it is, from what it holds; words for one that is not read."""

from __future__ import annotations

from labeling.formats.reading.sheet_file import SHEET_BYTES
from labeling.formats.sources.compressed import document_kind
from labeling.formats.sources.readable import READABLE
from labeling.formats.sources.sniffing import sniff_format
from labeling.formats.sources.source_file import SourceFile

_OLD = {
    "EncryptedPackage": "locked with a password",
    "WordDocument": "an old Word document",
    "PowerPoint Document": "an old PowerPoint presentation",
}


def file_kind(file: SourceFile) -> str:
    """Return ``"csv"``, ``"json"``, ``"jsonl"``, ``"parquet"`` or ``"sheet"``.

    Raises
    ------
    ValueError
        It is a file of another kind; the message names that and what can be read.
    """
    head = file.head()
    document = document_kind(file)
    if head.startswith(SHEET_BYTES):
        document = _old_document(file)
    if document == "sheet":
        return "sheet"
    if document is not None:
        raise ValueError(f"{file.name} is {document}. Save its table as XLSX or CSV, without a password. {READABLE}")
    return sniff_format(file.name, head)


def _old_document(file: SourceFile) -> str:
    """Say what a compound file of Microsoft's holds, by the names of the streams in it."""
    with file.open() as opened:
        content = opened.read()
    for stream, words in _OLD.items():
        if stream.encode("utf-16-le") in content:
            return words
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        return "sheet"
    return "an old Office document"
