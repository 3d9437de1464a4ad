"""What holds for every strategy."""

import numpy as np
import pytest

import strategies
from strategies import Entropy, KCenter, LabelConflict, Pool, Product, Strategy, Weighted
from tests.strategies.pools import full_pool

LEFT_OUT = {
    "Strategy": "what all share, and none itself",
    "Weighted": "made by + and *, and tried as SUMS",
    "Product": "made by *, and tried as SUMS",
}
SUMS = [0.7 * Entropy() + 0.3 * KCenter(), Entropy() * LabelConflict()]


def listed():
    """What is a strategy of all that the package offers, by name."""
    offered = {name: getattr(strategies, name) for name in strategies.__all__}
    return {name: each for name, each in offered.items() if isinstance(each, type) and issubclass(each, Strategy)}


STRATEGIES = [each for name, cls in listed().items() if name not in LEFT_OUT for each in cls.examples()] + SUMS
everyone = pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)


def test_all_that_are_offered_are_tried():
    assert {type(each) for each in STRATEGIES} == set(listed().values()) - {Strategy}
    assert {type(each) for each in SUMS} == {Weighted, Product}


def rng(seed=3):
    return np.random.default_rng(seed)


@everyone
def test_scores_are_one_an_item_finite_and_between_0_and_1(strategy):
    scores = strategy.score(full_pool(), rng())
    assert scores.shape == (40,)
    assert np.isfinite(scores).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


@everyone
def test_picks_are_distinct_and_as_many_as_asked_for(strategy):
    picks = strategy.select(full_pool(), 10, rng())
    assert len({pick.index for pick in picks}) == 10
    assert all(0 <= pick.score <= 1 and 0 < pick.probability <= 1 and pick.strategy for pick in picks)


@everyone
def test_asking_for_more_than_there_is_gives_all_once(strategy):
    picks = strategy.select(full_pool(n=6), 10, rng())
    assert sorted(pick.index for pick in picks) == list(range(6))


@everyone
def test_the_same_seed_picks_the_same(strategy):
    assert strategy.select(full_pool(), 10, rng(5)) == strategy.select(full_pool(), 10, rng(5))


@everyone
def test_the_order_of_the_rows_does_not_matter(strategy):
    order = np.random.default_rng(9).permutation(40)
    straight, shuffled = full_pool(), full_pool(order=order)
    np.testing.assert_allclose(strategy.score(shuffled, rng()), strategy.score(straight, rng())[order], atol=1e-5)
    keys = [straight.key[pick.index] for pick in strategy.select(straight, 8, rng())]
    assert keys == [shuffled.key[pick.index] for pick in strategy.select(shuffled, 8, rng())]


@everyone
def test_an_empty_pool_gives_nothing(strategy):
    assert strategy.select(full_pool(n=0), 5, rng()) == []


@everyone
def test_one_item_is_a_pool_too(strategy):
    assert [pick.index for pick in strategy.select(full_pool(n=1), 5, rng())] == [0]


@everyone
def test_items_that_are_all_alike_are_picked_once_each(strategy):
    pool = full_pool(
        proba=np.full((40, 3), 1 / 3),
        mc_proba=np.full((4, 40, 3), 1 / 3),
        embedding=np.ones((40, 5), dtype=np.float32),
    )
    scores = strategy.score(pool, rng())
    assert np.isfinite(scores).all()
    assert len({pick.index for pick in strategy.select(pool, 20, rng())}) == 20


@everyone
def test_one_class_gives_finite_scores(strategy):
    pool = full_pool(
        k=1,
        proba=np.ones((40, 1)),
        mc_proba=np.ones((4, 40, 1)),
        committee=np.ones((2, 40, 1)),
        weak_proba=np.ones((40, 1)),
    )
    scores = strategy.score(pool, rng())
    assert np.isfinite(scores).all()
    assert 0 <= scores.min() <= scores.max() <= 1


@pytest.mark.parametrize("strategy", [strategy for strategy in STRATEGIES if strategy.reads()], ids=repr)
def test_a_pool_without_what_is_read_says_what_is_missing(strategy):
    needed = strategy.reads()
    with pytest.raises(ValueError, match="|".join(f"pool.{name}" for name in needed)):
        strategy.score(Pool(key=range(4), classes=2), rng())


@everyone
def test_a_negative_number_of_picks_is_refused(strategy):
    with pytest.raises(ValueError, match="-1"):
        strategy.select(full_pool(), -1, rng())


@everyone
def test_a_strategy_is_frozen_and_has_a_name(strategy):
    assert strategy.name
    assert hash(strategy) == hash(strategy)


@everyone
def test_a_batch_holds_one_of_each_group_of_near_duplicates_and_none_that_is_asked(strategy):
    group = np.repeat(np.arange(20), 2)
    group[:4] = -1
    pool = full_pool(group=group, open_group=np.array([5, 6]))
    picks = [pick.index for pick in strategy.select(pool, 20, rng())]
    grouped = [int(group[index]) for index in picks if group[index] >= 0]
    assert sorted(grouped) == [number for number in range(2, 20) if number not in (5, 6)]
    assert {0, 1, 2, 3} <= set(picks)


@everyone
def test_groups_of_near_duplicates_never_starve_a_batch(strategy):
    pool = full_pool(group=np.repeat([0, 1], 20))
    picks = [pick.index for pick in strategy.select(pool, 25, rng())]
    assert len(set(picks)) == 25
    assert sorted(np.repeat([0, 1], 20)[picks[:2]].tolist()) == [0, 1]


@everyone
def test_without_near_duplicates_groups_change_nothing(strategy):
    alone, grouped = full_pool(group=None), full_pool(group=np.full(40, -1))
    assert strategy.select(alone, 12, rng()) == strategy.select(grouped, 12, rng())
