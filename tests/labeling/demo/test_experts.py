from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from labeling.demo.experts import demo_functions
from labeling.demo.posts import make_posts
from labeling.votes.label_models import MajorityVote
from labeling.votes.matrix import LabelMatrix
from labeling.votes.running import run_functions

LABELS = ["ok", "offensive", "spam"]


@pytest.fixture(scope="module")
def posts() -> pl.DataFrame:
    return make_posts()


@pytest.fixture(scope="module")
def matrix(posts: pl.DataFrame) -> LabelMatrix:
    functions = demo_functions()
    return LabelMatrix.from_functions(run_functions(functions, posts, labels=LABELS), functions, LABELS)


def test_twenty_experts_wrote_two_to_four_rules_each() -> None:
    rules = Counter(function.expert for function in demo_functions())
    assert len(rules) == 20
    assert set(rules.values()) <= {2, 3, 4}


def test_every_rule_finds_something_and_none_finds_everything(matrix: LabelMatrix) -> None:
    coverage = (matrix.values >= 0).mean(axis=0)
    assert coverage.min() > 0.001
    assert coverage.max() < 0.4


def test_the_experts_disagree_and_leave_posts_in_silence(matrix: LabelMatrix) -> None:
    conflicts = [len({vote for vote in row if vote >= 0}) > 1 for row in matrix.values]
    silent = (matrix.values < 0).all(axis=1)
    assert 0.1 < np.mean(conflicts) < 0.4
    assert 0.05 < silent.mean() < 0.3


def test_a_vote_of_the_experts_is_good_but_far_from_perfect(posts: pl.DataFrame, matrix: LabelMatrix) -> None:
    model = MajorityVote(by="expert", threshold=0.1, otherwise="ok").fit(matrix)
    predicted = [LABELS[position] for position in model.predict(matrix)]
    accuracy = (posts["truth"] == pl.Series(predicted)).mean()
    assert 0.80 < accuracy < 0.88
