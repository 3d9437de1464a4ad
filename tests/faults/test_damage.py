"""Disks that are full, and files that are damaged: a clear error, no content in it, and work goes on."""

import os
import resource
import sqlite3
from contextlib import contextmanager

import polars as pl
import pytest

from labeling import MajorityVote, Project, keyword
from labeling.upkeep import repair, verify
from storage import StorageError, close_engines
from strategies import Random
from tests.labeling.pool_loops import loop_of, project_of

SECRET = "the secret of ann"


@pytest.fixture
def project(sqlite_url):
    project = Project.create("p", ["ok", "offensive"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": [f"{SECRET} {n}" for n in range(400)]}), progress=False)
    return project


@contextmanager
def full_disk(size):
    """No file of this process may grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def sql(path, statement, *values):
    """Change a database past Tally."""
    close_engines()
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def everything_of(error):
    """Return the messages of an error and of all that it came from."""
    said = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(said)


def test_answers_on_a_full_disk_are_refused_and_those_before_stay(project, tmp_path):
    loop = project.pool_loop("l", strategy=Random(), batch_size=400, seed=1)
    told = [loop.tell(query, "ok").uuid for query in loop.ask("ann", 5)]
    queries = loop.ask("ann", 5)
    with full_disk(4096), pytest.raises(StorageError, match=r"work\.db"):
        loop.tell(queries[0], "ok", uuid="kept")
    assert project.annotations()["uuid"].to_list() == told
    assert loop.tell(queries[0], "ok", uuid="kept").uuid == "kept"
    assert project.annotations().height == 6


def test_an_import_on_a_full_disk_leaves_nothing(project, tmp_path):
    more = pl.DataFrame({"text": ["x" * 400 + str(n) for n in range(2000)]})
    with full_disk((tmp_path / "work.db-wal").stat().st_size + 50_000), pytest.raises(StorageError, match=r"work\.db"):
        project.add_items(more, progress=False)
    assert project.items().height == 400
    assert project.add_items(more, progress=False).added == 2000


def test_an_export_on_a_full_disk_leaves_the_old_one(project, tmp_path):
    target = tmp_path / "out" / "labels.csv"
    target.parent.mkdir()
    project.export(target, progress=False)
    before = target.read_bytes()
    with full_disk(2000), pytest.raises((OSError, StorageError, pl.exceptions.PolarsError)):
        project.export(target, progress=False)
    assert target.read_bytes() == before
    assert [each.name for each in target.parent.iterdir()] == ["labels.csv"]


@pytest.mark.parametrize("content", ['{"text": "the secret of ann', '["the secret of ann"]', b"\xff{the secret of ann"])
def test_an_item_whose_content_is_damaged_is_named_and_not_quoted(project, tmp_path, content):
    sql(tmp_path / "work.db", "UPDATE contents SET data = CAST(? AS TEXT) WHERE item_id = 17", content)
    for read in (lambda each: each.items(), lambda each: each.item(17)):
        with pytest.raises(StorageError, match=r"item 17\b") as caught:
            read(Project.open("p", project.ledger.full_url))
        assert SECRET not in everything_of(caught.value)


def test_a_page_that_is_overwritten_is_told_and_the_file_is_left_alone(project, tmp_path):
    path = tmp_path / "work.db"
    sql(path, "UPDATE projects SET name = name")
    content = bytearray(path.read_bytes())
    for page in range(5, len(content) // 4096):
        content[page * 4096 : page * 4096 + 100] = b"\xa5" * 100
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged") as caught:
        Project.open("p", project.ledger.full_url).items()
    assert SECRET not in everything_of(caught.value)
    assert path.read_bytes() == content


BLOBS = [
    "refits.ranking",
    "refits.predictions",
    "refit_blocks.probabilities",
    "holdouts.item_ids",
    "weak_blocks.labels",
]
TEXTS = ["queries.probabilities", "refits.metrics", "label_sets.classes", "loops.settings", "function_versions.spec"]


@pytest.fixture
def learned(sqlite_url):
    """A project with a hold-out, a weak run and a trained refit."""
    project = project_of(sqlite_url, 24)
    project.add_functions([keyword("rude", ["idiot"], label="offensive"), keyword("kind", ["morning"], label="ok")])
    project.set_holdout(0.2)
    project.weak_label(MajorityVote())
    loop = loop_of(project)
    for query in loop.ask("ann"):
        loop.tell(query, "offensive" if "idiot" in query.item["text"] else "ok")
    loop.refit()
    loop.ask("ann")
    return project


def use(project):
    """Read what a project keeps, as pages and scripts do."""
    project = Project.open("p", project.ledger.full_url)
    loop = project.pool_loop("l")
    loop.ask("ann", 3)
    loop.ask("bob", 1)
    loop.history()
    project.labels()
    project.weak_run().frame()
    project.functions()
    project.set_holdout(0.2)


@pytest.mark.parametrize("place", [*BLOBS, *TEXTS])
def test_a_row_that_is_damaged_is_named_and_not_quoted(learned, tmp_path, place):
    table, column = place.split(".")
    found = (f"CAST(substr({column}, 1, length({column}) - 3) || x'00ff00' AS BLOB)", "CAST(? AS TEXT)")[place in TEXTS]
    values = [f'{{"a": "{SECRET}'] if place in TEXTS else []
    last = f"rowid = (SELECT max(rowid) FROM {table})"
    sql(tmp_path / "work.db", f"UPDATE {table} SET {column} = {found} WHERE {last}", *values)
    url = learned.ledger.full_url
    with pytest.raises(StorageError, match=rf"damaged: .*{column} of {table} \(.*cannot be read") as caught:
        use(learned)
    assert SECRET not in everything_of(caught.value)
    said = [str(problem) for problem in verify(url).problems]
    assert any(f"{column} of {table}" in line or "a list that cannot be read" in line for line in said), said
    assert SECRET not in "\n".join(said)
    if not table.startswith("refit") or place in TEXTS:
        return
    [done] = repair(url, tmp_path / "saved.backup").done
    assert f"{column} of {table}" in done
    assert verify(url).problems == ()
    use(learned)
    loop = Project.open("p", url).pool_loop("l")
    for query in loop.ask("ann", 3):
        loop.tell(query, "ok")
    assert loop.refit().round > 1
    use(learned)


@pytest.mark.parametrize("left", [0.3, 0.7, 0.95])
def test_a_file_that_was_cut_off_is_told(learned, tmp_path, left):
    path = tmp_path / "work.db"
    sql(path, "UPDATE projects SET name = name")
    os.truncate(path, int(path.stat().st_size * left))
    for attempt in (lambda: use(learned), lambda: learned.items()):
        with pytest.raises(StorageError, match="damaged") as caught:
            attempt()
        assert "idiot" not in everything_of(caught.value)
