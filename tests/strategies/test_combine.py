import dataclasses

import numpy as np
import pytest

from strategies import (
    Auto,
    Bandit,
    Entropy,
    Explore,
    KCenter,
    LabelConflict,
    LeastConfidence,
    Margin,
    Outcome,
    Pool,
    Product,
    Random,
    Sequence,
    TypiClust,
    Weighted,
)
from tests.strategies.pools import full_pool


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_sum_is_the_weighted_mean():
    pool = full_pool()
    expected = 0.7 * Entropy().score(pool) + 0.3 * KCenter().score(pool)
    np.testing.assert_allclose((0.7 * Entropy() + 0.3 * KCenter()).score(pool), expected)
    np.testing.assert_allclose((7 * Entropy() + KCenter() * 3).score(pool), expected)


def test_sums_stay_flat():
    mixed = 0.5 * Entropy() + 0.3 * Margin() + Random() * 0.2
    assert mixed == Weighted((Entropy(), Margin(), Random()), (0.5, 0.3, 0.2))
    assert 2 * mixed == Weighted((Entropy(), Margin(), Random()), (1.0, 0.6, 0.4))


def test_a_product_is_high_where_both_are():
    pool = full_pool()
    np.testing.assert_allclose(
        (Entropy() * LabelConflict()).score(pool), Entropy().score(pool) * LabelConflict().score(pool)
    )
    assert Entropy() * LabelConflict() == Product((Entropy(), LabelConflict()))


def test_parts_of_a_sum_are_on_record_as_they_were_when_picked():
    picks = (0.5 * Entropy() + 0.5 * KCenter()).select(full_pool(), 5, rng())
    for pick in picks:
        assert set(pick.parts) == {"Entropy", "KCenter"}
        assert sum(pick.parts.values()) / 2 == pytest.approx(pick.score)


def test_a_sum_with_k_center_follows_the_batch():
    X = np.array([[0.0], [10.0], [10.1], [-10.0]])
    pool = Pool(proba=np.full((4, 2), 0.5), embedding=X, labeled_embedding=np.array([[0.0]]))
    picks = (0.5 * Entropy() + 0.5 * KCenter()).select(pool, 2)
    assert [pick.index for pick in picks] == [2, 3]


@pytest.mark.parametrize(
    ("weights", "message"), [((-1.0, 1.0), "at least 0"), ((0.0, 0.0), "not all 0"), ((1.0,), "2 strategies and 1")]
)
def test_weights_that_cannot_be_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        Weighted((Entropy(), Margin()), weights)


def test_only_strategies_are_combined():
    with pytest.raises(TypeError, match="Entropy"):
        Bandit([Entropy])
    with pytest.raises(ValueError, match="at least one"):
        Product(())


def test_a_sequence_hands_over_when_labels_have_come_in():
    plan = Sequence([KCenter(), Entropy(), Margin()], until=[10, 20])
    turns = [plan.active(Pool(key=[1], labels=np.zeros(count, dtype=int), classes=2)) for count in (0, 9, 10, 20)]
    assert turns == [KCenter(), KCenter(), Entropy(), Margin()]
    a_class = dataclasses.replace(plan, per_class=True)
    assert a_class.active(Pool(key=[1], labels=np.zeros(10, dtype=int), classes=2)) == KCenter()


def test_a_sequence_needs_a_number_for_every_hand_over():
    with pytest.raises(ValueError, match="2 strategies need 1"):
        Sequence([KCenter(), Entropy()], until=[])


def test_picks_of_a_sequence_bear_the_name_of_the_one_that_made_them():
    assert {pick.strategy for pick in Sequence([KCenter(), Entropy()], until=[5]).select(full_pool(), 3)} == {"Entropy"}


def test_auto_starts_with_what_is_typical_and_goes_on_with_a_mixture():
    def active(labels, **arrays):
        return Auto().active(Pool(key=range(5), classes=3, labels=np.zeros(labels, dtype=int), **arrays))

    later = 0.7 * Margin() + 0.15 * KCenter() + 0.15 * TypiClust()
    assert active(0) == TypiClust()
    assert active(24) == TypiClust()
    assert active(25) == later
    assert active(0, votes=np.zeros((5, 2), dtype=int)) == later
    assert active(0, votes=np.zeros((5, 0), dtype=int)) == TypiClust()


