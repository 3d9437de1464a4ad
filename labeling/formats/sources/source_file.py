"""A file on disk or in memory: opened, looked into, decoded, or refused with the reason."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import IO

from labeling.formats.sources.limits import limits, setting_of
from labeling.formats.sources.readable import READABLE
from labeling.formats.sources.sniffing import SAMPLE_BYTES

_COMMON_ENCODINGS = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859_15", "koi8_r", "mac_roman"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
]
_LATIN = ("cp1252", "cp1250", "cp1254", "iso8859_15", "mac_roman")


def read_all(stream: IO[bytes], name: str) -> bytes:
    """Read a stream that can be read only once, up to the limit.

    Raises
    ------
    ValueError
        It holds more.
    """
    most = limits().unpacked_bytes
    content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(
            f"{name} holds more than {most:,} bytes. Save it as a file, or raise the limit by the environment variable "
            f"{setting_of('unpacked_bytes')}."
        )
    return content


@dataclass(frozen=True)
class SourceFile:
    """A file on disk or in memory, opened anew for every pass.

    ``unpack`` takes the file as it lies there and gives what is packed in it; None: it is read as it is.
    """

    name: str
    path: Path | None = None
    content: bytes = field(default=b"", repr=False)
    unpack: Callable[[IO[bytes]], IO[bytes]] | None = field(default=None, repr=False)

    @staticmethod
    def of(source: object, name: str | None) -> "SourceFile":
        """Take a path, bytes, or an open file; raise an error that says why for anything else."""
        if isinstance(source, bytes | bytearray | memoryview):
            return SourceFile(name or "the upload", content=bytes(source))
        if isinstance(source, str | PathLike):
            return SourceFile._at(fspath(source), name)
        read = getattr(source, "read", None)
        if read is None:
            raise TypeError(
                f"Cannot read a {type(source).__name__}. Give a path, bytes, an open binary file, "
                "a polars or pandas frame, or a list of dicts."
            )
        # An upload that was read before stands at its end; what it holds is the same.
        content = getattr(source, "getvalue", read)()
        name = name or Path(str(getattr(source, "name", "the upload"))).name
        return SourceFile(name, content=content.encode() if isinstance(content, str) else bytes(content))

    @staticmethod
    def _at(path: str | bytes, name: str | None) -> "SourceFile":
        text = path.decode() if isinstance(path, bytes) else path
        if "://" in text:
            raise ValueError(f"{text!r} is a URL, and Tally fetches nothing. Download the file and give its path.")
        place = Path(text).expanduser()
        if place.is_dir():
            raise IsADirectoryError(
                f"{place} is a folder. Give the path of a file, or of a data set that `datasets` saved. {READABLE}"
            )
        if not place.exists():
            raise FileNotFoundError(f"There is no file {place} (looked in {Path.cwd()}).")
        if place.is_fifo() or place.is_char_device():
            with place.open("rb") as pipe:
                return SourceFile(name or place.name, content=read_all(pipe, str(place)))
        if not place.is_file():
            raise ValueError(f"{place} is neither a file nor a pipe. Give the path of a file. {READABLE}")
        return SourceFile(name or place.name, path=place)

    def open(self) -> IO[bytes]:
        """Open it from its start."""
        lying: IO[bytes] = self.path.open("rb") if self.path else io.BytesIO(self.content)
        return self.unpack(lying) if self.unpack else lying

    def size(self) -> int:
        """Return how many bytes it has as it lies there, packed or not."""
        return self.path.stat().st_size if self.path else len(self.content)

    def head(self) -> bytes:
        """Return the first bytes, as many as are looked at to know the file."""
        with self.open() as file:
            return file.read(SAMPLE_BYTES)

    def whole(self) -> Path | IO[bytes]:
        """Return what a reader that jumps about in the file takes: its path, or all of its bytes."""
        if self.unpack:
            with self.open() as file:
                return io.BytesIO(file.read())
        return self.path or io.BytesIO(self.content)

    def seekable(self) -> IO[bytes]:
        """Open it from its start so that a reader can jump about in it."""
        whole = self.whole()
        return whole.open("rb") if isinstance(whole, Path) else whole

    @property
    def folder(self) -> Path | None:
        """The folder of a file on disk, which paths of pictures are relative to; None for an upload."""
        return self.path.resolve().parent if self.path else None

    def lines(self, encoding: str) -> Iterator[str]:
        """Yield the lines with their ends as they are; say where a byte does not fit the encoding."""
        with self.open() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            try:
                yield from text
            except UnicodeError as error:
                raise ValueError(self._undecodable(encoding)) from error

    def _undecodable(self, encoding: str) -> str:
        shown = "utf-8" if encoding == "utf-8-sig" else encoding
        if "16" in encoding or "32" in encoding:
            return f"{self.name} is not {shown} to its end: bytes are missing. Was it cut off while it was copied?"
        line, where, near = 0, "", b""
        with self.open() as file:
            for line, raw in enumerate(file, start=1):
                try:
                    raw.decode(encoding if line == 1 else shown)
                except UnicodeDecodeError as error:
                    where = f"byte 0x{raw[error.start]:02x} at line {line}, byte {error.start + 1} of that line"
                    near = raw
                    break
        guess = self._guess(near)
        likely = ["cp1252"] if guess is None or guess in _LATIN else []
        likely += [guess] if guess and guess != "cp1252" else []
        return (
            f"{self.name} is not {shown}: {where or 'its last character is cut off'}. "
            f"It may be {' or '.join(likely)}: give encoding={likely[0]!r}."
        )

    def looks_western(self, near: bytes) -> bool:
        """Say whether the file, with a line that is not UTF-8, reads most like a language of Western Europe."""
        guess = self._guess(near)
        return guess is None or guess in _LATIN

    def _guess(self, near: bytes) -> str | None:
        from charset_normalizer import from_bytes

        guess = from_bytes(self.head() + near, cp_isolation=_COMMON_ENCODINGS).best()
        return guess.encoding if guess else None
