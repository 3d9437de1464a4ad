"""Several holders of one person: each is given its own, and what a dead one left is given to the next."""

import pytest

from labeling import QueueEmpty
from tests.labeling.pool_loops import again, expire_leases, ids, loop_of, project_of


@pytest.fixture
def loop(storage_url):
    return loop_of(project_of(storage_url), batch_size=3)


def test_a_holder_is_given_only_its_own(loop):
    first = loop.ask("ann", 2, holder="tab 1")
    second = loop.ask("ann", 2, holder="tab 2")
    script = loop.ask("ann", 2)
    items = ids(first) + ids(second) + ids(script)
    assert len(set(items)) == 6
    assert loop.ask("ann", holder="tab 1") == first
    assert loop.ask("ann", holder="tab 2") == second
    # Without a holder it is the same one in every process.
    assert ids(again(loop_project(loop)).ask("ann")) == ids(script)


def loop_project(loop):
    from labeling import Project

    return Project.open("p", loop._ledger.full_url)


def test_what_a_dead_holder_left_is_given_to_the_same_person_first(loop):
    left = loop.ask("ann", 2, holder="tab 1")
    loop.tell(left[0], "ok")
    expire_leases(loop_project(loop))
    new = loop.ask("ann", 3, holder="tab 2")
    assert [query.uuid for query in new] == [left[1].uuid]
    # It is with the new one alone.
    assert left[1].item_id not in ids(loop.ask("ann", holder="tab 1"))


def test_what_somebody_took_in_between_is_not_given_back(loop):
    (mine,) = loop.ask("ann", 1, holder="tab 1")
    expire_leases(loop_project(loop))
    taken = {query.item_id: query for query in loop.ask("bob", 12)}
    loop.tell(taken[mine.item_id], "ok")
    with pytest.raises(QueueEmpty):
        loop.ask("ann", holder="tab 2")


def test_a_holder_that_is_open_keeps_what_it_has(loop):
    held = loop.ask("ann", 2, holder="tab 1", seconds=120)
    assert loop.hold("ann", holder="tab 1", seconds=120) == 2
    assert loop.hold("ann", holder="tab 2") == loop.hold("bob", holder="tab 1") == 0
    loop.tell(held[0], "ok")
    assert loop.undo("ann", holder="tab 1").item_id == held[0].item_id
    assert loop.hold("ann", holder="tab 1") == 2
    expire_leases(loop_project(loop))
    assert loop.hold("ann", holder="tab 1") == 0


def test_a_short_time_of_a_page_does_not_shorten_that_of_a_script(loop):
    loop.ask("ann", 2)
    loop.ask("ann", seconds=120)
    assert loop.holders()["seconds"][0] > 1700
    loop.ask("bob", 2, seconds=120)
    assert 60 < loop.holders().filter(annotator="bob")["seconds"][0] <= 120


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"holder": " "}, "A holder is a name or None, got ' '"),
        ({"seconds": 0}, "1 second to a day, got seconds=0"),
        ({"holder": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_is_no_holder_is_refused(loop, how, refusal):
    with pytest.raises(ValueError, match=refusal):
        loop.ask("ann", **how)
