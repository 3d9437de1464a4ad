"""The whole thread on 24,783 real tweets: import, 42 rules, a vote of the experts, ten rounds of questions, an export.

Reads ../shared, and says so where it is not there. An oracle answers from the gold labels.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from labeling import LabelBudget, LabelingFunction, MajorityVote, Project, TextClassifier
from strategies import Entropy

SHARED = Path(__file__).resolve().parents[2] / "shared"
TWEETS = SHARED / "data/moderation/tweets.parquet"
RULES = SHARED / "acceptance/test_weak_supervision.py"


def rules() -> list[LabelingFunction]:
    """Return the 42 functions of 20 experts that the acceptance test uses."""
    spec = importlib.util.spec_from_file_location("acceptance_rules", RULES)
    if spec is None or spec.loader is None:
        raise ImportError(f"{RULES} cannot be read as a Python module.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[LabelingFunction] = module.experts()
    return found


class Clock:
    """Seconds and peak memory after each step."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, int]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        start = time.perf_counter()
        yield
        self.rows.append((name, time.perf_counter() - start, peak_megabytes()))

    def show(self) -> None:
        """Print the steps as a table, and their sum."""
        total = ("together", sum(seconds for _, seconds, _ in self.rows), peak_megabytes())
        print(f"{'step':<44}{'seconds':>9}{'peak MB':>9}")
        for name, seconds, megabytes in [*self.rows, total]:
            print(f"{name:<44}{seconds:>9.2f}{megabytes:>9,}")


def peak_megabytes() -> int:
    """Largest memory of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (2**20 if sys.platform == "darwin" else 2**10))


def run(folder: Path) -> None:
    """Go from the file to the export, and print what each step took."""
    clock = Clock()
    storage = f"sqlite:///{folder / 'work.db'}"
    gold = pl.when(pl.col("label") == "neither").then(pl.lit("ok")).otherwise(pl.lit("offensive"))
    file = folder / "tweets.parquet"
    pl.read_parquet(TWEETS).select("text", gold.alias("label")).write_parquet(file)
    with clock.step("create the database"):
        project = Project.create("moderation", labels=["ok", "offensive"], storage=storage)
    with clock.step("import 24,783 rows of Parquet"):
        report = project.add_items(file, gold="label", progress=False)
    project.set_holdout(fraction=0.3, seed=1)
    with clock.step("add 42 functions"):
        project.add_functions(rules())
    with clock.step("label matrix and its summary"):
        project.label_matrix().summary()
    with clock.step("majority vote of the experts, kept as a run"):
        weak = project.weak_label(MajorityVote(by="expert", threshold=0.05, otherwise="ok"))
    truth = dict(project.labels(source="gold").select("item_id", "label").iter_rows())
    with clock.step("10 rounds of 50 questions, with refits"):
        loop = project.pool_loop(
            "first", strategy=Entropy(), classifier=TextClassifier(), batch_size=50, seed=7, stop=[LabelBudget(500)]
        )
        while not loop.done:
            for query in loop.ask(annotator="oracle"):
                loop.tell(query, truth[query.item_id])
            loop.refit()
    with clock.step("export to Parquet"):
        exported = project.export(folder / "labels.parquet")
    clock.show()
    voted = weak.frame()
    right = sum(truth[item] == label for item, label in voted.select("item_id", "label").iter_rows()) / voted.height
    history = loop.history()
    print(f"\nitems {report.added:,}, duplicates {report.duplicates:,}, exported {exported.rows:,}")
    print(f"majority vote right for {right:.3f}")
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(history.select("round", "labels", "accuracy", "f1_macro", "seconds"))


def main() -> None:
    """Run in a temporary folder."""
    for path in (TWEETS, RULES):
        if not path.is_file():
            print(f"Left out: {path.name} is not there (../shared lies beside the checkout where there is one).")
            return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))


if __name__ == "__main__":
    main()
