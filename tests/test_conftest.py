"""The databases that the other tests are given."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, text

from tests.conftest import LONG


def test_each_test_gets_an_empty_database_that_keeps_what_is_written(storage_url: str) -> None:
    engine = create_engine(storage_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE votes (value INTEGER)"))
        connection.execute(text("INSERT INTO votes VALUES (1)"))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT value FROM votes")).scalars().all() == [1]
    engine.dispose()


def test_what_a_quick_run_leaves_out_is_there() -> None:
    assert [name for name in LONG if not (Path(__file__).parent / name).exists()] == []
