"""Stop rules as people read them."""

from __future__ import annotations

import pytest

from labeling import After, LabelBudget, OverallUncertainty, Plateau, Stability, StopRule, TargetScore


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (LabelBudget(12000), "after 12,000 answers"),
        (TargetScore("accuracy", 0.925), "when accuracy on the hold-out reaches 92.5 %"),
        (Stability(rounds=4), "when more answers no longer change what the model predicts (4 rounds in a row)"),
        (Plateau("f1_macro", rounds=3, least=0.01), "when macro F1 rises by less than 1 points over 3 rounds"),
        (OverallUncertainty(0.05), "when the model is sure of what is left (mean uncertainty below 5 %)"),
        (
            After(TargetScore("accuracy", 0.9), 300),
            "when accuracy on the hold-out reaches 90 %, looked at again after 300 answers",
        ),
    ],
)
def test_each_rule_says_when_the_loop_is_done(rule: StopRule, said: str) -> None:
    assert rule.meaning == said


def test_a_rule_of_ones_own_is_called_by_its_name() -> None:
    class Bored(StopRule):
        pass

    assert Bored().meaning == "by Bored"
