"""What can harm a database file is said once, with what to do: a network share, several writers on an old SQLite."""

import sqlite3
import threading
import warnings

import pytest

from labeling import Project
from storage import StorageWarning, cautions
from storage.database import open_engine
from storage.sqlite import files
from storage.sqlite.files import file_system

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
//files/team /mnt/team\\040one cifs rw 0 0
tmpfs /home/ann/fast tmpfs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """Say that the folder of the test lies on a file system of the kind given."""

    def lie_on(kind):
        file = tmp_path / "mounts"
        file.write_text(f"{MOUNTS}server:/x {tmp_path.resolve()} {kind} rw 0 0\n", encoding="utf-8")
        monkeypatch.setattr(files.file_system, "__defaults__", (file,))

    return lie_on


def test_the_file_system_is_that_of_the_nearest_folder_mounted(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS, encoding="utf-8")
    found = [
        file_system(tmp_path.joinpath(place), mounts)
        for place in ("/srv/work.db", "/home/ann/work.db", "/home/ann/fast/work.db", "/mnt/team one/work.db")
    ]
    assert found == ["ext4", "nfs4", "tmpfs", "cifs"]
    assert file_system(tmp_path, tmp_path / "not there") == ""


def test_a_database_on_a_network_share_is_warned_of_once_and_works(sqlite_url, mounts):
    mounts("nfs4")
    with pytest.warns(StorageWarning, match=r"work\.db.*lies on a network share \(nfs4\).*PostgreSQL") as said:
        project = Project.create("p", ["a", "b"], storage=sqlite_url)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Project.open("p", storage=sqlite_url)
    assert len(said) == 1
    assert project.label_names == ("a", "b")
    assert [text.partition(" (nfs4)")[0][-15:] for text in cautions(sqlite_url)] == ["a network share"]


def test_a_database_on_a_disk_of_this_machine_is_not(sqlite_url, mounts):
    mounts("ext4")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Project.create("p", ["a", "b"], storage=sqlite_url)
    assert cautions(sqlite_url) == []


def write_while_another_does(url):
    """Write to a database while somebody else, for a moment, holds the right to."""
    project = Project.create("p", ["a", "b"], storage=url)
    path = open_engine(url).url.database
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.2, other.execute, ["COMMIT"])
    end.start()
    project.add_label("c")
    end.join()
    other.close()
    assert Project.open("p", storage=url).label_names == ("a", "b", "c")


def test_several_writers_on_a_sqlite_that_can_lose_what_they_write_are_warned_of(sqlite_url, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
    with pytest.warns(StorageWarning, match=r"SQLite 3\.40\.1 can, rarely, lose .* SQLite 3\.51\.3 or newer"):
        write_while_another_does(sqlite_url)
    assert len(cautions(sqlite_url)) == 1


def test_several_writers_on_a_sqlite_that_is_mended_are_not(sqlite_url, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_while_another_does(sqlite_url)
    assert cautions(sqlite_url) == []


def test_a_server_has_no_file_to_be_careful_with():
    assert cautions("postgresql://ann:secret@host/labels") == []
