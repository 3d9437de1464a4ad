import polars as pl
import pytest

from labeling.loops.simulation.curves import Curves, area, labels_to_reach

RUNS = {
    "good": {0: [0.5, 0.8, 0.9], 1: [0.5, 0.9, 0.9]},
    "random": {0: [0.5, 0.6, 0.8], 1: [0.5, 0.7, 0.8]},
}


def curves(names=("good", "random"), baseline="random"):
    rows = [
        {
            "strategy": name,
            "seed": seed,
            "round": round_,
            "labels": 10 * (round_ + 1),
            "accuracy": score,
            "f1_macro": score / 2,
            "calibration_error": 0.1,
            "seconds": 0.5,
        }
        for name in names
        for seed, scores in RUNS[name].items()
        for round_, score in enumerate(scores)
    ]
    return Curves.of(rows, names, baseline)


def row(summary, name):
    return summary.row(by_predicate=pl.col("strategy") == name, named=True)


def test_the_summary_is_the_means_over_the_seeds_the_best_first():
    summary = curves().summary()
    assert summary["strategy"].to_list() == ["good", "random"]
    good = row(summary, "good")
    # Areas by hand: (.65 + .85) / 2 and (.7 + .9) / 2.
    assert good["area"] == pytest.approx(0.775)
    assert good["final"] == pytest.approx(0.9)
    assert good["area_low"] < 0.75 < 0.8 < good["area_high"]
    assert good["seconds"] == 0.5


def test_the_gain_is_paired_by_seed():
    good = row(curves().summary(), "good")
    # Each seed gains .125 exactly, so the interval has no width.
    assert (good["gain"], good["gain_low"], good["gain_high"]) == pytest.approx((0.125, 0.125, 0.125))
    assert row(curves().summary(), "random")["gain"] is None


def test_labels_to_reach_what_random_ends_with():
    summary = curves().summary()
    # The mean curve of good is .5, .85, .9: .8 lies six sevenths of the way to 20.
    assert row(summary, "good")["labels_to_reach"] == pytest.approx(10 + 10 * 0.3 / 0.35)
    assert row(summary, "random")["labels_to_reach"] == pytest.approx(30)
    assert row(summary, "good")["share_of_baseline"] == pytest.approx((10 + 10 * 0.3 / 0.35) / 30)


def test_a_target_of_ones_own_that_is_never_reached_is_null():
    summary = curves().summary(target=0.85)
    assert row(summary, "good")["labels_to_reach"] == pytest.approx(20)
    assert row(summary, "random")["labels_to_reach"] is None


def test_without_random_the_lowest_end_is_the_target():
    summary = curves(("good",), None).summary("f1_macro")
    assert summary["target"].to_list() == [pytest.approx(0.45)]
    assert summary["share_of_baseline"].to_list() == [None]


def test_the_picture_has_a_point_a_strategy_and_number_of_labels():
    chart = curves().plot("f1_macro").to_dict()
    (values,) = chart["datasets"].values()
    assert len(values) == 6
    assert {"band", "area", "line"} & {layer["mark"]["type"] for layer in chart["layer"]} == {"area", "line"}


def test_another_metric_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'accuracy', 'f1_macro', 'calibration_error', got 'recall'"):
        curves().summary("recall")


def test_an_area_is_the_mean_height_whatever_the_spacing():
    assert area([0, 10], [0.0, 1.0]) == 0.5
    assert area([0, 1, 10], [1.0, 1.0, 1.0]) == 1.0
    assert area([7], [0.3]) == 0.3


def test_a_curve_that_starts_above_needs_what_it_starts_with():
    assert labels_to_reach([10, 20], [0.9, 0.8], 0.5) == 10


def test_a_score_that_is_lost_again_is_not_reached():
    assert labels_to_reach([10, 20, 30], [0.9, 0.8, 0.9], 0.85) == pytest.approx(25)
    assert labels_to_reach([10, 20, 30], [0.9, 0.9, 0.8], 0.85) is None
