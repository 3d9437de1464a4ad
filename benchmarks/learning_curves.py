"""Learning curves of Auto beside random questions, its own parts and other libraries, on real data with known labels.

Digits: pixels into a logistic regression, 20 random labels to start, batches of 10 up to 200; and Monte Carlo
dropout of a perceptron over the same. Breast cancer (wdbc) as Lu et al. measured it, see there. Texts: TF-IDF into
a logistic regression, 25 random labels to start, 20 batches of 25. 30 % are held out, by seed. All strategies of
a seed start from the same labels; `gain` is the difference of the areas from random, paired by seed; `share` is
the labels needed to reach random's final score and keep it, as a share of what random needs. scikit-activeml asks on
digits, small-text on texts, from the same splits, first labels and classifier.

    pip install -r requirements-bench.txt
    python benchmarks/learning_curves.py [--seeds 5] [--only digits] [--items 6000]
"""

import argparse
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import peers
import polars as pl

from labeling import Classifier, Curves, NetworkClassifier, SklearnClassifier, TableClassifier, TextClassifier, simulate
from strategies import Auto, KCenter, Margin, MCDropout, Random, Strategy, TypiClust

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def strategies() -> dict[str, Strategy]:
    auto = Auto()
    return {
        "auto": auto,
        "auto, later part": auto.later,
        "margin": Margin(),
        "k-center": KCenter(),
        "typiclust": TypiClust(),
        "random": Random(),
    }


def digit_pixels() -> pl.DataFrame:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return pl.DataFrame({"pixels": (bunch.data / 16).tolist(), "label": [str(label) for label in bunch.target]})


def pixels(compared: dict[str, Strategy], classifier: Classifier, options: argparse.Namespace) -> Curves:
    return simulate(
        digit_pixels(),
        gold="label",
        strategies=compared,
        classifier=classifier,
        start=20,
        batch_size=10,
        rounds=18,
        seeds=range(options.seeds),
        progress=options.progress,
    )


def beside(curves: Curves, rows: Iterable[dict[str, Any]]) -> Curves:
    """Return curves with those of other libraries among them."""
    theirs = list(rows)
    names = dict.fromkeys(row["strategy"] for row in theirs)
    return Curves.of([*curves.frame().iter_rows(named=True), *theirs], [*curves.names, *names], curves.baseline)


def digits(options: argparse.Namespace) -> Curves:
    ours = pixels(strategies(), TableClassifier(), options)
    plan = {"start": 20, "batch_size": 10, "rounds": 18, "seeds": options.seeds}
    return beside(ours, peers.runs(digit_pixels(), "label", peers.DENSE, TableClassifier(), **plan))


def digits_dropout(options: argparse.Namespace) -> Curves:
    compared: dict[str, Strategy] = {
        "dropout, entropy": MCDropout("entropy"),
        "dropout, BALD": MCDropout("bald"),
        "random": Random(),
    }
    return pixels(compared, NetworkClassifier(), options)


def wdbc(options: argparse.Namespace) -> Curves:
    """Wisconsin breast cancer by the protocol of Lu et al. (arXiv 2306.08954) and their published code.

    40 % held out, 20 random labels to start, then one at a time until the pool is empty; scaled by mean and deviation;
    SVC(kernel="rbf", gamma="auto", C=1). Their figure is the mean accuracy along the curve; they ran 100 seeds or more.
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.svm import SVC

    bunch = load_breast_cancer(as_frame=True)
    frame = pl.from_pandas(bunch.data).with_columns(label=pl.Series([str(label) for label in bunch.target]))
    pool = frame.height - round(0.4 * frame.height)
    return simulate(
        frame,
        gold="label",
        strategies={"margin": Margin(), "auto": Auto(), "random": Random()},
        classifier=SklearnClassifier(SVC(gamma="auto")),
        start=20,
        batch_size=1,
        rounds=pool - 20,
        seeds=range(options.seeds),
        holdout=0.4,
        progress=options.progress,
    )


def texts(path: str, label: str = "label") -> Callable[[argparse.Namespace], Curves]:
    def run(options: argparse.Namespace) -> Curves:
        frame = pl.read_parquet(DATA / path).select("text", label)
        frame = frame.sample(min(options.items, frame.height), seed=0)
        plan = {"start": 25, "batch_size": 25, "rounds": 20}
        ours = simulate(
            frame,
            gold=label,
            text="text",
            strategies=strategies(),
            classifier=TextClassifier(),
            seeds=range(options.seeds),
            progress=options.progress,
            **plan,
        )
        theirs = peers.runs(frame, label, peers.SPARSE, TextClassifier(), text="text", seeds=options.seeds, **plan)
        return beside(ours, theirs)

    return run


SETS = {
    "digits": digits,
    "digits, network": digits_dropout,
    "wdbc": wdbc,
    "tweets": texts("moderation/tweets.parquet"),
    "edos": texts("moderation/edos.parquet"),
    "snips": texts("intents/snips.parquet"),
    "banking77": texts("intents/banking77_train.parquet", "category"),
    "clinc150": texts("intents/clinc150.parquet"),
}

TABLES = {"digits", "digits, network", "wdbc"}
PUBLISHED = {"wdbc": "uniform .954, uncertainty .965 (area; Lu et al. 2023, RBF-SVM)"}

# With rare classes, saying the commonest one always is as accurate as what a few labels teach.
RARE = {"tweets", "edos"}


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def show(name: str, metric: str, curves: Curves) -> None:
    print(f"{name}, {metric}")
    print(f"  {'strategy':<28}{'area':>6}{'final':>8}{'gain':>8}  {'95 %':<17}{'share':>7}{'s a round':>11}")
    for row in curves.summary(metric).iter_rows(named=True):
        gain = "" if row["gain"] is None else f"{row['gain']:+.3f}"
        share = "never" if row["share_of_baseline"] is None else f"{row['share_of_baseline']:.0%}"
        print(
            f"  {row['strategy']:<28}{row['area']:>6.3f}{row['final']:>8.3f}{gain:>8}  "
            f"{interval(row['gain_low'], row['gain_high']):<17}{share:>7}{row['seconds']:>11.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--items", type=int, default=6000, help="of each set of texts, drawn once")
    parser.add_argument("--only", choices=list(SETS), help="one data set")
    parser.add_argument("--metric", choices=["accuracy", "f1_macro"], help="default: macro F1 where classes are rare")
    parser.add_argument("--progress", action="store_true")
    options = parser.parse_args()
    shares: dict[str, float | None] = {}
    for name, run in SETS.items():
        if options.only and name != options.only:
            continue
        if name not in TABLES and not DATA.is_dir():
            print(f"{name}: left out, {DATA} is not there")
            continue
        curves = run(options)
        metric = options.metric or ("f1_macro" if name in RARE else "accuracy")
        show(name, metric, curves)
        if name in PUBLISHED:
            print(f"  published: {PUBLISHED[name]}")
        summary = curves.summary(metric)
        if name not in TABLES:
            shares[name] = summary.row(by_predicate=pl.col("strategy") == "auto", named=True)["share_of_baseline"]
    reached = [share for share in shares.values() if share is not None]
    if reached:
        print(f"Auto needs {statistics.fmean(reached):.0%} of random's labels for random's final score ", end="")
        print(f"(mean of {len(reached)} of {len(shares)} sets of texts)")


if __name__ == "__main__":
    main()
