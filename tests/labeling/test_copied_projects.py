"""Copies between a SQLite file and a real PostgreSQL, in both directions."""

import polars as pl
import pytest
from sklearn.linear_model import SGDClassifier
from sqlalchemy import func, insert, select, update

from labeling import MajorityVote, Online, Project, SklearnClassifier, keyword
from labeling.upkeep import backup
from storage import ProjectExists, ProjectNotFound, StorageError, tables
from storage.database import open_engine, reading, writing
from storage.upkeep import copying
from storage.upkeep.checking import look_through
from storage.upkeep.copying import copy_projects
from storage.upkeep.references import COPIED, of_project
from strategies import FixedBudget, Random
from tests.labeling import stream_loops
from tests.labeling.pool_loops import LABELS, ids, loop_of, posts


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def both(request):
    """URLs of two databases, which hold as many rows of another project as make ids differ."""
    urls = [request.getfixturevalue(f"{each}_url") for each in request.param.split(" to ")]
    for number, url in enumerate(urls):
        other = Project.create("other", LABELS, storage=url)
        other.add_items(posts(6 + 6 * number), gold="label")
        loop = loop_of(other, strategy=Random(), batch_size=20, name="its own")
        for _ in range(2 + 3 * number):
            loop.tell(loop.ask("zoe")[0], "ok")
    return urls


def made(url):
    """A project with some of everything: answers of two people, open questions, rules, a weak run, remarks."""
    project = Project.create("p", LABELS, storage=url)
    project.add_items(posts(24), gold="label")
    project.add_functions([keyword("rude", ["idiot"], label="offensive"), keyword("kind", ["morning"], label="ok")])
    project.weak_label(MajorityVote())
    loop = loop_of(project)
    for query, label in zip(loop.ask("ann", 3), ("ok", "offensive", "ok"), strict=True):
        loop.tell(query, label)
    loop.undo("ann")
    loop.skip(loop.ask("ben")[0])
    loop.tell(loop.ask("ben")[0], "offensive", seconds=1.5)
    project.add_note(loop.ask("ben")[0].item_id, "odd: “é” \\ \t", "ben")
    project.comment(project.annotations()["uuid"][0], "sure?", "ben")
    return project


def rows(url, project):
    with reading(open_engine(url)) as connection:
        count = select(func.count())
        return {t.name: connection.scalar(count.select_from(t).where(of_project(t, project))) for t in COPIED}


def test_every_row_arrives_and_nothing_else_changes(both):
    source, target = both
    project, others = made(source), rows(target, 1)
    [copied] = copy_projects(source, target, ["p"])
    there = Project.open("p", storage=target)
    whole = rows(source, project.ledger.project.id)
    assert rows(target, there.ledger.project.id) == whole
    assert copied.rows == sum(whole.values())
    assert rows(target, 1) == others
    assert there.ledger.project.uuid == project.ledger.project.uuid
    assert there.ledger.version() == project.ledger.version()
    for frame in ("items", "labels", "weak_runs"):
        one, other = getattr(project, frame)(), getattr(there, frame)()
        assert one.equals(other), frame
    rowids = pl.exclude("annotation_id", "from_query", "undoes")
    assert there.annotations().select(rowids).equals(project.annotations().select(rowids))


def test_a_weak_run_says_the_same_and_is_made_the_same_again(both):
    source, target = both
    made(source)
    copy_projects(source, target, ["p"])
    projects = [Project.open("p", storage=url) for url in both]
    for number in range(2):
        runs = [project.weak_run() for project in projects]
        assert runs[0].frame().equals(runs[1].frame())
        assert str(runs[0].explain(3)) == str(runs[1].explain(3))
        assert runs[0].number == runs[1].number == number + 1
        for project in projects:
            project.add_functions([keyword("more", ["you"], label="offensive")])
            project.weak_label(MajorityVote())


def test_a_pool_loop_asks_the_same_next_and_learns_the_same(both):
    source, target = both
    project = made(source)
    copy_projects(source, target, ["p"])
    loops = [Project.open("p", storage=url).pool_loop("l") for url in both]
    assert ids(loops[0].ask("ann", 3)) == ids(loops[1].ask("ann", 3))
    assert [q.uuid for q in loops[0].ask("ben", 1)] == [q.uuid for q in loops[1].ask("ben", 1)]
    asked = []
    for loop in loops:
        loop.undo("ben")
        mine = []
        for _ in range(7):
            query = loop.ask("cleo")[0]
            loop.tell(query, "offensive" if query.item_id % 2 else "ok")
            mine.append((query.item_id, query.score, query.round, query.why))
        asked.append(mine)
    assert asked[0] == asked[1]
    history = [loop.history().drop("at", "seconds", strict=False) for loop in loops]
    assert history[0].equals(history[1])
    assert project.name == "p"


