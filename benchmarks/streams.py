"""Streams at a budget of one answer in ten, beside the peers: Elec2 as it is, and with its labels turned at half time.

Accuracy is that of the prediction made before anything is asked, over all records and over the second half. All learn
by a logistic regression on standardised features, refitted on the answers of late; the peers' strategies see the model
refitted after every answer, this project's loop refits at growing gaps, and keeps everything in a database.

    pip install -r requirements-bench.txt
    python benchmarks/streams.py [--records 3000] [--budget 0.1]
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from labeling import Project
from strategies import BalancedIncrementalQuantileFilter, Budget, FixedBudget, LeastConfidence, Split
from strategies import VariableUncertainty as Variable

DATA = Path(__file__).resolve().parents[2] / "shared/data/stream/elec.parquet"
NAMES = ("down", "up")
WINDOW = 500


@dataclass(frozen=True)
class Run:
    """What became of one stream: (n,) right or not, the share asked, seconds, where drift was seen."""

    right: Sequence[bool]
    share: float
    seconds: float
    drifts: Sequence[int] = ()


def tally(budget: Budget, X: pl.DataFrame, y: Sequence[int]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create("elec", labels=NAMES, storage=f"sqlite:///{folder}/work.db")
        stream = project.stream_loop("live", strategy=LeastConfidence(), budget=budget, seed=0)
        right = []
        started = time.perf_counter()
        for record, label in zip(X.iter_rows(named=True), y, strict=True):
            decision = stream.offer(record)
            right.append(decision.predicted == NAMES[label])
            if decision.asked:
                stream.tell(decision.query, NAMES[label], annotator="ann")
        seconds = time.perf_counter() - started
        history = stream.history()
        drifts = history.filter(pl.col("event") == "drift", pl.col("notes").list.first().str.contains("wrong"))
        return Run(right, float(history["share"][-1]), seconds, drifts["offered"].to_list())


def activeml(name: str, X: pl.DataFrame, y: Sequence[int], share: float) -> Run:
    from skactiveml import stream
    from skactiveml.classifier import ParzenWindowClassifier, SklearnClassifier

    frequencies = name == "StreamProbabilisticAL"
    strategy = getattr(stream, name)(budget=share, random_state=0)
    features = StandardScaler().fit_transform(X.to_numpy())
    model = SklearnClassifier(make_pipeline(StandardScaler(), LogisticRegression(C=1.0)), classes=[0, 1])
    if frequencies:
        # It needs counts near a record beside probabilities, which a logistic regression has not.
        model = ParzenWindowClassifier(classes=[0, 1], random_state=0)
    kept: deque[tuple[npt.NDArray[np.float64], int]] = deque(maxlen=WINDOW)
    right, asked, fitted = [], 0, False
    started = time.perf_counter()
    for row, label in enumerate(y):
        record = features[row : row + 1]
        if kept and not fitted:
            model.fit(np.stack([x for x, _ in kept]), [v for _, v in kept])
            fitted = True
        right.append(fitted and int(model.predict(record)[0]) == label)
        if kept:
            past = np.stack([x for x, _ in kept]), np.array([v for _, v in kept])
            seen = {"clf": model, "X": past[0], "y": past[1], "fit_clf": False}
            picked, scores = strategy.query(record, **seen, return_utilities=True)
        else:
            picked, scores = np.array([0]), np.array([1.0])
        if kept:
            known = {"utilities": scores} if frequencies else {}
            strategy.update(record, picked, budget_manager_param_dict=known)
        if len(picked):
            kept.append((features[row], label))
            asked, fitted = asked + 1, False
    return Run(right, asked / len(y), time.perf_counter() - started)


def runs(share: float) -> Iterator[tuple[str, Callable[[pl.DataFrame, Sequence[int]], Run]]]:
    for budget in (Variable(share), Split(share), BalancedIncrementalQuantileFilter(share), FixedBudget(share)):
        yield f"tally {type(budget).__name__}", lambda X, y, budget=budget: tally(budget, X, y)
    for name in ("VariableUncertainty", "Split", "StreamProbabilisticAL"):
        yield f"scikit-activeml {name}", lambda X, y, name=name: activeml(name, X, y, share)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=3000)
    parser.add_argument("--budget", type=float, default=0.1)
    options = parser.parse_args()
    if not DATA.is_file():
        print(f"Left out: {DATA} is not there.")
        return 0
    warnings.simplefilter("ignore")
    frame = pl.read_parquet(DATA).head(options.records)
    X, truth = frame.drop("class"), frame["class"].to_list()
    half = len(truth) // 2
    print(f"{'stream':8} {'':46} {'accuracy':>8} {'2nd half':>8} {'asked':>6} {'ms/record':>9}  drift in errors at")
    for stream, y in (("elec", truth), ("turned", [v if i < half else 1 - v for i, v in enumerate(truth)])):
        for name, run in runs(options.budget):
            made = run(X, y)
            print(
                f"{stream:8} {name:46} {np.mean(made.right):8.3f} {np.mean(made.right[half:]):8.3f} {made.share:6.1%} "
                f"{1000 * made.seconds / len(y):9.2f}  {', '.join(map(str, made.drifts))}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
