import itertools

import numpy as np
import pytest
import scipy.stats

from strategies import MCDropout, Pool
from tests.strategies.pools import simplex

# Two passes over three items: agreed and sure, agreed and unsure, contradicting.
PASSES = np.array([[[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]], [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]])


def joint_information(passes, items):
    """Mutual information of the answers to some items and the pass, by enumeration."""
    k = passes.shape[2]
    joint, conditional = 0.0, 0.0
    for answers in itertools.product(range(k), repeat=len(items)):
        each = np.prod([passes[:, item, answer] for item, answer in zip(items, answers, strict=True)], axis=0)
        if each.mean() > 0:
            joint -= each.mean() * np.log(each.mean())
    for item in items:
        conditional += scipy.stats.entropy(passes[:, item], axis=1).mean()
    return joint - conditional


@pytest.mark.parametrize(
    ("acquisition", "expected"),
    [
        ("entropy", [0, 1, 1]),
        ("bald", [0, 0, 1]),
        ("variation_ratio", [0, 0, 1]),
        ("mean_std", [0, 0, 1]),
        ("batchbald", [0, 0, 1]),
    ],
)
def test_acquisitions_worked_by_hand(acquisition, expected):
    np.testing.assert_allclose(MCDropout(acquisition).score(Pool(mc_proba=PASSES)), expected, atol=1e-12)


def test_bald_is_the_entropy_of_the_mean_less_the_mean_entropy():
    passes = simplex(np.random.default_rng(0), 7, 30, 4)
    expected = scipy.stats.entropy(passes.mean(axis=0), axis=1) - scipy.stats.entropy(passes, axis=2).mean(axis=0)
    np.testing.assert_allclose(MCDropout("bald").score(Pool(mc_proba=passes)), expected / np.log(4), atol=1e-12)


def test_batchbald_is_the_greedy_choice_by_enumeration():
    passes = simplex(np.random.default_rng(1), 5, 9, 3)
    picked = [pick.index for pick in MCDropout("batchbald").select(Pool(mc_proba=passes), 4)]
    greedy = []
    for _ in range(4):
        left = [item for item in range(9) if item not in greedy]
        greedy.append(max(left, key=lambda item: joint_information(passes, [*greedy, item])))
    assert picked == greedy


def test_batchbald_scores_are_what_the_batch_gains():
    passes = simplex(np.random.default_rng(2), 5, 9, 3)
    picks = MCDropout("batchbald").select(Pool(mc_proba=passes), 3)
    total = joint_information(passes, [pick.index for pick in picks])
    assert sum(pick.score for pick in picks) * np.log(3) == pytest.approx(total)


def test_batchbald_does_not_ask_the_same_thing_twice_where_bald_does():
    generator = np.random.default_rng(3)
    doubtful = np.stack([np.eye(2)[generator.integers(0, 2, size=8)]], axis=1)
    other = simplex(generator, 8, 1, 2)
    passes = np.concatenate([doubtful, doubtful, doubtful, other], axis=1)
    assert {pick.index for pick in MCDropout("bald").select(Pool(mc_proba=passes), 2)} <= {0, 1, 2}
    batch = [pick.index for pick in MCDropout("batchbald").select(Pool(mc_proba=passes), 2)]
    assert 3 in batch


def test_batchbald_of_a_large_batch_goes_by_samples_and_stays_distinct():
    passes = simplex(np.random.default_rng(4), 10, 300, 5)
    picks = MCDropout("batchbald").select(Pool(mc_proba=passes), 40)
    assert len({pick.index for pick in picks}) == 40
    assert sum(pick.score for pick in picks) * np.log(5) <= np.log(10) * 1.1


def test_the_number_of_samples_is_passed_on():
    asked = []

    def passes(samples):
        asked.append(samples)
        return np.full((samples, 3, 2), 0.5)

    MCDropout("bald", samples=7).score(Pool(mc_proba=passes, key=range(3)))
    assert asked == [7]


def test_an_unknown_acquisition_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'bold'.*bald"):
        MCDropout("bold")


def test_passes_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 2\)"):
        MCDropout().score(Pool(mc_proba=lambda samples: np.full((4, 2), 0.5), key=range(4)))
