"""Loops of a database that was written before the engine was given rooms go on with the same next question."""

import json
import shutil
from pathlib import Path

import pytest

from tests.data.make_before_rooms import resumed

DATA = Path(__file__).resolve().parents[2] / "data"


def flat(value):
    """The values in nested lists, in their order."""
    return [each for part in value for each in flat(part)] if isinstance(value, (list, tuple)) else [value]


def test_every_loop_asks_what_it_asked_before(tmp_path):
    shutil.copy(DATA / "before-rooms.sqlite", tmp_path / "work.db")
    asked = resumed(f"sqlite:///{tmp_path / 'work.db'}")
    before = json.loads((DATA / "before-rooms.json").read_text(encoding="utf-8"))
    assert list(asked) == list(before)
    for name, said in before.items():
        # Scores of other machines differ in their last places.
        assert flat(asked[name]) == [pytest.approx(e, abs=1e-6) if isinstance(e, float) else e for e in flat(said)]
