"""The databases that the other tests are given."""

from __future__ import annotations

from sqlalchemy import create_engine, text


def test_each_test_gets_an_empty_database_that_keeps_what_is_written(storage_url: str) -> None:
    engine = create_engine(storage_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE votes (value INTEGER)"))
        connection.execute(text("INSERT INTO votes VALUES (1)"))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT value FROM votes")).scalars().all() == [1]
    engine.dispose()
