from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from labeling import LabelBudget, Plateau, Project, Refits, SklearnClassifier, Stability, TargetScore, TextClassifier
from strategies import Entropy, LeastConfidence, Margin, Random, Strategy, VariableUncertainty

SETTINGS = {"strategy": Entropy(), "batch_size": 5, "seed": 3, "stop": [LabelBudget(9)]}


@pytest.fixture
def project(storage_url):
    project = Project.create("p", ["ok", "offensive"], storage=storage_url)
    project.add_items(pl.DataFrame({"text": ["a b", "b c", "c d"], "label": ["ok", "ok", None]}), gold="label")
    return project


def test_a_loop_opens_with_the_settings_it_was_made_with(project):
    project.pool_loop("l", **SETTINGS)
    loop = Project.open("p", storage=project.ledger.full_url).pool_loop("l")
    assert (loop.strategy, loop.batch_size, loop.seed, loop.budget) == ("Entropy", 5, 3, 9)
    assert project.pool_loop("l", **SETTINGS).name == "l"
    assert [(info.name, info.kind, info.budget, info.answered) for info in project.loops()] == [("l", "pool", 9, 0)]


@pytest.mark.parametrize(
    ("other", "hint"),
    [
        ({"strategy": Margin()}, "strategy = Entropy, not Margin"),
        ({"batch_size": 6}, "batch_size = 5, not 6"),
        ({"seed": 4}, "seed = 3, not 4"),
        ({"stop": [LabelBudget(10)]}, r"stop = \[LabelBudget\(labels=9\)\], not \[LabelBudget\(labels=10\)\]"),
        ({"stop": []}, r"stop = \[LabelBudget\(labels=9\)\], not \[\]"),
    ],
    ids=["strategy", "batch_size", "seed", "budget", "no budget"],
)
def test_other_settings_for_a_loop_that_exists_are_refused(project, other, hint):
    project.pool_loop("l", **SETTINGS)
    with pytest.raises(ValueError, match=hint):
        project.pool_loop("l", **other)
    assert project.pool_loop("l").batch_size == 5


def test_an_unknown_loop_without_settings_is_refused_with_those_there_are(project):
    project.pool_loop("first", **SETTINGS)
    with pytest.raises(KeyError, match=r"no loop 'frist'.*'first'.*strategy="):
        project.pool_loop("frist")


def test_a_target_score_without_a_holdout_is_refused_and_no_loop_made(project):
    with pytest.raises(ValueError, match="target score needs a hold-out"):
        project.pool_loop("l", strategy=Entropy(), stop=[TargetScore("accuracy", 0.9)])
    assert project.loops() == []
    project.set_holdout(0.5)
    assert project.pool_loop("l", strategy=Entropy(), stop=[TargetScore("accuracy", 0.9)]).name == "l"


@pytest.mark.parametrize(
    ("settings", "error", "hint"),
    [
        ({"strategy": "entropy"}, TypeError, r"strategy= takes an object such as Entropy\(\)"),
        ({"strategy": Entropy}, TypeError, r"strategy= takes an object such as Entropy\(\)"),
        ({"strategy": Entropy(), "classifier": "svm"}, TypeError, r"such as TextClassifier\(\)"),
        ({"strategy": Entropy(), "batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1"),
        ({"strategy": Entropy(), "batch_size": True}, ValueError, "batch_size must be a whole number"),
        ({"strategy": Entropy(), "seed": -1}, ValueError, "seed must be a whole number of at least 0"),
        ({"strategy": Entropy(), "stop": [500]}, TypeError, r"rules such as LabelBudget\(500\), got 500"),
    ],
)
def test_settings_that_cannot_work_are_refused(project, settings, error, hint):
    with pytest.raises(error, match=hint):
        project.pool_loop("l", **settings)
    assert project.loops() == []


def test_numbers_of_numpy_do_for_sizes_and_seeds(project):
    sizes = {"batch_size": np.int32(5), "seed": np.uint8(3), "candidates": np.int64(2)}
    rules = [LabelBudget(np.int64(9)), Stability(rounds=np.int64(2)), Plateau(rounds=np.int64(2))]
    project.set_holdout(np.float32(0.5), seed=np.int64(3))
    loop = project.pool_loop("l", strategy=Entropy(), stop=rules, **sizes)
    assert loop.ask("ann", n=np.int64(1))[0].item_id
    opened = Project.open("p", storage=project.ledger.full_url)
    assert opened.pool_loop("l", batch_size=5, seed=3, stop=rules).budget == 9
    learning, budget = Refits(every=np.int64(2)), VariableUncertainty(0.5)
    numbers = {"memory": np.int64(50), "boost_records": np.int64(5), "boost": np.float64(2.0), "seed": np.int64(1)}
    for _ in range(2):
        project.stream_loop("s", strategy=LeastConfidence(), budget=budget, learning=learning, **numbers)


def test_a_whole_estimator_of_scikit_learn_opens_by_name_and_with_the_same_settings(project):
    def classifier():
        return SklearnClassifier(make_pipeline(SimpleImputer(), LogisticRegression(C=np.inf, class_weight={0: 1})))

    for _ in range(2):
        project.pool_loop("l", strategy=Entropy(), classifier=classifier())
    opened = Project.open("p", storage=project.ledger.full_url).pool_loop("l")
    assert repr(opened._settings.classifier) == repr(classifier())


def test_a_loop_whose_settings_cannot_be_kept_is_not_made(project):
    own = SklearnClassifier(LogisticRegression(random_state=np.random.RandomState(0)))
    with pytest.raises(TypeError, match=r"classifier\.estimator\.random_state = RandomState.*Pass a whole number"):
        project.pool_loop("l", strategy=Entropy(), classifier=own)
    assert project.loops() == []


@dataclass(frozen=True)
class Shortest(Strategy):
    """A strategy of the user's own."""

    power: float = 1.0

    def score(self, pool, rng=None):
        return np.linspace(1.0, 0.0, len(pool)) ** self.power


def test_a_strategy_of_ones_own_must_be_passed_again_and_be_the_same(project):
    project.pool_loop("l", strategy=Shortest())
    with pytest.raises(LookupError, match=r"Shortest is not part of Tally.*Pass the object again"):
        project.pool_loop("l")
    with pytest.raises(ValueError, match="made with strategy"):
        project.pool_loop("l", strategy=Shortest(2.0))
    assert project.pool_loop("l", strategy=Shortest()).ask("ann", 1)[0].item_id == 1


def test_parameters_of_strategies_and_classifiers_come_back(project):
    strategy = 0.7 * Entropy() + 0.3 * Random()
    classifier = TextClassifier()
    project.pool_loop("l", strategy=strategy, classifier=classifier)
    opened = Project.open("p", storage=project.ledger.full_url).pool_loop("l")
    assert opened._settings.strategy == strategy
    assert opened._settings.classifier == classifier


def test_a_project_of_numbers_gets_a_classifier_for_them(sqlite_url):
    project = Project.create("p", ["ok", "offensive"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0.5, 0.1, 0.2]}))
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=2)
    for query, label in zip(loop.ask("ann"), ["ok", "offensive"], strict=True):
        loop.tell(query, label)
    assert Project.open("p", storage=sqlite_url).pool_loop("l").refit().metrics["trained"]
