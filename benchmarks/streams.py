"""Streams at a budget of one answer in ten, beside the peers: Elec2 as it is, and with its labels turned at half time.

Accuracy is that of the prediction made before anything is asked, over all records and over the second half: mean and
standard deviation over several stretches of the stream. Settings of both sides were chosen on other stretches (from
5,000, 15,000 and 25,000 on). scikit-activeml's strategies see a model that is fitted again after every answer, on the
newest answers; river's sampler has a discount factor for each stretch at which it asks about one record in ten. Models:

- lr: logistic regression on standardised features, C = 10, balanced classes, the same on both sides
- blend: that model with several memories, as this project's loop has it, in scikit-activeml's place for a classifier

Then, in the same run: memory, offer_many beside offer, and what each drift detector says.

    pip install -r requirements-bench.txt
    python benchmarks/streams.py [--records 3000] [--offsets 10000,30000] [--budget 0.1] [--more] [--alone]
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin

from labeling import ADWIN, DDM, KSWIN, ChiSquare, ErrorRise, KolmogorovSmirnov, PageHinkley, Project
from labeling.classifiers.linear import fit_linear
from labeling.loops.drift.detectors import DriftDetector, Trail
from labeling.loops.drift.features import feature_change
from labeling.loops.stream.learning import HALF_LIVES, REACH, judged, says
from strategies import BalancedIncrementalQuantileFilter, Budget, FixedBudget, LeastConfidence, Split
from strategies import VariableUncertainty as Variable

DATA = Path(__file__).resolve().parents[2] / "shared/data/stream/elec.parquet"
NAMES = ("down", "up")
WINDOWS = (25, 500)
FIRST = 20
"""River's models are told the first labels, whatever its sampler says."""

# Commits wait for a disk: what is compared here is not the disk.
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


@dataclass(frozen=True)
class Run:
    """What became of one stream: (n,) right or not, the share asked, seconds, where drift was seen."""

    right: Sequence[bool]
    share: float
    seconds: float
    drifts: Sequence[int] = ()


Runner = Callable[[pl.DataFrame, Sequence[int]], Run]


def tally(budget: Budget, X: pl.DataFrame, y: Sequence[int], **settings: Any) -> Run:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        project = Project.create("elec", labels=NAMES, storage=f"sqlite:///{folder}/work.db")
        stream = project.stream_loop("live", strategy=LeastConfidence(), budget=budget, seed=0, **settings)
        right = []
        started = time.perf_counter()
        for record, label in zip(X.iter_rows(named=True), y, strict=True):
            decision = stream.offer(record)
            right.append(decision.predicted == NAMES[label])
            if decision.asked:
                stream.tell(decision.query, NAMES[label], annotator="ann")
        seconds = time.perf_counter() - started
        history = stream.history()
        drifts = history.filter(pl.col("event") == "drift")["offered"].to_list()
        return Run(right, float(history["share"][-1]), seconds, drifts=drifts)


class Kept:
    """What survives that scikit-activeml clones a classifier before it fits it."""

    def __init__(self) -> None:
        self.losses: tuple[float, ...] = ()
        self.models: tuple[Any, ...] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Kept":
        return self


