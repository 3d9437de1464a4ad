"""What a second tab, a stale page, a copied link or a copied file sends changes nothing that is not the sender's."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest
from sqlalchemy import func, select

from labeling import UNSURE, Project
from storage import ProjectArchived, StorageError, close_engines, tables
from storage.database import open_engine, reading
from strategies import Random
from tests.labeling import stream_loops
from tests.labeling.pool_loops import LABELS, again, expire_leases, human, ids, loop_of, posts, project_of

STATED = (tables.annotations, tables.annotation_labels, tables.remarks, tables.leases, tables.annotators)


@pytest.fixture
def url(storage_url):
    return storage_url


@pytest.fixture
def project(url):
    return project_of(url, 24)


@pytest.fixture
def loop(project):
    return loop_of(project, batch_size=12)


def stream_project(url, name="s"):
    project = Project.create(name, stream_loops.LABELS, storage=url)
    return project, stream_loops.stream_of(project)


def asked_twice(url, kind):
    """A project, a loop of it of either kind, and two questions of that to ann."""
    if kind == "pool":
        project = project_of(url, 24)
        loop = loop_of(project, batch_size=12)
        return (project, loop, *loop.ask("ann", 2))
    project, stream = stream_project(url)
    decisions = stream.offer_many([{"text": text} for text, _ in stream_loops.posts(24)])
    return (project, stream, *[decision.query for decision in decisions if decision.asked][:2])


def stated(url):
    """How many rows say what people did, in the whole database, and the number of each project's last write."""
    with reading(open_engine(url)) as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in STATED]
        return counts, connection.execute(select(tables.projects.c.seq).order_by(tables.projects.c.id)).all()


class Refused:
    """Each attempt raises one of the errors that say why, and afterwards the database says what it said before."""

    def __init__(self, url):
        self.url, self.before = url, stated(url)

    def __call__(self, match, attempt, *errors):
        with pytest.raises(errors or (ValueError, LookupError), match=match):
            attempt()
        assert stated(self.url) == self.before


def everything_with(loop, query, **who):
    """Each of the verbs that take a query."""
    return [
        lambda: loop.tell(query, "ok", **who),
        lambda: loop.tell(query, UNSURE, **who),
        lambda: loop.discard(query, **who),
        *([lambda: loop.skip(query, **who)] if hasattr(loop, "skip") else []),
    ]


def test_a_query_of_another_project_or_loop_is_none_here(project, loop, url):
    other = Project.create("q", LABELS, storage=url)
    other.add_items(posts(24))
    theirs = loop_of(other, batch_size=12).ask("ann", 2)
    beside = loop_of(project, name="m", strategy=Random()).ask("bob", 2)
    mine = loop.ask("ann", 2)
    loop.tell(mine[0], "ok")
    told = other.pool_loop("l").tell(theirs[0], "ok")
    refused = Refused(url)
    for query in (*theirs, *beside):
        # Not even where it says that it is this loop's, or has the number of one that is.
        for forged in (
            query,
            replace(query, loop="l"),
            replace(query, id=mine[0].id, item_id=mine[0].item_id, loop="l"),
        ):
            for attempt in everything_with(loop, forged):
                refused("never asked the query|belongs to the loop", attempt)
            refused("never asked the query|belongs to the loop", lambda forged=forged: loop.tell_alike(forged, [2]))
    refused("has no answer", lambda: loop.tell_alike(told, [2]))
    for what in (None, mine[1].id, mine[1].uuid, vars(mine[1])):
        for attempt in everything_with(loop, what):
            refused("Pass what ask", attempt, TypeError)


def test_a_question_of_another_stream_is_none_here(url):
    _, stream = stream_project(url)
    _, other = stream_project(url, "t")
    query = stream_loops.asked_first(other).query
    stream_loops.asked_first(stream)
    refused = Refused(url)
    for attempt in everything_with(stream, query, annotator="ann"):
        refused("never asked the query", attempt)
    for attempt in everything_with(stream, SimpleNamespace(**vars(query)), annotator="ann"):
        refused("Pass the query of a decision", attempt, TypeError)


