import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from labeling import Project
from labeling.store import items as items_of_store
from labeling.store.on_disk.item_snapshot import MANIFEST, ItemSnapshot, Newest
from labeling.store.snapshots import snapshots

ROWS = 40
SCHEMA = {"item_id": pl.Int64(), "text": pl.String()}
NEWEST: Newest = [(3, "import"), (0, ""), (0, ""), (0, "")]


def rows(start: int, stop: int) -> pl.DataFrame:
    """Rows of every type that items keep, some of them empty."""
    numbers = range(start, stop)
    return pl.DataFrame(
        {
            "text": [f"the text of row {n}, which is too long to be kept inline" for n in numbers],
            "own": [f"id {n}" for n in numbers],
            "secret": [f"secret {n}" for n in numbers],
            "whole": [None if n % 3 else n for n in numbers],
            "part": [n / 7 for n in numbers],
            "yes": [None if n % 5 == 0 else n % 2 == 0 for n in numbers],
            "day": [date(2020, 1, 1 + n % 28) for n in numbers],
            "moment": [datetime(2020, 1, 1, n % 24, tzinfo=UTC) for n in numbers],
            "words": [["a", f"{n}"] if n % 4 else [] for n in numbers],
        }
    )


@pytest.fixture
def project(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose items are enough for a snapshot."""
    return large(sqlite_url, tmp_path, monkeypatch)


def large(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LABELING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(items_of_store, "LARGE", 10)
    made = Project.create("p", ["ok", "bad"], storage=storage)
    made.add_items(rows(0, ROWS), text="text", id="own", private=["secret"], progress=False)
    return made


def folder(project: Project) -> Path:
    return project.item_store.snapshot.folder


def anew(project: Project) -> pl.DataFrame:
    """The items as a process sees them that has kept nothing."""
    for kept in ("items", "mapped items"):
        snapshots.drop(project.ledger.place, kept)
    return project.items()


def truth(project: Project) -> pl.DataFrame:
    """The items as the ledger has them."""
    return project.item_store.some(project.item_store.ids().tolist())


def parts(project: Project) -> set[str]:
    return {path.name for path in folder(project).glob("*.arrow")}


def held(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())


def test_items_are_the_same_with_and_without_it(storage_url, tmp_path, monkeypatch) -> None:
    project = large(storage_url, tmp_path, monkeypatch)
    assert not folder(project).exists()
    made = project.items()
    assert len(parts(project)) == 1
    before = parts(project)
    assert_frame_equal(made, truth(project))
    assert_frame_equal(anew(project), truth(project))
    assert parts(project) == before
    assert_frame_equal(project.items(private=True).drop("secret"), truth(project))
    assert b"the text of row 7" in held(folder(project))
    assert b"secret" not in held(folder(project))


def test_few_items_have_none(sqlite_url: str) -> None:
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(rows(0, ROWS), text="text", progress=False)
    assert project.items().height == ROWS
    assert not folder(project).exists()


def test_its_files_are_its_owners_alone(project: Project) -> None:
    project.items()
    assert stat.S_IMODE(folder(project).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder(project).iterdir()} == {0o600}


def test_a_folder_that_is_open_to_others_is_not_believed(project: Project) -> None:
    project.items()
    before = parts(project)
    folder(project).chmod(0o777)
    assert_frame_equal(anew(project), truth(project))
    assert stat.S_IMODE(folder(project).stat().st_mode) == 0o700
    assert not before & parts(project)


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_link_in_its_place_makes_way_and_what_it_points_to_stays(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "file").write_text("kept")
    folder(project).symlink_to(other)
    assert_frame_equal(project.items(), truth(project))
    assert not folder(project).is_symlink()
    assert [path.name for path in other.iterdir()] == ["file"]


def test_many_new_items_are_added_in_a_file_of_their_own(storage_url, tmp_path, monkeypatch) -> None:
    project = large(storage_url, tmp_path, monkeypatch)
    project.items()
    first = parts(project)
    project.add_items(rows(ROWS, 2 * ROWS), progress=False)
    assert_frame_equal(project.items(), truth(project))
    assert len(parts(project)) == 2
    assert first < parts(project)
    assert_frame_equal(anew(project), truth(project))


def test_few_new_items_are_read_beside_it(project: Project) -> None:
    project.items()
    first = parts(project)
    project.add_items(rows(ROWS, ROWS + 3), progress=False)
    assert_frame_equal(project.items(), truth(project))
    assert project.items().height == ROWS + 3
    assert parts(project) == first


def test_a_new_column_makes_it_anew(project: Project) -> None:
    project.items()
    first = parts(project)
    project.add_items(rows(ROWS, 2 * ROWS).with_columns(more=pl.lit(1)), progress=False)
    assert_frame_equal(project.items(), truth(project))
    assert "more" in project.items().columns
    assert not first & parts(project)


def test_an_import_that_is_taken_back_leaves_it(project: Project) -> None:
    report = project.add_items(rows(ROWS, 2 * ROWS), progress=False)
    assert project.items().height == 2 * ROWS
    project.undo_import(report.import_id)
    assert project.items().height == ROWS
    assert_frame_equal(project.items(), truth(project))
    assert f"row {ROWS + 1}," not in held(folder(project)).decode(errors="replace")


def test_ids_that_a_later_import_brings_are_in_it(sqlite_url, monkeypatch) -> None:
    monkeypatch.setattr(items_of_store, "LARGE", 10)
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(rows(0, ROWS), text="text", progress=False)
    project.items()
    project.add_items(rows(0, 2 * ROWS), text="text", id="own", progress=False)
    assert_frame_equal(project.items(), truth(project))


def test_what_is_erased_leaves_it_at_once(storage_url, tmp_path, monkeypatch) -> None:
    project = large(storage_url, tmp_path, monkeypatch)
    project.items()
    assert b"row 7," in held(folder(project))
    assert project.erase([8]) == 1
    assert not folder(project).exists()
    assert project.items().height == ROWS - 1
    assert b"row 7," not in held(folder(project))
    assert len(parts(project)) == 1
    assert_frame_equal(anew(project), truth(project))


def test_what_is_erased_while_it_is_written_is_not_in_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks, store = type(project.item_store)._blocks, project.item_store

    def erased_meanwhile(self, item_ids, private=False, image=False):
        yield from blocks(self, item_ids, private, image)
        if item_ids is None and not project.ledger.items.erased():
            # As another process does: this one's snapshot is not there yet.
            project.ledger.items.erase([8], "")

    monkeypatch.setattr(type(store), "_blocks", erased_meanwhile)
    project.items()
    assert not folder(project).exists()
    assert anew(project).height == ROWS - 1
    assert b"row 7," not in held(folder(project))


def test_another_history_after_a_backup_is_not_taken_for_the_same(sqlite_url, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(items_of_store, "LARGE", 10)
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(rows(0, ROWS), text="text", progress=False)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as there:
        there.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    for name, start in (("first", 100), ("second", 200)):
        shutil.copy(tmp_path / "backup.db", tmp_path / f"{name}.db")
        other = Project.open("p", storage=f"sqlite:///{tmp_path / name}.db")
        other.add_items(rows(start, start + ROWS), progress=False)
        assert other.items().height == 2 * ROWS
    first, second = (Project.open("p", storage=f"sqlite:///{tmp_path / name}.db") for name in ("first", "second"))
    assert [mark[0] for mark in first.ledger.items.marks.newest()] == [
        mark[0] for mark in second.ledger.items.marks.newest()
    ]
    shutil.rmtree(folder(second))
    folder(first).rename(folder(second))
    assert_frame_equal(anew(second), truth(second))


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a bit of a file": lambda place: flipped(next(place.glob("*.arrow"))),
    "a bit of the manifest": lambda place: flipped(place / MANIFEST),
    "a file that is cut": lambda place: os.truncate(next(place.glob("*.arrow")), 200),
    "a file that is gone": lambda place: next(place.glob("*.arrow")).unlink(),
    "an empty file": lambda place: os.truncate(next(place.glob("*.arrow")), 0),
    "an empty manifest": lambda place: os.truncate(place / MANIFEST, 0),
    "no manifest": lambda place: (place / MANIFEST).unlink(),
    "a manifest of nothing": lambda place: (place / MANIFEST).write_bytes(b"00000000\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_one_is_made_anew(project: Project, damage: str) -> None:
    project.items()
    before = parts(project)
    DAMAGE[damage](folder(project))
    assert_frame_equal(anew(project), truth(project))
    assert len(parts(project)) == 1
    assert not before & parts(project)
    assert project.item_store.snapshot.read(dict(project.items().schema)) is not None


def frame(*ids: int) -> pl.DataFrame:
    return pl.DataFrame({"item_id": ids, "text": [f"text {n}" for n in ids]}, schema=SCHEMA)


def test_one_of_another_project_or_of_other_columns_is_not_read(tmp_path: Path) -> None:
    snapshot = ItemSnapshot(tmp_path / "items", "one")
    assert snapshot.write(NEWEST, "", SCHEMA, [frame(1, 2), frame(3)])
    found = snapshot.read(SCHEMA)
    assert found is not None
    assert found.newest == NEWEST
    assert_frame_equal(found.frame, frame(1, 2, 3))
    assert ItemSnapshot(tmp_path / "items", "two").read(SCHEMA) is None
    assert snapshot.read({"item_id": pl.Int64(), "title": pl.String()}) is None


def test_who_has_it_open_keeps_it_when_another_takes_its_place(tmp_path: Path) -> None:
    snapshot = ItemSnapshot(tmp_path / "items", "one")
    snapshot.write(NEWEST, "", SCHEMA, [frame(1, 2)])
    found = snapshot.read(SCHEMA)
    snapshot.write(NEWEST, "", SCHEMA, [frame(5)])
    snapshot.remove()
    assert found is not None
    assert_frame_equal(found.frame, frame(1, 2))
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_there_is_none(tmp_path: Path) -> None:
    snapshot = ItemSnapshot(tmp_path / "not there" / "items", "one")
    assert not snapshot.write(NEWEST, "", SCHEMA, [frame(1)])
    assert snapshot.read(SCHEMA) is None
    snapshot.remove()


KILLED = """
import os, signal, sys
from pathlib import Path
import polars as pl
from labeling.store.on_disk.item_snapshot import ItemSnapshot

frame = pl.DataFrame({"item_id": range(300_000), "text": ["half"] * 300_000})

def frames():
    yield frame
    yield frame
    os.kill(os.getpid(), signal.SIGKILL)

ItemSnapshot(Path(sys.argv[1]), "one").write([], "", frame.schema, frames())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_writer_leaves_nothing_that_counts_and_nothing_for_long(tmp_path: Path) -> None:
    place = tmp_path / "items"
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert b"half" in held(place)
    snapshot = ItemSnapshot(place, "one")
    assert snapshot.read(SCHEMA) is None
    assert snapshot.write(NEWEST, "", SCHEMA, [frame(1)])
    assert b"half" not in held(place)
    assert sorted(path.suffix for path in place.iterdir()) == [".arrow", ".json"]


READING = """
import sys
from labeling import Project
from labeling.store import items
items.LARGE = 10
project = Project.open("p", storage=sys.argv[1])
sys.stdin.readline()
print(project.items().select("text", "whole").hash_rows(seed=1).sum())
"""


def test_several_processes_may_make_it_at_once(project: Project, sqlite_url: str) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", READING, sqlite_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for each in running:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = {each.communicate(timeout=120)[0].strip() for each in running}
    assert said == {str(truth(project).select("text", "whole").hash_rows(seed=1).sum())}
    assert_frame_equal(project.items(), truth(project))
    assert_frame_equal(anew(project), truth(project))
    assert {path.suffix for path in folder(project).iterdir()} == {".arrow", ".json"}


def test_what_only_adds_is_told_from_what_changes_items(storage_url: str) -> None:
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    marks = project.ledger.items.marks
    nothing = marks.newest()
    assert nothing == [(0, "")] * 4
    project.add_items(pl.DataFrame({"text": ["a", "b"]}))
    first = marks.newest()
    assert first[0] != (0, "")
    assert first[1:] == nothing[1:]
    assert marks.only_added(nothing)
    report = project.add_items(pl.DataFrame({"text": ["c"]}))
    added = marks.newest()
    assert added[0] != first[0]
    assert marks.only_added(first)
    assert marks.only_added(added)
    project.undo_import(report.import_id)
    assert not marks.only_added(added)
    taken_back = marks.newest()
    project.erase([1])
    assert not marks.only_added(taken_back)
    assert marks.only_added(marks.newest())


def test_the_same_number_of_another_history_is_not_the_same(sqlite_url: str) -> None:
    project = Project.create("p", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["a"]}))
    marks = project.ledger.items.marks
    (number, _), *others = marks.newest()
    assert not marks.only_added([(number, "00000000-0000-0000-0000-000000000000"), *others])
