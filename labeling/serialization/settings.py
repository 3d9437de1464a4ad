"""Strategies, classifiers, label models and stop rules as JSON, and back by name.

What JSON knows is stored as it is; a JSON list is a tuple, and anything else is an object with a key that names its
kind. There is no NaN and no Infinity in it, no key that is not text, and nothing that is lost on the way: what is
loaded equals what was stored. Only classes that this process offers by itself are looked up: a name in a database
never decides what is imported.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from labeling.serialization.names import find_class, find_function, find_type
from labeling.serialization.writing import TEXTS, dump, shortened

Json = dict[str, Any]


class UnknownClass(LookupError):
    """A stored setting names a class of the user's own; it must be passed again."""


def load(spec: Any) -> Any:
    """Return the object that `dump` described, also in the form of earlier versions.

    Raises
    ------
    UnknownClass
        The class is not one of strategies, labeling or scikit-learn.
    """
    if isinstance(spec, list):
        return tuple(load(element) for element in spec)
    if not isinstance(spec, Mapping):
        return spec
    kind = next(iter(spec.keys() & _LOADERS.keys()), None)
    if kind is None:
        raise ValueError(f"The setting {shortened(spec)} is of a kind that this version does not know. Update Tally.")
    return _LOADERS[kind](spec)


def _load_object(spec: Mapping[str, Any]) -> Any:
    name, found = spec["class"], find_class(spec["class"])
    if found is None or spec["params"] is None:
        raise _unknown(name)
    params = {key: load(element) for key, element in spec["params"].items()}
    try:
        return found(**params)
    except TypeError as error:
        raise ValueError(
            f"{name} was stored with settings that this version does not take: {error}. Pass the object again."
        ) from error


def _unknown(name: str) -> UnknownClass:
    return UnknownClass(
        f"The class {name} is not part of Tally or scikit-learn, so it is not rebuilt from the database. "
        "Pass the object again, as when the loop was made."
    )


def _load_name(find: Callable[[str], Any], name: str) -> Any:
    found = find(name)
    if found is None:
        raise _unknown(name)
    return found


def _load_numpy(spec: Mapping[str, Any]) -> Any:
    import numpy as np

    elements, dtype = load(spec["numpy"]), np.dtype(spec["of"])
    return np.array(elements, dtype=dtype).reshape(spec["shape"])[()]


def _load_dtype(spec: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.dtype(spec["dtype"])


def _load_distribution(spec: Mapping[str, Any]) -> Any:
    from scipy import stats

    found = getattr(stats, spec["distribution"], None)
    if not isinstance(found, stats.rv_continuous | stats.rv_discrete):
        raise _unknown(f"scipy.stats.{spec['distribution']}")
    return found(*load(spec["args"]), **load(spec["keywords"]))


def _reader(kind: str, read: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Any]:
    return lambda spec: read(spec[kind])


_LOADERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "class": _load_object,
    "numpy": _load_numpy,
    "partial": lambda spec: functools.partial(load(spec["partial"]), *load(spec["args"]), **load(spec["keywords"])),
    "distribution": _load_distribution,
    "mapping": lambda spec: {key: load(element) for key, element in spec["mapping"].items()},
    "pairs": lambda spec: {load(key): load(element) for key, element in spec["pairs"]},
    "list": lambda spec: [load(element) for element in spec["list"]],
    "set": lambda spec: {load(element) for element in spec["set"]},
    "frozenset": lambda spec: frozenset(load(element) for element in spec["frozenset"]),
    "range": lambda spec: range(*spec["range"]),
    "slice": lambda spec: slice(*(load(end) for end in spec["slice"])),
    "float": lambda spec: float(spec["float"]),
    "function": lambda spec: _load_name(find_function, spec["function"]),
    "type": lambda spec: _load_name(lambda name: find_type(name) or find_class(name), spec["type"]),
    "dtype": _load_dtype,
} | {kind: _reader(kind, read) for kind, (_, _, read) in TEXTS.items()}


