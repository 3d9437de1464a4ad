"""Rules of twenty experts over ten million posts: this project and Snorkel, side by side, in one run.

Forty columnar rules, applied to titles repeated to 1 and 10 million rows, from
Parquet to Parquet; Snorkel's PandasLFApplier on a sample with the same rules as
Python functions. Then five Python row functions over 1 million rows, and label
models on a sparse matrix of 1 million items and forty sources.

    python benchmarks/weak_supervision.py [--data FOLDER] [--rows N]
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from labeling.functions.makers import ABSTAIN, LabelingFunction, keyword, labeling_function, regex
from labeling.votes.applying import apply
from labeling.votes.label_models import DawidSkene, LabelModel, MajorityVote, Robust, SnorkelLabelModel
from labeling.votes.matrix import LabelMatrix
from labeling.votes.weak_label_file import weak_label_file

LABELS = ("ok", "offensive")
WORDS = [
    ["kill", "murder"], ["hate"], ["stupid", "dumb"], ["idiot", "moron"], ["ugly"], ["trash", "garbage"], ["shit"],
    ["fuck", "fucking"], ["bitch"], ["nsfw"], ["love", "lovely"], ["thanks", "thank you"], ["help"], ["beautiful"],
    ["cute", "cat", "kitten"], ["happy"], ["free", "gift"], ["election", "senate"], ["police", "cop"], ["war"],
]  # fmt: skip
PATTERNS = [
    r"\bkill", r"\bdie(d|s)?\b", r"!{2,}", r"\?{2,}", r"^[^a-z]{12,}$", r"\bwtf\b", r"\b(18|19|20)\d\d\b", r"\bAMA\b",
    r"https?://", r"\[oc\]", r"\bnew\b", r"\bgame(s|r|rs)?\b", r"\bbest\b", r"^(why|how|what)\b", r"\$\d+", r"\d+%",
    r"\btil\b", r"\beli5\b", r"\b(my|our) (wife|husband|friend)\b", r"\bfirst (time|post)\b",
]  # fmt: skip


def rules() -> list[LabelingFunction]:
    """Two rules of each of twenty experts."""
    experts = [f"person {n + 1}" for n in range(20)]
    found = [keyword(f"words {n}", words, LABELS[n < 10], expert=experts[n]) for n, words in enumerate(WORDS)]
    return found + [
        regex(f"pattern {n}", f"(?i){pattern}", LABELS[n < 7], expert=experts[n]) for n, pattern in enumerate(PATTERNS)
    ]


def snorkel_rules() -> list[Any]:
    """Return the same rules as Snorkel's users write them."""
    from snorkel.labeling import LabelingFunction as SnorkelFunction

    patterns = [("|".join(rf"\b{word}\b" for word in words), n < 10) for n, words in enumerate(WORDS)]
    patterns += [(pattern, n < 7) for n, pattern in enumerate(PATTERNS)]

    def search(compiled: re.Pattern[str], vote: int) -> Callable[[Any], int]:
        return lambda x: vote if compiled.search(x.text) else -1

    return [
        SnorkelFunction(f"rule {n}", search(re.compile(pattern, re.IGNORECASE), int(vote)))
        for n, (pattern, vote) in enumerate(patterns)
    ]


@labeling_function()
def shouts(row: dict[str, Any]) -> object:
    return "offensive" if row["text"].isupper() else ABSTAIN


@labeling_function()
def short(row: dict[str, Any]) -> object:
    return "ok" if len(row["text"]) < 20 else ABSTAIN


@labeling_function()
def many_marks(row: dict[str, Any]) -> object:
    return "offensive" if row["text"].count("!") > 2 else ABSTAIN


@labeling_function()
def long_words(row: dict[str, Any]) -> object:
    return "ok" if max(map(len, row["text"].split()), default=0) > 14 else ABSTAIN


@labeling_function()
def asks(row: dict[str, Any]) -> object:
    return "ok" if row["text"].endswith("?") else ABSTAIN


ROW_FUNCTIONS = [shouts, short, many_marks, long_words, asks]


def snorkel_row_functions() -> list[Any]:
    from snorkel.labeling import LabelingFunction as SnorkelFunction

    positions = {"ok": 0, "offensive": 1}

    def wrap(function: Any) -> Callable[[Any], int]:
        return lambda x: positions.get(function({"text": x.text}), -1)

    return [SnorkelFunction(function.name, wrap(function.function)) for function in ROW_FUNCTIONS]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def write_titles(folder: Path, titles: pl.DataFrame, rows: int) -> Path:
    """Titles over and over, until there are so many rows, in row groups of 131,072."""
    from pyarrow import parquet

    path = folder / f"titles_{rows}.parquet"
    table = titles.select("text").to_arrow()
    with parquet.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for start in range(0, rows, len(table)):
            writer.write_table(table.slice(0, min(len(table), rows - start)), row_group_size=131_072)
    return path


