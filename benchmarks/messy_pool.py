"""Items that do not belong: what share of the questions goes to them, with OutlierGuard and without.

An English pool with 5 % Spanish posts, and questions to an assistant of which 11 % are out of its scope. TF-IDF into a
logistic regression, 25 labels to start, batches of 25; what does not belong is discarded when it is asked, which costs
the question. Accuracy on the 30 % held out that belong. No peer of this project holds anything back: what they ask is
the line without a guard.

    python benchmarks/messy_pool.py [--seeds 5] [--rounds 15] [--only spanish] [--share 0.25]
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling import TextClassifier
from labeling.classifiers.features.text import reduce
from labeling.loops.rounds.learning import Learning
from strategies import Auto, Entropy, LeastConfidence, Margin, OutlierGuard, Strategy

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
START, BATCH = 25, 25


@dataclass(frozen=True)
class Messy:
    """Texts, (n,) classes, and (n,) whether each belongs."""

    frame: pl.DataFrame
    label: npt.NDArray[np.int64]
    belongs: npt.NDArray[np.bool_]


def spanish() -> Messy:
    frame = pl.read_parquet(DATA / "moderation/sentiment_5pct_es.parquet")
    return Messy(frame.select("text"), codes(frame["label"]), (frame["lang"] != "spanish").to_numpy())


def out_of_scope() -> Messy:
    frame = pl.read_parquet(DATA / "intents/clinc150.parquet").with_columns(strange=pl.col("label").str.contains("oos"))
    parts = [
        frame.filter(~pl.col("strange")).sample(5000, seed=0),
        frame.filter(pl.col("strange")).sample(600, seed=0),
    ]
    frame = pl.concat(parts)
    return Messy(frame.select("text"), codes(frame["label"]), ~frame["strange"].to_numpy())


def codes(column: pl.Series) -> npt.NDArray[np.int64]:
    return column.cast(pl.String).rank("dense").to_numpy().astype(np.int64) - 1


SETS: dict[str, Callable[[], Messy]] = {"spanish": spanish, "out of scope": out_of_scope}


def run(data: Messy, strategy: Strategy, rounds: int, seed: int) -> tuple[float, float]:
    """Share of the questions that went to what does not belong, and the accuracy at the end."""
    n, k = len(data.label), int(data.label.max()) + 1
    order = np.random.default_rng([seed, 2]).permutation(n)
    held = np.zeros(n, dtype=bool)
    held[order[: round(0.3 * n)]] = True
    classifier = TextClassifier()
    X = classifier.featurize(data.frame, text="text", learn_from=~held)
    E = reduce(X, learn_from=~held, seed=seed)
    human, left = np.zeros((n, k)), ~held
    first = [row for row in order[held.sum() :] if data.belongs[row]][:START]
    human[first, data.label[first]] = 1.0
    left[first] = False
    asked = strange = 0

    def learning(round_: int) -> Learning:
        return Learning(
            classifier=classifier,
            ids=np.arange(n),
            human=human.copy(),
            held=held,
            features=lambda: X,
            embedding=lambda: E,
            seed=seed,
            round=round_,
        )

    for round_ in range(rounds):
        candidates = np.flatnonzero(left)
        pool = learning(round_).pool(candidates)
        picks = strategy.select(pool, BATCH, np.random.default_rng([seed, round_]))
        rows = candidates[[pick.index for pick in picks]]
        left[rows] = False
        asked, strange = asked + len(rows), strange + int((~data.belongs[rows]).sum())
        rows = rows[data.belongs[rows]]
        human[rows, data.label[rows]] = 1.0
    judged = np.flatnonzero(held & data.belongs)
    said = learning(rounds).proba[judged].argmax(axis=1)
    return strange / asked, float((said == data.label[judged]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", choices=list(SETS))
    parser.add_argument("--share", type=float, default=OutlierGuard(Margin()).share, help="of the pool held back")
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"Left out: {DATA} is not there.")
        return
    for name, load in SETS.items():
        if options.only and name != options.only:
            continue
        data = load()
        print(f"{name}: {len(data.label):,} items, {1 - data.belongs.mean():.1%} do not belong")
        print(f"  {'strategy':<18}{'asked in vain':>14}{'guarded':>9}{'ratio':>7}{'accuracy':>10}{'guarded':>9}")
        for strategy in (LeastConfidence(), Entropy(), Margin(), Auto()):
            plain = np.array([run(data, strategy, options.rounds, seed) for seed in range(options.seeds)])
            guard = OutlierGuard(strategy, share=options.share)
            kept = np.array([run(data, guard, options.rounds, seed) for seed in range(options.seeds)])
            print(
                f"  {strategy.name:<18}{plain[:, 0].mean():>14.1%}{kept[:, 0].mean():>9.1%}"
                f"{kept[:, 0].mean() / plain[:, 0].mean():>7.2f}{plain[:, 1].mean():>10.3f}{kept[:, 1].mean():>9.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
