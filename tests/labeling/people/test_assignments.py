"""An assignment says how much of a loop is asked of somebody, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from labeling import Project, QueueEmpty
from labeling.people.assignments import Assigned
from strategies import FixedBudget, LeastConfidence
from tests.labeling.pool_loops import again, expire_leases, ids, loop_of, project_of


def tell(loop, who, n=3):
    return [loop.tell(query, "ok") for query in loop.ask(who, n)]


def test_no_more_is_asked_than_was_assigned_and_then_why(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    tell(loop, "ann", 2)
    assigned = project.assign("ann", loop="l", items=3, by="lea")
    assert project.assignments().select("name", "loop", "items", "answered", "left", "until", "by").rows() == [
        ("ann", "l", 3, 0, 3, None, "lea")
    ]
    # What was answered before is not counted.
    asked = loop.ask("ann", 12)
    assert len(asked) == 3
    for query in asked[:2]:
        loop.tell(query, "ok")
    assert again(project).ask("ann")
    with pytest.raises(QueueEmpty, match="assigned in the loop 'l' is open already"):
        loop.ask("ann", 1, more=True)
    with pytest.raises(QueueEmpty, match="is open already, perhaps in another window"):
        loop.ask("ann", holder="another window")
    tell(loop, "ann")
    with pytest.raises(QueueEmpty, match="'ann' has given the 3 answers assigned in the loop 'l'"):
        loop.ask("ann")
    assert project.assignments()["left"].to_list() == [0]
    # One that is taken back makes room for another.
    loop.undo("ann")
    assert len(loop.ask("ann", 12)) == 1
    assert len(loop.ask("bob", 4)) == 4
    project.withdraw(assigned, by="lea")
    tell(loop, "ann")
    assert len(loop.ask("ann", 2)) == 2
    assert project.assignments().height == 0


def test_a_later_assignment_takes_the_place_of_the_one_before(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    first = project.assign("ann", loop="l", items=1)
    tell(loop, "ann")
    second = project.assign("ann", loop="l", items=1)
    assert project.assignments()["assignment"].to_list() == [second.uuid]
    assert len(tell(loop, "ann")) == 1
    with pytest.raises(LookupError, match=r"no assignment .* that stands"):
        project.withdraw(first)
    loop_of(project, name="m")
    project.assign("ann", loop="m")
    assert project.people()["assignments"].to_list() == [["l", "m"]]


def test_nothing_is_asked_after_the_end_not_even_what_is_open(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    open_ = loop.ask("ann", 1)
    project.assign("ann", loop="l", until=datetime.now(UTC) + timedelta(hours=1))
    assert ids(loop.ask("ann")) == ids(open_)
    project.assign("ann", loop="l", until=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    with pytest.raises(QueueEmpty, match="'ann' to the loop 'l' ended on 02 January 2026 at 03:04 UTC"):
        loop.ask("ann")
    # What was asked in time may still be answered.
    assert loop.tell(open_[0], "ok").label == "ok"


def test_a_loop_may_ask_only_those_who_are_assigned(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    project.assign("ann", loop="l")
    assert loop.ask("bob", 1)
    project.set_assigned_only("l")
    with pytest.raises(QueueEmpty, match=r"asks only those who are assigned to it, and 'bob' is not\. project\.assign"):
        loop.ask("bob")
    assert len(loop.ask("ann", 5)) == 5
    assert loop_of(project, name="m").ask("bob", 1)
    project.set_assigned_only("l", only=False)
    assert loop.ask("bob")


def test_who_is_two_names_has_one_assignment(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    tell(loop, "ann", 1)
    project.assign("Ann", loop="l", items=2)
    project.merge_people("ann", "Ann")
    assert len(tell(loop, "ann", 1)) == 1
    assert len(tell(loop, "Ann")) == 1
    for who in ("ann", "Ann"):
        with pytest.raises(QueueEmpty, match="has given the 2 answers"):
            loop.ask(who)
    assert project.assignments().select("name", "answered").rows() == [("Ann", 2)]


def test_an_assignment_of_another_project_says_nothing_here(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    other = Project.create("q", ["a", "b"], storage=storage_url)
    other.add_items(project.items().select("text"))
    loop_of(other)
    other.assign("ann", loop="l", items=1)
    assert len(loop.ask("ann", 4)) == 4
    with pytest.raises(LookupError):
        project.withdraw(other.assignments()["assignment"][0])


def test_what_cannot_be_assigned_is_refused(sqlite_url):
    project = project_of(sqlite_url)
    loop_of(project)
    project.stream_loop("s", strategy=LeastConfidence(), budget=FixedBudget(0.5))
    for wrong, message in (
        ({"loop": "x"}, "There is no loop 'x' in the project 'p'; loops: 'l', 's'"),
        ({"loop": "s"}, "'s' is a stream"),
        ({"loop": "l", "items": 0}, "items"),
        ({"loop": "l", "until": "tomorrow"}, "until= takes a moment"),
        ({"loop": "l", "by": " "}, "A person is a name"),
    ):
        with pytest.raises((LookupError, ValueError, TypeError), match=message):
            project.assign("ann", **wrong)
    assert project.assignments().height == 0


def test_ask_and_tell_of_people_who_are_one_stay_within_20_and_10_statements(sqlite_url):
    project = project_of(sqlite_url, n=60)
    loop = loop_of(project)
    tell(loop, "ann", 1)
    tell(loop, "Ann", 1)
    project.merge_people("ann", "Ann")
    project.assign("Ann", loop="l", items=40)
    tell(loop, "ann", 1)
    log = []
    engine = project.ledger.engine
    event.listen(engine, "before_cursor_execute", lambda *call: log.append(call[2]))
    event.listen(engine, "commit", lambda _: log.append("commit"))
    queries = loop.ask("ann", 5, refit=False)
    assert len(queries) == 5
    asked = len(log)
    log.clear()
    loop.tell(queries[0], "ok")
    assert (asked <= 20, len(log) <= 10) == (True, True), (asked, len(log))
    expire_leases(project)


def test_progress_says_how_much_of_an_assignment_is_done(storage_url):
    project = project_of(storage_url)
    loop = loop_of(project)
    assert loop.progress("ann").assigned is None
    end = datetime(2031, 12, 3, 18, tzinfo=UTC)
    project.assign("ann", loop="l", items=4, until=end)
    tell(loop, "ann", 1)
    assert loop.progress("ann").assigned == Assigned(answered=1, items=4, until=end)
    assert loop.progress().assigned is loop.progress("bob").assigned is None
    assert loop_of(project, name="m").progress("ann").assigned is None
    project.merge_people("ann", project.assign("Ann", loop="m").name)
    assert loop.progress(" Ann ").assigned == Assigned(1, 4, end)
