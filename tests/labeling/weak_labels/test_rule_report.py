"""A project's analysis: troubles, what counts as known, and checks that are found again."""

from typing import Any

import polars as pl
import pytest

from labeling import Project, keyword, labeling_function
from labeling.votes.label_models import MajorityVote
from labeling.weak_labels import rule_report as project_analysis

TEXTS = ["vote now", "vote later", "a cat", "a dog", "vote cat"] * 4


@pytest.fixture
def project(tmp_path: Any) -> Project:
    made = Project.create("forum", ["ok", "politics"], storage=f"sqlite:///{tmp_path}/labeling.db")
    made.add_items(pl.DataFrame({"text": [f"{text} {n}" for n, text in enumerate(TEXTS)]}), text="text", progress=False)
    made.add_functions([keyword("vote", ["vote"], "politics", expert="ann")])
    return made


def test_a_faulty_function_is_named_with_its_first_item_and_without_its_text(project: Project):
    @labeling_function(labels=["ok"])
    def brittle(row: dict[str, Any]) -> object:
        return int(row["text"]) if "cat" in row["text"] else "ok"

    project.add_functions([brittle])
    (row,) = project.analysis().troubles().rows(named=True)
    assert (row["function"], row["faults"], row["first_item"], row["slow"]) == ("brittle", 8, 3, False)
    assert row["error"].startswith("ValueError")
    assert "cat" not in row["error"]


def test_only_a_function_that_takes_most_of_the_time_is_slow(project: Project, monkeypatch: pytest.MonkeyPatch):
    assert project.analysis().troubles().is_empty()
    monkeypatch.setattr(project_analysis, "SLOW_SECONDS", 0.0)
    assert project.analysis().troubles().select("function", "faults", "slow").rows() == [("vote", 0, True)]


def test_answers_judge_thresholds_as_known_truth_does(project: Project):
    project.weak_label(MajorityVote())
    assert project.analysis().threshold_curve()["accuracy"].to_list() == [None]
    check = project.weak_run().check(5)
    for query in check.loop.ask("ann"):
        check.loop.tell(query, "politics")
    curve = project.analysis().threshold_curve()
    judged = check.result()
    assert curve.select("judged", "accuracy").rows() == [(judged.answered - judged.unlabeled, 1.0)]


def test_the_checks_of_a_run_are_found_again_and_no_other_loops(project: Project):
    run = project.weak_label(MajorityVote())
    assert run.checks() == []
    run.check(5)
    run.check(7, seed=1)
    for _ in range(9):
        project.weak_label(MajorityVote())
    tenth = project.weak_run()
    tenth.check(5)
    assert [check.loop.name for check in project.weak_run(1).checks()] == [
        "check of weak run 1 (5, seed 0)",
        "check of weak run 1 (7, seed 1)",
    ]
    assert [check.loop.budget for check in tenth.checks()] == [5]
    assert all(info.blind for info in project.loops())
