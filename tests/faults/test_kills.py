"""Kill -9 inside the write phase of each operation: nothing that was acknowledged is lost, nothing is there twice."""

import os
import random
import signal

import pytest

from tests.faults.ledgers import settled
from tests.faults.operations import FILES, LEDGER

KILLS = int(os.environ.get("TALLY_KILLS", "5"))


def kill_often(zygote, record_property, operation, url, folder, database):
    """Kill an operation at steps all over its write phase, and look at what each kill left."""

    def order(part, **more):
        return zygote(operation=operation, url=url, folder=str(folder), part=part, **more)

    draws = random.Random(f"{operation} {database}")
    order("prepare", kills=KILLS)
    said, ended = order("act", number=0)
    assert ended == 0
    (steps,) = (words[1] for words in said if words[0] == "steps")
    assert steps > 0, "this operation writes nothing"
    order("check", said=said)
    inside = number = 0
    while inside < KILLS:
        number += 1
        # Spread over the whole phase; every other one lands where the parent's signal finds the process.
        step = 1 + int((inside + draws.random()) * steps / KILLS)
        more, ended = order("act", number=number, step=step, exact=number % 2 == 0)
        assert ended in (0, -signal.SIGKILL)
        assert number <= 4 * KILLS + 20, f"{operation} has fewer steps than it had"
        done = any(words[0] == "steps" for words in more)
        inside += ended == -signal.SIGKILL and not done
        said += [words for words in more if words[0] != "steps"]
        settled(url)
        found, _ = order("check", said=said)
        said += found
    record_property("kills", [f"{operation} over {database}", inside])


@pytest.mark.parametrize("operation", LEDGER)
def test_a_kill_loses_nothing_of_the_ledger(zygote, record_property, operation, storage_url, tmp_path):
    database = "SQLite" if storage_url.startswith("sqlite") else "PostgreSQL"
    kill_often(zygote, record_property, operation, storage_url, tmp_path, database)


@pytest.mark.parametrize("operation", FILES)
def test_a_kill_leaves_no_half_file(zygote, record_property, operation, sqlite_url, tmp_path):
    if operation == "weak_label_file":
        (tmp_path / "work.db").unlink()
    kill_often(zygote, record_property, operation, sqlite_url, tmp_path, "SQLite")
