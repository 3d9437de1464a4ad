"""Forks processes that have imported everything already: to import takes longer than what they do.

Reads orders, a line of JSON each, and answers each with a line: what the process said, and how it ended.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from tests.faults.steps import Run

MODULES = [
    "labeling.project.project",
    "labeling.classifiers.linear",
    "labeling.loops.refits.refit",
    "alembic.command",
    "datasets",
    "joblib",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.utils",
    "tests.faults.operations",
]

PATIENCE = 300
"""Seconds after which a process is taken to hang."""


def carry_out(order, say):
    """Do one part of an operation in a process of its own; what goes wrong is said."""
    from tests.faults.operations import OPERATIONS

    operation = OPERATIONS[order["operation"]](order["url"], order["folder"])
    run = Run(say, order.get("step"), exact=order.get("exact", True))
    try:
        if order["part"] == "act":
            operation.act(run, order["number"])
            run.end()
        elif order["part"] == "check":
            operation.check(run, [tuple(each) for each in order["said"]])
        else:
            operation.prepare(order["kills"])
    except BaseException:  # noqa: BLE001 - said to the parent
        say("failed", traceback.format_exc())
    if run.awaited:
        # It was done before the signal came.
        signal.pause()


def fork(order):
    """Fork a process for an order; kill it as soon as it says that it is time."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        signal.alarm(PATIENCE)
        carry_out(order, lambda *words: os.write(writes, json.dumps(words).encode() + b"\n"))
        os._exit(0)
    os.close(writes)
    said = []
    with os.fdopen(reads, encoding="utf-8") as lines:
        for line in lines:
            words = json.loads(line)
            if words == ["now"]:
                os.kill(child, signal.SIGKILL)
            else:
                said.append(words)
    _, status = os.waitpid(child, 0)
    return {"said": said, "ended": os.waitstatus_to_exitcode(status)}


def main():
    """Import, then fork as often as it is told."""
    for name in MODULES:
        importlib.import_module(name)
    tasks = Path("/proc/self/task").iterdir()
    threads = {(task / "comm").read_text().strip() for task in tasks}
    if any(name.startswith("polars-") and name[7:].isdigit() for name in threads):
        sys.exit("Something that is imported has computed with Polars already: what is forked from here would hang.")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
