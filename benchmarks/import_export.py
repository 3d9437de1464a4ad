"""Import and export of 100,000 and 1,000,000 rows in every format, beside pandas and polars, in one run.

Real titles where the data is there, made-up ones otherwise. Every line of the
table is a process of its own, so that its peak memory is its own; "alone" is
what the process takes before it starts. The project that is exported has two
rules, a weak run, twenty answers and a refit.

    python benchmarks/import_export.py [--data FOLDER] [--rows N ...] [--only WORD ...] [--folder FOLDER]

A run of everything takes long. In parts: give them one --folder, first
"--only add_items weak_label refit", then for example "--only jsonl".
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from labeling import ImportReport, MajorityVote, Project, TextClassifier, keyword
from labeling.formats.reading.tables import read_source
from labeling.formats.writing.export_formats import EXPORT_FORMATS
from labeling.formats.writing.tables import write_table
from strategies import LeastConfidence

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LABELS = ("ok", "offensive")


def titles(data: Path, rows: int) -> pl.DataFrame:
    """Return id, text, label and two columns of numbers."""
    path = data / "throughput" / "titles.parquet"
    rng = np.random.default_rng(0)
    if path.exists():
        real = pl.read_parquet(path, columns=["text"])["text"]
        text = pl.concat([real] * (rows // len(real) + 1)).head(rows)
    else:
        print(f"(no {path}: made-up titles)", file=sys.stderr)
        words = pl.Series([f"word{n}" for n in range(5000)])
        text = pl.Series([" ".join(words.gather(rng.integers(0, 5000, 9))) for _ in range(min(rows, 50_000))])
        text = pl.concat([text] * (rows // len(text) + 1)).head(rows)
    # The number makes each of them an item of its own.
    ids = pl.Series(range(rows)).cast(pl.String).str.zfill(8)
    return pl.DataFrame(
        {
            "id": ids,
            "text": text + " #" + ids,
            "label": np.array(LABELS)[rng.integers(0, 2, rows)],
            "score": rng.integers(0, 1000, rows),
            "share": rng.random(rows).round(4),
        }
    )


def make_project(folder: Path) -> Project:
    storage = f"sqlite:///{folder / 'import.db'}"
    return Project.create("bench", labels=LABELS, storage=storage, exist_ok=True)


def read(suffix: str) -> Callable[[Path], object]:
    return lambda folder: read_source(folder / f"posts.{suffix}")


def write(suffix: str) -> Callable[[Path], object]:
    def run(folder: Path) -> object:
        posts = pl.scan_parquet(folder / "posts.parquet")
        rows = posts.select(pl.len()).collect().item()
        batches = (posts.slice(start, 65_536).collect() for start in range(0, rows, 65_536))
        return write_table(folder / f"written.{suffix}", batches)

    return run


def add_items(folder: Path) -> ImportReport:
    return make_project(folder).add_items(folder / "posts.csv", text="text", id="id", gold="label", progress=False)


def add_items_again(folder: Path) -> ImportReport:
    report = add_items(folder)
    assert report.added == 0
    return report


def vote(folder: Path) -> object:
    project = make_project(folder)
    project.add_functions(
        [keyword("rude", ["idiot", "stupid"], label="offensive"), keyword("kind", ["love"], label="ok")]
    )
    return project.weak_label(MajorityVote(otherwise="ok"))


def refit(folder: Path) -> object:
    loop = make_project(folder).pool_loop(
        "first", strategy=LeastConfidence(), classifier=TextClassifier(), batch_size=20, seed=7
    )
    for number, query in enumerate(loop.ask(annotator="ann")):
        loop.tell(query, LABELS[number % 2])
    return loop.refit()


def exported(kind: str, folder: Path) -> Path:
    return folder / f"labels-{kind}{next(each.suffix for each in EXPORT_FORMATS if each.name == kind)}"


def export(kind: str) -> Callable[[Path], object]:
    return lambda folder: make_project(folder).export(exported(kind, folder), format=kind, progress=False)


def import_back(kind: str) -> Callable[[Path], object]:
    def run(folder: Path) -> ImportReport:
        database = folder / f"back-{kind}.db"
        database.unlink(missing_ok=True)
        back = Project.create("back", labels=LABELS, storage=f"sqlite:///{database}")
        report = back.add_items(exported(kind, folder), progress=False)
        assert report.added
        assert not report.rejected
        return report

    return run


def polars_read(suffix: str) -> Callable[[Path], object]:
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[suffix]
    return lambda folder: read(folder / f"posts.{suffix}")


def polars_write(suffix: str) -> Callable[[Path], object]:
    def run(folder: Path) -> None:
        posts = pl.read_parquet(folder / "posts.parquet")
        {"csv": posts.write_csv, "jsonl": posts.write_ndjson, "parquet": posts.write_parquet}[suffix](
            folder / f"polars.{suffix}"
        )

    return run


def pandas_read(suffix: str) -> Callable[[Path], object]:
    def run(folder: Path) -> object:
        import pandas as pd

        if suffix == "csv":
            return pd.read_csv(folder / "posts.csv", dtype={"id": str}, keep_default_na=False)
        if suffix == "jsonl":
            return pd.read_json(folder / "posts.jsonl", lines=True, dtype={"id": str})
        return pd.read_parquet(folder / "posts.parquet")

    return run


def pandas_write(suffix: str) -> Callable[[Path], object]:
    def run(folder: Path) -> None:
        import pandas as pd

        posts, path = pd.read_parquet(folder / "posts.parquet"), folder / f"pandas.{suffix}"
        if suffix == "csv":
            posts.to_csv(path, index=False)
        elif suffix == "jsonl":
            posts.to_json(path, orient="records", lines=True)
        else:
            posts.to_parquet(path, index=False)

    return run


def nothing(_folder: Path) -> object:
    return None


SUFFIXES = ("csv", "jsonl", "parquet")

TASKS: dict[str, Callable[[Path], object]] = {
    "alone": nothing,
    **{f"pandas reads {suffix}": pandas_read(suffix) for suffix in SUFFIXES},
    **{f"polars reads {suffix}": polars_read(suffix) for suffix in SUFFIXES},
    **{f"read_source {suffix}": read(suffix) for suffix in SUFFIXES},
    **{f"pandas parquet to {suffix}": pandas_write(suffix) for suffix in SUFFIXES},
    **{f"polars parquet to {suffix}": polars_write(suffix) for suffix in SUFFIXES},
    **{f"write_table {suffix}": write(suffix) for suffix in SUFFIXES},
    "add_items csv": add_items,
    "add_items csv again": add_items_again,
    "weak_label, 2 rules": vote,
    "refit, 20 answers": refit,
    **{f"export {kind.name}": export(kind.name) for kind in EXPORT_FORMATS},
    **{f"import the {kind.name}": import_back(kind.name) for kind in EXPORT_FORMATS},
}


def peak_memory() -> float:
    """Return the most memory that this process had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss starts at what the parent had when it forked.
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def run_one(name: str, folder: Path) -> None:
    """Run one task and print its seconds and the peak memory of this process in MB."""
    start = time.perf_counter()
    TASKS[name](folder)
    print(f"{time.perf_counter() - start:.2f} {peak_memory():.0f}")


