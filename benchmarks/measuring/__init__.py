"""Cells of a table measured in a process of their own, with one thread and their peak of memory."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def resident(field: str) -> float:
    """Resident memory of this process in MB: VmRSS now, VmHWM the peak (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def forget_peak() -> None:
    """Let VmHWM start again from what is resident now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def in_process(file: str, options: Mapping[str, Any], limit: float | None = None) -> dict[str, Any]:
    """Run a benchmark's file again with other options, and return the JSON of its last line; else what went wrong."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", file, *(f"--{name}={value}" for name, value in options.items())],
            env=os.environ | dict.fromkeys(THREADS, "1"),
            cwd=Path(file).resolve().parents[1],
            capture_output=True,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"more than {limit} s"}
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:80] if done.stderr.strip() else "killed"}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))
