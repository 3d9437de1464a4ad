from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from labeling import LabelBudget, Project, TargetScore, TextClassifier
from strategies import Entropy, Margin, Random, Strategy

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
