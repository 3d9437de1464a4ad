"""A pool scored slice by slice asks what it would have asked in one piece."""

import numpy as np
import polars as pl
import pytest

from labeling import LabelBudget, NetworkClassifier, Project, TextClassifier, keyword
from labeling.loops.rounds import slices
from strategies import (
    Auto,
    Badge,
    Bandit,
    Committee,
    Entropy,
    KCenter,
    LabelConflict,
    Margin,
    MCDropout,
    NearErrors,
    OutlierGuard,
    Random,
    Region,
)

LABELS = ["ok", "bad"]
WORDS = [f"word{n}" for n in range(40)]


def posts(n):
    rng = np.random.default_rng(0)
    rows = [" ".join(rng.choice(WORDS, 6)) + (" idiot" if row % 3 == 0 else "") for row in range(n)]
    return pl.DataFrame({"text": rows, "label": ["bad" if row % 3 == 0 else "ok" for row in range(n)]})


@pytest.fixture
def project(sqlite_url, monkeypatch):
    monkeypatch.setattr(slices, "SLICE", 32)
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(posts(200), gold="label")
    project.set_holdout(0.2, seed=3)
    return project


def answered(project, name, rounds=3, **settings):
    """Answer whole rounds of a loop; the items that were asked, and the loop."""
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop(name, batch_size=6, seed=1, **settings)
    asked = []
    for _ in range(rounds):
        for query in loop.ask("ann"):
            loop.tell(query, truth[query.item_id])
            asked.append(query.item_id)
        loop.refit()
    return asked, loop


def test_the_committed_ranking_is_the_same_once_answers_are_the_same(project):
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    first = project.pool_loop("first", strategy=Random(), batch_size=30, seed=5)
    for query in first.ask("ann"):
        first.tell(query, truth[query.item_id])
    settings = {"strategy": Entropy(), "classifier": TextClassifier(), "batch_size": 10}
    loops = [project.pool_loop("whole", **settings), project.pool_loop("sliced", executor="threads", **settings)]
    rankings = []
    for loop in loops:
        loop.refit()
        ranking = loop._queue.ranking(project.ledger.loops.last_refit(loop._record.id))
        rankings.append([(entry.item_id, round(entry.score, 6), entry.predicted) for entry in ranking])
    assert len(rankings[0]) == 100
    assert rankings[0] == rankings[1]
    whole, sliced = loops
    columns = ["accuracy", "f1_macro", "calibration_error", "uncertainty"]
    np.testing.assert_allclose(
        whole.history().select(columns).row(0), sliced.history().select(columns).row(0), rtol=1e-6
    )


STRATEGIES = [
    0.5 * Entropy() + 0.5 * KCenter(),
    MCDropout("bald", samples=3),
    MCDropout("batchbald", samples=3),
    Badge(),
    LabelConflict(),
    NearErrors(),
    Committee(),
    Region("insult", Margin()),
    Bandit([Margin(), Random()]),
    OutlierGuard(Entropy()),
    Auto(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_every_strategy_asks_distinct_items_of_all_slices(project, strategy):
    project.add_functions([keyword("insult", ["idiot"], "bad")])
    classifier = NetworkClassifier(hidden=(8,), epochs=5) if "mc_proba" in strategy.reads() else None
    asked, loop = answered(
        project, "l", strategy=strategy, classifier=classifier, stop=[LabelBudget(18)], executor="threads"
    )
    assert len(set(asked)) == len(asked) == 18
    assert loop.stopped == "The budget of 18 labels is used."
    assert project.labels("model").height == 200


def test_a_cluster_asks_what_threads_ask(project, dask_executor):
    settings = {"strategy": Auto(), "classifier": TextClassifier()}
    here, loop = answered(project, "here", executor="threads", **settings)
    columns = ["labels", "accuracy", "f1_macro", "agreement", "uncertainty"]
    other = Project.create("q", LABELS, storage=project.ledger.full_url)
    other.add_items(posts(200), gold="label")
    other.set_holdout(0.2, seed=3)
    there, away = answered(other, "there", executor=dask_executor, **settings)
    first, second = here[0], there[0]
    assert [item - first for item in here] == [item - second for item in there]
    assert away.history().select(columns).equals(loop.history().select(columns))


def test_opened_again_without_an_executor_the_loop_goes_on_in_one_piece(project):
    asked, _ = answered(project, "l", strategy=Entropy(), executor="threads")
    more, _ = answered(project, "l")
    assert not set(asked) & set(more)


def test_the_directions_are_learned_without_what_is_held_out(project, monkeypatch):
    from labeling.loops.rounds import item_features as views

    seen = []
    learn = views.Directions.learn.__func__

    def spy(cls, X, *args, **kwargs):
        seen.append(X.shape[0])
        return learn(cls, X, *args, **kwargs)

    monkeypatch.setattr(views.Directions, "learn", classmethod(spy))
    answered(project, "l", rounds=1, strategy=KCenter(), executor="threads")
    assert seen == [160]


def test_a_loop_that_ranks_some_candidates_draws_others_each_round_and_comes_to_all(project):
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=40, candidates=50, seed=2)
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    ranked = []
    for _ in range(4):
        for query in loop.ask("ann"):
            loop.tell(query, truth[query.item_id])
        ranking = loop._queue.ranking(project.ledger.loops.last_refit(loop._record.id))
        ranked.append({entry.item_id for entry in ranking})
    assert [len(each) for each in ranked] == [50, 50, 50, 40]
    assert ranked[0] != ranked[1]
    assert loop.stopped == "Every item of the pool has an answer."
    assert Project.open("p", storage=project.ledger.full_url).pool_loop("l")._settings.candidates == 50


def test_no_candidates_are_no_pool(project):
    with pytest.raises(ValueError, match="candidates must be a whole number of at least 1, got 0"):
        project.pool_loop("l", strategy=Entropy(), candidates=0)


def test_groups_held_back_are_looked_for_in_a_sample_where_the_pool_is_scored_in_slices(project, monkeypatch):
    from labeling.loops.pool import held_back as screening

    project.add_items(pl.DataFrame({"text": ["", "  ", "…", "zzz qqq xxx"]}))
    guard = OutlierGuard(Entropy())
    whole = project.pool_loop("whole", strategy=guard, batch_size=6)
    whole.refit()
    sliced = project.pool_loop("sliced", strategy=guard, batch_size=6, executor="threads")
    sliced.refit()
    assert [(group.kind, group.size) for group in sliced.groups()] == [
        (group.kind, group.size) for group in whole.groups()
    ]
    monkeypatch.setattr(screening, "SAMPLE", 40)
    few = project.pool_loop("few", strategy=guard, batch_size=6, executor="threads")
    few.refit()
    assert sum(group.size for group in few.groups()) <= 40 < sum(group.size for group in whole.groups())
