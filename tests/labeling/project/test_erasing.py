"""What is erased is gone: from the rows, from the bytes of the file, from what is kept beside it, from backups."""

from pathlib import Path

import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, TextClassifier, keyword
from labeling.upkeep import backup, copy_projects, verify
from storage import ContentCache, ProjectExists, ProjectNotFound, StorageError
from strategies import Random
from tests.labeling.shell import Shell

SECRET = "call Zebulon Quatermass"


@pytest.fixture
def project(storage_url):
    project = Project.create("p", ["ok", "offensive"], storage=storage_url)
    texts = [SECRET, "a fine day", "b", "c"]
    project.add_items(pl.DataFrame({"text": texts, "label": ["ok", "offensive"] * 2}), gold="label", progress=False)
    project.add_functions([keyword("k", ["a"], label="ok")])
    project.weak_label(MajorityVote())
    loop = project.pool_loop("l", strategy=Random(), classifier=TextClassifier(), seed=1, stop=[LabelBudget(3)])
    for query in loop.ask("ann", 2):
        loop.tell(query, "ok")
    project.add_note(1, f"he is {SECRET}", "ben")
    return project


def bytes_of(url):
    """Everything in the file of SQLite and beside it; nothing of a server."""
    path = Path(url.removeprefix("sqlite:///"))
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())


def rows_with(project, text):
    with project.ledger.read() as connection:
        held = connection.exec_driver_sql("SELECT data FROM contents").scalars().all()
        noted = connection.exec_driver_sql("SELECT text FROM remarks").scalars().all()
    return [each for each in (*held, *noted) if each and text in each]


def test_what_an_item_held_is_gone_from_rows_notes_and_bytes(project, storage_url):
    assert len(rows_with(project, SECRET)) == 2
    assert project.erase([1], "asked for") == 1
    assert rows_with(project, SECRET) == []
    assert project.remarks(1)["text"].to_list() == [""]
    if storage_url.startswith("sqlite"):
        assert SECRET.encode() not in bytes_of(storage_url)
    assert project.items()["item_id"].to_list() == [2, 3, 4]


def test_vectors_kept_beside_the_database_go_with_an_item(project, storage_url):
    cache = ContentCache(project.item_store.cache_file("embeddings"))
    cache.put({b"key": SECRET.encode()})
    project.erase([1])
    assert cache.get([b"key"]) == {}
    assert SECRET.encode() not in cache.path.read_bytes()


def test_backups_that_are_named_lose_it_too(project, tmp_path):
    first, second = (backup(project.ledger.full_url, tmp_path / name) for name in ("1.backup", "2.backup"))
    project.erase([1], backups=[first])
    held = [Project.open("p", storage=f"sqlite:///{file}").items()["item_id"].to_list() for file in (first, second)]
    assert held == [[2, 3, 4], [1, 2, 3, 4]]
    assert SECRET.encode() not in bytes_of(f"sqlite:///{first}")


def test_a_backup_that_is_not_there_or_another_projects_is_said_before_anything_is_gone(project, tmp_path):
    other = Project.create("other", ["a", "b"], storage=f"sqlite:///{tmp_path / 'other.db'}")
    file = backup(other.ledger.full_url, tmp_path / "other.backup")
    with pytest.raises(StorageError, match=r"no backup .*gone\.backup"):
        project.erase([1], backups=[tmp_path / "gone.backup"])
    with pytest.raises(StorageError, match=r"other\.backup.* is no backup of the project 'p'\. It has 'other'"):
        project.erase_project("p", [file])
    assert project.items().height == 4


def test_a_name_that_goes_leaves_what_was_made_of_items(project):
    cache = ContentCache(project.item_store.cache_file("embeddings"))
    cache.put({b"key": b"vector"})
    project.erase_person("ann")
    assert cache.get([b"key"]) == {b"key": b"vector"}


def test_a_person_without_a_name_keeps_what_they_did(project, storage_url, tmp_path):
    file = backup(project.ledger.full_url, tmp_path / "1.backup")
    before = project.labels("human").select("item_id", "label")
    project.erase_person("ann", [file])
    assert set(project.annotations()["annotator"]) == {None}
    assert project.labels("human").select("item_id", "label").equals(before)
    for url in (storage_url, f"sqlite:///{file}"):
        opened = Project.open("p", storage=url)
        with opened.ledger.read() as connection:
            names = connection.exec_driver_sql("SELECT name FROM annotators").scalars().all()
        assert sorted(map(str, names)) == ["None", "ben"]
    with pytest.raises(LookupError, match=r"Nobody is called 'ann' in the project 'p'\. It has 'ben'"):
        project.erase_person("ann")
    # Somebody of that name who comes later is somebody else.
    loop = project.pool_loop("l")
    loop.tell(loop.ask("ann", 1)[0], "ok")
    assert project.annotations()["annotator"].to_list() == [None, None, "ann"]
    assert verify(storage_url).problems == ()


