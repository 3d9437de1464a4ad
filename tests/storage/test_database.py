import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

import polars as pl
import psycopg
import pytest
from sqlalchemy import make_url

import storage.database
from labeling import Project
from storage import StorageError, close_engines
from storage.database import open_engine, reading, writing
from tests.databases import postgres_database
from tests.labeling.processes import finish, start

LABELS = ["ok", "offensive"]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("labeling.db", "not a database URL.*sqlite:///labeling.db"),
        ("", "not a database URL"),
        ("mysql://root@localhost/x", "'mysql' are not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////no/such/folder/work.db", "folder '/no/such/folder'.*does not exist"),
        ("postgresql://127.0.0.1:1/none?connect_timeout=1", "cannot be used"),
    ],
)
def test_a_url_that_cannot_work_is_refused_with_what_would(url, hint):
    with pytest.raises(StorageError, match=hint):
        open_engine(url)


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(StorageError, match="is a folder; a SQLite database is a file"):
        open_engine(f"sqlite:///{tmp_path}")


def test_a_password_is_in_no_error():
    with pytest.raises(StorageError) as error:
        open_engine("postgresql://ann:secret-word@127.0.0.1:1/none?connect_timeout=1")
    assert "secret-word" not in str(error.value)
    assert "ann:***@127.0.0.1" in str(error.value)


def test_a_password_is_not_shown_by_a_project(postgres_url):
    url = make_url(postgres_url).set(password="secret-word").render_as_string(hide_password=False)
    project = Project.create("p", LABELS, storage=url)
    assert "secret-word" not in project.storage + repr(project)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("text,label\n" * 500)
    with pytest.raises(StorageError, match="is not a SQLite database"):
        Project.create("p", LABELS, storage=f"sqlite:///{path}")
    assert path.read_text() == "text,label\n" * 500


@pytest.mark.parametrize("table", ["bookmarks", "projects", "alembic_version"])
def test_another_programs_file_is_refused_and_left_alone(tmp_path, table):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
        connection.execute(f"INSERT INTO {table} VALUES ('0001')")
    connection.close()
    with pytest.raises(StorageError, match="tables of another program"):
        Project.create("p", LABELS, storage=f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [(table,)]
    connection.close()


@pytest.mark.parametrize("table", ["projects", "alembic_version"])
def test_tables_of_another_program_that_collide_are_refused_on_a_server(postgres_url, table):
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
    with pytest.raises(StorageError, match="tables of another program"):
        Project.create("p", LABELS, storage=postgres_url)


def test_a_server_may_hold_tables_of_others_beside(postgres_url):
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    assert Project.create("p", LABELS, storage=postgres_url).label_names == ("ok", "offensive")


def test_a_database_opened_for_reading_shows_its_items_and_refuses_to_write(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["a", "b"]}))
    path = make_url(sqlite_url).database
    opened = Project.open("p", storage=f"sqlite:///file:{path}?mode=ro&uri=true")
    assert opened.items()["text"].to_list() == ["a", "b"]
    with pytest.raises(StorageError, match="can only be read"):
        opened.add_label("spam")
    assert project.label_names == ("ok", "offensive")


