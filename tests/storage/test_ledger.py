import threading

import polars as pl
import pytest
from sqlalchemy import select, text

from labeling import Project
from storage import Ledger, ProjectExists, ProjectNotFound, StorageError, list_projects, tables

CLASSES = [{"id": 0, "name": "ok"}, {"id": 1, "name": "offensive"}]

FACTS = [table for table in tables.metadata.sorted_tables if {"uuid", "seq", "created_at"} <= set(table.c.keys())]


def ledger_of(url, name="p"):
    return Ledger.create(url, name, "", CLASSES)


def test_a_ledger_opens_as_it_was_made(storage_url):
    made = Ledger.create(storage_url, "p", "what it is for", CLASSES)
    opened = Ledger.open(storage_url, "p")
    assert opened.project == made.project
    assert opened.project.description == "what it is for"
    assert [dict(c) for c in opened.label_sets()[0].classes] == CLASSES


def test_a_name_is_taken_once(storage_url):
    ledger_of(storage_url)
    with pytest.raises(ProjectExists, match="'p'"):
        ledger_of(storage_url)
    assert len(list_projects(storage_url)) == 1


def test_an_unknown_project_is_refused_with_those_there_are(storage_url):
    with pytest.raises(ProjectNotFound, match=r"is empty|does not exist"):
        Ledger.open(storage_url, "q")
    ledger_of(storage_url, "posts")
    ledger_of(storage_url, "mails")
    with pytest.raises(ProjectNotFound, match=r"'q'.*'mails', 'posts'"):
        Ledger.open(storage_url, "q")


def test_projects_of_one_database_do_not_see_each_other(storage_url):
    one, two = (Project.create(name, ["ok", "offensive"], storage=storage_url) for name in ("one", "two"))
    one.add_items(pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"]}))
    two.add_items(pl.DataFrame({"id": ["1"], "text": ["c"]}))
    one.add_label("spam")
    assert one.items()["text"].to_list() == ["a", "b"]
    assert two.items()["text"].to_list() == ["c"]
    assert two.label_names == ("ok", "offensive")
    assert [info.items for info in Project.list(storage_url)] == [2, 1]


def test_every_write_counts_one_and_stamps_its_rows(storage_url):
    ledger = ledger_of(storage_url)
    assert ledger.version() == 1
    with ledger.write() as write:
        write.fact(tables.holdouts, fraction=0.5, seed=0, size=0, item_ids=b"")
        write.fact(tables.holdouts, fraction=0.6, seed=0, size=0, item_ids=b"")
    assert ledger.version() == 2
    with ledger.read() as connection:
        assert connection.scalars(select(tables.holdouts.c.seq)).all() == [2, 2]


def test_a_write_that_fails_takes_its_number_back(storage_url):
    ledger = ledger_of(storage_url)

    def fail():
        with ledger.write() as write:
            write.fact(tables.holdouts, fraction=0.5, seed=0, size=0, item_ids=b"")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ledger.version() == 1
    assert ledger.items.holdout() is None


def test_numbers_are_in_commit_order_under_concurrent_writers(storage_url):
    """A reader that has seen number s never meets a smaller one later."""
    ledger = ledger_of(storage_url)
    writers, each = 4, 25
    running = threading.Barrier(writers + 1)

    def write():
        running.wait()
        for _ in range(each):
            with ledger.write() as write:
                write.fact(tables.holdouts, fraction=0.5, seed=0, size=0, item_ids=b"")

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    running.wait()
    newest, seen, late = 1, set(), []
    while len(seen) < writers * each and any(thread.is_alive() for thread in threads):
        with ledger.read() as connection:
            found = set(connection.scalars(select(tables.holdouts.c.seq)))
        late += [seq for seq in found - seen if seq <= newest]
        seen |= found
        newest = max([newest, *found])
    for thread in threads:
        thread.join()
    with ledger.read() as connection:
        numbers = connection.scalars(select(tables.holdouts.c.seq).order_by(tables.holdouts.c.id)).all()
    assert late == []
    assert numbers == list(range(2, 2 + writers * each))


def test_each_fact_has_a_uuid_that_no_other_has():
    for table in FACTS:
        assert table.c.uuid.unique, table.name
        assert not table.c.uuid.nullable, table.name


def test_two_who_change_the_labels_at_once_do_not_overwrite_each_other(storage_url):
    ledger = ledger_of(storage_url)
    ledger.add_label_set(1, {"kind": "add"}, [*CLASSES, {"id": 2, "name": "spam"}])
    with pytest.raises(StorageError, match="changed the labels at the same moment"):
        ledger.add_label_set(1, {"kind": "add"}, [*CLASSES, {"id": 2, "name": "ham"}])
    assert [c["name"] for c in ledger.label_sets()[-1].classes] == ["ok", "offensive", "spam"]


def test_a_project_that_was_deleted_underneath_is_named(storage_url):
    ledger = ledger_of(storage_url)
    with ledger.unstamped() as connection:
        connection.execute(text("DELETE FROM label_sets"))
        connection.execute(text("DELETE FROM projects"))
    with pytest.raises(StorageError, match="'p' is gone"):
        ledger.note_export("x.csv", "csv", 0, None, {})


def test_opening_a_mistyped_file_makes_none(tmp_path):
    with pytest.raises(ProjectNotFound, match=r"typo\.db' does not exist"):
        Ledger.open(f"sqlite:///{tmp_path / 'typo.db'}", "p")
    assert list(tmp_path.iterdir()) == []


def test_a_project_that_was_made_with_settings_and_never_filled_is_taken_back(storage_url):
    made = Project.create("q", ["ok", "offensive"], storage=storage_url, annotators_per_item=2)
    ledger_of(storage_url)
    assert made.ledger.withdraw()
    assert [project.name for project in list_projects(storage_url)] == ["p"]
    with made.ledger.read() as connection:
        assert connection.execute(select(tables.project_changes)).all() == []
    again = Project.create("q", ["ok", "offensive"], storage=storage_url)
    again.ledger.note_export("x.csv", "csv", 0, None, {})
    assert not again.ledger.withdraw()
