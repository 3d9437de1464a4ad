"""What a comparison of strategies means, and what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labeling import Project
from labeling.loops.simulation.curves import Curves
from ui.compare.job import known_items
from ui.compare.page import lacking, verdict

ROOT = Path(__file__).parents[3]


def curves(runs: dict[str, list[list[float]]]) -> Curves:
    """Curves from accuracies: a list of seeds a strategy, a list of rounds a seed."""
    rows = [
        {"strategy": name, "seed": seed, "round": step, "labels": 10 + 10 * step, "accuracy": score,
         "f1_macro": score, "calibration_error": 0.0, "seconds": 0.1}
        for name, seeds in runs.items() for seed, scores in enumerate(seeds) for step, score in enumerate(scores)
    ]  # fmt: skip
    return Curves.of(rows, list(runs), "Random")


def test_a_clear_winner_is_named_with_the_labels_it_saves() -> None:
    summary = curves(
        {"Margin": [[0.5, 0.8, 0.9], [0.5, 0.81, 0.9]], "Random": [[0.5, 0.6, 0.8], [0.5, 0.6, 0.8]]}
    ).summary()
    said = verdict(summary, 2, "accuracy")
    assert said.startswith(
        "Margin learns fastest: it reaches the accuracy of 80.0 % that random questions end with after 20 labels "
        "instead of 30 (66 %)."
    )
    assert "That is more than chance between the 2 runs (+" in said


def test_a_gain_within_the_spread_of_the_runs_may_be_chance() -> None:
    summary = curves({"Margin": [[0.5, 0.9], [0.5, 0.6]], "Random": [[0.5, 0.7], [0.5, 0.7]]}).summary()
    assert "With 2 runs that may still be chance (" in verdict(summary, 2, "accuracy")


def test_one_run_is_called_what_it_is() -> None:
    summary = curves({"Margin": [[0.5, 0.9]], "Random": [[0.5, 0.7]]}).summary()
    assert "One run alone does not tell skill from luck" in verdict(summary, 1, "accuracy")


def test_a_loser_is_not_sold_as_a_winner() -> None:
    summary = curves({"Margin": [[0.5, 0.6], [0.5, 0.6]], "Random": [[0.5, 0.9], [0.5, 0.91]]}).summary()
    said = verdict(summary, 2, "macro F1")
    assert said.startswith("None of them beats random questions here: Margin comes closest.")
    assert "more than chance" in said


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "The answers of no item are known."),
        ({"ok": 1}, "The answers of 1 item are known, too few."),
        ({"ok": 30, "spam": 19}, "The answers of 49 items are known, too few."),
        ({"ok": 60}, "All 60 known answers are “ok”, so there is nothing to tell apart."),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(known: dict[str, int], said: str) -> None:
    assert lacking(known).startswith(said)


@pytest.fixture
def known(tmp_path: Path) -> tuple[Project, str]:
    storage = f"sqlite:///{tmp_path / 'labeling.db'}"
    project = Project.create("compared", ["ok", "rude"], storage=storage)
    frame = pl.DataFrame(
        {
            "key": [f"k{n}" for n in range(90)],
            "answer": ["mine"] * 90,
            "text": [f"{'idiot' if n % 3 == 0 else 'thanks'} number {n}" for n in range(90)],
            "truth": ["rude" if n % 3 == 0 else "ok" for n in range(80)] + [None] * 10,
            "secret": ["s"] * 90,
        }
    )
    project.add_items(frame, text="text", id="key", gold="truth", private=["secret"], progress=False)
    return project, storage


def test_only_what_may_be_learned_from_is_compared_on(known: tuple[Project, str]) -> None:
    frame, gold = known_items(known[0])
    assert frame.height == 80
    assert sorted(frame.columns) == sorted(["answer", "text", gold])
    assert gold == "answer_"
    assert frame[gold].value_counts(sort=True)["count"].to_list() == [53, 27]


def said_by(plan: dict[str, Any], storage: str) -> tuple[list[dict[str, Any]], int, str]:
    with subprocess.Popen(
        [sys.executable, "-m", "ui.compare.job"],
        cwd=ROOT,
        env={**os.environ, "LABELING_STORAGE": storage, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.flush()
        lines = [json.loads(line) for line in process.stdout]
        fault = process.stderr.read()
    return lines, process.returncode, fault


def test_the_process_says_how_far_it_is_and_hands_over_every_run(known: tuple[Project, str]) -> None:
    plan = {
        "project": "compared",
        "strategies": ["Margin", "Random"],
        "seeds": 2,
        "start": 6,
        "batch_size": 5,
        "rounds": 2,
    }
    lines, code, _ = said_by(plan, known[1])
    assert code == 0
    assert [line["done"] for line in lines[:-1]] == [0, 1, 2, 3, 4]
    assert {line["total"] for line in lines[:-1]} == {4}
    rows = lines[-1]["runs"]
    assert [(row[0], row[1], row[3]) for row in rows[:3]] == [("Margin", 0, 6), ("Margin", 0, 11), ("Margin", 0, 16)]
    assert len(rows) == 2 * 2 * 3


def test_a_plan_that_cannot_be_done_ends_with_the_reason(known: tuple[Project, str]) -> None:
    plan = {"project": "compared", "strategies": ["Random"], "seeds": 1, "start": 600, "batch_size": 5, "rounds": 2}
    lines, code, fault = said_by(plan, known[1])
    assert code != 0
    assert "runs" not in lines[-1]
    assert fault.strip().splitlines()[-1].startswith("ValueError: start=600 labels are more than the")
