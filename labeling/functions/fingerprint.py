"""What a Python function depends on, as one short text: the same code and values give the same fingerprint.

Votes are cached by it, so it errs on one side only: where something that the
function uses cannot be compared by value, there is no fingerprint, and its votes are computed anew.
"""

import ast
import functools
import hashlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np


class NotComparableError(ValueError):
    """A function uses a value that cannot be compared between runs."""


def digest(*parts: str) -> str:
    """Short hash of some texts, in order.

    Examples
    --------
    >>> digest("a", "b") == digest("a", "b"), digest("a", "b") == digest("ab")
    (True, False)
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def source_of(function: Callable[..., Any]) -> str | None:
    """Text of a function as it was written, None where Python does not know it."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None


def fingerprint_code(function: Callable[..., Any]) -> str | None:
    """Fingerprint of a Python function, None where there can be none.

    It covers the syntax tree of the source (comments, spacing, docstrings and
    decorators aside), default arguments, the values in closure cells, and the
    global constants and functions of the same program that the source names.

    Examples
    --------
    Functions typed at a prompt have no source, and so no fingerprint:

    >>> fingerprint_code(eval("lambda row: None")) is None
    True
    """
    try:
        return digest(_describe_function(function, seen=()))
    except NotComparableError:
        return None


def _describe_function(function: Callable[..., Any], seen: tuple[int, ...]) -> str:
    if isinstance(function, functools.partial):
        parts = (function.func, list(function.args), dict(function.keywords))
        return "partial:" + "|".join(_describe(part, seen) for part in parts)
    if not isinstance(function, FunctionType):
        raise NotComparableError(f"{function!r} is not a plain function")
    if id(function) in seen:
        return f"itself:{function.__qualname__}"
    seen = (*seen, id(function))
    tree = _tree(function)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    outside = names - set(cells) - set(function.__code__.co_varnames)
    values = {name: function.__globals__[name] for name in outside if name in function.__globals__}
    try:
        values |= {name: cell.cell_contents for name, cell in cells.items()}
    except ValueError as error:
        raise NotComparableError("a closure cell is empty") from error
    return "|".join(
        (
            ast.dump(tree),
            _describe(function.__defaults__, seen),
            _describe(function.__kwdefaults__, seen),
            *(f"{name}={_describe(values[name], seen)}" for name in sorted(values)),
        )
    )


def _tree(function: FunctionType) -> ast.AST:
    """Syntax tree of a function without decorators, annotations and docstring."""
    source = source_of(function)
    if source is None:
        raise NotComparableError(f"the source of {function.__qualname__} is not known")
    try:
        statement = ast.parse(source).body[0]
    except (SyntaxError, IndexError) as error:
        raise NotComparableError(f"the source of {function.__qualname__} is part of another statement") from error
    if not isinstance(statement, ast.FunctionDef):
        lambdas = [node for node in ast.walk(statement) if isinstance(node, ast.Lambda)]
        if len(lambdas) != 1:
            raise NotComparableError("several functions share one line")
        return lambdas[0]
    statement.decorator_list = []
    statement.returns = None
    statement.name = ""
    for node in ast.walk(statement):
        if isinstance(node, ast.arg):
            node.annotation = None
    if ast.get_docstring(statement, clean=False) is not None:
        statement.body = statement.body[1:]
    return statement


def _describe(value: Any, seen: tuple[int, ...]) -> str:
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}:[{','.join(_describe(part, seen) for part in value)}]"
    if isinstance(value, (set, frozenset)):
        return f"set:[{','.join(sorted(_describe(part, seen) for part in value))}]"
    if isinstance(value, Mapping):
        pairs = sorted((_describe(key, seen), _describe(item, seen)) for key, item in value.items())
        return f"mapping:{json.dumps(pairs)}"
    if isinstance(value, re.Pattern):
        return f"pattern:{value.pattern!r}:{value.flags}"
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object:
        return f"array:{value.dtype}:{value.shape}:{hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, Enum):
        return f"enum:{_describe_object(type(value), seen)}.{value.name}"
    if isinstance(value, ModuleType):
        return _describe_module(value)
    return _describe_object(value, seen)


def _describe_module(module: ModuleType) -> str:
    """Tell an installed module by its version, one of the user's by its text."""
    if _installed(module.__name__):
        return f"module:{module.__name__}:{getattr(module, '__version__', '')}"
    try:
        text = inspect.getsource(module)
    except (OSError, TypeError) as error:
        raise NotComparableError(f"the source of module {module.__name__} is not known") from error
    return f"module:{module.__name__}:{digest(text)}"


def _describe_object(value: Any, seen: tuple[int, ...]) -> str:
    """Code: by name where it is installed, by content where it is the user's."""
    known = getattr(value, "fingerprint", None)
    if isinstance(known, str):
        return f"function:{known}"
    if isinstance(value, (type, FunctionType, BuiltinFunctionType)) and _installed(value.__module__):
        return f"name:{value.__module__}.{value.__qualname__}"
    if isinstance(value, (FunctionType, functools.partial)):
        return _describe_function(value, seen)
    raise NotComparableError(f"a value of type {type(value).__name__} cannot be compared between runs")


def _installed(module: str | None) -> bool:
    """Whether a module belongs to Python, to an installed package or to this one: its name stands for its code."""
    top = (module or "").partition(".")[0]
    if top in sys.stdlib_module_names or top in {"builtins", __name__.partition(".")[0]}:
        return top != "__main__"
    path = getattr(sys.modules.get(top), "__file__", None) or ""
    return bool({"site-packages", "dist-packages"} & set(Path(path).parts))
