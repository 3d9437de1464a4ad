"""Comparisons of strategies beside the pages: started, looked at, called off; one a project at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import streamlit as st

from labeling.loops.simulation.curves import Curves
from ui.background import search_path
from ui.session import storage

BASELINE = "Random"
_MOST_SAID = 600
# One thread: the pages and the refits shall not wait for it.
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True)
class Plan:
    """What is compared, how often, over how many labels."""

    project: str
    strategies: tuple[str, ...]
    seeds: int
    start: int
    batch_size: int
    rounds: int


@dataclass
class Simulation:
    """A comparison under way or at its end; `cancelled` where somebody called it off."""

    plan: Plan
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    log: IO[bytes]
    started: float
    cancelled: bool = False
    curves: Curves | None = None

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.process.poll() is None

    def progress(self) -> tuple[int, int]:
        """Runs that are done, and how many there are."""
        for line in reversed(self._lines()):
            if "done" in line:
                return int(line["done"]), int(line["total"])
        return 0, self.plan.seeds * len(self.plan.strategies)

    def seconds_left(self) -> float | None:
        """How long it will still take, None before the first run is done."""
        done, total = self.progress()
        return (time.monotonic() - self.started) / done * (total - done) if done else None

    def result(self) -> Curves | None:
        """The learning curves, None while it runs or where it failed."""
        if self.curves is None and not self.running:
            self.curves = next((curves_of(line["runs"], self.plan) for line in self._lines() if "runs" in line), None)
        return self.curves

    def problem(self) -> str:
        """What it said last if it failed, else the empty string."""
        if self.running or self.cancelled or self.result() is not None:
            return ""
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"It ended with code {self.process.returncode}."
        return last.removeprefix("ValueError: ")[:_MOST_SAID]

    def cancel(self) -> None:
        """Call it off; one that has come to its end by now stays as it is."""
        self.process.kill()
        self.process.wait()
        self.cancelled = self.result() is None and self.process.returncode < 0

    def _lines(self) -> list[dict[str, Any]]:
        # Read by position: the place in the file is shared with the process that writes.
        size = os.fstat(self.said.fileno()).st_size
        text = os.pread(self.said.fileno(), size, 0)
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]


def curves_of(runs: Sequence[Sequence[Any]], plan: Plan) -> Curves:
    """Curves from the rows of `Curves.frame`.

    Examples
    --------
    >>> plan = Plan("p", ("Margin", "Random"), 1, 4, 4, 1)
    >>> curves_of([("Margin", 0, 0, 4, 0.5, 0.5, 0.1, 0.0)], plan).baseline
    'Random'
    """
    empty = Curves.of([], plan.strategies).frame()
    rows = [dict(zip(empty.columns, row, strict=True)) for row in runs]
    return Curves.of(rows, plan.strategies, BASELINE if BASELINE in plan.strategies else None)


@dataclass
class _Simulations:
    """The newest comparison of each project, and the newest that came to its end; shared by all sessions."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    newest: dict[tuple[str, str], Simulation] = field(default_factory=dict)
    finished: dict[tuple[str, str], Simulation] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _simulations() -> _Simulations:
    return _Simulations()


def newest(project: str) -> Simulation | None:
    """The comparison of a project that was started last, whatever became of it."""
    return _simulations().newest.get((storage(), project))


def finished(project: str) -> Simulation | None:
    """The comparison of a project that came to its end last: it stays until another one does."""
    known = _simulations()
    last = known.newest.get((storage(), project))
    if last is not None and last.result() is not None:
        known.finished[storage(), project] = last
    return known.finished.get((storage(), project))


def start(plan: Plan) -> Simulation:
    """Start a comparison; the one that runs already is handed over as it is."""
    known = _simulations()
    key = (storage(), plan.project)
    finished(plan.project)
    with known.lock:
        last = known.newest.get(key)
        if last is not None and last.running:
            return last
        known.newest[key] = _started(plan)
        return known.newest[key]


def _started(plan: Plan) -> Simulation:
    said, log = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - read while the process writes
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.compare.job"],
        env={**os.environ, **_ALONE, "LABELING_STORAGE": storage(), "PYTHONPATH": search_path()},
        stdin=subprocess.PIPE,
        stdout=said,
        stderr=log,
        start_new_session=True,
    )
    if process.stdin is not None:
        process.stdin.write(json.dumps(asdict(plan)).encode() + b"\n")
        process.stdin.flush()
    return Simulation(plan, process, said, log, time.monotonic())
