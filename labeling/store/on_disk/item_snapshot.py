"""The items of a large project as Arrow files, which every process maps instead of reading rows.

Losing them loses time. Nothing private and no picture is in them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from labeling.formats.columns.types import dtype_name
from labeling.formats.writing.whole_files import workplace

FORMAT = 1
"""Of the files: others are made anew."""

PART_ROWS = 262_144
"""Rows of a file: what is held in memory while it is written."""

MANIFEST = "manifest.json"

_READ = 1 << 20

Newest = Sequence[tuple[int, str]]
"""The number and the UUID of the newest write of each kind that changes items."""


@dataclass(frozen=True)
class Part:
    """One file of a snapshot: its name, how many items it holds, its size and the checksum of its bytes."""

    file: str
    rows: int
    size: int
    checksum: int


@dataclass(frozen=True)
class Stored:
    """A snapshot that was found whole: what it was made of, its files, and the items in them, mapped into memory.

    `names` tells which ids later rows of sources gave to items, as one checksum.
    """

    newest: Newest
    names: str
    parts: tuple[Part, ...]
    frame: pl.DataFrame


class ItemSnapshot:
    """The snapshot of one project in a folder of its own, which only its owner can open.

    Nothing in it is believed: it belongs to the project, was made of what is newest in the ledger, and each of its
    files has the checksum that the manifest says; else it is as if there were none. Files appear under a name that
    was never there, and the manifest that names them takes the place of another one at once: who reads sees one or
    the other, and who has mapped a file keeps it.

    Parameters
    ----------
    folder
        Where it lies; it is made with the first snapshot.
    project
        The UUID of the project.
    """

    def __init__(self, folder: Path, project: str) -> None:
        self.folder = folder
        self._project = project

    def mark(self) -> tuple[int, int] | None:
        """Return what tells this snapshot from another in its place; None where there is none."""
        try:
            found = (self.folder / MANIFEST).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def read(self, schema: Mapping[str, pl.DataType]) -> Stored | None:
        """Return the snapshot where it is whole and has these columns, else None."""
        try:
            if not _is_private(self.folder):
                return None
            body = _opened((self.folder / MANIFEST).read_bytes())
            if (body["format"], body["project"], body["columns"]) != (FORMAT, self._project, _named(schema)):
                return None
            parts = tuple(Part(**part) for part in body["parts"])
            frames = [_mapped(self.folder, part, schema) for part in parts]
            newest = [(int(seq), str(uuid)) for seq, uuid in body["newest"]]
            return Stored(newest, str(body["names"]), parts, pl.concat(frames, rechunk=False))
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            return None

    def write(
        self,
        newest: Newest,
        names: str,
        schema: Mapping[str, pl.DataType],
        frames: Iterable[pl.DataFrame],
        before: Sequence[Part] = (),
    ) -> bool:
        """Write items, in ascending order and after those of the parts `before`; return whether it could be kept."""
        try:
            self._make()
            with workplace(self.folder) as place:
                parts = [*before, *(_written(place, frame) for frame in _gathered(frames))]
                body = {
                    "format": FORMAT,
                    "project": self._project,
                    "newest": [list(each) for each in newest],
                    "names": names,
                    "columns": _named(schema),
                    "parts": [asdict(part) for part in parts],
                }
                _private_file(place / MANIFEST, _closed(body))
                for part in parts[len(before) :]:
                    (place / part.file).replace(self.folder / part.file)
                (place / MANIFEST).replace(self.folder / MANIFEST)
            self._tidy({part.file for part in parts})
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Remove the snapshot, and what a killed process left of removing one."""
        # Under another name nobody finds it, nor can whoever is writing one put anything into it.
        with suppress(OSError):
            self.folder.rename(self.folder.with_name(f"{self.folder.name}.gone-{secrets.token_hex(8)}"))
        for gone in self.folder.parent.glob(f"{self.folder.name}.gone-*"):
            if gone.is_dir() and not gone.is_symlink():
                shutil.rmtree(gone, ignore_errors=True)
            else:
                gone.unlink(missing_ok=True)

    def _make(self) -> None:
        """Make the folder; one that others could have written into makes way."""
        with suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        if not _is_private(self.folder):
            self.remove()
            self.folder.mkdir(mode=0o700)

    def _tidy(self, named: set[str]) -> None:
        """Remove files that the manifest no longer names."""
        for path in self.folder.glob("*.arrow"):
            if path.name not in named:
                path.unlink(missing_ok=True)


def _named(schema: Mapping[str, pl.DataType]) -> list[list[str]]:
    return [[name, dtype_name(dtype)] for name, dtype in schema.items()]


def _closed(body: Mapping[str, Any]) -> bytes:
    """Return a manifest: a line with its checksum, and what it says."""
    text = json.dumps(body).encode()
    return b"%08x\n" % zlib.crc32(text) + text


def _opened(manifest: bytes) -> Any:
    """Return what a manifest says; raise ValueError where it is damaged."""
    checksum, _, text = manifest.partition(b"\n")
    if int(checksum, 16) != zlib.crc32(text):
        raise ValueError("The manifest is damaged.")
    return json.loads(text)


def _is_private(folder: Path) -> bool:
    """Tell whether it is a folder that nobody else could have written into."""
    found = folder.lstat()
    own = sys.platform == "win32" or (found.st_uid == os.geteuid() and not found.st_mode & 0o077)
    return own and stat.S_ISDIR(found.st_mode)


def _private_file(path: Path, content: bytes = b"") -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _gathered(frames: Iterable[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    """Yield frames that are put together, so large that a snapshot has few files."""
    held: list[pl.DataFrame] = []
    for frame in frames:
        if held and sum(map(len, held)) + len(frame) > PART_ROWS:
            yield pl.concat(held, rechunk=True)
            held = []
        held.append(frame)
    if held:
        yield pl.concat(held, rechunk=True)


def _written(place: Path, frame: pl.DataFrame) -> Part:
    path = place / f"{secrets.token_hex(8)}.arrow"
    _private_file(path)
    try:
        frame.write_ipc(path, compression="uncompressed", record_batch_size=max(len(frame), 1))
    except pl.exceptions.PolarsError as error:
        raise OSError(f"{path.name} could not be written.") from error
    return Part(path.name, len(frame), path.stat().st_size, _checksum(path))


def _checksum(path: Path) -> int:
    # Read, not mapped: a file that becomes shorter meanwhile is an error here, and would end the process there.
    total = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(_READ):
            total = zlib.crc32(block, total)
    return total


def _mapped(folder: Path, part: Part, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the items of a file without reading them; raise ValueError where it is not what the manifest says."""
    import pyarrow as pa

    path = folder / part.file
    if path.parent != folder or path.is_symlink() or path.stat().st_size != part.size:
        raise ValueError(f"{part.file!r} is no file of this snapshot.")
    if _checksum(path) != part.checksum:
        raise ValueError(f"{part.file!r} is damaged.")
    with pa.memory_map(str(path)) as source:
        frame = pl.from_arrow(pa.ipc.open_file(source).read_all(), rechunk=False)
    if not isinstance(frame, pl.DataFrame) or dict(frame.schema) != dict(schema) or len(frame) != part.rows:
        raise ValueError(f"{part.file!r} has other columns.")
    return frame
