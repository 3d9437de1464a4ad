"""Two names of one person count as one from a merge on, in whatever is asked, counted and read; facts stay."""

import polars as pl
import pytest

from labeling import Project, QueueEmpty
from storage import root_of
from tests.labeling.pool_loops import LABELS, again, human, ids, loop_of, posts, project_of


def tell(loop, who, label, n=3):
    return [loop.tell(query, label) for query in loop.ask(who, n)]


def several(url, people=2, n=6):
    project = Project.create("p", LABELS, storage=url, annotators_per_item=people)
    project.add_items(posts(n), gold="label")
    return project


def roll(project, *columns):
    return project.people().sort("name").select(*(columns or ("name", "names", "answers"))).rows()


def test_each_name_is_a_person_and_the_same_name_elsewhere_is_the_same_person(storage_url):
    project = project_of(storage_url)
    tell(loop_of(project), "ann", "ok", 2)
    tell(loop_of(project), " Ann ", "ok", 1)
    other = Project.create("q", LABELS, storage=storage_url)
    other.add_items(posts(3))
    tell(loop_of(other), "ann", "ok", 1)
    assert roll(project) == [("Ann", ["Ann"], 1), ("ann", ["ann"], 2)]
    here, there = (dict(each.people().select("name", "person").rows()) for each in (project, other))
    assert here["ann"] == there["ann"] != here["Ann"]


def test_after_a_merge_both_are_one_in_all_that_is_read_and_afterwards_two_again(storage_url):
    project = several(storage_url)
    loop = loop_of(project, batch_size=6)
    first = tell(loop, "ann", "ok")
    second = [loop.tell(query, "offensive") for query in loop.ask("Ann", 2)]
    assert {each.item_id for each in second} <= {each.item_id for each in first}
    before = project.annotations()
    twice = tuple(sorted(each.item_id for each in second))
    said = human(project)
    preview = project.preview_merge_people("ann", "Ann")
    assert (preview.person, preview.into, preview.answers, preview.twice) == ("ann", "Ann", 3, twice)
    assert preview.projects == ("p",)
    assert "2 items that both answered" in str(preview)
    assert project.annotations().equals(before)
    assert project.merge_people("ann", "Ann", by="lea") == preview
    for seen in (project, Project.open("p", storage_url)):
        assert roll(seen) == [("Ann", ["Ann", "ann"], 3)]
        # The newer answer stands where both answered.
        assert {item: human(seen)[item] for item in twice} == dict.fromkeys(twice, "offensive")
        assert set(seen.annotations()["annotator"]) == {"Ann"}
        assert {tuple(names) for names in seen.labels("human")["annotators"]} == {("Ann",)}
        assert again(seen).progress().answered == 3
    assert project.annotations().drop("annotator").equals(before.drop("annotator"))
    project.unmerge_people("ann", by="lea")
    assert project.annotations().equals(before)
    assert human(project) == said
    assert roll(project) == [("Ann", ["Ann"], 2), ("ann", ["ann"], 3)]


def test_nobody_is_asked_again_under_another_name(storage_url):
    project = several(storage_url, n=4)
    loop = loop_of(project, batch_size=4)
    given = [each.item_id for each in tell(loop, "ann", "ok", 4)]
    project.merge_people("ann", tell_as(project, loop, "Ann"))
    for who in ("Ann", "ann"):
        with pytest.raises(QueueEmpty, match="you have answered it"):
            loop.ask(who)
    assert sorted(ids(loop.ask("bob"))) == sorted(given)


def tell_as(project, loop, name):
    """Make a person who has said nothing here."""
    project.set_role(name, "annotator")
    return name