def run_all(data: Path, rows: int, only: list[str], folder: Path) -> None:
    """Print a table for one size."""
    if not (folder / "posts.parquet").exists():
        posts = titles(data, rows)
        posts.write_csv(folder / "posts.csv")
        posts.write_ndjson(folder / "posts.jsonl")
        posts.write_parquet(folder / "posts.parquet", row_group_size=65_536)
    size = (folder / "posts.csv").stat().st_size / 1e6
    print(f"\n{rows:,} rows, {size:.0f} MB of CSV\n{'':24}{'seconds':>9}{'rows/s':>12}{'peak MB':>9}")
    for task in TASKS:
        if task != "alone" and not any(word in task for word in only):
            continue
        command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{task:24}  failed: {done.stderr.strip().splitlines()[-1]}")
            continue
        seconds, peak = map(float, done.stdout.split())
        speed = f"{rows / seconds:,.0f}" if seconds > 0.005 else ""
        print(f"{task:24}{seconds:>9.2f}{speed:>12}{peak:>9.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", default=[""], help="run the lines that hold one of these words")
    parser.add_argument("--folder", type=Path, help="keep all files here, and go on from what an earlier run left")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        run_one(options.task, options.folder)
        return
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) if options.folder is None else options.folder / str(rows)
            folder.mkdir(parents=True, exist_ok=True)
            run_all(options.data, rows, options.only, folder)


if __name__ == "__main__":
    main()
