"""The labeling engine and its public API; names are imported when they are first used.

What is public stands in `__init__.pyi`, once, where type checkers look for it, too.
"""

import ast
import importlib
from pathlib import Path
from typing import Any


def _homes() -> dict[str, str]:
    listed = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: str(node.module) for node in listed.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


_HOMES = _homes()

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'labeling' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