def test_a_copied_file_knows_the_same_questions_and_no_later_ones(sqlite_url, tmp_path):
    project = project_of(sqlite_url, 24)
    before = loop_of(project, batch_size=3).ask("ann")
    close_engines()
    shutil.copy(tmp_path / "work.db", tmp_path / "copy.db")
    copy = Project.open("p", storage=f"sqlite:///{tmp_path / 'copy.db'}").pool_loop("l")
    here = again(project)
    for loop in (here, copy):
        for query in before:
            loop.tell(query, "offensive" if loop is here else "ok")
    assert (set(human(project).values()), here.progress().answered) == ({"offensive"}, 3)
    later = {loop: loop.ask("ann") for loop in (here, copy)}
    assert [query.id for query in later[here]] == [query.id for query in later[copy]]
    told = copy.tell(later[copy][0], "ok")
    here.tell(later[here][0], "ok")
    refused = Refused(sqlite_url)
    for query in later[copy]:
        for attempt in everything_with(here, query):
            refused("another project or another database", attempt)
        refused("another project or another database", lambda query=query: here.tell_alike(query, [24]))
    refused("has no answer", lambda: here.tell_alike(told, [24]))
    refused("no annotation", lambda: project.comment(told, "sure?", "bob"))


def test_a_file_that_took_the_place_of_another_gets_no_answer(sqlite_url, tmp_path):
    project = project_of(sqlite_url)
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    other = project_of(f"sqlite:///{tmp_path / 'other.db'}")
    theirs = loop_of(other).ask("ann")[0]
    close_engines()
    loop = again(project)
    (tmp_path / "other.db").replace(tmp_path / "work.db")
    with pytest.raises(StorageError, match=r"replaced|no longer|moved"):
        loop.tell(query, "ok")
    now = again(project)
    refused = Refused(sqlite_url)
    for attempt in everything_with(now, query):
        refused("another project or another database", attempt)
    assert now.tell(theirs, "ok").label == "ok"


@pytest.mark.parametrize("kind", ["pool", "stream"])
def test_a_uuid_is_nobody_elses(url, kind):
    _, loop, mine, theirs = asked_twice(url, kind)
    loop.tell(mine, "ok", annotator="ann", uuid="mine")
    loop.undo("ann", uuid="back")
    loop.tell(mine, "ok", annotator="ann", uuid="again")
    refused = Refused(url)
    for uuid in ("mine", "back", "again"):
        for who, query in (("bob", mine), ("bob", theirs), ("ann", theirs)):
            refused("names something else", lambda q=query, w=who, u=uuid: loop.tell(q, "ok", annotator=w, uuid=u))
            refused("names something else", lambda q=query, w=who, u=uuid: loop.discard(q, annotator=w, uuid=u))
        refused("names something else", lambda uuid=uuid: loop.undo("bob", uuid=uuid))
    for uuid in ("", " ", 5, b"mine"):
        refused("text of 1 to 36", lambda uuid=uuid: loop.tell(mine, "ok", annotator="ann", uuid=uuid))
        refused("text of 1 to 36", lambda uuid=uuid: loop.undo("ann", uuid=uuid))
    refused("at most 36", lambda: loop.tell(mine, "ok", annotator="ann", uuid="m" * 37))
    for seconds in (float("nan"), float("inf"), -1, "2", True):
        refused("seconds=", lambda seconds=seconds: loop.tell(mine, "ok", annotator="ann", seconds=seconds))


def test_nobody_takes_back_what_somebody_else_did(project, loop, url):
    mine, more = loop.ask("ann", 2)
    loop.tell(mine, "ok")
    loop.skip(more)
    (alike, *_) = [item for item in range(1, 25) if item not in (mine.item_id, more.item_id)]
    with project.ledger.write() as write:
        person = project.ledger.annotations.annotator(write.connection, "ann")
        own = {"annotator_id": person, "kind": "discard", "step": "step", "loop_id": 1, "origin": "group"}
        project.ledger.annotations.add_many(write, [alike], **own)
    other = loop_of(project, name="m", strategy=Random())
    before = human(project)
    assert loop.undo("bob") is None
    assert other.undo("ann") is None
    with pytest.raises(LookupError, match="not one of 'bob'"):
        loop.undo_step("step", "bob")
    with pytest.raises(LookupError, match=r"not one of 'ann' in the loop 'm'"):
        other.undo_step("step", "ann")
    assert (human(project), project.discarded()) == (before, {alike})
    assert "undo" not in project.annotations()["kind"].to_list()
    assert loop.undo_step("step", "ann").item_id == alike


def test_who_skips_what_somebody_else_was_asked_takes_it_from_nobody(loop):
    asked = loop.ask("ann", 3)
    loop.skip(asked[0], annotator="bob")
    assert ids(loop.ask("ann", 3)) == ids(asked)
    assert asked[0].item_id not in ids(loop.ask("bob", 5))
    # An answer does, as the item needs no other one.
    loop.discard(asked[1], annotator="bob")
    assert asked[1].item_id not in ids(loop.ask("ann", 12))


