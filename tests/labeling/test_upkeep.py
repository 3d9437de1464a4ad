"""Backups, and what is found and mended in a database, over real files, a real PostgreSQL and real kills."""

import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select, text, update

from labeling import (
    MajorityVote,
    Project,
    StorageError,
    backup,
    copy_projects,
    keyword,
    labeling_function,
    repair,
    verify,
)
from labeling.arrays import BLOCK, pack
from storage import close_engines, tables
from storage.database import open_engine, writing
from strategies import Random
from tests.labeling.pool_loops import LABELS, posts
from tests.labeling.processes import PATIENCE, start
from tests.labeling.shell import Shell

DATA = Path(__file__).resolve().parents[1] / "data"

KILLED = """
import os, signal, sys
from labeling import upkeep
from storage.facts import bulk
from storage.upkeep import backups, copying

source, target, place = sys.argv[1], sys.argv[2], sys.argv[3]
write_rows = bulk.write_rows

def dies(connection, table, rows):
    write_rows(connection, table, rows)
    if table.name == place:
        os.kill(os.getpid(), signal.SIGKILL)

copying.write_rows = dies
if place == "pages":
    back_up = upkeep.back_up
    def upkeep_dies(storage, path):
        back_up(storage, path)
        os.kill(os.getpid(), signal.SIGKILL)
    upkeep.back_up = upkeep_dies
    upkeep.backup(source, target)
upkeep.copy_projects(source, target)
"""


@labeling_function(labels=LABELS)
def rude(row):
    return "offensive" if "idiot" in row["text"] else "ok"


def made(url):
    """A project with answers, an open question, kept votes and a weak run."""
    project = Project.create("p", LABELS, storage=url)
    project.add_items(posts(12), gold="label")
    project.add_functions([rude])
    project.weak_label(MajorityVote())
    loop = project.pool_loop("l", strategy=Random(), seed=1)
    for query, label in zip(loop.ask("ann", 2), LABELS, strict=True):
        loop.tell(query, label)
    loop.ask("ann")
    return project


def mode(path):
    return path.stat().st_mode & 0o777


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_is_taken_while_somebody_writes_and_holds_what_was_saved(storage_url, tmp_path):
    project = made(storage_url)
    target = tmp_path / "backups" / "work.backup"
    target.parent.mkdir()
    with project.ledger.write() as write:
        write.fact(tables.project_changes, kind="not saved yet", details={})
        assert backup(storage_url, target) == target
    assert (names(target.parent), mode(target)) == (["work.backup"], 0o600)
    there = Project.open("p", storage=f"sqlite:///{target}")
    assert there.ledger.version() == project.ledger.version() - 1
    assert there.annotations()["uuid"].equals(project.annotations()["uuid"])
    assert there.pool_loop("l").ask("ann")[0].uuid == project.pool_loop("l").ask("ann")[0].uuid
    assert verify(f"sqlite:///{target}").problems == ()


