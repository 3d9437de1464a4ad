"""One label an item out of rules, a model and people's answers: how often it is right, among the items nobody answered.

Five sets with known labels, five seeds: rules vote, `Robust` combines the votes, a loop by `Auto` asks so many
questions, answered from what is known. Compared are the weak label where a rule voted and else the model; the model
alone; and what `Project.labels()` chooses, each the share that is right, with the expected calibration error of the
chosen labels' confidence in ten bins. Youtube and sms bring their own votes; the other sets get a few keywords a
class. Nothing about the choice between sources was tuned on the last set.

    python benchmarks/resolving.py [--seeds 5] [--answers 300] [--items 3000] [--only youtube]
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from labeling import LabelBudget, LabelingFunction, Project, Robust, TextClassifier, keyword, votes_column
from strategies import Auto

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

TWEETS = {
    "offensive": ["bitch", "hoe", "pussy", "nigga", "trash", "ass", "shit", "fuck", "cunt", "retard", "slut", "ugly"],
    "ok": ["bird", "game", "love", "yankees", "yellow", "charlie", "oreo", "brownies"],
}
EDOS = {
    "sexist": ["women are", "bitch", "whore", "slut", "feminist", "feminists", "cunt", "girls are", "wife", "females"],
    "not sexist": ["game", "money", "police", "trump", "government", "god", "school", "news", "team"],
}
SENTIMENT = {
    "positive": ["love", "happy", "great", "good", "amazing", "thanks", "excited", "best", "awesome", "beautiful"],
    "negative": ["hate", "bad", "worst", "sad", "terrible", "angry", "fuck", "shit", "stupid", "not", "never", "death"],
    "neutral": ["tomorrow", "pm", "game", "vs", "sunday", "friday", "http"],
}


@dataclass(frozen=True)
class Task:
    """Items with a truth, their classes, and rules that vote on them."""

    frame: pl.DataFrame
    labels: Sequence[str]
    rules: Sequence[LabelingFunction]


def voted(name: str) -> Task:
    """A set with votes of its own, which stand in columns."""
    files = sorted((DATA / "weak" / name).glob("*.parquet"))
    known = [pl.col("text"), pl.col("gold").cast(pl.Int64), pl.col("votes").cast(pl.List(pl.Int64))]
    read = pl.concat([pl.read_parquet(file).select(known) for file in files])
    labels = ["ham", "spam"]
    votes = np.array(read["votes"].to_list())
    names = pl.Series([*labels, None])
    columns = {f"vote {j}": names.gather(votes[:, j] % len(names)) for j in range(votes.shape[1])}
    frame = read.select("text", truth=names.gather(read["gold"])).with_columns(**columns)
    return Task(frame, labels, [votes_column(f"rule {j}", f"vote {j}") for j in range(votes.shape[1])])


def worded(path: str, words: dict[str, list[str]], truth: pl.Expr) -> Task:
    """A set of texts, with a rule a keyword."""
    frame = pl.read_parquet(DATA / path).select("text", truth=truth)
    rules = [keyword(f"{label}: {word}", [word], label=label) for label, each in words.items() for word in each]
    return Task(frame, sorted(words), rules)


def tweets() -> Task:
    offensive = pl.when(pl.col("label") == "neither").then(pl.lit("ok")).otherwise(pl.lit("offensive"))
    return worded("moderation/tweets.parquet", TWEETS, offensive)


TASKS: dict[str, Callable[[], Task]] = {
    "youtube": lambda: voted("youtube"),
    "sms": lambda: voted("sms"),
    "tweets": tweets,
    "edos": lambda: worded("moderation/edos.parquet", EDOS, pl.col("label")),
    "sentiment": lambda: worded("moderation/sentiment_5pct_es.parquet", SENTIMENT, pl.col("label")),
}


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Mean distance of stated and true share, over bins of confidence, weighed by their size."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    distances = [abs(confidence[place == b].mean() - right[place == b].mean()) for b in np.unique(place)]
    return float(np.average(distances, weights=[(place == b).mean() for b in np.unique(place)]))


def run(task: Task, seed: int, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Ask, and compare who labels the items that nobody answered."""
    frame = task.frame.unique("text", keep="first", maintain_order=True)
    frame = frame.sample(min(options.items, frame.height), seed=seed, shuffle=True)
    project = Project.create(f"seed {seed}", task.labels, storage=f"sqlite:///{folder / f'{seed}.db'}")
    project.add_items(frame.drop("truth"), progress=False)
    truth = project.items().select("item_id", "text").join(frame.select("text", "truth"), on="text", how="left")
    known = dict(truth.select("item_id", "truth").iter_rows())
    project.add_functions(task.rules)
    project.weak_label(Robust())
    loop = project.pool_loop(
        "loop",
        strategy=Auto(),
        classifier=TextClassifier(),
        batch_size=options.batch,
        seed=seed,
        stop=[LabelBudget(options.answers)],
    )
    while not loop.done:
        for query in loop.ask("oracle"):
            loop.tell(query, known[query.item_id])
        loop.refit()
    started = time.perf_counter()
    labels = project.labels()
    seconds = time.perf_counter() - started
    answered = labels.filter(source="human")["item_id"].implode()

    def right(chosen: pl.DataFrame) -> pl.Series:
        rest = chosen.filter(~pl.col("item_id").is_in(answered)).join(truth, on="item_id")
        return rest["label"] == rest["truth"]

    rest = labels.filter(pl.col("source") != "human")
    chosen = right(rest)
    return {
        "weak, else model": float(right(project.labels(order=["weak", "model"])).mean()),
        "model": float(right(project.labels("model")).mean()),
        "labels()": float(chosen.mean()),
        "calibration error": calibration_error(rest["confidence"].to_numpy(), chosen.to_numpy()),
        "from rules": float((rest["source"] == "weak").mean()),
        "seconds": seconds,
    }


def main() -> None:
    """Print a row a set, the mean over the seeds, and the mean of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--only", choices=list(TASKS), action="append")
    options = parser.parse_args()
    if not DATA.is_dir():
        print("Left out: ../shared/data is not there (it lies beside the checkout where there is one).")
        return
    rows = []
    for name in options.only or TASKS:
        task = TASKS[name]()
        with tempfile.TemporaryDirectory() as folder:
            found = [run(task, seed, options, Path(folder)) for seed in range(options.seeds)]
        rows.append({"set": name} | {key: float(np.mean([each[key] for each in found])) for key in found[0]})
        print(
            "  ".join(f"{key} {value if isinstance(value, str) else f'{value:.4f}'}" for key, value in rows[-1].items())
        )
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0] if key != "set"}
    print("mean  " + "  ".join(f"{key} {value:.4f}" for key, value in means.items()))


if __name__ == "__main__":
    main()
