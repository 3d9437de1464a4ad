"""One process that forks all those that are killed."""

import json
import os
import subprocess
import sys

import pytest

from tests.labeling.processes import ROOT


class Zygote:
    """Orders processes; see `tests/faults/zygote.py`."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-W", "ignore:Several programs or threads", "-m", "tests.faults.zygote"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, **order):
        """Carry one order out; return what the process said, and its exit status."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        wrong = [words[1] for words in answer["said"] if words[0] == "failed"]
        assert not wrong, wrong[0]
        return answer["said"], answer["ended"]

    def close(self):
        """End it."""
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait() == 0


@pytest.fixture(scope="session")
def zygote():
    """Forks processes that have imported everything."""
    made = Zygote()
    yield made
    made.close()
