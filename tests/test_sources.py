"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ["app.py", "labeling", "strategies", "storage", "ui"]
UNSAFE_MODULES = {"pickle", "_pickle", "dill", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
# Each of these runs code that stands in the data it reads.
UNSAFE_ATTRIBUTES = {
    "deserialize": "pl.Expr.deserialize and pl.LazyFrame.deserialize",
    "read_pickle": "pandas.read_pickle",
    "unsafe_load": "yaml.unsafe_load",
}
UNSAFE_LOADERS = {("torch", "load"), ("joblib", "load"), ("cloudpickle", "load"), ("cloudpickle", "loads")}


def sources() -> list[Path]:
    paths = [ROOT / name for name in PRODUCT]
    return sorted(path for start in paths for path in ([start] if start.is_file() else start.rglob("*.py")))


def unsafe(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.partition(".")[0] in UNSAFE_MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in UNSAFE_MODULES:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                yield name
            case ast.Attribute(attr=name) if name in UNSAFE_ATTRIBUTES:
                yield UNSAFE_ATTRIBUTES[name]
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in UNSAFE_LOADERS:
                yield f"{module}.{name}"
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield "allow_pickle=True"
            case ast.keyword(arg="unsafe_allow_javascript", value=ast.Constant(value=True)):
                yield "unsafe_allow_javascript=True"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_reads_data_that_runs_as_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(unsafe(tree)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from dill import loads",
        "pl.Expr.deserialize(text)",
        "torch.load(path)",
        "eval(text)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
    ],
)
def test_the_search_for_unsafe_reading_finds_it(code: str) -> None:
    assert len(list(unsafe(ast.parse(code)))) == 1