def same(given: Any, stored: Any) -> bool:
    """Tell whether two specs describe the same setting, also where one was stored by an earlier version.

    A list is the same as a tuple of the same, NumPy's 1 as 1, and a parameter that is missing as its default.

    Examples
    --------
    >>> same(dump([float("nan")]), [float("nan")])
    True
    """
    return bool(_comparable(given) == _comparable(stored))


def _comparable(spec: Any) -> Any:
    """Return what can be compared: tuples and plain values, nothing that is lost on the way to an earlier version."""
    if isinstance(spec, list):
        return "sequence", tuple(_comparable(element) for element in spec)
    if not isinstance(spec, Mapping):
        return "nan" if isinstance(spec, float) and math.isnan(spec) else spec
    if "class" in spec:
        if spec["params"] is None:
            return spec["class"], None
        params = {**_defaults(spec["class"]), **spec["params"]}
        return spec["class"], frozenset((key, _comparable(value)) for key, value in params.items())
    if "mapping" in spec:
        return "mapping", frozenset((key, _comparable(value)) for key, value in spec["mapping"].items())
    if "pairs" in spec:
        # Earlier versions kept keys as texts.
        pairs = ((_comparable(key), _comparable(value)) for key, value in spec["pairs"])
        return "mapping", frozenset((key if isinstance(key, tuple) else str(key), value) for key, value in pairs)
    if "list" in spec:
        return _comparable(spec["list"])
    if "range" in spec:
        return _comparable(list(range(*spec["range"])))
    if "numpy" in spec:
        return _comparable(spec["numpy"])
    if "float" in spec:
        return _comparable(float(spec["float"]))
    return "other", tuple(sorted((key, _comparable(value)) for key, value in spec.items()))


def describe(spec: Any) -> str:
    """Return a short text for people: the class, and those parameters that are not plain defaults.

    Examples
    --------
    >>> describe({"class": "strategies.Entropy", "params": {}})
    'Entropy'
    """
    if isinstance(spec, list):
        return "[" + ", ".join(describe(element) for element in spec) + "]"
    if not isinstance(spec, Mapping):
        return repr(spec)
    if "class" in spec:
        return _describe_object(spec)
    if "mapping" in spec:
        return "{" + ", ".join(f"{key}: {describe(element)}" for key, element in spec["mapping"].items()) + "}"
    if "pairs" in spec:
        return "{" + ", ".join(f"{describe(key)}: {describe(element)}" for key, element in spec["pairs"]) + "}"
    if "partial" in spec:
        return f"partial({describe(spec['partial'])})"
    if "distribution" in spec:
        given = [describe(each) for each in spec["args"]]
        given += [f"{key}={describe(each)}" for key, each in spec["keywords"].get("mapping", {}).items()]
        return f"{spec['distribution']}({', '.join(given)})"
    if "range" in spec:
        return repr(range(*spec["range"]))
    inside = spec[next(iter(spec))]
    if "function" in spec or "type" in spec:
        return str(inside).rsplit(".", 1)[-1]
    return describe(inside) if isinstance(inside, list | Mapping) else str(inside)


def _describe_object(spec: Mapping[str, Any]) -> str:
    short, defaults = str(spec["class"]).rsplit(".", 1)[-1], _defaults(spec["class"])
    given = {
        key: value
        for key, value in (spec["params"] or {}).items()
        if key not in defaults or not same(defaults[key], value)
    }
    return short + (f"({', '.join(f'{key}={describe(value)}' for key, value in given.items())})" if given else "")


@functools.cache
def _defaults(name: str) -> Mapping[str, Any]:
    """Return the specs of a class' defaults by parameter."""
    found = find_class(name)
    if found is None:
        return {}
    known = {}
    for key, parameter in inspect.signature(found).parameters.items():
        # A dataclass' default that is made anew each time has no value here.
        if parameter.default is not parameter.empty and "FACTORY" not in type(parameter.default).__name__:
            known[key] = dump(parameter.default, key)
    return known