def rows_of_all(project):
    with project.ledger.read() as connection:
        tables = [
            "items", "contents", "gold", "annotations", "annotation_labels", "annotators", "queries", "refits",
            "leases", "refit_blocks", "functions", "function_versions", "weak_runs", "loops", "remarks",
            "label_sets",
        ]  # fmt: skip
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables}


def test_a_project_is_erased_whole_after_its_name_is_given(project, storage_url):
    other = Project.create("q", ["a", "b"], storage=storage_url)
    other.add_items(pl.DataFrame({"text": ["stays"]}), progress=False)
    kept = rows_of_all(other)["items"]
    with pytest.raises(ValueError, match=r"give its name 'p'; got 'P'\. Nothing was erased"):
        project.erase_project("P")
    project.pool_loop("l").ask("ben", 1)
    before = rows_of_all(project)
    assert [name for name, count in before.items() if not count] == []
    counts = project.erase_project("p")
    assert counts["annotations"] == 2
    left = rows_of_all(other)
    assert {name: count for name, count in left.items() if count} == {"items": kept - 4, "contents": 1, "label_sets": 1}
    with other.ledger.read() as connection:
        uuid, stored = connection.exec_driver_sql("SELECT uuid, counts FROM erased_projects").one()
    assert uuid == project.ledger.project.uuid
    assert "annotations" in str(stored)
    if storage_url.startswith("sqlite"):
        assert SECRET.encode() not in bytes_of(storage_url)
    with pytest.raises(ProjectNotFound):
        Project.open("p", storage=storage_url)
    assert verify(storage_url).problems == ()
    # The name is free, and means another project.
    Project.create("p", ["a", "b"], storage=storage_url)
    assert [info.name for info in Project.list(storage_url)] == ["q", "p"]


def test_who_has_an_erased_project_open_can_write_no_more(project):
    loop = project.pool_loop("l")
    query = loop.ask("ann", 1)[0]
    project.erase_project("p")
    for write in (
        lambda: loop.tell(query, "ok"),
        lambda: loop.ask("ben", 1),
        lambda: project.add_label("c"),
        lambda: project.erase_project("p"),
    ):
        with pytest.raises(StorageError, match=r"'p' is gone from .* erased"):
            write()


def test_an_archived_project_can_be_erased(project, storage_url):
    project.archive()
    project.erase_project("p")
    assert Project.list(storage_url, archived=None) == []


def test_an_erased_project_does_not_come_back_by_a_copy(project, storage_url, tmp_path):
    file = backup(project.ledger.full_url, tmp_path / "1.backup")
    project.erase_project("p")
    with pytest.raises(ProjectExists, match=r"'p' .* was erased from .* and stays erased there"):
        copy_projects(f"sqlite:///{file}", storage_url)


def test_the_command_says_what_it_erased_and_wants_one_thing_at_a_time(tmp_path):
    shell = Shell(tmp_path)
    project = Project.create("p", ["ok", "offensive"], storage=shell.storage)
    project.add_items(pl.DataFrame({"text": [SECRET, "b"]}), progress=False)
    project.add_note(2, "look", "ann")
    file = backup(shell.storage, tmp_path / "work.backup")
    wrong = shell("erase --project p --item 1 --person ann")
    assert (wrong.returncode, "Say what to erase" in wrong.stderr) == (1, True)
    assert "1 of 2 items erased" in shell(f"erase --project p --item 1 --item 9 --backup {file}").stdout
    assert SECRET.encode() not in bytes_of(shell.storage) + bytes_of(f"sqlite:///{file}")
    assert "The name ann is erased" in shell("erase --project p --person ann").stdout
    assert project.remarks()["who"].to_list() == [None]
    assert "give its name 'p'; got 'q'" in shell("erase --project p --whole q").stderr
    assert "p is erased" in shell("erase --project p --whole p").stdout
    assert Project.names(shell.storage) == []