def label_alone(path: Path, destination: Path, model: str) -> None:
    """Label a file in a process of its own, so that its peak memory is its own; started by ``main``."""
    models = {"majority": MajorityVote(by="expert", threshold=0.1, otherwise="ok"), "robust": Robust()}
    seconds, report = timed(
        lambda: weak_label_file(path, rules(), models[model], destination, labels=LABELS, progress=False)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{report.rows} {seconds:.2f} {peak:.0f}")


def file_to_file(path: Path, folder: Path, model: str) -> tuple[int, float, float]:
    command = [sys.executable, __file__, "--alone", str(path), str(folder / "weak.parquet"), model]
    rows, seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(rows), float(seconds), float(peak)


def sparse_votes(n: int, m: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    votes = np.full((n, m), -1, dtype=np.int8, order="F")
    for j in range(m):
        fires = rng.random(n) < rng.uniform(0.02, 0.2)
        right = rng.random(n) < rng.uniform(0.6, 0.9)
        votes[fires, j] = np.where(right, truth, 1 - truth)[fires]
    return votes


def compare_rules(titles: pl.DataFrame, folder: Path, sizes: list[int]) -> None:
    from snorkel.labeling import PandasLFApplier

    sample = titles.head(10_000)
    seconds, theirs = timed(lambda: PandasLFApplier(snorkel_rules()).apply(sample.to_pandas(), progress_bar=False))
    slow = len(sample) / seconds
    same = (apply(rules(), sample, LABELS).values == theirs).mean()
    fast_seconds, _ = timed(lambda: apply(rules(), titles, LABELS))
    fast = len(titles) / fast_seconds
    print(f"40 rules, Snorkel PandasLFApplier   {slow:12,.0f} rows/s")
    print(f"40 rules, apply()                   {fast:12,.0f} rows/s   {fast / slow:6.0f} x; {same:.3%} equal")
    for rows in sizes:
        path = write_titles(folder, titles, rows)
        for model in ("majority", "robust"):
            done, seconds, peak = file_to_file(path, folder, model)
            speed = f"{done:>12,} rows in {seconds:6.1f} s, {done / seconds:10,.0f} rows/s, peak {peak:,.0f} MB"
            print(f"Parquet to Parquet, {model:8s}        {speed}", flush=True)
        path.unlink()


def compare_row_functions(titles: pl.DataFrame) -> None:
    from snorkel.labeling import PandasLFApplier

    sample = titles.select("text").head(20_000)
    seconds, theirs = timed(
        lambda: PandasLFApplier(snorkel_row_functions()).apply(sample.to_pandas(), progress_bar=False)
    )
    slow = len(sample) / seconds
    million = pl.concat([titles.select("text")] * 2).head(1_000_000)
    print(f"5 Python functions, Snorkel         {slow:12,.0f} rows/s")
    for executor in (None, "processes"):
        seconds, ours = timed(partial(apply, ROW_FUNCTIONS, million, LABELS, executor=executor))
        same = np.array_equal(ours.values[: len(sample)], theirs)
        fast = len(million) / seconds
        name = executor or "serial"
        print(f"5 Python functions, {name:15s} {fast:12,.0f} rows/s   {fast / slow:6.0f} x; equal: {same}", flush=True)


def _fit_and_predict(model: LabelModel, matrix: LabelMatrix) -> Any:
    return model.fit(matrix).predict_proba(matrix)


def compare_label_models(n: int = 1_000_000, m: int = 40) -> None:
    from snorkel.labeling.model import LabelModel, MajorityLabelVoter

    votes = sparse_votes(n, m)
    matrix = LabelMatrix.from_votes(votes, LABELS)
    wide = votes.astype(np.int64)
    few = n // 20
    seconds, _ = timed(lambda: MajorityLabelVoter(2).predict_proba(wide[:few]))
    slow = seconds * n / few
    fast = min(timed(lambda: MajorityVote().predict_proba(matrix))[0] for _ in range(3))
    print(f"{n:,} x {m} sparse votes")
    print(f"  MajorityLabelVoter (from {few:,})  {slow:8.2f} s")
    print(f"  MajorityVote                       {fast:8.2f} s   {slow / fast:6.0f} x")

    def snorkel() -> None:
        model = LabelModel(cardinality=2, verbose=False)
        model.fit(wide, seed=0, progress_bar=False)
        model.predict_proba(wide)

    base, _ = timed(snorkel)
    print(f"  Snorkel LabelModel                 {base:8.2f} s")
    for model in (Robust(), DawidSkene(), SnorkelLabelModel()):
        fresh = LabelMatrix.from_votes(votes, LABELS)
        seconds, _ = timed(partial(_fit_and_predict, model, fresh))
        print(f"  {type(model).__name__:35s}{seconds:8.2f} s   {base / seconds:6.1f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[1].parent / "shared/data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TALLY_DATA", beside)))
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--alone", nargs=3, metavar=("SOURCE", "DESTINATION", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        label_alone(Path(options.alone[0]), Path(options.alone[1]), options.alone[2])
        return
    path = options.data / "throughput/titles.parquet"
    if not path.exists():
        sys.exit(f"{path} is not there: skipped. Name the folder with --data or TALLY_DATA.")
    warnings.simplefilter("ignore")
    titles = pl.read_parquet(path)
    with tempfile.TemporaryDirectory() as folder:
        compare_rules(titles, Path(folder), options.rows)
    compare_row_functions(titles)
    compare_label_models()


if __name__ == "__main__":
    main()
