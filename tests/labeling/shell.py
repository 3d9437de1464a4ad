"""The command line, called from a test."""

import io
import os
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from labeling import Project
from labeling.__main__ import app
from tests.labeling.processes import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


class Shell:
    """Calls the command line in a folder of its own: here, or as ``python -m labeling`` in a process of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.storage = f"sqlite:///{folder / 'labeling.db'}"

    def __call__(self, line="", storage=None):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setenv("LABELING_STORAGE", storage or self.storage)
            patch.setattr(sys, "argv", ["labeling", *shlex.split(line)])
            try:
                app()
                code = 0
            except SystemExit as end:
                code = end.code or 0
        out.flush()
        err.flush()
        return subprocess.CompletedProcess(line, code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())

    def process(self, line="", stdin=None):
        return subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-W",
                "ignore:Several programs or threads",
                "-m",
                "labeling",
                *shlex.split(line),
            ],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LABELING_STORAGE": self.storage},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE,
        )

    def project(self):
        return Project.open("forum", storage=self.storage)
