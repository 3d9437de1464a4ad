"""Makes before-rooms.sqlite: loops as they stood before the engine was given rooms, and what they asked next.

Run once, with commit e29f924 checked out: PYTHONPATH=. python make_before_rooms.py tests/data/before-rooms.sqlite
Beside the database it writes what was asked next, which every later version must ask, too.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import polars as pl
from sklearn.linear_model import SGDClassifier

from labeling import (
    UNSURE,
    LabelBudget,
    MajorityVote,
    Online,
    Project,
    SklearnClassifier,
    TextClassifier,
    keyword,
    regex,
)
from storage import close_engines
from strategies import Entropy, KCenter, LeastConfidence, OutlierGuard, Region, VariableUncertainty


def make(path: Path) -> None:
    """Write the project into a new file, and what its loops ask next beside it."""
    path.unlink(missing_ok=True)
    project = Project.create("posts", ["ok", "offensive"], storage=f"sqlite:///{path}", description="Before the rooms")
    texts = [
        f"{'you idiot' if n % 3 == 0 else 'good morning'}, {'post' if n % 2 else 'word'} number {n} of {n * 7 % 13}"
        for n in range(60)
    ]
    gold = ["offensive" if n % 3 == 0 else "ok" for n in range(60)]
    project.add_items(pl.DataFrame({"id": [f"{n:03d}" for n in range(60)], "text": texts, "label": gold}), gold="label")
    project.set_holdout(0.25, seed=1)
    project.add_functions(
        [keyword("insult", ["idiot"], "offensive", expert="one"), regex("polite", "good (morning|night)", "ok")]
    )
    project.weak_label(MajorityVote(threshold=0.5, otherwise="ok"))
    project.save_filter("words", keyword("words", ["word"], "any"))
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    for name, strategy in (
        ("plain", Entropy()),
        ("mixed", OutlierGuard(0.5 * Entropy() + 0.5 * KCenter())),
        ("region", Region("words", strategy=LeastConfidence())),
    ):
        loop = project.pool_loop(
            name, strategy=strategy, classifier=TextClassifier(), batch_size=4, seed=7, stop=[LabelBudget(30)]
        )
        first, second, *rest = loop.ask("ann")
        loop.tell(first, UNSURE)
        loop.skip(second)
        for query in rest:
            loop.tell(query, truth[query.item_id], seconds=2.0)
        loop.undo("ann")
    online = {"learning": Online(), "classifier": SklearnClassifier(SGDClassifier(loss="log_loss", random_state=0))}
    for name, learning in (("stream", {}), ("online", online)):
        stream = project.stream_loop(
            name, strategy=LeastConfidence(), budget=VariableUncertainty(0.5), seed=3, **learning
        )
        for n in range(30):
            decision = stream.offer({"text": texts[n][::-1], "id": f"{name}{n}"}, key=n)
            if decision.query is not None:
                stream.tell(decision.query, gold[n], annotator="ann")
    close_engines()
    with sqlite3.connect(path) as connection:
        # Who was asked holds an item for half an hour: what is asked next must not hang on when the test runs.
        connection.execute("DELETE FROM leases")
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA page_size = 1024")
    connection.execute("VACUUM")
    connection.close()
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(path, Path(folder) / "work.db")
        path.with_suffix(".json").write_text(json.dumps(resumed(f"sqlite:///{copy}")) + "\n")
        close_engines()


def resumed(storage: str) -> dict[str, object]:
    """Open every loop of the project, and return what each asks or decides next."""
    project = Project.open("posts", storage)
    said: dict[str, object] = {}
    for name in ("plain", "mixed", "region"):
        loop = project.pool_loop(name)
        again = [(query.item_id, round(query.score, 9)) for query in loop.ask("ann")]
        refit = loop.refit()
        new = [(query.item_id, query.round, round(query.score, 9)) for query in loop.ask("bob")]
        said[name] = [again, refit.round, new]
    for name in ("stream", "online"):
        stream = project.stream_loop(name)
        made = stream.offer_many([{"text": f"good morning, you idiot {n}", "id": f"new{n}"} for n in range(8)])
        said[name] = [(each.asked, each.predicted, round(each.confidence or 0, 9), each.round) for each in made]
    labels = project.labels().select("item_id", "label", "source").sort("item_id")
    return {**said, "labels": [list(row) for row in labels.iter_rows()]}


if __name__ == "__main__":
    make(Path(sys.argv[1]).absolute())
