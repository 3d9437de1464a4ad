"""Makes release-0.1.sqlite: a small project as release 0.1 writes it, for the test that every later release opens it.

Run once, with the release checked out: PYTHONPATH=. python tests/data/make_release_0_1.py tests/data/release-0.1.sqlite
"""

import sqlite3
import sys
from pathlib import Path

import polars as pl

from labeling import UNSURE, LabelBudget, MajorityVote, Project, TextClassifier, keyword
from storage import close_engines
from strategies import Entropy


def make(path: Path) -> None:
    """Write the project into a new file."""
    path.unlink(missing_ok=True)
    project = Project.create("posts", ["ok", "offensive"], storage=f"sqlite:///{path}", description="Release 0.1")
    texts = ["you idiot", "good morning", "what an idiot", "see you", "idiots all", "thank you", "good night", "ok"]
    gold = ["offensive", "ok", "offensive", "ok", "offensive", "ok", "ok", "ok"]
    ids = [f"00{number}" for number in range(8)]
    project.add_items(pl.DataFrame({"id": ids, "text": texts, "label": gold, "note": ["n"] * 8}), gold="label")
    project.set_holdout(0.25, seed=1)
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive", expert="person 1")])
    project.weak_label(MajorityVote(threshold=0.5, otherwise="ok"))
    loop = project.pool_loop("first", strategy=Entropy(), classifier=TextClassifier(), batch_size=3, seed=7,
                             stop=[LabelBudget(5)])  # fmt: skip
    answers = dict(project.labels("gold").select("item_id", "label").iter_rows())
    one, two, three = loop.ask("ann")
    loop.tell(one, answers[one.item_id], seconds=1.5)
    loop.tell(two, UNSURE)
    loop.tell(three, "ok")
    loop.undo("ann")
    loop.skip(three)
    close_engines()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA page_size = 1024")
    connection.execute("VACUUM")
    connection.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]).absolute())
