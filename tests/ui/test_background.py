"""Refits beside the pages: what is said of one that runs, fails, or dies."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labeling import LabelBudget, Project
from storage import new_holder
from strategies import Random
from ui import background
from ui.background import Job, Standing, keep_up, learn, standing

FOREVER = "import sys; sys.stdin.read()"


@pytest.fixture
def project(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    made = Project.create("posts", ["ok", "spam"], storage=sqlite_url)
    made.add_items(pl.DataFrame({"text": [f"text {number}" for number in range(40)]}), progress=False)
    return made


@pytest.fixture
def loop(project: Project) -> Any:
    made = project.pool_loop("first", strategy=Random(), batch_size=5, stop=[LabelBudget(30)])
    for place, query in enumerate(made.ask("ann")):
        made.tell(query, "spam" if place else "ok")
    return made


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[background.Jobs]:
    made = background.Jobs()
    monkeypatch.setattr(background, "_jobs", lambda: made)
    yield made
    for job in made.jobs.values():
        job.process.kill()
        job.process.communicate()
        job.log.close()


def job(jobs: background.Jobs, loop: Any, script: str) -> Job:
    """A process that stands for a refit of the loop, at work until its input is closed."""
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the job
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=log)
    made = Job(process, log, time.monotonic(), loop.newest.round)
    jobs.jobs[background.storage(), "posts", loop.name] = made
    return made


def test_a_press_while_it_runs_starts_no_second_one(project: Project, loop: Any, jobs: background.Jobs) -> None:
    running = job(jobs, loop, FOREVER)
    assert not learn(project, loop)
    assert keep_up(project, loop)
    assert standing(project, loop) == Standing(learning=True, since=running.started)


def test_a_press_while_another_program_learns_starts_none(project: Project, loop: Any, jobs: background.Jobs) -> None:
    (record,) = project.ledger.loops.all()
    assert project.ledger.refit_leases.take(record.id, "somebody")
    assert not learn(project, loop)
    now = standing(project, loop)
    assert now.learning
    assert now.elsewhere is not None
    assert now.elsewhere.host == socket.gethostname()
    assert jobs.jobs == {}


def test_one_that_was_killed_says_so_and_leaves_the_lease_to_others(
    project: Project, loop: Any, jobs: background.Jobs
) -> None:
    dead = job(jobs, loop, FOREVER)
    (record,) = project.ledger.loops.all()
    assert project.ledger.refit_leases.take(record.id, new_holder(dead.process.pid))
    dead.process.kill()
    dead.process.wait()
    now = standing(project, loop)
    assert not now.learning
    assert now.problem == "It was ended from outside (signal 9. The machine may have run out of memory)."
    assert not loop.refitting


def test_one_that_failed_says_what_it_said_last_until_something_is_learned(
    project: Project, loop: Any, jobs: background.Jobs
) -> None:
    failed = job(jobs, loop, "import sys; sys.exit('Error: the model needs two classes')")
    failed.process.wait()
    assert standing(project, loop) == Standing(learning=False, problem="the model needs two classes")
    # Not at once again: whatever failed would fail as often as somebody answers.
    assert not keep_up(project, loop)
    loop.refit()
    assert standing(project, loop) == Standing(learning=False)


def test_what_is_due_is_learned_in_a_process_of_its_own(project: Project, loop: Any, jobs: background.Jobs) -> None:
    assert keep_up(project, loop)
    (started,) = jobs.jobs.values()
    started.process.wait()
    assert (started.process.returncode, loop.newest.round, loop.newest.labels) == (0, 1, 5)
    assert not keep_up(project, loop)


def test_it_is_started_from_any_folder(
    project: Project, loop: Any, jobs: background.Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert learn(project, loop)
    (started,) = jobs.jobs.values()
    assert started.process.wait() == 0
