import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

from labeling import NetworkClassifier, PictureClassifier, Project
from labeling.classifiers.networks.perceptron import NetworkModel
from strategies import Margin
from tests.labeling.classifiers.features.test_pictures import bars


def rows(n=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "label": np.where(x[:, 0] > 0, "high", "low")})


def loop_of(url, classifier, frame=None):
    project = Project.create("p", ["low", "high"] if frame is None else ["flat", "upright"], storage=url)
    project.add_items(rows() if frame is None else frame, gold="label", image=None if frame is None else "picture")
    return project, project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=10, seed=1)


def round_(project, loop):
    gold = dict(project.labels("gold").select("item_id", "label").iter_rows())
    for query in loop.ask("ann"):
        loop.tell(query, gold[query.item_id])
    loop.refit()
    refit = project.ledger.loops.last_refit(project.ledger.loops.get("l").id)
    return project.ledger.loops.model(refit.id)


@pytest.fixture
def given(monkeypatch):
    """The models that the fits of rounds started from; fits of folds, which always start cold, are left out."""
    monkeypatch.setattr("labeling.loops.refits.cross_fitting._turn", lambda learning: range(0))
    seen = []
    fit = NetworkClassifier.fit

    def watched(self, *args, start=None, **settings):
        seen.append(start)
        return fit(self, *args, start=start, **settings)

    monkeypatch.setattr(NetworkClassifier, "fit", watched)
    return seen


def test_a_round_starts_from_the_model_of_the_round_before_in_any_process(sqlite_url, given):
    project, loop = loop_of(sqlite_url, NetworkClassifier(hidden=(8,), warm_start=True))
    first = round_(project, loop)
    assert given == [None]
    again = Project.open("p", sqlite_url)
    second = round_(again, again.pool_loop("l"))
    np.testing.assert_array_equal(given[1].layers[0][0], NetworkModel.load(first).layers[0][0])
    assert second != first


def test_nothing_is_stored_where_rounds_start_cold(sqlite_url, given):
    project, loop = loop_of(sqlite_url, NetworkClassifier(hidden=(8,)))
    assert [round_(project, loop), round_(project, loop)] == [None, None]
    assert given == [None, None]


def test_new_items_mean_a_cold_start_as_they_change_what_features_mean(sqlite_url, given):
    project, loop = loop_of(sqlite_url, NetworkClassifier(hidden=(8,), warm_start=True))
    round_(project, loop)
    project.add_items(pl.DataFrame({"a": [9.0], "b": [9.0], "c": [9.0], "label": ["high"]}), gold="label")
    round_(project, loop)
    assert given == [None, None]


def test_another_class_means_a_cold_start(sqlite_url, given):
    project, loop = loop_of(sqlite_url, NetworkClassifier(hidden=(8,), warm_start=True))
    round_(project, loop)
    project.add_label("between")
    round_(project, loop)
    assert given == [None, None]


def test_pictures_start_warm_too(sqlite_url):
    classifier = PictureClassifier(filters=(2, 2), hidden=4, epochs=5, warm_start=True)
    project, loop = loop_of(sqlite_url, classifier, bars(40))
    assert round_(project, loop) != round_(project, loop)
    assert loop.history()["accuracy"].null_count() == 2
