import pytest

from labeling import LabelBudget, TargetScore


def test_a_budget_ends_at_its_last_label():
    assert LabelBudget(3).reason(2, []) is None
    assert LabelBudget(3).reason(3, []) == LabelBudget(3).reason(4, []) == "The budget of 3 labels is used."


@pytest.mark.parametrize("labels", [0, -1, 2.5, True, "9"])
def test_a_budget_is_a_whole_number(labels):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        LabelBudget(labels)


def test_a_target_looks_at_the_newest_score():
    rule = TargetScore("accuracy", 0.8)
    assert rule.reason(9, []) is None
    assert rule.reason(9, [{"accuracy": None}]) is None
    assert rule.reason(9, [{"accuracy": 0.9}, {"accuracy": 0.7}]) is None
    assert rule.reason(9, [{"accuracy": 0.7}, {"accuracy": 0.8}]).startswith("accuracy on the hold-out reached 0.800")


@pytest.mark.parametrize("value", [0, -0.1, 1.01])
def test_a_target_lies_in_0_to_1(value):
    with pytest.raises(ValueError, match="above 0 and be at most 1"):
        TargetScore("f1_macro", value)


def test_an_unknown_score_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'accuracy', 'f1_macro'"):
        TargetScore("f1", 0.5)
