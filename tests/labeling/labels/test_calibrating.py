import numpy as np
import pytest

from labeling.labels.calibrating import ENOUGH, MODEL, WEAK, Claims, chances, flat_chances
from labeling.labels.tempering import least, led_by, tempered
from labeling.loops.rounds.distributions import dump, in_pieces, load


def claims(positions, stated):
    return Claims(np.array(positions), np.array(stated, dtype=float))


def simulated(n, right_when_sure, right_when_not):
    """n claims of class 0, half at 0.9 and half at 0.6, and truths of which so many shares are class 0."""
    stated = np.where(np.arange(n) % 2 == 0, 0.9, 0.6)
    place = np.arange(n) // 2 / (n // 2)
    truth = np.where(place < np.where(stated == 0.9, right_when_sure, right_when_not), 0, 1)
    return Claims(np.zeros(n, dtype=np.int64), stated), truth


def test_nothing_judged_leaves_what_is_stated():
    own = claims([0, 1], [0.9, 0.6])
    for found in (chances(own, own, np.array([-1, -1]), WEAK), flat_chances(own, np.array([-1, -1]))):
        assert found.chance.tolist() == [0.9, 0.6]
        assert found.judged == 0


@pytest.mark.parametrize(("wrong", "chance"), [(0, 11 / 12), (3, 8 / 12)])
def test_few_truths_give_one_chance_with_one_right_and_one_wrong_added(wrong, chance):
    own = claims([0] * 12, [0.9] * 12)
    truth = np.array([1] * wrong + [0] * (10 - wrong) + [-1, -1])
    assert chances(own, own, truth, WEAK).chance.tolist() == pytest.approx([chance] * 12)


def test_truths_with_one_outcome_give_one_chance_however_many():
    own, _ = simulated(100, 1, 1)
    assert chances(own, own, np.zeros(100, dtype=np.int64), MODEL).chance.tolist() == pytest.approx([101 / 102] * 100)


@pytest.mark.parametrize("prior", [WEAK, MODEL])
def test_many_truths_outweigh_what_was_believed(prior):
    own, truth = simulated(4000, 0.8, 0.3)
    found = chances(own, own, truth, prior)
    assert found.judged == 4000
    assert found.chance[0] == pytest.approx(0.8, abs=0.01)
    assert found.chance[1] == pytest.approx(0.3, abs=0.01)


def test_agreement_of_the_other_source_counts():
    n = 2000
    own = claims([0] * n, [0.7] * n)
    other = claims([0, 1] * (n // 2), [0.8] * n)
    truth = np.where(
        np.arange(n) % 2 == 0, np.where(np.arange(n) % 20 == 0, 1, 0), np.where(np.arange(n) % 5 < 2, 0, 1)
    )
    found = chances(own, own, truth, MODEL, other_now=other, other_then=other).chance
    assert found[0] == pytest.approx(0.9, abs=0.02)
    assert found[1] == pytest.approx(0.4, abs=0.02)


def test_what_is_known_of_an_item_is_judged_by_what_was_said_without_knowing_it():
    now = claims([0] * 40, [0.99] * 40)
    then = claims([1] * 20 + [0] * 20, [0.99] * 40)
    assert chances(now, then, np.zeros(40, dtype=np.int64), MODEL).chance.tolist() == pytest.approx(
        [0.5] * 40, abs=0.01
    )
    assert ENOUGH <= 40


@pytest.mark.parametrize("k", [2, 3, 77])
def test_tempering_changes_no_order_and_reaches_the_chance(k):
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(k, 0.3), 200)
    chance = rng.uniform(0, 1, 200)
    found = tempered(proba, chance)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.array_equal(found.argmax(axis=1), proba.argmax(axis=1))
    assert found.max(axis=1) == pytest.approx(np.clip(chance, least(k), 1 - 1e-6), abs=1e-8)
    for before, after in zip(proba, found, strict=True):
        assert (np.diff(after[np.argsort(before)]) >= 0).all()


def test_a_certain_distribution_and_a_single_class_are_tempered_too():
    assert tempered(np.array([[1.0, 0.0, 0.0]]), np.array([0.6])).round(6).tolist() == [[0.6, 0.2, 0.2]]
    assert tempered(np.array([[1.0]]), np.array([0.3])).tolist() == [[1.0]]
    assert tempered(np.zeros((0, 3)), np.zeros(0)).shape == (0, 3)


def test_a_label_behind_by_rounding_is_put_ahead():
    found = led_by(np.array([[0.4, 0.4, 0.2]]), np.array([1]))
    assert found.argmax() == 1
    assert found.sum() == pytest.approx(1)


def test_kept_distributions_come_back_to_three_digits_and_sure_ones_to_more():
    rng = np.random.default_rng(1)
    proba = rng.dirichlet(np.full(5, 0.1), 500)
    back = load(dump(proba), 5)
    assert np.allclose(back, proba, atol=1e-3)
    left = 1 - proba.max(axis=1)
    assert np.allclose(1 - back.max(axis=1), left, rtol=2e-3, atol=1e-6)
    assert np.allclose(back.sum(axis=1), 1)


def test_pieces_of_distributions_are_as_long_as_a_block(monkeypatch):
    monkeypatch.setattr("labeling.loops.rounds.distributions.BLOCK", 3)
    pieces = in_pieces(np.full((7, 2), 0.5))
    assert [rows for rows, _ in pieces] == [3, 3, 1]
    assert [len(load(data, 2)) for _, data in pieces] == [3, 3, 1]
