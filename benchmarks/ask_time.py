"""What an `ask` costs as a project grows: the one that learns first, in a project of 100,000 items and of a million.

Real titles (repeated with a number where more are needed) in a SQLite file, TF-IDF into a logistic regression, 200
answers. `cold` is a new process: items are read and made into features first. `learn` is every later ask that
completes a round of 50: train, predict all, choose, commit the ranking. `serve` asks for the next question while a
ranking stands. Every size is a process of its own with one thread; MB is its peak beyond what it imports (Linux).

    python benchmarks/ask_time.py [--items 100000 1000000] [--strategy Entropy]
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import polars as pl
from measuring import in_process, resident

import strategies
from labeling import Project, TextClassifier

TITLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "throughput" / "titles.parquet"
LABELS = ["suits everyone", "adults only"]
BATCH = 50


def titles(count: int) -> pl.DataFrame:
    real = pl.read_parquet(TITLES).select("text", truth=pl.col("over_18").cast(pl.Int8))
    times = -(-count // real.height)
    copies = [real if n == 0 else real.with_columns(pl.col("text") + f" {n}") for n in range(times)]
    return pl.concat(copies).head(count)


def fill(storage: str, count: int) -> None:
    project = Project.create("titles", LABELS, storage=storage)
    frame = titles(count).with_columns(truth=pl.col("truth").replace_strict({0: LABELS[0], 1: LABELS[1]}))
    project.add_items(frame, text="text", gold="truth", progress=False)


def cell(storage: str, strategy: str) -> dict[str, float]:
    before = resident("VmRSS")
    project = Project.open("titles", storage=storage)
    chosen = getattr(strategies, strategy)()
    loop = project.pool_loop("first", strategy=chosen, classifier=TextClassifier(), batch_size=BATCH, seed=1)
    gold = dict(project.labels("gold").select("item_id", "label").iter_rows())
    started = time.perf_counter()
    queries = loop.ask("ann")
    cold = time.perf_counter() - started
    learn, serve = [], []
    for _ in range(4):
        for query in queries:
            loop.tell(query, gold[query.item_id])
        started = time.perf_counter()
        queries = loop.ask("ann")
        learn.append(time.perf_counter() - started)
    for query in queries[:20]:
        loop.skip(query)
    for _ in range(20):
        started = time.perf_counter()
        loop.ask("somebody else", n=1)
        serve.append(time.perf_counter() - started)
    peak = resident("VmHWM") - before
    # The first of them trains on one class or two; the later ones are what a project lives with.
    return {"cold": cold, "learn": statistics.median(learn[1:]), "serve": statistics.median(serve), "megabytes": peak}


def run(items: int, strategy: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/work.db"
        fill(storage, items)
        found = in_process(__file__, {"cell": storage, "strategy": strategy})
    if "error" in found:
        raise SystemExit(str(found["error"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--strategy", default="Entropy")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(cell(options.cell, options.strategy)))
        return
    if not TITLES.is_file():
        print(f"Left out: {TITLES} is not there.")
        return
    print(f"{options.strategy}, one thread")
    print(f"{'items':>10}{'cold s':>9}{'learn s':>9}{'µs an item':>12}{'times':>7}{'serve ms':>10}{'MB more':>9}")
    first: float | None = None
    for items in options.items:
        found = run(items, options.strategy)
        each = found["learn"] / items
        first = first or each
        print(
            f"{items:>10,}{found['cold']:>9.1f}{found['learn']:>9.2f}{1e6 * each:>12.2f}{each / first:>7.2f}"
            f"{1000 * found['serve']:>10.1f}{found['megabytes']:>9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