def test_where_several_are_wanted_an_answer_to_anothers_query_leaves_it_open(url):
    project = Project.create("p", LABELS, storage=url, annotators_per_item=2)
    project.add_items(posts(12))
    loop = loop_of(project)
    asked = loop.ask("ann")
    loop.tell(asked[0], "ok", annotator="bob")
    assert ids(loop.ask("ann")) == ids(asked)
    loop.tell(asked[0], "offensive")
    assert project.annotations()["late"].to_list() == [False, False]


def test_a_stale_page_after_the_lease_went_on_takes_nothing_from_who_has_it_now(project, loop):
    (stale,) = loop.ask("ann", 1)
    expire_leases(project)
    (now,) = loop.ask("bob", 1)
    assert now.item_id == stale.item_id
    loop.tell(stale, "offensive")
    assert project.annotations()["late"].to_list() == [True]
    loop.tell(now, "ok")
    assert human(project) == {now.item_id: "ok"}


def test_a_stale_page_says_what_it_said_or_is_refused_by_name_when_labels_change(project, loop, url):
    stale = loop.ask("ann", 6)
    for name in ("spam", "noise", "old"):
        project.add_label(name)
    loop.tell(stale[0], "old")
    project.merge_labels(["spam", "noise"], into="noise")
    project.split_label("offensive", into=["insult", "threat"])
    project.retire_label("old")
    assert loop.tell(stale[1], "spam").label == "noise"
    refused = Refused(url)
    refused("'old' was retired", lambda: loop.tell(stale[2], "old"))
    refused("'offensive' was split into 'insult', 'threat'", lambda: loop.tell(stale[2], "offensive"))
    refused("'old' names no label any more", lambda: loop.tell_alike(stale[0], [stale[3].item_id]))


@pytest.mark.parametrize("kind", ["pool", "stream"])
def test_a_stale_page_of_an_erased_item_says_nothing_of_it(url, kind):
    project, loop, stale, other = asked_twice(url, kind)
    told = loop.tell(stale, "ok", annotator="ann", uuid="first")
    project.erase([stale.item_id])
    refused = Refused(url)
    for attempt in everything_with(loop, stale, annotator="bob"):
        refused(f"item {stale.item_id} .* was erased", attempt)
    for remark in (project.add_note, project.flag):
        refused("was erased", lambda remark=remark: remark(stale.item_id, "it said", "ann"))
    refused("was erased", lambda: project.comment(told, "it said", "bob"))
    # What was said before is still the answer to who sends it again.
    assert loop.tell(stale, "ok", annotator="ann", uuid="first").uuid == told.uuid
    assert loop.tell(other, "ok", annotator="ann").item_id == other.item_id


@pytest.mark.parametrize("kind", ["pool", "stream"])
def test_a_stale_page_of_a_project_that_was_put_away_or_erased_changes_nothing(url, kind):
    project, loop, stale, told = asked_twice(url, kind)
    answer = loop.tell(told, "ok", annotator="ann")
    project.archive()
    attempts = [
        *everything_with(loop, stale, annotator="ann"),
        lambda: loop.undo("ann"),
        lambda: project.add_note(stale.item_id, "odd", "ann"),
        lambda: project.flag(stale.item_id, "ann"),
        lambda: project.comment(answer, "odd", "ann"),
    ]
    refused = Refused(url)
    for attempt in attempts:
        refused("was archived", attempt, ProjectArchived)
    project.restore()
    project.erase_project(project.name)
    namesake = Project.create(project.name, LABELS, storage=url)
    namesake.add_items(posts(24))
    if kind == "pool":
        loop_of(namesake, batch_size=12).ask("ann", 2)
    refused = Refused(url)
    for attempt in attempts:
        refused("it was erased", attempt, StorageError)
    assert (namesake.annotations().height, namesake.remarks().height) == (0, 0)


def test_remarks_are_on_what_is_here(project, loop, url):
    other = Project.create("q", LABELS, storage=url)
    other.add_items(pl.DataFrame({"text": ["one"]}))
    theirs = loop_of(other).ask("ann")[0]
    told = other.pool_loop("l").tell(theirs, "ok")
    refused = Refused(url)
    for annotation in (told, told.uuid, "never", None, 1):
        refused("'p' has no annotation", lambda annotation=annotation: project.comment(annotation, "sure?", "ann"))
    for item in (25, 0, -1, 2**63, 2**70, "1", 1.5, True, None):
        for remark in (project.add_note, project.flag):
            refused("no item|whole number", lambda item=item, remark=remark: remark(item, "odd", "ann"))
        refused("no item|whole number", lambda item=item: project.unflag(item, "ann"))