@pytest.mark.parametrize("learning", ["refits", "online"])
def test_a_stream_decides_the_same_next_and_learns_the_same(both, learning):
    source, target = both
    settings = {}
    if learning == "online":
        settings = {
            "learning": Online(replay=4),
            "classifier": SklearnClassifier(SGDClassifier(loss="log_loss", random_state=0)),
        }
    project = Project.create("p", stream_loops.LABELS, storage=source)
    stream_loops.run(stream_loops.stream_of(project, FixedBudget(0.5), **settings), stream_loops.posts(24))
    copy_projects(source, target, ["p"])
    streams = [stream_loops.again(Project.open("p", storage=url)) for url in both]
    rest = stream_loops.posts(16, start=24)
    decided = [stream_loops.plain(stream_loops.run(stream, rest)) for stream in streams]
    assert decided[0] == decided[1]
    history = [stream.history().drop("at", "seconds").head(-1) for stream in streams]
    assert history[0].equals(history[1])
    judged = []
    for url in both:
        table = tables.stream_events
        with reading(open_engine(url)) as connection:
            details = connection.scalars(select(table.c.details).order_by(table.c.project_id, table.c.number)).all()
        judged.append([[wrong for _, wrong in each.get("judged", ())] for each in details])
    assert judged[0] == judged[1]
    assert any(judged[0])


def test_there_and_back_again_and_never_twice(both, tmp_path):
    source, target = both
    project = made(source)
    copy_projects(source, target, ["p"])
    back = f"sqlite:///{tmp_path / 'back.db'}"
    copy_projects(target, back, ["p"])
    assert rows(back, 1) == rows(source, project.ledger.project.id)
    assert Project.open("p", storage=back).labels().equals(project.labels())
    before = rows(target, 2)
    with pytest.raises(ProjectExists, match=r"'p'.*is in .* already"):
        copy_projects(source, target, ["p"])
    with writing(open_engine(target)) as connection:
        connection.execute(update(tables.projects).where(tables.projects.c.name == "p").values(name="q"))
    with pytest.raises(ProjectExists, match="already, as 'q'"):
        copy_projects(source, target, ["p"])
    assert rows(target, 2) == before


def test_what_cannot_be_told_apart_or_is_not_there_is_refused(both):
    with pytest.raises(ProjectExists, match="another project that is called 'other'"):
        copy_projects(*both)
    with pytest.raises(ProjectNotFound, match=r"no project 'nobody'.*'other'"):
        copy_projects(*both, ["nobody"])
    assert len(Project.list(both[1])) == 1


def test_where_a_row_is_refused_or_comes_out_otherwise_nothing_stays(both, monkeypatch):
    source, target = both
    project = made(source)
    taken = project.annotations()["uuid"][-1]
    table = tables.annotations
    with writing(open_engine(target)) as connection:
        last = connection.scalar(select(func.max(table.c.id)))
        mine = connection.scalar(select(table.c.uuid).where(table.c.id == last))
        connection.execute(update(table).where(table.c.id == last).values(uuid=taken))
    whole = everything(target)
    with pytest.raises(StorageError, match="did not take the rows") as caught:
        copy_projects(source, target, ["p"])
    assert taken not in str(caught.value)
    assert everything(target) == whole
    with writing(open_engine(target)) as connection:
        connection.execute(update(table).where(table.c.id == last).values(uuid=mine))
    whole, write_rows = everything(target), copying.write_rows

    def changes(connection, table, values):
        if table is tables.contents:
            values = [(*row[:3], row[3].replace("idiot", "friend"), *row[4:]) for row in values]
        write_rows(connection, table, values)

    with monkeypatch.context() as patch:
        patch.setattr(copying, "write_rows", changes)
        with pytest.raises(StorageError, match=r"Row 1 of contents of the project 'p' is not in"):
            copy_projects(source, target, ["p"])
    assert everything(target) == whole
    with writing(open_engine(source)) as connection:
        connection.execute(update(table).where(table.c.query_id.is_not(None)).values(query_id=999))
    with pytest.raises(StorageError, match=r"'p' cannot be copied: annotations .* name a row of queries that"):
        copy_projects(source, target, ["p"])
    assert everything(target) == whole