class Blend(ClassifierMixin, BaseEstimator):
    """The blend of memories of this project's loop, for scikit-learn; each fit brings one answer more."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def fit(self, X: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> "Blend":
        """Judge the models by the newest answer, then train them."""
        self.classes_, kept, lives = np.arange(2), self.kept, HALF_LIVES
        if kept.models:
            kept.losses = judged(kept.losses, np.array([m.predict_proba(X[-1:])[0, int(y[-1])] for m in kept.models]))
        targets, age = np.eye(2)[y.astype(int)], np.arange(len(y))[::-1]
        near = [age < REACH * life for life in lives]
        parts = [(X[rows], targets[rows], 0.5 ** (age[rows] / life)) for rows, life in zip(near, lives, strict=True)]
        parts.append((X, targets, np.ones(len(y))))
        kept.models = tuple(fit_linear(*part, C=10.0, class_weight="balanced") for part in parts)
        kept.losses = kept.losses or (0.0,) * len(kept.models)
        return self

    def predict_proba(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(n, 2) probabilities."""
        apart = np.stack([model.predict_proba(X) for model in self.kept.models])
        return np.tensordot(says(self.kept.losses), apart, axes=1)

    def predict(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """(n,) classes."""
        return self.predict_proba(X).argmax(axis=1)


def activeml(name: str, model: str, window: int, share: float, X: pl.DataFrame, y: Sequence[int]) -> Run:
    from skactiveml import stream
    from skactiveml.classifier import ParzenWindowClassifier, SklearnClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    strategy = getattr(stream, name)(budget=share, random_state=0)
    features = StandardScaler().fit_transform(X.to_numpy())
    frequencies = model == "parzen"
    # StreamProbabilisticAL needs counts near a record beside probabilities, which a logistic regression has not.
    clf: Any = ParzenWindowClassifier(classes=[0, 1], random_state=0)
    if model == "lr":
        clf = SklearnClassifier(LogisticRegression(C=10.0, class_weight="balanced"), classes=[0, 1])
    if model == "blend":
        clf = SklearnClassifier(Blend(Kept()), classes=[0, 1])
    kept: deque[tuple[npt.NDArray[np.float64], int]] = deque(maxlen=window)
    right, asked, fitted = [], 0, False
    started = time.perf_counter()
    for row, label in enumerate(y):
        record = features[row : row + 1]
        if kept and not fitted:
            clf.fit(np.stack([x for x, _ in kept]), [v for _, v in kept])
            fitted = True
        right.append(fitted and int(clf.predict(record)[0]) == label)
        if kept:
            seen = {"clf": clf, "X": np.stack([x for x, _ in kept]), "y": np.array([v for _, v in kept])}
            picked, scores = strategy.query(record, **seen, fit_clf=False, return_utilities=True)
            known = {"utilities": scores} if frequencies else {}
            strategy.update(record, picked, budget_manager_param_dict=known)
        if not kept or len(picked):
            kept.append((features[row], label))
            asked, fitted = asked + 1, False
    return Run(right, asked / len(y), time.perf_counter() - started)


def river(model: str, share: float, X: pl.DataFrame, y: Sequence[int]) -> Run:
    """Ask by river's EntropySampler, with the discount factor at which it asks about the share."""
    low, high, best = 0.0, 64.0, None
    for _ in range(6):
        factor = (low + high) / 2
        made = _river(model, factor, X, y)
        best = made if best is None or abs(made.share - share) < abs(best.share - share) else best
        low, high = (factor, high) if made.share > share else (low, factor)
    assert best is not None
    return best


def _river(model: str, factor: float, X: pl.DataFrame, y: Sequence[int]) -> Run:
    from river import active, forest, linear_model, optim, preprocessing, tree

    made: Any = {
        "lr": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.1)),
        "tree": lambda: tree.HoeffdingAdaptiveTreeClassifier(grace_period=20, seed=0),
        "forest": lambda: forest.ARFClassifier(n_models=5, seed=0),
    }[model]()
    sampler = active.EntropySampler(made, discount_factor=factor, seed=0)
    right, asked = [], 0
    started = time.perf_counter()
    for row, (record, label) in enumerate(zip(X.iter_rows(named=True), y, strict=True)):
        try:
            said, ask = sampler.predict_one(record)
        except ZeroDivisionError:  # its entropy, where one class alone has a probability
            said, ask = made.predict_one(record), False
        # Its trees predict nothing at first, and the sampler then asks for nothing, ever.
        ask = ask or row < FIRST
        right.append(said == bool(label))
        if ask:
            sampler.learn_one(record, bool(label))
            asked += 1
    return Run(right, asked / len(y), time.perf_counter() - started)


def runners(share: float, more: bool, alone: bool) -> Iterator[tuple[str, Runner]]:
    budgets: tuple[Budget, ...] = (Variable(share), Split(share))
    if more:
        budgets += BalancedIncrementalQuantileFilter(share), FixedBudget(share)
    for budget in budgets:
        yield f"tally {type(budget).__name__}", lambda X, y, budget=budget: tally(budget, X, y)
    if alone:
        return
    for name in ("VariableUncertainty", "Split"):
        for model, window in [("lr", window) for window in WINDOWS] + [("blend", 5000)]:
            shown = f"scikit-activeml {name}, {model}" + (f", newest {window}" if model == "lr" else "")
            yield shown, lambda X, y, n=name, m=model, w=window: activeml(n, m, w, share, X, y)
    for window in WINDOWS:
        shown = f"scikit-activeml StreamProbabilisticAL, parzen, newest {window}"
        yield shown, lambda X, y, w=window: activeml("StreamProbabilisticAL", "parzen", w, share, X, y)
    for model in ("lr", "tree", "forest"):
        yield f"river EntropySampler, {model}", lambda X, y, m=model: river(m, share, X, y)


def stretches(frame: pl.DataFrame, offsets: Sequence[int], records: int, turned: bool) -> Iterator[tuple[Any, Any]]:
    for offset in offsets:
        part = frame[offset : offset + records]
        truth, half = part["class"].to_list(), records // 2
        yield part.drop("class"), [1 - v if turned and i >= half else v for i, v in enumerate(truth)]


def compare(frame: pl.DataFrame, offsets: Sequence[int], records: int, share: float, more: bool, alone: bool) -> None:
    half = records // 2
    print(f"{'':58} {'accuracy':>13} {'2nd half':>13} {'asked':>12} {'ms/record':>9}  drift at")
    for turned in (False, True):
        print(f"\n{'labels turned at ' + format(half, ',') if turned else 'elec as it is'}")
        for name, run in runners(share, more, alone):
            made = [run(X, y) for X, y in stretches(frame, offsets, records, turned)]
            whole = [np.mean(one.right) for one in made]
            second = [np.mean(one.right[half:]) for one in made]
            asked = [one.share for one in made]
            milliseconds = 1000 * sum(one.seconds for one in made) / records / len(made)
            drifts = "; ".join(", ".join(map(str, one.drifts)) or "-" for one in made) if "tally" in name else ""
            print(
                f"{name:58} {np.mean(whole):6.3f} ± {np.std(whole):.3f}"
                f" {np.mean(second):6.3f} ± {np.std(second):.3f}"
                f" {min(asked):5.1%}-{max(asked):5.1%} {milliseconds:9.2f}  {drifts}",
                flush=True,
            )


