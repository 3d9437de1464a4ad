"""One more question while a batch is open."""

import polars as pl
import pytest

from labeling import LabelBudget, Project, QueueEmpty
from strategies import KCenter


@pytest.fixture
def project(storage_url):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": [f"word{n} and word{n % 7}" for n in range(30)]}))
    return project


def test_one_more_is_opened_beside_a_batch_and_stays_open_with_it(project):
    loop = project.pool_loop("l", strategy=KCenter(), batch_size=4)
    batch = loop.ask("ann")
    (extra,) = loop.ask("ann", more=True)
    two = loop.ask("ann", 2, more=True)
    items = [query.item_id for query in [*batch, extra, *two]]
    assert len(set(items)) == 7
    assert [query.item_id for query in loop.ask("ann")] == items


def test_more_never_goes_beyond_the_budget(project):
    loop = project.pool_loop("l", strategy=KCenter(), batch_size=4, stop=[LabelBudget(5)])
    loop.ask("ann")
    assert len(loop.ask("ann", 3, more=True)) == 1
    with pytest.raises(QueueEmpty):
        loop.ask("ann", more=True)
