"""Databases as users get them: nothing is in them, and what is committed is on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.database
from tests.databases import postgres_database


@pytest.fixture(autouse=True)
def careful_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the disk as the product does."""
    monkeypatch.setattr(storage.database, "SYNCHRONOUS", "FULL")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    with postgres_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'work.db'}"
