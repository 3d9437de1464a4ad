"""Files and folders that appear whole or not at all, and what writers leave that were killed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PART = re.compile(r"\.tally-[0-9a-f]{16}\.part")


@contextmanager
def whole(destination: Path) -> Iterator[Path]:
    """Give a path to write to; what is written there takes the destination's place when the block ends well.

    The path lies beside the destination, in a `workplace` that is removed in any case. A process that is killed
    cannot do so: the next one that writes beside it does, and knows by a lock whose writer still lives.
    """
    with workplace(destination.parent) as part:
        new = part / "new" / destination.name
        new.parent.mkdir()
        yield new
        _sync(new)
        _put_in_place(new, destination, part / "before" / destination.name)


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Give a folder of this process's own inside another one, for its user's eyes only; it goes when the block ends.

    What a killed process leaves there goes with the next workplace that is made in the same folder.
    """
    sweep(folder)
    part, handle = _claim(folder)
    try:
        yield part
    finally:
        try:
            shutil.rmtree(part)
        finally:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder; parts of writers that live, and anything else, stay."""
    with suppress(OSError), os.scandir(folder) as entries:
        leftovers = [Path(entry.path) for entry in entries if _PART.fullmatch(entry.name)]
        for part in leftovers:
            _remove_if_dead(part)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; for a folder, that of the list of its files as `sha256sum` prints it.

    The list is in the order of the paths' bytes, so that a shell finds the same:
    ``find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum``.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = {os.fsencode(f"./{file.relative_to(path).as_posix()}"): file for file in path.rglob("*") if file.is_file()}
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(digest(files[name]).encode() + b"  " + name + b"\n")
    return total.hexdigest()


def _claim(folder: Path) -> tuple[Path, int]:
    """Make a folder that is known as this process's while the handle is open."""
    while True:
        part = folder / f".tally-{secrets.token_hex(8)}.part"
        part.mkdir(mode=0o700)
        handle = _lock(part)
        # Somebody who sweeps may have taken it for a leftover in the moment before it was locked.
        if handle is not None and part.exists():
            return part, handle
        if handle is not None:
            os.close(handle)


if sys.platform == "win32":

    def _lock(part: Path) -> int | None:
        # A folder cannot be opened here: nothing can be told of a part's writer, and `sweep` leaves all of them.
        del part
        return os.open(os.devnull, os.O_RDONLY)

    def _remove_if_dead(part: Path) -> None: ...

else:

    def _lock(part: Path) -> int | None:
        """Return a handle that holds the lock of a part, None where it is gone or about to be removed."""
        try:
            handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            # This file system has no locks; then nobody gets one, and nobody removes the part.
            return handle
        return handle

    def _remove_if_dead(part: Path) -> None:
        try:
            handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _give_back(part)
            shutil.rmtree(part, ignore_errors=True)
        except OSError:
            return
        finally:
            os.close(handle)


def _give_back(part: Path) -> None:
    """Put what stood at a destination back where its writer was killed between taking it away and the new one."""
    for before in (part / "before").glob("*"):
        destination = part.parent / before.name
        if not destination.exists():
            before.rename(destination)


def _put_in_place(new: Path, destination: Path, aside: Path) -> None:
    if not destination.is_dir():
        new.replace(destination)
    else:
        aside.parent.mkdir()
        destination.rename(aside)
        try:
            new.rename(destination)
        except BaseException:
            aside.rename(destination)
            raise
    _sync_folder(destination.parent)


def _sync(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