def test_a_file_that_is_there_is_replaced_only_where_that_is_said(sqlite_url, tmp_path):
    made(sqlite_url)
    target = tmp_path / "old"
    target.write_text("something else")
    with pytest.raises(FileExistsError, match="already"):
        backup(sqlite_url, target)
    assert target.read_text() == "something else"
    backup(sqlite_url, target, overwrite=True)
    assert [info.name for info in Project.list(f"sqlite:///{target}")] == ["p"]
    # Its log would be taken for the new file's.
    with pytest.raises(FileExistsError, match=r"old-wal.* in use"):
        backup(sqlite_url, target, overwrite=True)
    with pytest.raises(StorageError, match="no folder"):
        backup(sqlite_url, tmp_path / "nowhere" / "x")
    with pytest.raises(StorageError, match="nothing to back up"):
        backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "x")
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_database_is_named_and_never_becomes_a_backup(sqlite_url, tmp_path):
    made(sqlite_url).add_items(posts(3000).tail(2900))
    close_engines()
    file = tmp_path / "work.db"
    content = bytearray(file.read_bytes())
    with closing(sqlite3.connect(file)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'contents'").fetchone()[0]
    content[(root - 1) * 4096 : root * 4096] = b"\x07" * 4096
    file.write_bytes(content)
    found = verify(sqlite_url)
    assert "the file is damaged" in str(found.problems[0])
    with pytest.raises(StorageError, match="damaged"):
        backup(sqlite_url, tmp_path / "copy")
    assert [name for name in names(tmp_path) if not name.startswith("work.db")] == []


@pytest.mark.parametrize("place", ["annotations", "pages"])
def test_a_backup_or_copy_that_is_killed_leaves_nothing(storage_url, tmp_path, place):
    made(storage_url)
    target = tmp_path / "new"
    target.mkdir()
    file = target / "copy.db"
    child = start(KILLED, storage_url, file if place == "pages" else f"sqlite:///{file}", place)
    child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGKILL
    assert not file.exists()
    copy_projects(storage_url, f"sqlite:///{file}")
    close_engines()
    assert (names(target), mode(file)) == (["copy.db"], 0o600)
    assert verify(f"sqlite:///{file}").problems == ()


def test_a_copy_into_a_database_in_use_that_is_killed_leaves_it_as_it_was(storage_url, tmp_path):
    source = f"sqlite:///{tmp_path / 'source.db'}"
    made(source)
    Project.create("other", LABELS, storage=storage_url)
    child = start(KILLED, source, storage_url, "annotations")
    child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGKILL
    assert [info.name for info in Project.list(storage_url)] == ["other"]
    assert verify(storage_url).problems == ()
    assert [each.name for each in copy_projects(source, storage_url)] == ["p"]


def test_a_copy_that_fails_makes_no_file(sqlite_url, tmp_path):
    made(sqlite_url)
    target = tmp_path / "new" / "copy.db"
    target.parent.mkdir()
    with pytest.raises(LookupError, match="'q'"):
        copy_projects(sqlite_url, f"sqlite:///{target}", "q")
    assert names(target.parent) == []


def test_nothing_is_wrong_in_what_was_made_here(storage_url):
    made(storage_url)
    found = verify(storage_url)
    assert (found.projects, found.problems) == (1, ())
    assert "leases" in found.looked
    assert repair(storage_url).backup is None


@pytest.mark.parametrize("file", ["release-0.1.sqlite", "before-rooms.sqlite"])
def test_nothing_is_wrong_in_databases_of_releases(tmp_path, file):
    shutil.copy(DATA / file, tmp_path / "old.db")
    found = verify(f"sqlite:///{tmp_path / 'old.db'}")
    assert found.projects > 0
    assert found.problems == ()


FAULTS = {
    "an annotation without its item": ("UPDATE annotations SET item_id = 99", "annotations .* about an item"),
    "a query without its item": ("UPDATE queries SET item_id = 99", "queries .* about an item"),
    "contents without their item": ("UPDATE contents SET item_id = 99 WHERE item_id = 3", "contents .* about an item"),
    "an item without contents": ("DELETE FROM contents WHERE item_id = 3", "items .* have no contents"),
    "a label without its answer": ("DELETE FROM annotations WHERE id = 2", "annotation_labels .* not there"),
    "an answer without a label": ("DELETE FROM annotation_labels", "answers without a label"),
    "an answer to a query of another item": (
        "UPDATE annotations SET item_id = (SELECT max(item_id) FROM leases) WHERE id = 1",
        "answer a query of another item",
    ),
    "an answer to a query that is not there": ("UPDATE annotations SET query_id = 77", "row of queries that"),
    "an answer of nobody": ("UPDATE annotations SET annotator_id = 77", "row of annotators that"),
    "an item of no import": ("UPDATE items SET import_id = 77 WHERE item_id = 2", "row of imports that"),
    "a run of classes that were not": ("UPDATE weak_runs SET label_ids = '[0, 7]'", r"weak run 1 has classes \(7\)"),
    "a refit of classes that were not": ("UPDATE refits SET label_ids = '[9]'", r"refit 0 .*'l' has classes \(9\)"),
    "a refit of a label set that was not": ("UPDATE refits SET label_set = 4", "version 4"),
    "an answer of a class that was not": ("UPDATE annotation_labels SET label_id = 5", r"classes \(5\)"),
    "a write that was not counted": ("UPDATE projects SET seq = 2", "counts 2 writes"),
    "an item number that is given again": ("UPDATE projects SET next_item = 4", "next item would be 4"),
    "a run that counts otherwise": ("UPDATE weak_runs SET n_items = 11", "weak run 1 has 12 items, and counts 11"),
    "a round that is missing": ("UPDATE refits SET round = 1", "1 refits, numbered from 1"),
    "rows of no project": ("UPDATE filters SET project_id = 5", "row of projects that is not there"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A database file in which nothing is wrong."""
    file = tmp_path_factory.mktemp("sound") / "work.db"
    made(f"sqlite:///{file}").save_filter("insults", keyword("insults", ["idiot"], label="offensive"))
    close_engines()
    return file


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_named(sound, tmp_path, fault):
    shutil.copy(sound, tmp_path / "work.db")
    statement, words = FAULTS[fault]
    with closing(sqlite3.connect(tmp_path / "work.db")) as connection, connection:
        assert connection.execute(statement).rowcount
    problems = [str(each) for each in verify(f"sqlite:///{tmp_path / 'work.db'}").problems]
    assert any(re.search(words, each) for each in problems), problems


def test_what_is_followed_in_memory_is_compared_with_the_facts(storage_url):
    project = made(storage_url)
    assert project.status().human == 2
    with writing(open_engine(storage_url)) as connection:
        # Behind the back of who follows: without a number of its own.
        connection.execute(update(tables.annotations).where(tables.annotations.c.id == 1).values(kind="skip"))
    assert "2 items are followed as answered, and 1 are" in str(verify(storage_url).problems[0])


def broken(url):
    """A database with each kind of what can be mended."""
    project = made(url)
    with writing(open_engine(url)) as connection:
        held = dict(connection.execute(select(tables.leases)).mappings().first())
        connection.execute(insert(tables.leases), held | {"item_id": 900, "annotator_id": 800})
        # Not a function's that names its code: its votes cannot be kept.
        version = connection.execute(select(tables.function_versions)).one()
        stamp = {"project_id": 1, "seq": 1, "created_at": version.created_at, "function_version_id": version.id}
        votes = np.full(BLOCK, -2)
        for number, (through, value) in enumerate([(12, 0), (12, 7), (400, 0), (3, 0)]):
            votes[1:13] = value
            block = {"uuid": f"block {number}", "block": 0, "through": through, "faults": {}, "seconds": 0.0}
            connection.execute(insert(tables.vote_blocks), stamp | block | {"votes": pack(votes, "<i2")})
        lost = {"uuid": "lost", "block": 0, "through": 3, "faults": {}, "seconds": 0.0, "votes": b"no zip"}
        connection.execute(insert(tables.vote_blocks), stamp | lost)
    begun = project.ledger.imports.begin("more.csv")
    with project.ledger.unstamped() as connection:
        item = {"project_id": 1, "item_id": 13, "import_id": begun, "source_row": 0, "content_hash": b"0" * 16}
        connection.execute(insert(tables.items), item)
        connection.execute(insert(tables.contents), {"project_id": 1, "item_id": 13, "version": 1, "data": "{}"})
        connection.execute(update(tables.projects).values(next_item=14))
        connection.execute(update(tables.imports).where(tables.imports.c.id == begun).values(expires_at=0.0))
        connection.execute(text("INSERT INTO refit_leases (loop_id, holder, expires_at) VALUES (44, 'x', 0.0)"))
    return project


def test_what_follows_from_facts_is_mended_after_a_backup(storage_url, tmp_path):
    project = broken(storage_url)
    before, said = project.labels(), project.annotations()
    found = [str(each) for each in verify(storage_url).problems]
    mended = repair(storage_url, tmp_path / "before")
    assert len(mended.done) >= len(found) > 5, found
    assert verify(storage_url).problems == ()
    again = Project.open("p", storage=storage_url)
    assert again.labels().equals(before)
    assert again.annotations().equals(said)
    assert again.ledger.imports.begin("again.csv")
    assert verify(f"sqlite:///{tmp_path / 'before'}").problems != ()


def test_commands_say_what_they_did_and_exit_with_1_where_something_is_wrong(tmp_path):
    shell = Shell(tmp_path)
    project = broken(shell.storage)
    done = shell("verify")
    assert done.returncode == 1
    assert "p: the lease on item 900 is on an item that is not there" in done.stdout
    assert "repair mends" in done.stderr
    done = shell("repair --backup before")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The backup is" in done.stdout
    assert shell("repair").stdout == "There was nothing to mend\n"
    assert shell("verify").stdout.startswith("Nothing is wrong in 1 projects: pages of the file; ")
    assert "Backed up to" in shell("backup saved").stdout
    assert "already" in shell("backup saved").stderr
    assert shell("backup saved --overwrite").returncode == 0
    done = shell(f"copy {shell.storage} sqlite:///there.db --project p")
    assert "p: " in done.stdout
    assert "rows copied and compared" in done.stdout
    assert "already" in shell(f"copy {shell.storage} sqlite:///there.db").stderr
    with project.ledger.unstamped() as connection:
        connection.execute(update(tables.weak_runs).values(n_items=3))
    assert shell("repair").returncode == 1
    assert shell("verify", storage="sqlite:///nowhere.db").returncode == 1
