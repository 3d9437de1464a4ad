"""Label models against majority vote, on every set of real votes with gold.

Each is fitted on the votes of the training part without gold and scored on the
test part: F1 for sms, spouse and tennis, accuracy elsewhere; where a model
leaves classes tied, the expected score of breaking the tie at random. Five
orders of the items. Then a text classifier trained on the soft labels of youtube
and sms, against majority vote's own labels of the test texts.

    python benchmarks/label_models.py [--data FOLDER]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from labeling.classifiers.text_and_tables import TextClassifier
from labeling.votes.label_models import DawidSkene, LabelModel, MajorityVote, Robust, SnorkelLabelModel
from labeling.votes.matrix import LabelMatrix

ORDERS = 5
MODELS: dict[str, Callable[[], LabelModel]] = {
    "MajorityVote": MajorityVote,
    "Robust": Robust,
    "DawidSkene": DawidSkene,
    "Snorkel": SnorkelLabelModel,
}
RULES = {
    "youtube": ("train", "test", "accuracy"),
    "sms": ("train", "test", "f1"),
    "tubespam": ("train", "test", "accuracy"),
    "spouse": ("train", "test", "f1"),
    "tennis": ("train", "dev", "f1"),
}


@dataclass(frozen=True)
class VoteSet:
    """Votes to fit on, votes to score, and the truth of the latter (-1 unknown)."""

    name: str
    fit: LabelMatrix
    score: LabelMatrix
    gold: NDArray[np.int64]
    metric: str


def rule_sets(folder: Path) -> Iterator[VoteSet]:
    for name, (train, test, metric) in RULES.items():
        if not (folder / "weak" / name).is_dir():
            continue
        parts = [pl.read_parquet(folder / f"weak/{name}/{part}.parquet") for part in (train, test)]
        fit, score = (LabelMatrix.from_votes(np.array(p["votes"].to_list()), ["0", "1"]) for p in parts)
        yield VoteSet(name, fit, score, parts[1]["gold"].to_numpy(), metric)


def crowd_sets(folder: Path) -> Iterator[VoteSet]:
    for path in sorted((folder / "crowd").glob("*_votes.parquet")):
        name = path.name.removesuffix("_votes.parquet")
        votes = pl.read_parquet(path)
        gold = dict(pl.read_parquet(path.with_name(f"{name}_gold.parquet")).iter_rows())
        labels = sorted(set(votes["label"]) | set(gold.values()))
        matrix = LabelMatrix.from_answers(votes["item"], votes["annotator"], votes["label"], labels)
        truth = np.array([labels.index(gold[item]) if item in gold else -1 for item in matrix.item_ids])
        yield VoteSet(name, matrix, matrix, truth, "accuracy")


def expected_score(proba: NDArray[np.float64], gold: NDArray[np.int64], metric: str) -> float:
    """Score in percent, ties broken at random in expectation."""
    proba, gold = proba[gold >= 0], gold[gold >= 0]
    top = proba >= proba.max(axis=1, keepdims=True) - 1e-9
    share = top / top.sum(axis=1, keepdims=True)
    if metric == "accuracy":
        return float(100 * share[np.arange(len(gold)), gold].mean())
    found, missed = share[gold == 1, 1].sum(), (1 - share[gold == 1, 1]).sum()
    wrong = share[gold == 0, 1].sum()
    return float(200 * found / (2 * found + wrong + missed))


def measure(votes: VoteSet, make: Callable[[], LabelModel]) -> tuple[list[float], float, str]:
    """Scores by order of the items, seconds of one fit and prediction, and what the model noted."""
    scores, seconds, notes = [], [], ""
    for order in range(ORDERS):
        rows = np.random.default_rng(order).permutation(len(votes.fit))
        fit = votes.fit.take(rows) if order else votes.fit
        begin = time.perf_counter()
        fitted = make().fit(fit)
        proba = fitted.predict_proba(votes.score)
        seconds.append(time.perf_counter() - begin)
        scores.append(expected_score(proba, votes.gold, votes.metric))
        notes = "; ".join(fitted.notes)
    return scores, min(seconds), notes


def end_models(folder: Path) -> None:
    """Score a classifier that has seen the training texts and their soft labels, on the test texts."""
    print("\nend model on soft labels     votes' own labels   trained on MajorityVote   on Robust")
    for name in ("youtube", "sms"):
        train, test = (pl.read_parquet(folder / f"weak/{name}/{part}.parquet") for part in ("train", "test"))
        fit, score = (LabelMatrix.from_votes(np.array(p["votes"].to_list()), ["0", "1"]) for p in (train, test))
        gold, metric = test["gold"].to_numpy(), RULES[name][2]
        texts = pl.concat([train.select("text"), test.select("text")])
        scores = [expected_score(MajorityVote().predict_proba(score), gold, metric)]
        for model in (MajorityVote(), Robust()):
            weak = model.fit(fit).label(fit)
            seen = weak.weight > 0
            classifier = TextClassifier()
            X = classifier.featurize(texts, text="text", learn_from=np.append(seen, np.zeros(len(test), dtype=bool)))
            trained = classifier.fit(X[: len(train)][seen], weak.proba[seen], weak.weight[seen])
            scores.append(expected_score(np.asarray(trained.predict_proba(X[len(train) :])), gold, metric))
        print(f"{name:10s} {metric:>8s} {scores[0]:25.2f} {scores[1]:25.2f} {scores[2]:11.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[1].parent / "shared/data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TALLY_DATA", beside)))
    folder = parser.parse_args().data
    sets = [*rule_sets(folder), *crowd_sets(folder)]
    if not sets:
        sys.exit(f"No votes under {folder}: skipped. Name the folder with --data or TALLY_DATA.")
    print(f"{'set':10s} {'items':>7s} {'sources':>7s} {'metric':>8s} {'MV':>7s}", end="")
    print("".join(f"{name:>14s}" for name in MODELS if name != "MajorityVote"), "  (difference to MV; worst order)")
    differences: dict[str, list[float]] = {name: [] for name in MODELS}
    seconds: dict[str, float] = dict.fromkeys(MODELS, 0.0)
    for votes in sets:
        results = {name: measure(votes, make) for name, make in MODELS.items()}
        base = results["MajorityVote"][0]
        cells = []
        for name, (scores, spent, notes) in results.items():
            gaps = [score - majority for score, majority in zip(scores, base, strict=True)]
            differences[name].append(min(gaps))
            seconds[name] += spent
            if name != "MajorityVote":
                cells.append(f"{gaps[0]:+7.2f} {min(gaps):+6.2f}{'*' if notes else ''}")
        sources = len(votes.fit.sources)
        print(
            f"{votes.name:10s} {len(votes.fit):7d} {sources:7d} {votes.metric:>8s} {base[0]:7.2f}", *cells, flush=True
        )
    print()
    for name, gaps in differences.items():
        print(f"{name:13s} mean {np.mean(gaps):+.2f}  worst {min(gaps):+.2f}  {seconds[name]:.2f} s for all sets")
    print("* the model returned to majority vote")
    if (folder / "weak/youtube").is_dir() and (folder / "weak/sms").is_dir():
        end_models(folder)


if __name__ == "__main__":
    main()
