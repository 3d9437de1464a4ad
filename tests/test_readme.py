"""What README promises is run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from labeling import Project, keyword

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = re.findall(r"^python -m labeling (.*)$", README, flags=re.MULTILINE)


def run(arguments: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LABELING_STORAGE": f"sqlite:///{folder / 'labeling.db'}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: re.findall(r"Project\.\w+\(\"(\w+)", script)[0])
def test_each_script_runs_and_runs_again(script: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(script, encoding="utf-8")
    assert run([str(path)], tmp_path)
    assert run([str(path)], tmp_path)


def test_the_commands_run_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(
        "id,body,label\n1,you idiot,offensive\n2,good morning,ok\n3,buy now,spam\n", encoding="utf-8"
    )
    (tmp_path / "answers.csv").write_text("id,label,who\n1,offensive,Amira\n3,ok,Bo\n", encoding="utf-8")
    first, *others = COMMANDS
    assert run(["-m", "labeling", *shlex.split(first, comments=True)], tmp_path)
    project = Project.open("forum", storage=f"sqlite:///{tmp_path / 'labeling.db'}")
    project.add_functions([keyword("names", ["idiot"], label="offensive", expert="Amira")])
    assert len(others) == 5
    for command in others:
        assert run(["-m", "labeling", *shlex.split(command, comments=True)], tmp_path)
    assert (tmp_path / "labels.parquet").is_file()


@pytest.mark.parametrize("path", re.findall(r"(?:\]\(|src=\"|srcset=\")([^)#:\"]+)[)\"]", README))
def test_each_file_it_points_to_is_there(path: str) -> None:
    assert (ROOT / path).is_file()
