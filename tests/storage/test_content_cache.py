"""A cache beside the database is for whom the database is."""

import os
import stat

import pytest

from storage import ContentCache


@pytest.mark.parametrize("mask", [0o000, 0o022], ids=oct)
def test_a_cache_is_for_its_owner_alone(tmp_path, mask):
    before = os.umask(mask)
    try:
        cache = ContentCache(tmp_path / "work.db.embeddings")
        with cache._open() as connection:
            connection.execute("INSERT INTO kept VALUES (x'01', x'02')")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {f"work.db.embeddings{end}": 0o600 for end in ("", "-wal", "-shm")}


def test_what_is_kept_is_found_again(tmp_path):
    cache = ContentCache(tmp_path / "cache")
    cache.put({b"key": b"value"})
    cache.put({b"key": b"other"})
    assert ContentCache(tmp_path / "cache").get([b"key", b"none"]) == {b"key": b"value"}
