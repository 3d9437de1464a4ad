"""What the engine raises, as pages say it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ui.parts.wording import on_page

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "There is nothing to vote on: the project has no items: import some with add_items().",
            "There is nothing to vote on: the project has no items: import a file on the Data page.",
        ),
        (
            "WeightedVote learns from gold, which no item has. Give gold=, or use Robust(), which needs none.",
            "WeightedVote learns from gold, which no item has. Import known answers, or use Robust, which needs none.",
        ),
        (
            "'bob' is not assigned. project.assign('bob', loop='l') does that.",
            "'bob' is not assigned. A lead assigns work on the Projects page (People).",
        ),
        ("The label 'f(x)' is not known. Known: 'a=b', 'c'.", "The label 'f(x)' is not known. Known: 'a=b', 'c'."),
        (
            "Every item of the pool has an answer. Import more items with add_items().",
            "Every item of the pool has an answer. Import a file on the Data page.",
        ),
    ],
)
def test_a_message_speaks_of_pages(said: str, shown: str) -> None:
    assert on_page(said) == shown


def messages() -> list[str]:
    """Every text of more than one sentence that the engine raises, with its values left out."""
    found = []
    for package in ("labeling", "storage"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    match node.exc.args[0]:
                        case ast.Constant(value=str(text)):
                            found.append(text)
                        case ast.JoinedStr(values=values):
                            parts = [str(part.value) if isinstance(part, ast.Constant) else "7" for part in values]
                            found.append("".join(parts))
    return found


def test_no_advice_on_a_page_is_a_call_in_python() -> None:
    spoken = [text for text in messages() if re.search(r"[.] [A-Z]", text)]
    assert len(spoken) > 50
    advice = [on_page(text).partition(". ")[2] for text in spoken]
    unquoted = [re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”", "", text) for text in advice]
    assert [text for text in unquoted if re.search(r"\b\w+\([^)]*\)|\b[a-z_]+=(?!=)", text)] == []
