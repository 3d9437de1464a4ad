"""Posts to ask about, loops over them, and what tests look at."""

import polars as pl
from sqlalchemy import update

from labeling import LabelBudget, Project
from storage import tables
from strategies import Entropy

LABELS = ["ok", "offensive"]


def posts(n):
    """n posts, every third an insult."""
    return pl.DataFrame(
        {
            "text": [f"you idiot {n}" if n % 3 == 0 else f"good morning {n}" for n in range(n)],
            "label": ["offensive" if n % 3 == 0 else "ok" for n in range(n)],
        }
    )


def project_of(url, n=12):
    project = Project.create("p", LABELS, storage=url)
    project.add_items(posts(n), gold="label")
    return project


def loop_of(project, budget=None, batch_size=3, strategy=None, name="l"):
    stop = [] if budget is None else [LabelBudget(budget)]
    return project.pool_loop(name, strategy=strategy or Entropy(), batch_size=batch_size, seed=7, stop=stop)


def again(project, name="l"):
    """The loop as another process opens it."""
    return Project.open("p", storage=project.ledger.full_url).pool_loop(name)


def ids(queries):
    return [query.item_id for query in queries]


def expire_leases(project):
    """Let half an hour pass, as the database sees it."""
    with project.ledger.unstamped() as connection:
        connection.execute(update(tables.leases).values(expires_at=0.0))


def human(project):
    return dict(project.labels("human").select("item_id", "label").iter_rows())
