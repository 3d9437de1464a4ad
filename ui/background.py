"""Training beside the page: a refit runs in a process of its own, so that nobody waits for a model."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Any

import streamlit as st

from labeling import LabelBudget, Project
from strategies import Auto
from ui.state import storage

RETRY_SECONDS = 30.0
_LAST_LINES = 600


@dataclass
class Job:
    """The newest refit that this server started for one loop."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    started: float

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.process.poll() is None

    def problem(self) -> str:
        """What it said last if it failed, else the empty string."""
        if self.running or self.process.returncode == 0:
            return ""
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", errors="replace").strip().splitlines()
        return (lines[-1] if lines else f"It ended with code {self.process.returncode}.")[:_LAST_LINES]


@dataclass
class Jobs:
    """One job a loop, shared by all sessions of the server."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    jobs: dict[tuple[str, str, str], Job] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs:
    return Jobs()


def keep_up(project: Project, loop: Any) -> bool:
    """Start a refit if one is due and none runs; tell whether the model is learning."""
    jobs = _jobs()
    key = (storage(), project.name, loop.name)
    with jobs.lock:
        job = jobs.jobs.get(key)
        if job and job.running:
            return True
        if not loop.round_complete or loop.done:
            return bool(loop.refitting)
        if loop.refitting:
            return True
        if job and job.process.returncode != 0 and time.monotonic() - job.started < RETRY_SECONDS:
            return False
        if job:
            job.log.close()
        jobs.jobs[key] = _start(project.name, loop.name)
    return True


def failure(project: Project, loop: str) -> str:
    """Why the newest refit of a loop failed, or the empty string."""
    job = _jobs().jobs.get((storage(), project.name, loop))
    return job.problem() if job else ""


def _start(project: str, loop: str) -> Job:
    # The URL goes by the environment: a password in it would be seen in the list of processes.
    log = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
    process = subprocess.Popen(
        [sys.executable, "-m", "labeling", "refit", "--project", project, "--loop", loop],
        env={**os.environ, "LABELING_STORAGE": storage()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,
    )
    return Job(process, log, time.monotonic())


def usual_loop(project: Project, name: str = "first") -> Any:
    """Start a loop with the settings that suit most projects: Auto, 20 items a round, 500 answers."""
    return project.pool_loop(name, strategy=Auto(), batch_size=20, seed=0, stop=[LabelBudget(500)])
