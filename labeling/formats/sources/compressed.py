"""Files packed as gz or zip: unpacked as they are read, within the limit, where they hold one file."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import IO, Any

from labeling.formats.sources.limits import limits, setting_of
from labeling.formats.sources.source_file import SourceFile

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ARCHIVES = {
    _GZIP: "a gz file",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bz2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7-Zip archive",
}
_DOCUMENTS = {
    "xl/workbook.bin": "a binary Excel workbook",
    "xl/": "sheet",
    "word/": "a Word document",
    "ppt/": "a PowerPoint presentation",
}
_OPEN_DOCUMENTS = {
    "spreadsheet": "an OpenDocument sheet",
    "text": "an OpenDocument text",
    "presentation": "a presentation",
}
_SIDE_FILES = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_BLOCK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the libraries raise for a file that is damaged."""


def unpacked(file: SourceFile) -> SourceFile:
    """Return the one file that a gz or zip file holds, to be unpacked while it is read; any other file as it is.

    A workbook is a zip archive too; it is left as it is once it is known to be within the limit.

    Raises
    ------
    ValueError
        It holds no file, several, another archive, one that needs a password, or more than the limit; or it is broken.
    """
    head = file.head()
    if head.startswith(_GZIP):
        return _from_gzip(file)
    if head.startswith(_ZIP):
        return _from_zip(file)
    return file


def document_kind(file: SourceFile) -> str | None:
    """Say what an Office or OpenDocument file is: ``"sheet"``, or words for another kind; None for other files."""
    if not file.head().startswith(_ZIP):
        return None
    try:
        with file.seekable() as opened, zipfile.ZipFile(opened) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    kind = member.read(200).decode("ascii", "replace")
                return next((what for part, what in _OPEN_DOCUMENTS.items() if kind.endswith(part)), None)
            if "[Content_Types].xml" in names:
                return next((what for part, what in _DOCUMENTS.items() if any(n.startswith(part) for n in names)), None)
    except _BROKEN:
        return None
    return None


def _from_gzip(file: SourceFile) -> SourceFile:
    most = limits().unpacked_bytes
    with file.open() as opened:
        end = opened.seek(0, io.SEEK_END)
        opened.seek(max(0, end - 4))
        # The last four bytes hold the length, modulo 4 GiB, of the last of the parts: a lie is found while unpacking.
        length = int.from_bytes(opened.read(4), "little")
    if length > most:
        raise _too_large(file.name, length, most)
    name = PurePath(file.name)
    inner = name.name[: -len(name.suffix)] if name.suffix.lower() == ".gz" else file.name
    if name.suffix.lower() == ".tgz":
        inner = f"{name.stem}.tar"
    result = replace(file, name=inner or file.name, unpack=partial(_open_gzip, name=file.name, most=most))
    _refuse_archives(file.name, inner, result)
    return result


def _from_zip(file: SourceFile) -> SourceFile:
    most = limits().unpacked_bytes
    try:
        with file.open() as opened, zipfile.ZipFile(opened) as archive:
            members = archive.infolist()
    except _BROKEN as error:
        raise ValueError(
            f"{file.name} is a broken zip archive, perhaps cut off while it was copied: {error}"
        ) from error
    check_unpacked(file.name, members)
    if document_kind(file) is not None:
        return file
    files = [member for member in members if not member.is_dir() and not _is_side_file(member.filename)]
    if not files:
        raise ValueError(f"{file.name} is a zip archive without a file in it.")
    if len(files) > 1:
        shown = ", ".join(member.filename for member in files[:5]) + (", …" if len(files) > 5 else "")
        raise ValueError(
            f"{file.name} is a zip archive of {len(files):,} files: {shown}. Pack the one to read alone, or unpack it."
        )
    only = files[0]
    if only.flag_bits & 1:
        raise ValueError(f"{only.filename} in {file.name} is locked with a password. Unpack it first.")
    opener = partial(_open_member, member=only.filename, name=file.name, most=most)
    result = replace(file, name=f"{file.name}/{PurePath(only.filename).name}", unpack=opener)
    _refuse_archives(file.name, only.filename, result)
    return result


def check_unpacked(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive whose files say that they are larger unpacked than the limit."""
    total, most = sum(member.file_size for member in members), limits().unpacked_bytes
    if total > most:
        raise _too_large(name, total, most)


def _is_side_file(name: str) -> bool:
    """Say whether a file manager has put it there, unasked."""
    return name.startswith(_SIDE_FILES[0]) or PurePath(name).name in _SIDE_FILES


def _refuse_archives(name: str, inner: str, file: SourceFile) -> None:
    head = file.head()
    # A workbook is a zip archive too.
    if head.startswith(_ZIP) and document_kind(file):
        return
    kind = next((kind for magic, kind in _ARCHIVES.items() if head.startswith(magic)), None)
    if head[257:262] == b"ustar":
        kind = "a tar archive"
    if kind:
        raise ValueError(f"{name} holds {kind}, {inner}: an archive in an archive. Unpack it first.")


def _too_large(name: str, size: int, most: int) -> ValueError:
    return ValueError(
        f"{name} would unpack to {_amount(size)}; at most {_amount(most)} are unpacked. Split it, save it as "
        f"Parquet, or raise the limit by the environment variable {setting_of('unpacked_bytes')}."
    )


def _amount(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GB" if size >= 1 << 30 else f"{size:,} bytes"


def _open_gzip(raw: IO[bytes], name: str, most: int) -> IO[bytes]:
    return _bounded(gzip.GzipFile(fileobj=raw), [raw], name, most)


def _open_member(raw: IO[bytes], member: str, name: str, most: int) -> IO[bytes]:
    archive = zipfile.ZipFile(raw)
    return open_member(archive, member, name, most, [archive, raw])


def open_member(
    archive: zipfile.ZipFile, member: str | zipfile.ZipInfo, name: str, most: int, held: Sequence[Any] = ()
) -> IO[bytes]:
    """Open a file of an archive, at most so many bytes of it; what is `held` is closed with it.

    Raises
    ------
    ValueError
        There, or while it is read: it is damaged, or longer than it may be.
    """
    try:
        opened = archive.open(member)
    except _BROKEN as error:
        raise _cut_off(name, error) from error
    return _bounded(opened, held, name, most)


def _cut_off(name: str, error: Exception) -> ValueError:
    return ValueError(f"{name} is broken or cut off: it cannot be unpacked to its end ({error}).")


def _bounded(source: Any, held: Sequence[Any], name: str, most: int) -> IO[bytes]:
    return io.BufferedReader(_Bounded(source, held, name, most), _BLOCK)


class _Bounded(io.RawIOBase):
    """The bytes of a packed file, counted as they come out, whatever its header says of them."""

    def __init__(self, source: Any, held: Sequence[Any], name: str, most: int) -> None:
        self._source, self._held, self._name, self._most = source, held, name, most
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._source.read(len(buffer))
        except _BROKEN as error:
            raise _cut_off(self._name, error) from error
        self._count += len(data)
        if self._count > self._most:
            raise ValueError(
                f"{self._name} unpacks to more than {_amount(self._most)}, the most that is unpacked. Split it, save "
                f"it as Parquet, or raise the limit by the environment variable {setting_of('unpacked_bytes')}."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for each in (self._source, *self._held):
                each.close()
        super().close()
