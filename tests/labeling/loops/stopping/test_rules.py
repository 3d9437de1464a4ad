import pytest

from labeling import LabelBudget, OverallUncertainty, Plateau, Stability, TargetScore, serialization


def rounds(name, *values, **more):
    return [{name: value, **more} for value in values]


def test_stability_needs_so_many_rounds_in_a_row():
    rule = Stability(kappa=0.9, rounds=3)
    assert rule.reason(100, rounds("agreement", None, 0.95, 0.95)) is None
    assert rule.reason(100, rounds("agreement", None, 0.8, 0.9, 0.94)) is None
    assert "0.950 on average" in rule.reason(100, rounds("agreement", 0.2, 0.92, 0.95, 0.98))


def test_stability_waits_for_the_labels_it_was_told():
    stable = rounds("agreement", 1.0, 1.0)
    assert Stability(rounds=2, labels=50).reason(49, stable) is None
    assert Stability(rounds=2, labels=50).reason(50, stable) is not None


def test_a_model_that_knows_one_class_is_not_sure():
    rule = OverallUncertainty(0.1)
    assert rule.reason(20, rounds("uncertainty", 0.01, asked_ok=20, asked_spam=0)) is None
    assert rule.reason(20, rounds("uncertainty", 0.01, asked_ok=19, asked_spam=1)) is not None


def test_uncertainty_counts_in_the_newest_round_alone():
    rule = OverallUncertainty(0.1)
    assert rule.reason(20, rounds("uncertainty", 0.01, 0.2, asked_a=9, asked_b=9)) is None
    assert rule.reason(0, []) is None


def test_a_plateau_is_no_rise_above_the_best_before():
    rule = Plateau(rounds=2, least=0.01)
    assert rule.reason(9, rounds("f1_macro", 0.8, 0.8)) is None
    assert rule.reason(9, rounds("f1_macro", 0.6, 0.7, 0.75)) is None
    assert "rose by 0.005" in rule.reason(9, rounds("f1_macro", 0.6, 0.7, 0.65, 0.705))
    assert "fell by 0.100" in rule.reason(9, rounds("f1_macro", 0.6, 0.7, 0.6, 0.55))


def test_a_plateau_skips_rounds_without_a_score():
    assert Plateau(rounds=1).reason(9, rounds("f1_macro", None, None, 0.5)) is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stability(kappa=1.5), "kappa must lie above 0"),
        (lambda: Stability(rounds=0), "at least 1, got 0"),
        (lambda: OverallUncertainty(0), "between 0 and 1, got 0"),
        (lambda: Plateau("precision"), "'accuracy', 'f1_macro', 'average_precision', got 'precision'"),
        (lambda: Plateau(rounds=True), "whole number"),
        (lambda: Plateau(least=1), "must lie in"),
    ],
)
def test_settings_that_cannot_work_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "rule", [LabelBudget(5), TargetScore("accuracy", 0.9), Stability(0.98, 4, 100), OverallUncertainty(0.1), Plateau()]
)
def test_rules_come_back_from_what_the_database_holds(rule):
    assert serialization.load(serialization.dump(rule)) == rule


def test_only_rules_about_the_holdout_need_one():
    assert Plateau().needs_holdout
    assert TargetScore("accuracy", 0.9).needs_holdout
    assert not Stability().needs_holdout
    assert not OverallUncertainty(0.1).needs_holdout
