"""What pages and scripts wait for, and the memory they take, with the snapshot of the items on disk and without it.

Titles with a number in a SQLite file, five rules, a weak run, a pool loop with three rounds of answers. Each line is
a new process with one thread, on a file that was read before. `s` is processor time. `peak` is the highest resident
memory of the process in MB (ru_maxrss), imports and mapped files included; `own` is what is left of it at the end that
is no file (anonymous, from smaps_rollup; Linux). `server` is all lines but the first in one process, as the app does
them, three exports included.

    python benchmarks/snapshot.py [--items 100000 1000000] [--only WORD ...]
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from import_export import DATA, LABELS, titles
from measuring import in_process, resident

import labeling.store.items
from labeling import MajorityVote, Project, TextClassifier, keyword
from strategies import LeastConfidence
from ui.memory import give_back_large_blocks

WORDS = {"rude": "idiot", "kind": "love", "risky": "nsfw", "animals": "cat", "questions": "how"}
FORMATS = ("csv", "jsonl", "parquet")


def fill(storage: str, items: int) -> None:
    project = Project.create("bench", LABELS, storage=storage)
    project.add_items(titles(DATA, items), text="text", id="id", gold="label", progress=False)
    project.add_functions([keyword(name, [word], label=LABELS[name == "rude"]) for name, word in WORDS.items()])
    project.weak_label(MajorityVote(otherwise="ok"))
    loop = project.pool_loop("first", strategy=LeastConfidence(), classifier=TextClassifier(), batch_size=20, seed=7)
    for _ in range(3):
        for number, query in enumerate(loop.ask("ann")):
            loop.tell(query, LABELS[number % 2])
    loop.refit()


def data_page(project: Project) -> object:
    return project.status(), project.columns, project.hidden_columns, project.imports(), project.search_items("")


def first_question(project: Project) -> object:
    return project.pool_loop("first").ask("bob", 1)


def export(kind: str) -> Callable[[Project], object]:
    def run(project: Project) -> object:
        with tempfile.TemporaryDirectory() as folder:
            return project.export(Path(folder) / f"labels.{kind}", progress=False)

    return run


STEPS: dict[str, Callable[[Project], object]] = {
    "all items": lambda project: project.items()["text"].str.len_bytes().sum(),
    "open, status": lambda project: project.status(),
    "Data page": data_page,
    "search": lambda project: project.search_items("kitten"),
    "first question": first_question,
    **{f"export {kind}": export(kind) for kind in FORMATS},
}


def cell(storage: str, name: str, snapshot: bool) -> dict[str, float]:
    if not snapshot:
        labeling.store.items.LARGE = 1 << 62
    if name == "server":
        give_back_large_blocks()
    started = time.process_time()
    project = Project.open("bench", storage=storage)
    for step in [*STEPS][1:] if name == "server" else [name]:
        STEPS[step](project)
    seconds = time.process_time() - started
    rollup = Path("/proc/self/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) / 1024 for line in rollup if line.startswith("Anonymous:"))
    return {"seconds": seconds, "peak": resident("VmHWM"), "own": own}


def measured(storage: str, name: str, snapshot: int) -> str:
    found = in_process(__file__, {"cell": name, "storage": storage, "snapshot": snapshot})
    if "error" in found:
        raise SystemExit(str(found["error"]))
    return f"{found['seconds']:>8.2f}{found['peak']:>8.0f}{found['own']:>8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=[], help="lines whose name holds one of these words")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    parser.add_argument("--storage", help=argparse.SUPPRESS)
    parser.add_argument("--snapshot", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(cell(options.storage, options.cell, bool(options.snapshot))))
        return
    wanted = [each for each in (*STEPS, "server") if not options.only or any(word in each for word in options.only)]
    print(f"{'':>10} {'':<16}{'without':>24}{'with the snapshot':>24}")
    print(f"{'items':>10} {'':<16}" + 2 * f"{'s':>8}{'peak':>8}{'own':>8}")
    for items in options.items:
        with tempfile.TemporaryDirectory() as folder:
            storage = f"sqlite:///{folder}/work.db"
            fill(storage, items)
            # The refit has made it: it is made again, by a process that reads all rows.
            for made in Path(folder).glob("work.db.items-*"):
                shutil.rmtree(made)
            made = measured(storage, "all items", 1)
            print(f"{items:>10,} {'making it':<16}{'':>24}{made}", flush=True)
            for name in wanted:
                without, beside = (measured(storage, name, snapshot) for snapshot in (0, 1))
                print(f"{items:>10,} {name:<16}{without}{beside}", flush=True)


if __name__ == "__main__":
    main()
