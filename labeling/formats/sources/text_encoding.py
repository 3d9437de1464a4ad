"""The encoding of a text file that does not say it: UTF-8, else Windows-1252 and a note, else an error."""

from __future__ import annotations

import codecs

from labeling.formats.sources.sniffing import sniff_encoding
from labeling.formats.sources.source_file import SourceFile

_BLOCK = 1 << 20
_DAMAGED = 0.1
_SHOWN = 80


def find_encoding(file: SourceFile) -> tuple[str, str | None]:
    r"""Return the encoding to read a file in, and what is to be said of it where it was not the usual one.

    Windows-1252 is tried where the file is not UTF-8. It is not taken where much of the file is UTF-8, which then
    is damaged rather than other; where a byte means nothing in it; or where another encoding fits better: reading
    then fails at the first byte that is not UTF-8.

    Examples
    --------
    >>> find_encoding(SourceFile("posts.csv", content="text\nCafé\n".encode("cp1252")))
    ('cp1252', "posts.csv is not UTF-8 and was read as Windows-1252; line 2 then reads 'Café'. If that is
    wrong, name the encoding.")
    """
    encoding = sniff_encoding(file.name, file.head())
    if encoding != "utf-8" or _fits(file, "utf-8"):
        return encoding, None
    line, raw = _first_fault(file)
    if not raw or not _fits(file, "cp1252") or not file.looks_western(raw):
        return encoding, None
    shown = raw.decode("cp1252").strip()
    at = next((i for i, letter in enumerate(shown) if not letter.isascii()), 0)
    shown = shown[max(0, at - _SHOWN // 2) :][:_SHOWN]
    return "cp1252", (
        f"{file.name} is not UTF-8 and was read as Windows-1252; line {line:,} then reads {shown!r}. "
        "If that is wrong, name the encoding."
    )


def _fits(file: SourceFile, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with file.open() as opened:
        try:
            while block := opened.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _first_fault(file: SourceFile) -> tuple[int, bytes]:
    """Return the first line that is not UTF-8, from 1, and its bytes; none where most lines with accents are UTF-8."""
    first, found, other, utf8 = 0, b"", 0, 0
    with file.open() as opened:
        for number, raw in enumerate(opened, start=1):
            if raw.isascii():
                continue
            try:
                raw.decode()
                utf8 += 1
            except UnicodeDecodeError:
                other += 1
                first, found = (number, raw) if not first else (first, found)
    return (first, found) if utf8 <= _DAMAGED * other else (0, b"")
