import numpy as np
import pytest

from strategies import Entropy, Pool, Random


def test_an_array_is_computed_once_and_only_when_read():
    calls = []

    def proba():
        calls.append(1)
        return np.array([[0.5, 0.5], [1.0, 0.0]])

    def embedding():
        raise AssertionError("nobody reads it")

    pool = Pool(proba=proba, embedding=embedding, key=[1, 2])
    assert calls == []
    assert pool.proba is pool.proba
    assert calls == [1]


def test_a_pool_of_nothing_says_what_to_pass():
    with pytest.raises(ValueError, match="proba="):
        len(Pool())


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 2\).*2 items"):
        _ = Pool(proba=np.full((3, 2), 0.5), key=[1, 2]).proba


def test_probabilities_must_be_finite():
    with pytest.raises(ValueError, match="NaN"):
        Entropy().score(Pool(proba=np.array([[np.nan, 1.0]])))


def test_taking_some_items_takes_all_their_arrays():
    pool = Pool(
        proba=np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]),
        mc_proba=lambda samples: np.full((samples, 3, 2), 0.5),
        regions={"spanish": np.array([True, False, True])},
        key=[7, 8, 9],
        labels=[1],
    ).take([2, 0])
    assert pool.proba[:, 0].tolist() == [0.3, 0.1]
    assert pool.mc(4).shape == (4, 2, 2)
    assert pool.key.tolist() == [9, 7]
    assert pool.region("spanish").tolist() == [True, True]
    assert pool.labels.tolist() == [1]


def test_ties_go_by_key_without_a_generator_and_by_a_seeded_shuffle_with_one():
    pool = Pool(proba=np.full((50, 2), 0.5), key=np.arange(50)[::-1])
    assert [pool.key[pick.index] for pick in Entropy().select(pool, 3)] == [0, 1, 2]
    shuffled = [pick.index for pick in Entropy().select(pool, 50, np.random.default_rng(0))]
    assert sorted(shuffled) == list(range(50))
    assert shuffled != sorted(shuffled)
    assert shuffled != sorted(shuffled, reverse=True)


def test_every_item_is_as_likely_in_a_random_batch():
    generator = np.random.default_rng(0)
    counts = np.zeros(5)
    for _ in range(2000):
        for pick in Random().select(Pool(key=range(5)), 2, generator):
            counts[pick.index] += 1
            assert pick.probability == 0.4
    assert np.abs(counts / 2000 - 0.4).max() < 0.05


def test_an_unknown_region_names_the_known_ones():
    with pytest.raises(ValueError, match="spanish"):
        Pool(key=[1], regions={"spanish": [True]}).region("french")


def test_string_keys_break_ties_too():
    pool = Pool(proba=np.full((3, 2), 0.5), key=["c", "a", "b"])
    assert [pick.index for pick in Entropy().select(pool, 3)] == [1, 2, 0]
