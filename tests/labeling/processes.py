"""Runs a script in a real process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PATIENCE = 600
"""Seconds after which a process is taken to hang; a busy machine fails no test."""


def start(script, *arguments):
    """Start a Python script with arguments; its output can be read, its exit waited for."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore:Several programs or threads", "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    """Wait for a process that must succeed, and return what it printed."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out
