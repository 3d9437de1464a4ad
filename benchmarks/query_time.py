"""One query of 100 from 100,000 items of 64 features and 10 classes, beside the peers.

Every cell is a process of its own with one thread: the best of three queries (of one, where it takes
longer than five seconds), and the most memory that the queries needed beyond the data (Linux). All start from the same
features and the same fitted logistic regression; predicting the pool is part of the query.

    pip install -r requirements-bench.txt
    python benchmarks/query_time.py [--items 100000] [--only Entropy]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring import forget_peak, in_process, resident
from sklearn.linear_model import LogisticRegression

import strategies
from strategies import Pool

LABELED = 200
OURS = ["Entropy", "LeastConfidence", "Margin", "KCenter", "Badge", "TypiClust", "KMeans"]
PEERS = {
    "scikit-activeml": ["Entropy", "LeastConfidence", "Margin", "KCenter", "Badge", "TypiClust"],
    "small-text": ["Entropy", "KCenter"],
    "modAL": ["Entropy", "LeastConfidence", "Margin"],
}


@dataclass(frozen=True)
class Data:
    """Features, known labels of the first rows, and a model fitted on those."""

    X: np.ndarray
    y: np.ndarray
    model: LogisticRegression
    batch: int

    @classmethod
    def make(cls, items: int, dims: int, classes: int, batch: int) -> "Data":
        """Clusters that overlap, one a class."""
        rng = np.random.default_rng(0)
        centers = rng.normal(size=(classes, dims)) * 0.7
        y = rng.integers(0, classes, size=items + LABELED)
        X = (centers[y] + rng.normal(size=(len(y), dims))).astype(np.float32)
        model = LogisticRegression(max_iter=200).fit(X[:LABELED], y[:LABELED])
        return cls(X, y, model, batch)


def tally(name: str, data: Data) -> Callable[[], int]:
    strategy = getattr(strategies, name)()

    def query() -> int:
        pool = Pool(
            proba=lambda: data.model.predict_proba(data.X[LABELED:]),
            embedding=lambda: data.X[LABELED:],
            labeled_embedding=lambda: data.X[:LABELED],
            labels=data.y[:LABELED],
            key=np.arange(LABELED, len(data.X)),
        )
        return len({pick.index for pick in strategy.select(pool, data.batch, np.random.default_rng(0))})

    return query


def scikit_activeml(name: str, data: Data) -> Callable[[], int]:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge, CoreSet, TypiClust, UncertaintySampling

    methods = {"Entropy": "entropy", "LeastConfidence": "least_confident", "Margin": "margin_sampling"}
    y = data.y.astype(float)
    y[LABELED:] = np.nan
    classifier = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.unique(data.y)).fit(data.X, y)
    if name in methods:
        strategy: Any = UncertaintySampling(method=methods[name], random_state=0)
        return lambda: len(set(strategy.query(data.X, y, classifier, fit_clf=False, batch_size=data.batch).tolist()))
    if name == "Badge":
        badge = Badge(random_state=0)
        return lambda: len(set(badge.query(data.X, y, classifier, fit_clf=False, batch_size=data.batch)))
    diverse = CoreSet(random_state=0) if name == "KCenter" else TypiClust(random_state=0)
    return lambda: len(set(diverse.query(data.X, y, batch_size=data.batch).tolist()))


def small_text(name: str, data: Data) -> Callable[[], int]:
    from small_text import PredictionEntropy
    from small_text.query_strategies.coresets import greedy_coreset

    unlabeled, labeled = np.arange(LABELED, len(data.X)), np.arange(LABELED)
    if name == "KCenter":
        return lambda: len(set(greedy_coreset(data.X, unlabeled, labeled, data.batch).tolist()))

    class Model:
        def predict_proba(self, features: np.ndarray) -> np.ndarray:
            return data.model.predict_proba(features)

    strategy = PredictionEntropy()
    return lambda: len(
        set(strategy.query(Model(), data.X, unlabeled, labeled, data.y[:LABELED], n=data.batch).tolist())
    )


def modal(name: str, data: Data) -> Callable[[], int]:
    from modAL import uncertainty

    ask = {
        "Entropy": uncertainty.entropy_sampling,
        "LeastConfidence": uncertainty.uncertainty_sampling,
        "Margin": uncertainty.margin_sampling,
    }[name]

    class Learner:
        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return data.model.predict_proba(X)

    def query() -> int:
        chosen = ask(Learner(), data.X[LABELED:], n_instances=data.batch)
        return len(set(np.asarray(chosen[0] if isinstance(chosen, tuple) else chosen).tolist()))

    return query


TOOLS = {"Tally": tally, "scikit-activeml": scikit_activeml, "small-text": small_text, "modAL": modal}


def cell(tool: str, name: str, data: Data) -> dict[str, float]:
    query = TOOLS[tool](name, data)
    forget_peak()
    before = resident("VmRSS")
    seconds: list[float] = []
    while len(seconds) < 3 and sum(seconds) < 5:
        start = time.perf_counter()
        distinct = query()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "megabytes": resident("VmHWM") - before, "distinct": distinct}


def run(tool: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """The cell in a process of its own."""
    sizes = {key: getattr(options, key) for key in ("items", "dims", "classes", "batch")}
    return in_process(__file__, {"cell": f"{tool}:{name}"} | sizes, options.limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=64)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--limit", type=int, default=300, help="seconds a cell may take")
    parser.add_argument("--only", help="one strategy")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cell:
        tool, name = options.cell.split(":")
        data = Data.make(options.items, options.dims, options.classes, options.batch)
        print(json.dumps(cell(tool, name, data)))
        return
    print(f"{options.batch} of {options.items:,} x {options.dims}, {options.classes} classes, one thread")
    print(f"{'strategy':<16}{'tool':<17}{'seconds':>9}{'times':>8}{'MB more':>9}{'distinct':>10}")
    for name in OURS:
        if options.only and name != options.only:
            continue
        own: float | None = None
        for tool in ["Tally", *(peer for peer, known in PEERS.items() if name in known)]:
            found = run(tool, name, options)
            if "error" in found:
                print(f"{name:<16}{tool:<17}  {found['error']}")
                continue
            own = found["seconds"] if tool == "Tally" else own
            times = f"{found['seconds'] / own:.1f}" if own else "-"
            print(
                f"{name:<16}{tool:<17}{found['seconds']:>9.3f}{times:>8}{found['megabytes']:>9.0f}"
                f"{found['distinct']:>10.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
