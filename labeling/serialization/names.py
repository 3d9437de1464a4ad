"""Names of classes and functions in a database, and what this process offers under them.

Only what stands here is ever looked up: what strategies and labeling list as public, scikit-learn's estimators and
what they are set with, NumPy's and SciPy's element-wise functions. A name in a database decides nothing else.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from typing import Any

# Public modules of scikit-learn whose classes and functions are parameters of estimators.
_CLASSES = ("model_selection", "gaussian_process.kernels")
_FUNCTIONS = ("feature_selection", "metrics", "metrics.pairwise", "preprocessing")
_BUILTIN_TYPES: dict[str, type] = {each.__name__: each for each in (bool, bytes, complex, float, int, object, str)}
# Beside ufuncs: no other function of NumPy's is offered, some of them read files.
_ARRAY_FUNCTIONS = ("clip", "max", "mean", "median", "min", "nan_to_num", "round", "std", "sum")
_LIBRARIES = frozenset(
    "joblib narwhals numpy pandas polars pyarrow scipy sklearn threadpoolctl".split()  # noqa: SIM905
)


def class_name(cls: type) -> str:
    """Return the name of a class as it is stored: its package, and what it is called there."""
    package = cls.__module__.split(".")[0]
    if package == "sklearn" and _estimators().get(cls.__name__) is not cls:
        for module in _CLASSES:
            if getattr(importlib.import_module(f"sklearn.{module}"), cls.__name__, None) is cls:
                return f"sklearn.{module}.{cls.__name__}"
    return f"{package}.{cls.__qualname__}"


def find_class(name: str) -> type | None:
    """Return the class of a stored name, None where it is not one of strategies, labeling or scikit-learn."""
    package, _, short = name.partition(".")
    found: Any = None
    if package == "strategies":
        import strategies

        found = getattr(strategies, short, None) if short in strategies.__all__ else None
    elif package == "labeling":
        import labeling

        found = getattr(labeling, short, None) if short in labeling.__all__ else None
    elif package == "sklearn":
        found = _estimators().get(short)
        module, _, last = short.rpartition(".")
        if found is None and module in _CLASSES:
            found = getattr(importlib.import_module(f"sklearn.{module}"), last, None)
    return found if isinstance(found, type) else None


@functools.cache
def _estimators() -> dict[str, type]:
    from sklearn.utils import all_estimators

    return dict(all_estimators())


def function_name(function: Any) -> str | None:
    """Return the name of a function that is known by name, None for any other.

    Examples
    --------
    >>> import numpy as np
    >>> function_name(np.log1p), function_name(lambda x: x) is None
    ('numpy.log1p', True)
    """
    short = getattr(function, "__name__", "")
    modules = ("numpy", "scipy.special", *(f"sklearn.{module}" for module in _FUNCTIONS))
    names = (f"{module}.{short}" for module in modules)
    return next((name for name in names if find_function(name) is function), None)


def find_function(name: str) -> Any:
    """Return the function of a stored name, None where it is not offered."""
    import numpy as np

    module, _, short = name.rpartition(".")
    if module == "numpy":
        found = getattr(np, short, None)
        return found if isinstance(found, np.ufunc) or short in _ARRAY_FUNCTIONS else None
    if module == "scipy.special":
        found = getattr(importlib.import_module(module), short, None)
        return found if isinstance(found, np.ufunc) else None
    if module.partition(".")[0] == "sklearn" and module.partition(".")[2] in _FUNCTIONS:
        found = getattr(importlib.import_module(module), short, None)
        there = inspect.isfunction(found) and found.__module__.partition(".")[0] == "sklearn"
        return found if there and not short.startswith("_") else None
    return None


def type_name(cls: type) -> str | None:
    """Return the name of a type that is itself a setting, as `dtype=np.float64`; None for any other."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    return name if find_type(name) is cls else None


def find_type(name: str) -> type | None:
    """Return the type of a stored name, None where it is not offered."""
    import numpy as np

    module, _, short = name.rpartition(".")
    if module == "builtins":
        return _BUILTIN_TYPES.get(short)
    found = getattr(np, short, None) if module == "numpy" else None
    return found if isinstance(found, type) and issubclass(found, np.generic) else None


def is_own(code: object) -> bool:
    """Tell whether a class or function is the user's own, not a library's that estimators are set with.

    Examples
    --------
    >>> import random
    >>> is_own(is_own), is_own(random.Random)
    (True, False)
    """
    package = str(getattr(code, "__module__", None) or "builtins").partition(".")[0]
    return package not in _LIBRARIES and (package == "__main__" or package not in sys.stdlib_module_names)