@pytest.fixture
def as_nobody():
    """A folder below /tmp that a user without rights may enter, and a way to become that user for a while."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    user = os.geteuid()
    close_engines()

    def become():
        # Root may write whatever a file's mode says; to another user it applies.
        if user == 0:
            os.seteuid(65534)

    yield folder, become
    close_engines()
    os.seteuid(user)
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_a_read_only_file_refuses_to_be_written(as_nobody, folder_mode):
    folder, become = as_nobody
    path = folder / "work.db"
    Project.create("p", LABELS, storage=f"sqlite:///{path}").add_items(pl.DataFrame({"text": ["a"]}))
    close_engines()
    path.chmod(0o444)
    folder.chmod(folder_mode)
    become()
    # Without a log beside it, SQLite does not even read such a file where it may not make one.
    with pytest.raises(StorageError, match=r"can only be read\. Make the file and its folder writable"):
        Project.open("p", storage=f"sqlite:///{path}").add_items(pl.DataFrame({"text": ["b"]}))


def test_a_folder_without_write_rights_is_refused(as_nobody):
    folder, become = as_nobody
    folder.chmod(0o555)
    become()
    with pytest.raises(StorageError, match="cannot be made: Permission denied"):
        Project.create("p", LABELS, storage=f"sqlite:///{folder / 'work.db'}")


def test_sqlite_keeps_a_log_and_waits_for_the_disk(sqlite_url):
    with reading(open_engine(sqlite_url, create=True)) as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert settings == ["wal", 2, 30_000, 1]


OPENER = """
import sys
from storage.database import open_engine
open_engine(sys.argv[1], create=True)
"""


def test_two_processes_that_open_an_empty_database_at_once_migrate_it_once(storage_url):
    for child in [start(OPENER, storage_url) for _ in range(2)]:
        finish(child)
    assert Project.create("p", LABELS, storage=storage_url).label_names == ("ok", "offensive")


def test_a_reader_sees_one_state_while_somebody_writes(sqlite_url):
    engine = open_engine(sqlite_url, create=True)
    Project.create("one", LABELS, storage=sqlite_url)
    with reading(engine) as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM projects").scalar()
        Project.create("two", LABELS, storage=sqlite_url)
        after = connection.exec_driver_sql("SELECT count(*) FROM projects").scalar()
    assert (before, after) == (1, 1)


def test_a_write_that_fails_leaves_nothing(storage_url):
    engine = open_engine(storage_url, create=True)
    Project.create("one", LABELS, storage=storage_url)

    def fail():
        with writing(engine) as connection:
            connection.exec_driver_sql("UPDATE projects SET name = 'other'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [info.name for info in Project.list(storage_url)] == ["one"]


def test_a_relative_path_stays_the_same_file_when_the_script_changes_its_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    project = Project.create("p", LABELS, storage="sqlite:///work.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    project.add_label("spam")
    close_engines()
    assert Project.open("p", storage=f"sqlite:///{tmp_path / 'work.db'}").label_names == ("ok", "offensive", "spam")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_was_deleted_is_made_anew(sqlite_url):
    Project.create("p", LABELS, storage=sqlite_url)
    path = Path(make_url(sqlite_url).database)
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()
    assert Project.list(sqlite_url) == []


def test_errors_of_the_database_quote_no_text_of_items(sqlite_url):
    engine = open_engine(sqlite_url, create=True)
    Project.create("p", LABELS, storage=sqlite_url)
    statement = "INSERT INTO contents (project_id, item_id, version, data) VALUES (1, 1, 1, ?), (1, 1, 1, ?)"
    with pytest.raises(Exception, match="UNIQUE constraint failed") as error, writing(engine) as connection:
        connection.exec_driver_sql(statement, ("my secret post", "another"))
    assert "my secret post" not in str(error.value)


def test_a_value_that_reads_like_a_lock_is_no_lock_error(postgres_url):
    project = Project.create("p", LABELS, storage=postgres_url)
    assert project.ledger.loops.add("locked", "pool", {}) is not None
    assert project.ledger.loops.add("locked", "pool", {}) is None


def test_a_forked_child_leaves_the_connections_of_its_parent_alone(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            project.add_label("from the child")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    project.add_label("from the parent")
    assert project.label_names[2:] == ("from the child", "from the parent")


def test_a_missing_driver_is_named_with_the_command_that_installs_it():
    with pytest.raises(StorageError, match=r"'postgresql\+pg8000' is not installed. .*'tally-labeling\[postgres\]'"):
        open_engine("postgresql+pg8000://host/name")


def gone(path):
    path.unlink()


def moved_away(path):
    path.rename(path.with_name("elsewhere.db"))


def replaced(path):
    other = path.with_name("other.db")
    shutil.copy(path, other)
    other.replace(path)


@pytest.mark.parametrize("lose", [gone, moved_away, replaced])
def test_a_file_lost_while_it_is_open_is_noticed_before_anything_is_said_to_be_saved(sqlite_url, tmp_path, lose):
    project = Project.create("p", LABELS, storage=sqlite_url)
    path = tmp_path / "work.db"
    lose(path)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"work.db.*(gone|replaced).*nothing of this step was saved"):
            project.add_label("spam")
    assert path.exists() == (lose is replaced)


def test_a_file_lost_within_a_step_takes_the_step_with_it(sqlite_url, tmp_path):
    project = Project.create("p", LABELS, storage=sqlite_url)
    path = tmp_path / "work.db"

    def write():
        with project.ledger.write():
            moved_away(path)

    with pytest.raises(StorageError, match="gone, or was moved"):
        write()
    path.with_name("elsewhere.db").rename(path)
    project.add_label("spam")
    assert project.ledger.version() == 2


def test_a_file_put_back_from_a_backup_is_opened_as_it_is(sqlite_url, tmp_path):
    Project.create("p", LABELS, storage=sqlite_url)
    close_engines()
    shutil.copy(tmp_path / "work.db", tmp_path / "backup.db")
    Project.open("p", sqlite_url).add_label("spam")
    for part in tmp_path.glob("work.db*"):
        part.unlink()
    (tmp_path / "backup.db").rename(tmp_path / "work.db")
    assert Project.open("p", sqlite_url).label_names == ("ok", "offensive")


def test_only_a_new_project_makes_a_database(tmp_path):
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert Project.list(url) == []
    with pytest.raises(LookupError, match=r"no project 'p': the database '.*none.db' does not exist"):
        Project.open("p", url)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "none.db").touch()
    with pytest.raises(LookupError, match=r"no project 'p': the database '.*none.db' is empty"):
        Project.open("p", url)
    assert (tmp_path / "none.db").stat().st_size == 0
    assert Project.create("p", LABELS, storage=url).name == "p"


def test_an_empty_server_stays_empty_until_a_project_is_made(postgres_server):
    with postgres_database(postgres_server, "template0") as url:
        assert Project.list(url) == []
        with pytest.raises(LookupError, match="no project 'p'"):
            Project.open("p", url)
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_an_empty_file_beside_the_log_of_another_is_refused(tmp_path):
    (tmp_path / "work.db").touch()
    (tmp_path / "work.db-wal").write_bytes(b"what was written last")
    with pytest.raises(StorageError, match=r"is empty, but what was written to it last is still beside it"):
        Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'work.db'}")
    assert (tmp_path / "work.db-wal").read_bytes() == b"what was written last"


def test_new_files_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "a #1.db"
    Project.create("p", LABELS, storage=f"sqlite:///{path}")
    kept = sorted(tmp_path.glob("a #1.db*"))
    assert [each.name for each in kept] == ["a #1.db", "a #1.db-shm", "a #1.db-wal"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept} == {0o600}


def test_who_waits_for_a_lock_too_long_hears_of_it(postgres_url, monkeypatch):
    monkeypatch.setattr(storage.database, "BUSY_SECONDS", 1)
    project = Project.create("p", LABELS, storage=postgres_url)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("UPDATE projects SET seq = seq")
        with pytest.raises(StorageError, match="was locked by another program for 1 seconds"):
            project.add_label("spam")
    project.add_label("spam")


def test_who_waits_too_long_to_write_hears_of_it_and_writes_later(sqlite_url, monkeypatch, tmp_path):
    project = Project.create("p", LABELS, storage=sqlite_url)
    close_engines()
    monkeypatch.setattr(storage.database, "BUSY_SECONDS", 1)
    other = sqlite3.connect(tmp_path / "work.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="was locked by another program for 1 seconds"):
        Project.open("p", sqlite_url).add_label("spam")
    other.rollback()
    other.close()
    project = Project.open("p", sqlite_url)
    project.add_label("spam")
    with reading(open_engine(sqlite_url)) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1_000
