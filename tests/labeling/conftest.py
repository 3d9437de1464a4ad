"""What tests of the engine share: a project's store without a project around it, and a cluster."""

import polars as pl
import pytest

from labeling.formats.mapping import Mapping
from labeling.formats.reading.tables import read_source
from labeling.store.imports.importing import import_table
from labeling.store.label_set import LabelSet
from labeling.store.project_store import ProjectStore
from storage import Ledger


@pytest.fixture
def store(storage_url):
    """Twelve posts, every third an insult and known as one, and two classes; over SQLite and over PostgreSQL."""
    labels = LabelSet.of(["ok", "offensive"])
    store = ProjectStore(Ledger.create(storage_url, "p", "", labels.dump()))
    texts = [f"you idiot {n}" if n % 3 == 0 else f"good morning {n}" for n in range(12)]
    gold = ["offensive" if n % 3 == 0 else "ok" for n in range(12)]
    table = read_source(pl.DataFrame({"text": texts, "label": gold}))
    import_table(store.ledger, labels, table, Mapping(text="text", gold="label"))
    return store


@pytest.fixture(scope="module")
def dask_executor():
    """The executor of a Dask cluster of two processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        yield client.get_executor()
