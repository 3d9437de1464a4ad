"""Real processes and threads over one database."""

import json
import os
import signal
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from labeling import LabelBudget, Project
from storage import new_holder
from storage.facts.asking.refit_leases import ended
from strategies import Random
from tests.labeling.processes import PATIENCE, finish, start

LABELS = ["ok", "offensive"]

ANNOTATOR = """
import json, sys
from labeling import Project, QueueEmpty

url, name, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
loop, told = Project.open("p", url).pool_loop("all"), []
while len(told) < wanted:
    for query in loop.ask(name, 5):
        told.append([query.item_id, loop.tell(query, "ok", seconds=1.0).uuid])
print(json.dumps(told))
"""

REFITTER = """
import sys
from labeling import Project
print(Project.open("p", sys.argv[1]).pool_loop("l").refit().round)
"""

KILLED = """
import os, signal, sys
from labeling import Project
loop = Project.open("p", sys.argv[1]).pool_loop("l")
query = loop.ask("ann")[0]
annotation = loop.tell(query, "offensive")
print(query.item_id, annotation.uuid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def loop(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": [f"post number {n}" for n in range(250)]}))
    return project.pool_loop("l", strategy=Random(), batch_size=50, seed=1, stop=[LabelBudget(200)])


def test_eight_processes_that_label_at_once_share_the_budget_and_no_item(loop):
    url = loop._ledger.full_url
    # One round is the whole budget, so that no child trains: that is the next test's part.
    settings = {"strategy": Random(), "batch_size": 200, "seed": 1, "stop": [LabelBudget(200)]}
    loop = Project.open("p", storage=url).pool_loop("all", **settings)
    loop.refit()
    children = [start(ANNOTATOR, url, f"person {number}", 25) for number in range(8)]
    told = [pair for child in children for pair in json.loads(finish(child))]
    facts = Project.open("p", storage=url).annotations()
    assert len(told) == 200
    assert facts.height == 200
    assert facts["item_id"].n_unique() == 200
    assert sorted(facts.select("item_id", "uuid").rows()) == sorted(map(tuple, told))
    assert facts.group_by("annotator").len()["len"].to_list() == [25] * 8
    assert loop.progress().answered == 200
    assert (loop.progress().open, loop.done) == (0, True)


def test_two_processes_that_refit_at_once_make_one_refit_a_round(loop):
    url = loop._ledger.full_url
    children = [start(REFITTER, url) for _ in range(2)]
    assert [finish(child).strip() for child in children] == ["0", "0"]
    assert [record.round for record in loop._ledger.loops.refits(loop._record.id)] == [0]


def test_an_answer_survives_the_death_of_its_process(loop):
    url = loop._ledger.full_url
    child = start(KILLED, url)
    out, _ = child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGKILL
    item_id, uuid = out.split()
    project = Project.open("p", storage=url)
    assert project.annotations().select("item_id", "uuid", "label").rows() == [(int(item_id), uuid, "offensive")]
    assert len(project.pool_loop("l").ask("ann")) == 49


def together(count, act):
    """Run `act(number)` in threads that start at the same moment, and return what it gave."""
    ready, results = threading.Barrier(count), [None] * count

    def run(number):
        ready.wait()
        results[number] = act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_an_answer_sent_by_two_threads_at_once_is_stored_once(loop):
    for number, query in enumerate(loop.ask("ann", 5)):
        first, second = together(2, lambda _, n=number, q=query: loop.tell(q, "ok", uuid=f"u-{n}"))
        assert first == second
    assert loop.progress().answered == 5
    assert Project.open("p", storage=loop._ledger.full_url).annotations().height == 5


def test_a_person_who_asks_in_two_windows_at_once_gets_the_same_questions(loop):
    loop.refit()
    first, second = together(2, lambda _: [query.id for query in loop.ask("ann", 5)])
    assert first == second
    assert len(first) == 5


def test_a_project_made_by_two_at_once_is_made_once(storage_url):
    projects = together(3, lambda _: Project.create("p", LABELS, storage=storage_url, exist_ok=True))
    assert len({project.ledger.project.id for project in projects}) == 1
    assert len(Project.list(storage_url)) == 1


def test_a_refit_waits_for_the_one_under_way_and_returns_what_that_found(loop):
    facts, loop_id = loop._ledger.loops, loop._record.id
    assert loop._ledger.refit_leases.take(loop_id, "somebody")
    assert loop.refitting
    assert not loop._ledger.refit_leases.take(loop_id, "somebody else")
    waiting = threading.Thread(target=loop.refit)
    waiting.start()
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        assert facts.refits(loop_id) == []
    assert loop.refitter.host == socket.gethostname()
    assert loop.refitter.process is None
    assert loop.refitter.seconds >= 0.2
    loop._ledger.refit_leases.give_back(loop_id, "somebody")
    waiting.join()
    assert [record.round for record in facts.refits(loop_id)] == [0]
    assert not loop.refitting


def test_the_refit_lease_of_a_dead_process_expires(loop):
    loop._ledger.refit_leases.take(loop._record.id, "dead")
    with loop._ledger.unstamped() as connection:
        connection.exec_driver_sql("UPDATE refit_leases SET expires_at = 0")
    assert not loop.refitting
    assert loop.refit().round == 0


DIES = """
import os, sys
from labeling import Project
project = Project.open("p", storage=sys.argv[1])
(record,) = project.ledger.loops.all()
from storage import new_holder
assert project.ledger.refit_leases.take(record.id, new_holder())
print("taken", flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_refit_whose_process_was_killed_is_waited_for_no_longer_than_two_seconds(loop):
    child = start(DIES, loop._ledger.full_url)
    assert child.communicate(timeout=PATIENCE)[0] == "taken\n"
    assert child.returncode == -signal.SIGKILL
    assert not loop.refitting
    began = time.monotonic()
    assert loop.refit().round == 0
    assert time.monotonic() - began < 2 + loop.newest.seconds


def test_a_refit_says_which_process_makes_it_and_since_when(loop):
    leases, loop_id, mine = loop._ledger.refit_leases, loop._record.id, new_holder()
    assert loop.refitter is None
    leases.take(loop_id, mine)
    time.sleep(0.05)
    leases.take(loop_id, mine)
    assert (loop.refitter.host, loop.refitter.process) == (socket.gethostname(), os.getpid())
    assert 0.04 <= loop.refitter.seconds < PATIENCE


def test_who_holds_what_since_when_is_listed(loop):
    began = datetime.now(UTC)
    assert loop.holders().is_empty()
    loop.refit()
    loop.ask("ann", 3)
    loop.ask("ben", 2, holder="tab", seconds=120)
    held = loop.holders()
    assert held.select("annotator", "holder", "questions").rows() == [("ann", None, 3), ("ben", "tab", 2)]
    assert all(began - timedelta(seconds=1) < at < datetime.now(UTC) for at in held["since"])
    assert 60 < held["seconds"][1] <= 120 < held["seconds"][0]


def test_a_name_of_a_process_that_is_no_more_or_is_another_one_has_ended():
    mine = new_holder()
    machine, process, _, end = mine.split("-")
    assert not ended(mine)
    assert ended(f"{machine}-{process}-1-{end}")
    assert not ended(f"00000000-{process}-1-{end}")
    assert not ended("somebody")


def test_while_another_process_learns_what_was_ranked_before_is_asked(loop):
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    loop._ledger.refit_leases.take(loop._record.id, "somebody")
    queries = loop.ask("ann")
    assert queries
    assert {query.round for query in queries} == {0}


def test_who_waited_for_a_refit_that_began_after_it_takes_that_one(loop, monkeypatch):
    loop.refit()
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    made = together(4, lambda _: loop.refit())
    assert {refit.round for refit in made} <= {1, 2}
    assert [record.round for record in loop._ledger.loops.refits(loop._record.id)] == [0, 1]