def detectors(frame: pl.DataFrame, offsets: Sequence[int], records: int, share: float) -> None:
    """Print where each detector first sees drift in the same errors and the same records."""
    on_errors = [ErrorRise(), ADWIN(), PageHinkley(), DDM(), KSWIN(), ChiSquare(on="error", window=50)]
    on_records = [KolmogorovSmirnov(on="features"), ADWIN(on="features")]
    print(f"\nFirst alarm before | after the labels turn at {records // 2:,}, for each stretch; - is none")
    streams = [_errors(X, y, share) for X, y in stretches(frame, offsets, records, turned=True)]
    for detector in on_errors:
        seen = [f"{_alarm(detector, errors, records // 2)} | {_alarm(detector, errors)}" for errors in streams]
        print(f"{type(detector).__name__ + ' on errors':30} {'; '.join(seen)}", flush=True)
    print("First alarm in the records themselves, which are as they were")
    for detector in on_records:
        seen = []
        for X, _ in stretches(frame, offsets, records, turned=False):
            trail, found = Trail(memory=detector.memory), "-"
            for start in range(0, records, 50):
                trail = trail.after(X[start : start + 50].to_dicts())
                if found == "-" and (change := feature_change(detector, trail)) is not None:
                    found = f"{start + 50} ({change.column})"
            seen.append(found)
        print(f"{type(detector).__name__ + ' on features':30} {'; '.join(seen)}", flush=True)


def _errors(X: pl.DataFrame, y: Sequence[int], share: float) -> list[tuple[int, float]]:
    """(position, wrong) of the model with the longest memory on what was asked, nothing looking for drift."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        project = Project.create("elec", labels=NAMES, storage=f"sqlite:///{folder}/work.db")
        stream = project.stream_loop("live", strategy=LeastConfidence(), budget=Variable(share), drift=[])
        for record, label in zip(X.iter_rows(named=True), y, strict=True):
            decision = stream.offer(record)
            if decision.asked:
                stream.tell(decision.query, NAMES[label], annotator="ann")
        with project.ledger.read() as connection:
            events = project.ledger.streams.events(connection, project.ledger.loops.get("live").id)
        return [(event.position, float(wrong)) for event in events for _, wrong in event.details["judged"]]


def _alarm(detector: DriftDetector, errors: Sequence[tuple[int, float]], stop: int | None = None) -> str:
    known = [(position, wrong) for position, wrong in errors if stop is None or position < stop]
    for n in range(1, len(known) + 1):
        values = [wrong for _, wrong in known[:n]]
        if detector.look(values[:200], values[-detector.memory :]) is not None:
            return str(known[n - 1][0])
    return "-"


def batches(frame: pl.DataFrame, records: int) -> None:
    """Print what a record costs one by one and in batches, and what a longer stream holds in memory."""
    X = frame.drop("class")
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create("elec", labels=NAMES, storage=f"sqlite:///{folder}/work.db")
        stream = project.stream_loop("live", strategy=LeastConfidence(), budget=Variable(0.1), seed=0)
        for record, label in zip(X[:300].iter_rows(named=True), frame["class"][:300], strict=True):
            decision = stream.offer(record)
            if decision.asked:
                stream.tell(decision.query, NAMES[label], annotator="ann")
        started = time.perf_counter()
        for record in X[300:600].iter_rows(named=True):
            stream.offer(record)
        alone = (time.perf_counter() - started) / 300
        started = time.perf_counter()
        stream.offer_many(X[600 : 600 + records])
        together = (time.perf_counter() - started) / min(records, X.height - 600)
        ratio = alone / together
        print(f"offer {1000 * alone:.2f} ms a record, offer_many {1000 * together:.3f}: {ratio:.0f} times faster")
        tracemalloc.start()
        for start in (0, 10_000):
            stream.offer_many(X[start : start + 10_000])
            print(f"peak after {start + 10_000:,} records more: {tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB")
            tracemalloc.reset_peak()
        tracemalloc.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=3000)
    parser.add_argument("--offsets", default="10000,30000")
    parser.add_argument("--budget", type=float, default=0.1)
    parser.add_argument("--more", action="store_true", help="the other budgets of this project too")
    parser.add_argument("--alone", action="store_true", help="leave the peers out")
    options = parser.parse_args()
    if not DATA.is_file():
        print(f"Left out: {DATA} is not there.")
        return 0
    warnings.simplefilter("ignore")
    frame = pl.read_parquet(DATA)
    offsets = [int(offset) for offset in options.offsets.split(",")]
    batches(frame, 20_000)
    compare(frame, offsets, options.records, options.budget, options.more, options.alone)
    detectors(frame, offsets, options.records, options.budget)
    return 0


if __name__ == "__main__":
    sys.exit(main())
