"""What the Loop page says of where a loop stands."""

from __future__ import annotations

from datetime import UTC, datetime

from labeling.loops.records import LoopProgress, Refit
from ui.loop.live import learned
from ui.loop.state import unscored

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PROGRESS = LoopProgress(4, 0, 0, 0, 56, None, 1, 4, None)


def refit(**metrics: object) -> Refit:
    return Refit(1, 4, "Margin", {"trained": False, "weak_labels": 0, **metrics}, (), 0.5, AT)


def test_a_round_that_could_not_learn_is_not_said_to_have_learned() -> None:
    said = learned(refit(failed=True), PROGRESS, again=False)
    assert said.startswith("Round 1 could not learn from 4 answers yet, and chose its questions without a model.")
    assert learned(refit(failed=True), PROGRESS, again=True) == f"Nothing is new since round 1. {said}"


def test_a_round_that_learned_says_from_what() -> None:
    assert learned(refit(trained=True), PROGRESS, again=False).startswith("Learned from 4 answers in round 1")
    assert learned(refit(failed=False), PROGRESS, again=False).startswith("Nothing learned yet")


def test_without_a_model_there_is_nothing_to_score_whether_there_is_a_hold_out_or_not() -> None:
    assert {unscored(held, held, failed=True) for held in (0, 20)} == {
        "Its quality is not known: the newest round could not learn, so there is no model to score yet."
    }
    assert "there is no hold-out" in unscored(0, 0)