def test_an_import_under_way_stays_behind_and_work_goes_on(both):
    source, target = both
    project = made(source)
    before = rows(source, project.ledger.project.id)
    begun = project.ledger.imports.begin("more.csv")
    with project.ledger.unstamped() as connection:
        item = {"project_id": 2, "item_id": 1000, "import_id": begun, "source_row": 0, "content_hash": b"0" * 16}
        connection.execute(insert(tables.items), item)
        connection.execute(insert(tables.contents), {"project_id": 2, "item_id": 1000, "version": 1, "data": "{}"})
    copy_projects(source, target, ["p"])
    assert rows(target, 2) == before
    for name in ("other", "p"):
        there = Project.open(name, storage=target)
        there.add_items(pl.DataFrame({"text": ["one more"]}))
        there.pool_loop("new", strategy=Random(), seed=1).ask("dan")


def test_a_project_and_its_copy_in_one_process_are_two(both):
    source, target = both
    project = Project.create("p", LABELS, storage=source)
    project.add_items(posts(3))
    copy_projects(source, target, ["p"])
    there = Project.open("p", storage=target)
    for each, text in ((project, "here"), (there, "there")):
        each.add_items(pl.DataFrame({"text": [text]}))
    assert project.version() == there.version()
    assert (project.items()["text"][-1], there.items()["text"][-1]) == ("here", "there")


def everything(url):
    """All rows of a database."""
    with reading(open_engine(url)) as connection:
        found = {table.name: connection.execute(select(table)).all() for table in tables.metadata.sorted_tables}
    return {name: sorted(map(tuple, rows), key=repr) for name, rows in found.items()}


def people_of(url, name="p"):
    return Project.open(name, storage=url).people().sort("name").rows()


def test_people_arrive_with_their_roles_work_and_merges_and_are_known_by_their_uuids(both):
    source, target = both
    project = made(source)
    other = Project.create("q", LABELS, storage=source)
    other.add_items(posts(4))
    loop_of(other).ask("ben", 1)
    project.set_role("ann", "lead", by="lea")
    project.set_role("ben", "lead", everywhere=True)
    project.assign("ben", loop="l", items=5, by="ann")
    project.merge_people("ben", "ann", by="lea")
    # A namesake there is somebody else.
    there = Project.open("other", storage=target)
    there.set_role("ann", "annotator")
    copy_projects(source, target, ["p"])
    assert people_of(target) == people_of(source)
    assert there.people().filter(pl.col("name") == "ann")["person"][0] != people_of(target)[0][0]
    assert "ben" not in there.people().filter(pl.col("role") == "lead")["name"].to_list()
    copy_projects(source, target, ["q"])
    assert people_of(target, "q") == people_of(source, "q")
    with reading(open_engine(target)) as connection:
        table = tables.persons
        uuids = connection.scalars(select(table.c.uuid).where(table.c.name.in_(["ann", "ben", "lea"]))).all()
    assert len(uuids) == len(set(uuids)) == 4
    assert look_through(target).problems == ()


def test_a_merge_that_comes_with_a_project_counts_in_those_that_are_there(both):
    source, target = both
    for number, name in enumerate("pq"):
        project = Project.create(name, LABELS, storage=source)
        project.add_items(posts(4))
        for who in ("ann", "Ann"):
            loop_of(project).tell(loop_of(project).ask(who, 1)[0], "ok")
        if number == 0:
            copy_projects(source, target, ["p"])
            there = Project.open("p", storage=target)
            assert there.people().height == 2
            version = there.ledger.version()
    project.merge_people("ann", "Ann")
    copy_projects(source, target, ["q"])
    assert there.ledger.version() == version + 1
    assert [row[1:5] for row in people_of(target)] == [("Ann", ["Ann", "ann"], None, 2)]


def test_a_backup_has_everybody(storage_url, tmp_path):
    project = made(storage_url)
    project.set_role("ben", "reviewer", everywhere=True)
    project.merge_people("ben", "ann")
    Project.create("q", LABELS, storage=storage_url).set_role("zoe", "lead")
    backup(storage_url, tmp_path / "saved")
    saved = f"sqlite:///{tmp_path / 'saved'}"
    for name in "pq":
        assert people_of(saved, name) == people_of(storage_url, name)
    assert look_through(saved).problems == ()


def test_people_who_are_not_there_are_named(sqlite_url):
    project = made(sqlite_url)
    project.set_role("zoe", "lead")
    assert look_through(sqlite_url).problems == ()
    with writing(open_engine(sqlite_url)) as connection:
        connection.execute(update(tables.annotators).where(tables.annotators.c.name == "ben").values(person_id=None))
        connection.execute(update(tables.annotators).where(tables.annotators.c.name == "ann").values(person_id=99))
    said = [str(problem) for problem in look_through(sqlite_url).problems]
    assert said == [
        "p: annotators (id 1) name a row of persons that the project does not have",
        "p: annotators (id 2) have no person",
    ]