def test_exploring_takes_its_share():
    pool = full_pool(n=400)
    picks = Explore(Entropy(), epsilon=0.25).select(pool, 200, rng())
    share = np.mean([pick.strategy == "Random" for pick in picks])
    assert 0.15 < share < 0.35
    assert {(pick.strategy, pick.probability) for pick in picks} == {("Entropy", 0.75), ("Random", 0.25)}


def outcomes(arm, label, count=30):
    return [Outcome(arm, 0.5, (0.9, 0.1), label)] * count


@pytest.mark.parametrize("policy", ["exp3", "thompson"])
def test_a_bandit_turns_to_the_arm_whose_answers_surprise(policy):
    bandit = Bandit([Entropy(), Random()], policy=policy)
    history = outcomes("Entropy", 0) + outcomes("Random", 1)
    chances = bandit.chances(history, rng())
    assert chances.sum() == pytest.approx(1)
    assert chances[1] > 0.8
    assert chances[0] >= 0.05


@pytest.mark.parametrize("policy", ["exp3", "thompson"])
def test_a_bandit_follows_when_the_better_arm_changes(policy):
    bandit = Bandit([Entropy(), Random()], policy=policy, memory=0.95)
    before = (outcomes("Entropy", 0, 1) + outcomes("Random", 1, 1)) * 100
    after = (outcomes("Entropy", 1, 1) + outcomes("Random", 0, 1)) * 100
    assert bandit.chances(before, rng())[1] > 0.6
    assert bandit.chances(before + after, rng())[0] > 0.6


def test_a_bandit_is_refolded_from_what_is_on_record():
    pool = full_pool(rewards=lambda: outcomes("KCenter", 1))
    bandit = Bandit([Entropy(), KCenter()])
    picks = bandit.select(pool, 20, rng(1))
    assert picks == bandit.select(full_pool(rewards=outcomes("KCenter", 1)), 20, rng(1))
    assert sum(pick.strategy == "KCenter" for pick in picks) > 12
    assert len({pick.index for pick in picks}) == 20


def test_outcomes_of_unknown_arms_and_without_an_answer_teach_nothing():
    bandit = Bandit([Entropy(), Random()])
    history = [Outcome("Gone", 0.5, (0.5, 0.5), 1), Outcome("Entropy", 0.5, (), 1), Outcome("Entropy", 0.5, (0.5, 0.5))]
    np.testing.assert_allclose(bandit.chances(history, rng()), [0.5, 0.5])


@pytest.mark.parametrize(
    ("reward", "outcome", "expected"),
    [
        ("surprise", Outcome("Random", 1, (0.75, 0.25), 0), 0.5),
        ("surprise", Outcome("Random", 1, (0.75, 0.25), 1), 1.0),
        ("error", Outcome("Random", 1, (0.75, 0.25), 0), 0.0),
        ("error", Outcome("Random", 1, (0.75, 0.25), 1), 1.0),
        ("gain", Outcome("Random", 1, gain=0.05), 0.75),
        ("gain", Outcome("Random", 1, gain=-1.0), 0.0),
        ("gain", Outcome("Random", 1), None),
    ],
)
def test_rewards_worked_by_hand(reward, outcome, expected):
    assert Bandit([Random()], reward=reward).reward_of(outcome) == expected


def test_the_reward_can_be_replaced():
    @dataclasses.dataclass(frozen=True)
    class Rare(Bandit):
        def reward_of(self, outcome):
            return float(outcome.label == 1)

    chances = Rare([Entropy(), Random()]).chances(outcomes("Random", 1) + outcomes("Entropy", 0), rng())
    assert chances[1] > 0.8


def test_arms_need_different_names():
    with pytest.raises(ValueError, match="different names"):
        Bandit([Entropy(), Entropy()])


def test_what_a_combination_reads_is_what_its_parts_read():
    assert (Entropy() + KCenter()).reads() == {"proba", "embedding"}
    assert Bandit([LeastConfidence(), Random()]).reads() == {"proba"}
