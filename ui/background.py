"""Training beside the page: a refit runs in a process of its own, so that nobody waits for a model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import streamlit as st

from labeling import LabelBudget, Project
from storage.facts.asking.refit_leases import RefitHolder
from strategies import Auto
from ui.session import storage

ROOT = Path(__file__).resolve().parents[1]
RETRY_SECONDS = 30.0
FOLLOW_SECONDS = 1.0
"""How often a page looks whether what it waits for is done."""

_LAST_LINES = 600


@dataclass
class Job:
    """The newest refit that this server started for one loop; `before` is the round that was the newest then, or -1."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    started: float
    before: int = -1
    buried: bool = False

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.process.poll() is None

    def problem(self) -> str:
        """What it said last if it failed, else the empty string."""
        if self.running or self.process.returncode == 0:
            return ""
        size = os.fstat(self.log.fileno()).st_size
        lines = os.pread(self.log.fileno(), size, 0).decode("utf-8", errors="replace").strip().splitlines()
        if self.process.returncode < 0:
            return f"It was ended from outside ({_signal(-self.process.returncode)})."
        last = lines[-1] if lines else f"It ended with code {self.process.returncode}."
        return last.removeprefix("Error: ")[:_LAST_LINES]


def _signal(number: int) -> str:
    killed = " The machine may have run out of memory" if number == signal.SIGKILL else ""
    return f"signal {number}.{killed}" if killed else f"signal {number}"


@dataclass
class Jobs:
    """One job a loop, shared by all sessions of the server."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    jobs: dict[tuple[str, str, str], Job] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """Whether a loop is learning right now, and what came of it last.

    Attributes
    ----------
    learning
        By this server or by any other process.
    since
        When this server started it, as of `time.monotonic`; None where it did not.
    elsewhere
        Who does it, where this server did not.
    problem
        Why the newest try failed; empty where it did not, or where it was learned since.
    """

    learning: bool
    since: float | None = None
    elsewhere: RefitHolder | None = None
    problem: str = ""


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs:
    return Jobs()


def standing(project: Project, loop: Any) -> Standing:
    """Tell whether a loop is learning, whoever started it, and why the newest try failed."""
    job = _jobs().jobs.get((storage(), project.name, loop.name))
    if job is None:
        return _elsewhere(loop) or Standing(learning=False)
    if job.running:
        return Standing(learning=True, since=job.started)
    if job.process.returncode != 0 and not job.buried:
        # Killed, it could not give its lease back; others would wait for that to expire.
        loop.give_up_refit(job.process.pid)
        job.buried = True
    if (other := _elsewhere(loop)) is not None:
        return other
    problem = job.problem()
    return Standing(learning=False, problem=problem if problem and _round(loop) == job.before else "")


def _elsewhere(loop: Any) -> Standing | None:
    """Where another process makes a refit, say so."""
    refitter = loop.refitter
    return None if refitter is None else Standing(learning=True, elsewhere=refitter)


def keep_up(project: Project, loop: Any) -> bool:
    """Start a refit if one is due and none runs; tell whether the model is learning."""
    jobs = _jobs()
    key = (storage(), project.name, loop.name)
    with jobs.lock:
        if standing(project, loop).learning:
            return True
        if not loop.round_complete or loop.done:
            return False
        job = jobs.jobs.get(key)
        if job and job.process.returncode != 0 and time.monotonic() - job.started < RETRY_SECONDS:
            return False
        jobs.jobs[key] = _start(project.name, loop, job)
    return True


def learn(project: Project, loop: Any) -> bool:
    """Start a refit because somebody wants one; tell whether one was started: False where one runs already."""
    jobs = _jobs()
    key = (storage(), project.name, loop.name)
    with jobs.lock:
        if standing(project, loop).learning:
            return False
        jobs.jobs[key] = _start(project.name, loop, jobs.jobs.get(key))
    return True


def _round(loop: Any) -> int:
    newest = loop.newest
    return -1 if newest is None else int(newest.round)


def _start(project: str, loop: Any, last: Job | None) -> Job:
    if last:
        last.log.close()
    before = _round(loop)
    # The URL goes by the environment: a password in it would be seen in the list of processes.
    log = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
    process = subprocess.Popen(
        [sys.executable, "-m", "labeling", "refit", "--project", project, "--loop", loop.name],
        env={**os.environ, "LABELING_STORAGE": storage(), "PYTHONPATH": search_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,
    )
    return Job(process, log, time.monotonic(), before)


def search_path() -> str:
    """Where a process finds this package, whatever folder the server was started in."""
    return os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)


def usual_loop(project: Project, name: str = "first") -> Any:
    """Start a loop with the settings that suit most projects: Auto, 20 items a round, 500 answers."""
    return project.pool_loop(name, strategy=Auto(), batch_size=20, seed=0, stop=[LabelBudget(500)])