def test_what_one_was_asked_is_held_and_answered_under_either_name(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    asked = loop.ask("ann", 2)
    tell(loop, "Ann", "ok", 1)
    project.merge_people("ann", "Ann")
    assert ids(loop.ask("Ann")) == ids(loop.ask("ann")) == ids(asked)
    assert loop.hold("Ann") == 2
    given = loop.tell(asked[0], "ok", annotator="Ann", uuid="5b7a31ba-1d60-4b52-a2d8-c7b5e1e9c0aa")
    assert given.annotator == "Ann"
    # The same again, under either name, is the same answer.
    for who in ("ann", "Ann"):
        same = loop.tell(asked[0], "ok", annotator=who, uuid=given.uuid)
        assert (same.id, same.annotator) == (given.id, "Ann")
    assert ids(loop.ask("ann")) == [asked[1].item_id]
    assert loop.progress().answered == 2


def test_each_takes_back_what_the_other_name_said_and_nobody_else_does(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    tell(loop, "ann", "ok", 1)
    mine = tell(loop, "Ann", "ok", 1)[0]
    tell(loop, "bob", "ok", 1)
    project.merge_people("ann", "Ann")
    assert loop.undo("ann").id == mine.id
    assert loop.progress().answered == 2
    project.unmerge_people("ann")
    # It was Ann's answer that was taken back, by whichever name.
    assert roll(project, "name", "answers") == [("Ann", 0), ("ann", 1), ("bob", 1)]
    assert loop.undo("ann").item_id != mine.item_id
    assert loop.undo("ann") is None


def test_an_item_that_both_hold_goes_to_one_more_person(storage_url):
    project = several(storage_url, people=3, n=1)
    loop = loop_of(project, batch_size=1)
    tell(loop, "dan", "ok")
    assert ids(loop.ask("ann")) == ids(loop.ask("Ann")) == [1]
    project.merge_people("ann", "Ann")
    assert ids(loop.ask("bob")) == [1]
    with pytest.raises(QueueEmpty):
        loop.ask("cy")


def test_a_merge_is_seen_in_all_projects_at_once_and_by_whoever_comes_later(storage_url):
    project, other = (Project.create(name, LABELS, storage=storage_url) for name in "pq")
    for each in (project, other):
        each.add_items(posts(6), gold="label")
    tell(loop_of(project), "ann", "ok", 1)
    tell(loop_of(project), "Ann", "ok", 1)
    loop = loop_of(other)
    tell(loop, "Ann", "ok", 1)
    was = other.ledger.version()
    assert project.merge_people("ann", "Ann").projects == ("p",)
    assert other.ledger.version() == was
    # "ann" is new in this project, and has never been anybody but Ann there.
    first = tell(loop, "ann", "offensive", 1)[0]
    assert first.annotator == "Ann"
    assert roll(other) == [("Ann", ["Ann", "ann"], 2)]
    was = other.ledger.version()
    project.unmerge_people("ann")
    assert other.ledger.version() > was
    assert roll(other) == [("Ann", ["Ann"], 1), ("ann", ["ann"], 1)]


def test_answers_given_elsewhere_are_the_persons_too(storage_url):
    project = project_of(storage_url, n=2)
    answers = pl.DataFrame({"item_id": [1, 2], "annotator": ["ann", "Ann"], "label": ["ok", "offensive"]})
    assert project.add_annotations(answers).added == 2
    project.merge_people("ann", "Ann")
    again = project.add_annotations(answers)
    assert (again.added, again.known) == (0, 2)
    both = pl.DataFrame({"item_id": [1, 1], "annotator": ["ann", "Ann"], "label": ["ok", "offensive"]})
    project.add_annotations(both)
    assert human(project)[1] == "offensive"
    assert roll(project, "name", "answers") == [("Ann", 2)]


def test_answers_of_a_stream_are_learned_from_once_a_person(storage_url):
    from strategies import FixedBudget, LeastConfidence

    project = Project.create("p", LABELS, storage=storage_url)
    stream = project.stream_loop("s", strategy=LeastConfidence(), budget=FixedBudget(1.0))
    query = stream.offer({"text": "you idiot"}).query
    stream.tell(query, "ok", annotator="ann")
    stream.tell(query, "offensive", annotator="Ann")
    ledger, loop_id = project.ledger, project.ledger.loops.get("s").id

    def learned():
        with ledger.read() as connection:
            return len(ledger.streams.answers(connection, loop_id))

    assert learned() == 2
    project.merge_people("ann", "Ann")
    assert learned() == 1
    project.unmerge_people("ann")
    assert learned() == 2


def test_merges_follow_each_other_and_never_go_round(storage_url):
    project = project_of(storage_url, n=9)
    for who in ("ann", "Ann", "Anna"):
        tell(loop_of(project), who, "ok", 1)
    project.merge_people("ann", "Ann")
    project.merge_people("Ann", "Anna")
    assert roll(project) == [("Anna", ["Ann", "Anna", "ann"], 3)]
    with pytest.raises(ValueError, match=r"'ann' counts as 'Anna' already\. Take that back first"):
        project.merge_people("ann", "Anna")
    with pytest.raises(ValueError, match="are one person already"):
        project.merge_people("Anna", "ann")
    with pytest.raises(LookupError, match="no person 'zoe' in this database"):
        project.preview_merge_people("zoe", "Anna")
    with pytest.raises(ValueError, match="counts as nobody else"):
        project.unmerge_people("Anna")
    project.unmerge_people("Ann")
    assert roll(project) == [("Ann", ["Ann", "ann"], 2), ("Anna", ["Anna"], 1)]


@pytest.mark.parametrize("into", [{1: 2, 2: 1}, {1: 2, 2: 3, 3: 1}, {9: 1, 1: 2, 2: 1}])
def test_a_circle_of_merges_of_two_databases_ends(into):
    assert {root_of(person, into) for person in into} == {1}


def test_namesakes_are_told_apart_by_their_uuids(storage_url):
    from datetime import UTC, datetime

    from sqlalchemy import insert

    from storage import tables
    from storage.database import writing

    project = project_of(storage_url)
    tell(loop_of(project), "bob", "ok", 1)
    with writing(project.ledger.engine) as connection:
        for uuid in ("u-1", "u-2"):
            values = {"uuid": uuid, "name": "Ann", "created_at": datetime.now(UTC)}
            connection.execute(insert(tables.persons).values(values))
    with pytest.raises(ValueError, match=r"Several people are called 'Ann'.*u-1, u-2"):
        project.merge_people("Ann", "bob")
    project.merge_people("u-2", "bob")
    with pytest.raises(ValueError, match="A person is a name or the UUID"):
        project.merge_people("", "bob")


def linked(project):
    return dict(project.people().sort("name").select("name", "accounts").rows())


def test_an_account_is_of_one_person_and_taken_over_by_nobody(storage_url):
    project = project_of(storage_url)
    for who in ("ann", "bob"):
        project.set_role(who, "annotator")
    project.link_account("ann", " ann@example.org ", by="lea")
    assert linked(project) == {"ann": ["ann@example.org"], "bob": []}
    other = Project.create("q", LABELS, storage=storage_url)
    with pytest.raises(ValueError, match=r"'ann@example.org' is linked to 'ann' already.*link_account\('ann', None\)"):
        other.link_account("bob", "ann@example.org")
    was = project.ledger.version()
    project.link_account("ann", "ann@example.org")
    assert project.ledger.changes("account")[1:] == []
    assert project.ledger.version() == was + 1  # The write itself.
    project.link_account("ann", "a@example.org")
    project.link_account("bob", "ann@example.org")
    assert linked(Project.open("p", storage_url)) == {"ann": ["a@example.org"], "bob": ["ann@example.org"]}
    project.link_account("ann", None)
    project.link_account("ann", None)
    assert linked(project) == {"ann": [], "bob": ["ann@example.org"]}
    facts = [details for _, details in project.ledger.changes("account")]
    assert [each["linked"] for each in facts] == [True, True, True, False]
    # The account goes with the name: what happened tells of the person alone.
    assert "example" not in str(facts)
    for account in ("", "  ", 7):
        with pytest.raises(ValueError, match="An account is the name that the sign-in gives"):
            project.link_account("ann", account)
    with pytest.raises(LookupError, match="no person 'zoe'"):
        project.link_account("zoe", "z@example.org")


def test_accounts_of_merged_people_are_the_persons(storage_url):
    project = project_of(storage_url)
    for who in ("ann", "Ann"):
        project.set_role(who, "annotator")
    project.link_account("ann", "a@example.org")
    project.merge_people("ann", "Ann")
    assert project.merged_people().select("name", "into_name").rows() == [("ann", "Ann")]
    assert linked(project) == {"Ann": ["a@example.org"]}
    project.link_account("Ann", "a@example.org")
    project.link_account("ann", "b@example.org")
    assert linked(project) == {"Ann": ["a@example.org", "b@example.org"]}
    project.unmerge_people("ann")
    assert project.merged_people().height == 0
    assert linked(project) == {"Ann": ["b@example.org"], "ann": ["a@example.org"]}
    project.merge_people("ann", "Ann")
    project.link_account("Ann", None)
    assert linked(project) == {"Ann": []}


def test_two_projects_that_link_one_account_at_once_link_it_once(storage_url):
    from concurrent.futures import ThreadPoolExecutor

    project = project_of(storage_url)
    other = Project.create("q", LABELS, storage=storage_url)
    for each, who in ((project, "ann"), (other, "bob")):
        each.set_role(who, "annotator")

    def link(each, who):
        try:
            each.link_account(who, "one@example.org")
        except ValueError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(link, (project, other), ("ann", "bob")))
    assert sorted(bool(each) for each in said) == [False, True]
    assert sum(len(each) for seen in (project, other) for each in linked(seen).values()) == 1


def test_whoever_was_erased_is_listed_without_a_name_or_an_account(storage_url):
    project = project_of(storage_url)
    tell(loop_of(project), "ann", "ok", 2)
    project.link_account("ann", "ann@example.org")
    project.erase_person("ann")
    assert roll(project, "name", "names", "answers", "accounts") == [(None, ["erased"], 2, [])]
    uuid = project.people()["person"][0]
    with pytest.raises(ValueError, match="was erased: no account is linked"):
        project.link_account(uuid, "ann@example.org")


@pytest.mark.parametrize("by_uuid", [False, True])
def test_a_name_under_which_nobody_answered_here_is_erased_too(storage_url, by_uuid):
    project = project_of(storage_url)
    tell(loop_of(project), "ann", "ok", 1)
    for who in ("Ann", "bob"):
        project.set_role(who, "annotator")
    project.merge_people("ann", "Ann")
    uuids = dict(project.people().select("name", "person").rows())
    for who in ("Ann", "bob"):
        project.erase_person(uuids[who] if by_uuid else who)
    assert project.people()["name"].to_list() == [None, None]
    assert project.annotations()["annotator"].to_list() == [None]
    with project.ledger.read() as connection:
        for table in ("persons", "annotators"):
            assert set(connection.exec_driver_sql(f"SELECT name FROM {table}").scalars()) == {None}


def test_answers_count_once_a_person_and_item_and_only_while_the_item_is_there(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    report = project.add_items(posts(3))
    loop = loop_of(project)
    query = loop.ask("ann", 1)[0]
    for label in ("ok", "offensive"):
        loop.tell(query, label)
    loop.skip(loop.ask("ann", 1)[0])
    assert roll(project, "name", "answers") == [("ann", 1)]
    project.undo_import(report.import_id)
    assert roll(project, "name", "answers") == [("ann", 0)]
