import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, select, text

from labeling import Project
from storage import StorageError, close_engines, tables
from storage.database import MIGRATIONS, _revisions, open_engine, reading, writing

RELEASES = sorted((Path(__file__).parents[1] / "data").glob("release-*.sqlite"))


def head():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()


def test_the_migrations_make_exactly_the_tables(storage_url):
    with reading(open_engine(storage_url, create=True)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []


def test_a_new_database_is_at_the_newest_schema(storage_url):
    with reading(open_engine(storage_url, create=True)) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [head()]


def test_the_files_of_the_migrations_begin_with_the_names_of_their_schemas():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert _revisions() == [script.revision for script in scripts][::-1]


def test_opening_again_changes_and_copies_nothing(sqlite_url, tmp_path):
    Project.create("p", ["ok", "offensive"], storage=sqlite_url)
    close_engines()
    Project.open("p", storage=sqlite_url)
    close_engines()
    assert [path.name for path in tmp_path.iterdir()] == ["work.db"]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(storage_url):
    Project.create("p", ["ok", "offensive"], storage=storage_url)
    with writing(open_engine(storage_url)) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    close_engines()
    with pytest.raises(StorageError, match=rf"newer version of Tally \(schema 9999.*up to {head()}.*Update Tally"):
        Project.open("p", storage=storage_url)


@pytest.fixture
def next_schema(tmp_path_factory, monkeypatch):
    """Migrations with one more step than this release has: a column `mood` of annotations."""
    folder = tmp_path_factory.mktemp("next") / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    script = f'''
from alembic import op
import sqlalchemy as sa
revision = "next"
down_revision = "{head()}"
def upgrade():
    op.add_column("annotations", sa.Column("mood", sa.Text(), nullable=True))
'''
    (folder / "versions" / "next.py").write_text(script)
    monkeypatch.setattr("storage.database.MIGRATIONS", folder)


def test_an_older_file_is_copied_before_it_is_upgraded(sqlite_url, tmp_path, request):
    Project.create("p", ["ok", "offensive"], storage=sqlite_url)
    close_engines()
    before = head()
    request.getfixturevalue("next_schema")
    assert Project.open("p", storage=sqlite_url).label_names == ("ok", "offensive")
    (backup,) = tmp_path.glob("*.backup")
    assert backup.name.startswith(f"work.db.{before}-")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    for path, columns in ((backup, 0), (make_url(sqlite_url).database, 1)):
        with sqlite3.connect(path) as connection:
            found = connection.execute("SELECT count(*) FROM pragma_table_info('annotations') WHERE name = 'mood'")
            assert found.fetchone() == (columns,)
            assert connection.execute("SELECT name FROM projects").fetchall() == [("p",)]
        connection.close()


def test_an_older_server_database_is_upgraded(postgres_url, request):
    Project.create("p", ["ok", "offensive"], storage=postgres_url)
    close_engines()
    request.getfixturevalue("next_schema")
    Project.open("p", storage=postgres_url)
    with reading(open_engine(postgres_url)) as connection:
        assert connection.execute(text("SELECT mood FROM annotations")).all() == []


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(sqlite_url, monkeypatch, request):
    Project.create("p", ["ok", "offensive"], storage=sqlite_url)
    close_engines()
    request.getfixturevalue("next_schema")
    upgrade = command.upgrade

    def fail_after(config, revision):
        upgrade(config, revision)
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", fail_after)
    with pytest.raises(RuntimeError, match="the power went"):
        Project.open("p", storage=sqlite_url)
    monkeypatch.undo()
    assert Project.open("p", storage=sqlite_url).label_names == ("ok", "offensive")


@pytest.mark.parametrize("release", RELEASES, ids=[path.stem for path in RELEASES])
def test_a_database_of_each_release_opens_with_its_labels(release, tmp_path):
    path = tmp_path / "old.db"
    shutil.copy(release, path)
    project = Project.open("posts", storage=f"sqlite:///{path}")
    assert project.label_names == ("ok", "offensive")
    assert project.items()["text"].to_list()[:2] == ["you idiot", "good morning"]
    assert project.items()["id"].to_list() == [f"00{number}" for number in range(8)]
    assert project.labels("gold").height == 8
    assert project.status().holdout == 2
    assert [(f.name, f.expert, f.label, f.loaded) for f in project.functions()] == [
        ("insult", "person 1", "offensive", True)
    ]
    weak = ["offensive", "ok", "offensive", "ok", "offensive", "ok", "ok", "ok"]
    assert project.weak_run(1).frame()["label"].to_list() == weak
    facts = project.annotations()
    assert facts["kind"].to_list() == ["answer", "unsure", "answer", "undo", "skip"]
    assert facts["undone"].to_list() == [False, False, True, False, False]
    human = project.labels("human")
    assert human["item_id"].to_list() == facts["item_id"].to_list()[:1]
    loop = project.pool_loop("first")
    progress = loop.progress()
    assert (progress.answered, progress.unsure, progress.skipped, progress.budget) == (2, 1, 1, 5)
    query, *_ = loop.ask("bo")
    loop.tell(query, "ok")
    assert project.labels("human").height == 2


def test_there_is_a_database_of_the_first_release():
    assert [path.name for path in RELEASES][:1] == ["release-0.1.sqlite"]


def test_each_name_of_an_older_database_becomes_a_person_the_same_in_every_copy(tmp_path):
    for name in ("one", "two"):
        shutil.copy(RELEASES[0], tmp_path / f"{name}.db")
        with sqlite3.connect(tmp_path / f"{name}.db") as connection:
            connection.execute("INSERT INTO projects SELECT 2, 'u', 'q', '', created_at, 0, 1 FROM projects")
            added = [(2, "a-1", "bo"), (2, "a-2", "Bo"), (2, "a-3", None), (1, "a-4", None), (1, "a-5", "zoe")]
            connection.executemany("INSERT INTO annotators (project_id, uuid, name) VALUES (?, ?, ?)", added)
        connection.close()
    found = []
    for name in ("one", "two"):
        with reading(open_engine(f"sqlite:///{tmp_path / name}.db")) as connection:
            people, own = tables.persons, tables.annotators
            of = select(own.c.name, people.c.uuid).join(people, people.c.id == own.c.person_id)
            found.append([tuple(row) for row in connection.execute(of.order_by(own.c.id))])
    assert found[0] == found[1]
    names = [name for name, _ in found[0]]
    assert {"bo", "Bo", "zoe", None} <= set(names)
    # Somebody whose name was erased is nobody else.
    assert len({uuid for _, uuid in found[0]}) == len({name for name in names if name}) + names.count(None)
