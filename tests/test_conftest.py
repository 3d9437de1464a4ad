"""The databases that the other tests are given."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, make_url, select, text

from labeling import Project
from storage.database import open_engine, reading
from storage.tables import metadata
from tests.conftest import LONG
from tests.databases import PostgresDatabases


def test_each_test_gets_an_empty_database_that_keeps_what_is_written(storage_url: str) -> None:
    engine = create_engine(storage_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE votes (value INTEGER)"))
        connection.execute(text("INSERT INTO votes VALUES (1)"))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT value FROM votes")).scalars().all() == [1]
    engine.dispose()


def left_by_a_test(databases: PostgresDatabases, *statements: str) -> tuple[str, psycopg.Connection]:
    """Write a project and run statements over a connection that stays open; return the URL and that connection."""
    with databases.one() as url:
        project = Project.create("p", ["ok", "offensive"], storage=url)
        project.add_items([{"text": "good"}, {"text": "bad"}])
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        other = psycopg.connect(dsn, autocommit=True)
        for statement in statements:
            other.execute(statement)
    return url, other


def is_new(url: str) -> bool:
    """Whether a database has no rows, the first ids to give, and the tables of the newest schema."""
    with reading(open_engine(url)) as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in metadata.sorted_tables]
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    project = Project.create("p", ["ok", "offensive"], storage=url)
    return not any(counts) and not differences and project.add_items([{"text": "good"}]).import_id == 1


@pytest.mark.parametrize(
    "statements",
    [["SELECT 1"], ["BEGIN", "UPDATE projects SET name = 'q'"], ["BEGIN", "LOCK TABLE items"]],
)
def test_a_server_database_is_emptied_for_the_next_test(
    postgres_databases: PostgresDatabases, statements: list[str]
) -> None:
    url, other = left_by_a_test(postgres_databases, *statements)
    with pytest.raises(psycopg.OperationalError):
        other.execute("UPDATE projects SET name = 'r'")
    other.close()
    with postgres_databases.one() as again:
        assert again == url
        assert is_new(again)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE votes (value INTEGER)",
        "CREATE SCHEMA votes",
        "CREATE FUNCTION votes() RETURNS INTEGER LANGUAGE SQL AS 'SELECT 1'",
        "CREATE INDEX votes ON projects (description)",
        "ALTER TABLE projects ADD COLUMN votes INTEGER",
        "ALTER TABLE projects ALTER COLUMN description DROP NOT NULL",
        "ALTER TABLE projects DROP CONSTRAINT uq_projects_name",
        "DROP TABLE leases",
        "DROP TABLE alembic_version",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_a_server_database_with_another_schema_is_not_given_again(
    postgres_databases: PostgresDatabases, statement: str
) -> None:
    url, other = left_by_a_test(postgres_databases, statement)
    other.close()
    with postgres_databases.one() as again:
        assert again != url
        assert is_new(again)


def test_what_a_quick_run_leaves_out_is_there() -> None:
    assert [name for name in LONG if not (Path(__file__).parent / name).exists()] == []
