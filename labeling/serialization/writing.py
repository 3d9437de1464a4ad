"""Settings as strict JSON: how each kind of value is written.

See `labeling.serialization.settings` for how they are read.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import inspect
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from labeling.serialization.names import class_name, find_class, function_name, is_own, type_name


def dump(value: Any, where: str = "") -> Any:
    """Return `value` as strict JSON: plain values, lists, and objects as {"class", "params"}.

    Classes and functions of the user's own are named only: `load` asks for them again.

    Parameters
    ----------
    value
        A setting.
    where
        What an error calls it, as "classifier".

    Raises
    ------
    TypeError
        Something in it cannot be stored, such as a random generator; the message names the parameter.

    Examples
    --------
    >>> from strategies import Entropy
    >>> dump(Entropy())["class"]
    'strategies.Entropy'
    >>> dump({0: float("nan")})
    {'pairs': [[0, {'float': 'nan'}]]}
    """
    return _Dumping(own=False).any(value, where)


@dataclasses.dataclass(frozen=True)
class _Dumping:
    """Inside a class of the user's `own`, what has no stored form is named: it must be passed again anyway."""

    own: bool

    def any(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        for attempt in (_scalar, self._container, self._array, self._code, self._object):
            found = attempt(value, where)
            if found is not None:
                return found
        name = class_name(type(value))
        if self.own or is_own(type(value)):
            return {"class": name, "params": None}
        raise TypeError(f"{where or 'This'} = {shortened(value)} cannot be stored. {_would_work(value)}")

    def _all(self, values: Any, where: str) -> list[Any]:
        return [self.any(element, f"{where}[{place}]") for place, element in enumerate(values)]

    def _container(self, value: Any, where: str) -> Any:
        if isinstance(value, tuple):
            return self._all(value, where)
        if isinstance(value, list):
            return {"list": self._all(value, where)}
        if isinstance(value, set | frozenset):
            kind = "set" if isinstance(value, set) else "frozenset"
            return {kind: sorted(self._all(value, where), key=json.dumps)}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {"mapping": {str(key): self.any(each, f"{where}[{key!r}]") for key, each in value.items()}}
            return {
                "pairs": [[self.any(key, where), self.any(each, f"{where}[{key!r}]")] for key, each in value.items()]
            }
        return None

    def _array(self, value: Any, where: str) -> Any:
        """Return NumPy's values, None for any other."""
        if type(value).__module__.partition(".")[0] != "numpy":
            return None
        import numpy as np

        if isinstance(value, np.dtype) and value.fields is None:
            return {"dtype": value.str}
        if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "biufcSUmM":
            return None
        plain = value.astype(str) if value.dtype.kind in "mM" else value
        if value.dtype.kind == "m":
            plain = value.astype(np.int64)
        elements = self.any(plain.tolist(), where)
        return {"numpy": elements, "of": value.dtype.str, "shape": list(value.shape)}

    def _code(self, value: Any, where: str) -> Any:
        """Return functions and types by name, None for any other value."""
        if isinstance(value, functools.partial):
            parts = (self.any(value.func, where), self.any(value.args, where), self.any(value.keywords, where))
            return {"partial": parts[0], "args": parts[1], "keywords": parts[2]}
        if isinstance(value, type):
            if find_class(class_name(value)) is value:
                return {"type": class_name(value)}
            name = type_name(value)
            if name is not None:
                return {"type": name}
        elif callable(value) and (name := function_name(value)) is not None:
            return {"function": name}
        if (isinstance(value, type) or inspect.isroutine(value)) and is_own(value):
            return {"class": f"{value.__module__.partition('.')[0]}.{value.__qualname__}", "params": None}
        return None

    def _object(self, value: Any, where: str) -> Any:
        """Return an object that is described by its parameters, None for any other."""
        if isinstance(value, type):
            return None
        frozen = _distribution(value)
        if frozen is not None:
            args, keywords = self.any(value.args, where), self.any(value.kwds, where)
            return {"distribution": frozen, "args": args, "keywords": keywords}
        params = _params(value)
        if params is None:
            return None
        name = class_name(type(value))
        inside = _Dumping(own=self.own or find_class(name) is not type(value))
        prefix = f"{where}." if where else ""
        return {"class": name, "params": {key: inside.any(each, f"{prefix}{key}") for key, each in params.items()}}


def _params(value: Any) -> dict[str, Any] | None:
    """Return what an object was made with, None where it does not say."""
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
    if hasattr(value, "get_params"):
        return dict(value.get_params(deep=False))
    if find_class(class_name(type(value))) is not type(value):
        return None
    # Splitters of scikit-learn keep each parameter under its name, or among those for the splitter they repeat.
    names = [name for name in inspect.signature(type(value)).parameters if name not in ("args", "kwargs")]
    repeated = getattr(value, "cvargs", {})
    if not all(hasattr(value, name) or name in repeated for name in names):
        return None
    return {name: getattr(value, name) if hasattr(value, name) else repeated[name] for name in names}


def _distribution(value: Any) -> str | None:
    """Return the name of a frozen distribution of SciPy, None for anything else."""
    if type(value).__module__.partition(".")[0] != "scipy" or not hasattr(value, "dist"):
        return None
    from scipy import stats

    name = str(getattr(value.dist, "name", ""))
    return name if isinstance(getattr(stats, name, None), stats.rv_continuous | stats.rv_discrete) else None


def _scalar(value: Any, where: str) -> Any:  # noqa: ARG001
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    # NumPy's float64 is a float of Python's, and equal to what it is stored as.
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    for kind, (type_, write, _) in TEXTS.items():
        if isinstance(value, type_):
            return {kind: write(value)}
    if isinstance(value, range | slice):
        return {type(value).__name__: [dump(end) for end in (value.start, value.stop, value.step)]}
    return None


TEXTS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    # A moment is a date, too: it comes first.
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "seconds": (timedelta, timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds)),
    "complex": (complex, str, complex),
    "decimal": (Decimal, str, Decimal),
    "uuid": (UUID, str, UUID),
    "path": (Path, str, Path),
    "bytes": (bytes, lambda value: base64.b64encode(value).decode(), base64.b64decode),
}
"""Values that are stored as one text or number: their type, how they are written, how they are read."""


def shortened(value: Any) -> str:
    """Return what a message shows of a value."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _would_work(value: Any) -> str:
    kind, package = type(value).__name__, type(value).__module__.partition(".")[0]
    hints = {
        "RandomState": "Pass a whole number, or leave it out: seed= of the loop reaches it.",
        "Generator": "Pass a whole number, or leave it out: seed= of the loop reaches it.",
        "_Scorer": "Pass the name of a score, as 'f1_macro'.",
        "Memory": "Pass the path of its folder.",
        "generator": "Pass a number of folds or a splitter such as StratifiedKFold(5).",
    }
    if kind in hints:
        return hints[kind]
    if callable(value):
        return "Pass a function of NumPy's such as np.log1p, or one of your own, which is passed again each time."
    if package in ("pandas", "polars", "scipy", "numpy"):
        return "Pass a list or an array of numbers or texts."
    return "Pass numbers, texts, lists, mappings, or objects of scikit-learn."
