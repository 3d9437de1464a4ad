"""docs/architecture.md and CONTRIBUTING.md against the tree, and the sizes that they state."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("labeling", "strategies", "storage", "ui")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST_LINES, MOST_FILES = 400, 14


def in_backticks(text: str) -> list[str]:
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", without_blocks)


def paths(text: str) -> set[str]:
    """What stands in backticks and is a path: with a slash, a suffix of ours, or a package."""
    ours = re.compile(r"[\w.-]+(/[\w.-]+)+|[\w-]+\.(py|pyi|md|toml)|" + "|".join(PACKAGES))
    return {each for each in in_backticks(text) if ours.fullmatch(each)}


def table(head: str) -> dict[str, str]:
    """The rows of the table whose first column is called so: what stands in backticks, and the rest of the row."""
    rows = re.search(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", ARCHITECTURE, flags=re.MULTILINE)
    assert rows is not None, f"docs/architecture.md has no table {head!r}"
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", rows.group(1), flags=re.MULTILINE))


def picture() -> dict[str, list[str]]:
    """The layers in the picture, the highest first, by what they are the layers of."""
    block = re.search(r"^```text\n(.*?)^```", ARCHITECTURE, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    layers: dict[str, list[str]] = {}
    for line in filter(None, block.group(1).splitlines()):
        if line.startswith(" "):
            layers[next(reversed(layers))].append(re.split(r" {2,}", line.strip())[0])
        else:
            layers[line] = []
    return layers


def contracts() -> dict[str, list[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layered = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    return {each.get("containers", ["the house"])[0]: each["layers"] for each in layered}


def python_files() -> list[Path]:
    found = [path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    return sorted([*found, Path("app.py")])


def folders() -> dict[str, int]:
    """How many Python files each folder holds by itself."""
    inside = [path.parent.as_posix() for path in python_files() if len(path.parts) > 1]
    return {folder: inside.count(folder) for folder in inside}


DOORS = table("Door")
WIDE = table("Wide folder")


def test_the_layers_in_the_picture_are_those_of_the_contracts() -> None:
    assert picture() == contracts()


def test_each_folder_with_python_has_a_line_and_no_other_has() -> None:
    assert sorted(table("Folder")) == sorted(folders())


@pytest.mark.parametrize("text", [ARCHITECTURE, CONTRIBUTING], ids=["docs/architecture.md", "CONTRIBUTING.md"])
def test_paths_that_are_named_exist(text: str) -> None:
    found = paths(text)
    # A file in the same sentence as its folder goes by its name alone.
    names = {path.name for path in python_files()}
    assert len(found) > 5
    assert [each for each in sorted(found) if not (ROOT / each).exists() and each not in names] == []


@pytest.mark.parametrize("text", [ARCHITECTURE, CONTRIBUTING], ids=["docs/architecture.md", "CONTRIBUTING.md"])
def test_documents_that_are_linked_exist(text: str) -> None:
    folder = ROOT / "docs" if text is ARCHITECTURE else ROOT
    linked = re.findall(r"\]\(([^)#]+)", text)
    assert linked
    assert [each for each in linked if not (folder / each).exists()] == []


def test_the_targets_that_are_named_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", CONTRIBUTING + ARCHITECTURE, flags=re.MULTILINE))
    assert {"run", "quick", "check", "test"} <= named <= targets


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_module_stays_under_400_lines_unless_it_is_a_door(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    if path.as_posix() in DOORS:
        assert lines > MOST_LINES, f"{path} has {lines} lines: it need not stand among the doors"
    else:
        assert lines <= MOST_LINES, f"{path} has {lines} lines: it is two modules"


def test_a_folder_holds_14_files_at_most_unless_it_says_why() -> None:
    assert {folder for folder, count in folders().items() if count > MOST_FILES} == set(WIDE)


@pytest.mark.parametrize("door", DOORS)
def test_the_parts_of_a_door_are_those_that_it_makes(door: str) -> None:
    tree = ast.parse((ROOT / door).read_text(encoding="utf-8"))
    made = [
        call.func.id
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id[0].isupper()
    ]
    assert made
    assert [each for each in in_backticks(DOORS[door]) if "/" not in each] == made


@pytest.mark.parametrize("door", DOORS)
def test_each_public_verb_of_a_door_has_a_docstring_and_a_short_body(door: str) -> None:
    tree = ast.parse((ROOT / door).read_text(encoding="utf-8"))
    public = [
        verb
        for each in tree.body
        if isinstance(each, ast.ClassDef)
        for verb in each.body
        if isinstance(verb, ast.FunctionDef) and not verb.name.startswith("_")
    ]
    assert public
    for verb in public:
        assert ast.get_docstring(verb), f"{verb.name} has no docstring"
        lines = verb.body[-1].end_lineno - verb.body[1].lineno + 1 if len(verb.body) > 1 else 0
        assert lines <= 25, f"{verb.name} has a body of {lines} lines: the work belongs in a part"
