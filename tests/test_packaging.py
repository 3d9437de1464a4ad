"""What others see of the packages: their imports are light, and the two lists of requirements agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each of these takes between a third of a second and several seconds to import.
HEAVY = [
    "torch",
    "snorkel",
    "sklearn",
    "datasets",
    "pandas",
    "scipy.stats",
    "pyarrow.dataset",
    "streamlit",
    "distributed",
]


@pytest.mark.parametrize("package", ["labeling", "strategies", "storage"])
def test_an_import_brings_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def test_every_dependency_has_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[\[><=]", dependency)[0] for dependency in project["dependencies"]}
    assert named <= pins("requirements.txt").keys()


def test_no_package_is_pinned_twice() -> None:
    assert not pins("requirements.txt").keys() & pins("requirements-dev.txt").keys()
