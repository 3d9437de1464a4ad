import numpy as np
import pytest

from labeling.loops.stopping.curve_fit import fit_curve


def case(rng, rounds, judged):
    """Scores of a random curve with noise that lasts from round to round, and the curve."""
    end, c, start = rng.uniform(0.7, 0.97), rng.uniform(0.25, 1.0), rng.choice([25, 50, 100])
    b = (end - rng.uniform(0.3, 0.65) * end) * start**c
    labels = start + start * np.arange(rounds)
    noise = np.zeros(rounds)
    for place in range(rounds):
        noise[place] = 0.5 * noise[place - 1] * (place > 0) + 0.012 * rng.normal()
    luck = rng.normal() * np.sqrt(end * (1 - end) / judged)
    scores = np.clip(end - b * labels**-c + luck + noise, 0, 1)
    return labels, scores, lambda n: end - b * n**-c


@pytest.mark.parametrize(("rounds", "far"), [(5, 2), (8, 4), (15, 3)])
def test_intervals_hold_the_truth_in_about_nine_of_ten_cases(rounds, far):
    rng, held = np.random.default_rng(rounds), []
    for seed in range(60):
        labels, scores, truth = case(rng, rounds, judged=800)
        found = fit_curve(labels, scores, 800, seed=seed).score(far * labels[-1])
        assert 0 <= found.low <= found.value <= found.high <= 1
        held.append(found.low <= truth(far * labels[-1]) <= found.high)
    assert np.mean(held) >= 0.83


def test_a_curve_without_noise_is_found():
    labels = np.arange(50, 1050, 50)
    curve = fit_curve(labels, 0.93 - 2.0 * labels**-0.6, 10_000)
    for n in (2_000, 10_000):
        assert curve.score(n).value == pytest.approx(0.93 - 2.0 * n**-0.6, abs=0.01)
    assert curve.labels_for(0.91).value == pytest.approx((2.0 / 0.02) ** (1 / 0.6), rel=0.4)


def test_intervals_widen_with_the_distance_and_with_a_small_hold_out():
    labels = np.arange(50, 550, 50)
    scores = 0.9 - 1.5 * labels**-0.5
    near, far = (fit_curve(labels, scores, 5_000).score(n) for n in (600, 20_000))
    small = fit_curve(labels, scores, 50).score(600)
    assert near.high - near.low < far.high - far.low
    assert near.high - near.low < small.high - small.low


def test_a_score_above_the_end_of_the_curve_is_never_reached():
    labels = np.arange(100, 2100, 100)
    found = fit_curve(labels, 0.8 - 2.0 * labels**-0.9, 5_000).labels_for(0.95)
    assert np.isinf(found.value)
    assert np.isinf(found.high)


@pytest.mark.parametrize(
    ("labels", "why"),
    [([], "at least 4 scores"), ([10, 20, 30], "there are 3"), ([0, 100, 110, 120, 130], "too short a way")],
)
def test_too_little_to_go_by_is_said(labels, why):
    assert why in fit_curve(labels, [0.5] * len(labels), 100)


def test_scores_that_fall_or_stand_still_give_an_answer():
    labels = np.arange(50, 450, 50)
    for scores in (np.full(8, 0.7), np.linspace(0.9, 0.6, 8), np.ones(8), np.zeros(8)):
        found = fit_curve(labels, scores, 500).score(2_000)
        assert np.isfinite([found.value, found.low, found.high]).all()
        assert found.low <= found.value <= found.high


def test_the_same_seed_gives_the_same():
    labels = np.arange(50, 450, 50)
    scores = 0.9 - 1.5 * labels**-0.5
    assert fit_curve(labels, scores, 500, seed=3).score(900) == fit_curve(labels, scores, 500, seed=3).score(900)
