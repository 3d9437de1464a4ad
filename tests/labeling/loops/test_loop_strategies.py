from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from labeling import (
    UNSURE,
    Calibrated,
    LabelBudget,
    MajorityVote,
    NetworkClassifier,
    Project,
    SklearnClassifier,
    Stability,
    TableClassifier,
    TextClassifier,
    Tuned,
    keyword,
)
from strategies import (
    Auto,
    Badge,
    Bandit,
    Committee,
    Density,
    Entropy,
    KCenter,
    KMeans,
    LabelConflict,
    Margin,
    MCDropout,
    NearErrors,
    OutlierGuard,
    Random,
    RankedBatch,
    Region,
    Strategy,
    TypiClust,
)

LABELS = ["ok", "bad"]
SMALL = NetworkClassifier(hidden=(8,), epochs=5)


def posts(n):
    return pl.DataFrame(
        {
            "text": [f"you idiot number {n}" if n % 3 == 0 else f"good morning, tea {n % 5}, {n}" for n in range(n)],
            "label": ["bad" if n % 3 == 0 else "ok" for n in range(n)],
        }
    )


@pytest.fixture
def project(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(posts(60), gold="label")
    return project


def truth(project):
    return dict(project.labels("gold").select("item_id", "label").iter_rows())


def answer(project, loop, rounds=1):
    """Answer whole rounds; return the queries."""
    gold, asked = truth(project), []
    for _ in range(rounds):
        for query in loop.ask("ann"):
            loop.tell(query, gold[query.item_id])
            asked.append(query)
        loop.refit()
    return asked


STRATEGIES = [
    0.5 * Entropy() + 0.5 * KCenter(),
    Entropy() * Density(),
    MCDropout("bald", samples=3),
    MCDropout("batchbald", samples=3),
    Badge(),
    KMeans(),
    TypiClust(),
    RankedBatch(),
    LabelConflict(),
    NearErrors(),
    Committee(),
    Region("insult", Margin()),
    Bandit([Margin(), Random()], policy="thompson"),
    OutlierGuard(Entropy()),
    Auto(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_every_strategy_asks_in_a_loop_and_comes_back_by_name(project, strategy):
    project.add_functions([keyword("insult", ["idiot"], "bad")])
    classifier = SMALL if "mc_proba" in strategy.reads() else None
    loop = project.pool_loop("l", strategy=strategy, classifier=classifier, batch_size=4, stop=[LabelBudget(12)])
    first = answer(project, loop, 2)
    again = Project.open("p", storage=project.ledger.full_url).pool_loop("l")
    assert again._settings == loop._settings
    last = answer(project, again)
    items = [query.item_id for query in first + last]
    assert len(set(items)) == len(items) == 12
    assert all(0 <= query.score <= 1 for query in first + last)
    assert loop.stopped == "The budget of 12 labels is used."


@pytest.mark.parametrize(
    "classifier",
    [
        SMALL,
        TableClassifier(),
        Calibrated(TextClassifier(), at_least=4),
        Tuned(TextClassifier(), values=(1.0, 10.0), at_least=8),
        pytest.param("naive bayes", id="sklearn"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_classifier_learns_in_a_loop_and_comes_back_by_name(project, classifier):
    if classifier == "naive bayes":
        from sklearn.naive_bayes import MultinomialNB

        classifier = SklearnClassifier(MultinomialNB(alpha=0.5), columns=("text",))
    loop = project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=6)
    answer(project, loop)
    again = Project.open("p", storage=project.ledger.full_url).pool_loop("l")
    answer(project, again)
    assert again.history()["labels"].to_list() == [6, 12]
    assert repr(again._settings.classifier) == repr(classifier)


def test_history_says_what_a_tuned_classifier_chose(project):
    classifier = Tuned(TextClassifier(), values=(10.0,), at_least=8)
    loop = project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=6)
    answer(project, loop, 2)
    assert loop.history()["notes"].to_list() == [[], ["C = 10.0 by cross-validation"]]


SEEN = []


@dataclass(frozen=True)
class Watching(Strategy):
    """Keeps the pool of each refit."""

    def score(self, pool, rng=None):
        SEEN.append(pool)
        return np.linspace(1.0, 0.0, len(pool))


@pytest.fixture
def watched(project):
    SEEN.clear()
    return project.pool_loop("l", strategy=Watching(), batch_size=4)


def test_before_there_is_a_model_passes_and_committee_say_what_proba_says(project, watched):
    watched.ask("ann")
    (pool,) = SEEN
    np.testing.assert_array_equal(pool.mc(5), np.full((1, 60, 2), 0.5))
    np.testing.assert_array_equal(pool.committee, np.full((1, 60, 2), 0.5))
    assert len(pool.cv_errors) == len(pool.labels) == 0
    assert list(pool.rewards) == []


def test_the_rules_choose_first_also_for_passes_and_committee(project, watched):
    project.add_functions([keyword("insult", ["idiot"], "bad")])
    project.weak_label(MajorityVote(otherwise="ok"))
    watched.ask("ann")
    (pool,) = SEEN
    np.testing.assert_allclose(pool.proba, pool.weak_proba)
    assert pool.region("insult").tolist() == [n % 3 == 0 for n in range(60)]
    assert pool.votes.shape == (60, 1)


def test_a_pool_holds_what_was_learned_and_what_is_open(project, watched):
    gold = truth(project)
    ann, bo = watched.ask("ann"), watched.ask("bo", 3)
    for query in ann:
        watched.tell(query, gold[query.item_id])
    watched.refit()
    pool = SEEN[-1]
    assert len(pool) == 56
    assert pool.labels.tolist() == [LABELS.index(gold[query.item_id]) for query in ann]
    assert pool.labeled_embedding.shape == (4, pool.embedding.shape[1])
    assert pool.open_embedding.shape == (len(bo), pool.embedding.shape[1])
    assert pool.features.shape[0] == 56
    assert pool.committee.shape == (5, 56, 2)
    assert pool.cv_errors.shape == (4,)
    with pytest.raises(TypeError, match="TextClassifier has none"):
        pool.mc(3)


def test_nothing_is_learned_from_the_text_of_held_out_items(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(posts(60), gold="label")
    project.set_holdout(0.3, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    SEEN.clear()
    learned = []

    @dataclass(frozen=True)
    class Noting(TextClassifier):
        def learn_features(self, frame, *, text=None, learn_from=None):
            learned.append((frame.columns, learn_from))
            return super().learn_features(frame, text=text, learn_from=learn_from)

    loop = project.pool_loop("l", strategy=Watching(), classifier=Noting(), batch_size=4)
    answer(project, loop)
    ((columns, rows),) = learned
    assert columns == ["text"]
    assert {int(item) for item in np.flatnonzero(~rows) + 1} == held
    assert not set(SEEN[-1].key.tolist()) & held


def test_rewards_are_refolded_from_the_ledger_in_the_order_of_the_answers(project):
    SEEN.clear()
    project.set_holdout(0.3, seed=1)
    bandit = Bandit([Margin(), Watching()])
    loop = project.pool_loop("l", strategy=bandit, batch_size=6, seed=2)
    asked = answer(project, loop, 3)
    unsure, wrong = loop.ask("ann")[:2]
    loop.tell(unsure, UNSURE)
    loop.tell(wrong, "bad")
    again = Project.open("p", storage=project.ledger.full_url).pool_loop("l", strategy=bandit)
    again.refit()
    rewards = SEEN[-1].rewards
    assert [outcome.strategy for outcome in rewards] == [query.strategy for query in asked] + [wrong.strategy]
    assert [outcome.probability for outcome in rewards[:6]] == [0.5] * 6
    assert [LABELS[outcome.label] for outcome in rewards] == [truth(project)[q.item_id] for q in asked] + ["bad"]
    # In round 0 there was no model to be surprised.
    assert [len(outcome.proba) for outcome in rewards] == [0] * 6 + [2] * 13
    scores = again.history()["f1_macro"].to_list()
    assert rewards[6].gain == pytest.approx(scores[1] - scores[0])
    assert rewards[0].gain is None


def test_history_shows_scores_by_class_agreement_and_shares(project):
    project.set_holdout(0.3, seed=1)
    loop = project.pool_loop("l", strategy=Bandit([Margin(), Random()]), batch_size=9, seed=1)
    answer(project, loop, 3)
    history = loop.history()
    last = history.row(-1, named=True)
    assert last["accuracy_low"] <= last["accuracy"] <= last["accuracy_high"]
    assert last["judged"] == 18
    for name in LABELS:
        for score in ("precision", "recall", "average_precision"):
            assert 0 <= last[f"{score}_{name}"] <= 1
    assert 0 <= last["calibration_error"] <= 1
    assert 0 < last["uncertainty"] < 1
    assert history["agreement"][0] is None
    assert -1 <= last["agreement"] <= 1
    assert sum(part["share"] for part in last["shares"]) == pytest.approx(1.0)
    assert {part["strategy"] for part in last["shares"]} <= {"Margin", "Random"}


def test_a_loop_stops_when_its_predictions_are_stable(project):
    loop = project.pool_loop("l", strategy=Random(), batch_size=6, stop=[Stability(kappa=0.9, rounds=2)])
    gold = truth(project)
    while not loop.done:
        for query in loop.ask("ann"):
            loop.tell(query, gold[query.item_id])
        loop.refit()
    assert loop.stopped.startswith("The predictions are stable: over the last 2 rounds")
    assert loop.progress().answered < 60


def test_mc_dropout_takes_a_network_by_itself_and_refuses_what_has_no_dropout(project):
    assert isinstance(project.pool_loop("l", strategy=MCDropout())._settings.classifier, NetworkClassifier)
    for classifier in (TextClassifier(), Calibrated(TextClassifier())):
        with pytest.raises(ValueError, match="TextClassifier has none"):
            project.pool_loop("m", strategy=MCDropout(), classifier=classifier)
    assert [info.name for info in project.loops()] == ["l"]


def test_a_region_that_is_not_there_is_refused_with_those_that_are(project):
    project.add_functions([keyword("insult", ["idiot"], "bad")])
    with pytest.raises(ValueError, match=r"no region 'insults'.*'insult'"):
        project.pool_loop("l", strategy=OutlierGuard(Region("insults")))


def test_numbers_alone_take_a_table_classifier_that_ignores_ids_and_groups(sqlite_url):
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"id": [f"n{i}" for i in range(40)], "x": rng.normal(size=40), "author": ["a", "b"] * 20})
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(frame, id="id", group="author")
    SEEN.clear()
    loop = project.pool_loop("l", strategy=Watching(), batch_size=4)
    assert isinstance(loop._settings.classifier, TableClassifier)
    x = dict(zip(range(1, 41), frame["x"], strict=True))
    for query in loop.ask("ann"):
        loop.tell(query, "ok" if x[query.item_id] < 0 else "bad")
    loop.refit()
    assert SEEN[-1].features.shape == (36, 1)
    assert SEEN[-1].group is None


def test_two_loops_with_other_seeds_keep_their_own_embedding(project):
    kept = []
    for seed in (1, 2):
        SEEN.clear()
        loop = project.pool_loop(f"l{seed}", strategy=Watching(), batch_size=4, seed=seed)
        loop.ask(f"ann {seed}")
        kept.append(SEEN[-1].embedding)
    assert not np.array_equal(kept[0], kept[1])
