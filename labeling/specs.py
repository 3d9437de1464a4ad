"""Strategies, classifiers, label models and stop rules as JSON, and back by name.

Only classes that this process offers by itself are looked up: a name in a
database never decides what is imported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class UnknownClass(LookupError):
    """A stored setting names a class of the user's own; it must be passed again."""


def dump(value: Any) -> Any:
    """Return `value` as JSON: plain values, lists, and objects as {"class", "params"}.

    Examples
    --------
    >>> from strategies import Entropy
    >>> dump(Entropy())["class"]
    'strategies.Entropy'
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | range):
        return [dump(element) for element in value]
    if isinstance(value, Mapping):
        return {"mapping": {str(key): dump(element) for key, element in value.items()}}
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    name = f"{type(value).__module__.split('.')[0]}.{type(value).__qualname__}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return {"class": name, "params": {key: dump(element) for key, element in fields.items()}}
    if hasattr(value, "get_params"):
        return {"class": name, "params": {key: dump(element) for key, element in value.get_params(deep=False).items()}}
    return {"class": name, "params": None}


def load(spec: Any) -> Any:
    """Return the object that `dump` described.

    Raises
    ------
    UnknownClass
        The class is not one of strategies, labeling or scikit-learn.
    """
    if isinstance(spec, list):
        return tuple(load(element) for element in spec)
    if not isinstance(spec, Mapping):
        return spec
    if "mapping" in spec:
        return {key: load(element) for key, element in spec["mapping"].items()}
    name = spec["class"]
    found = _find(name)
    if found is None or spec["params"] is None:
        raise UnknownClass(
            f"The class {name} is not part of Tally or scikit-learn, so it is not rebuilt from the database. "
            "Pass the object again, as when the loop was made."
        )
    return found(**{key: load(element) for key, element in spec["params"].items()})


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
    if "mapping" in spec:
        return "{" + ", ".join(f"{key}: {describe(element)}" for key, element in spec["mapping"].items()) + "}"
    short = str(spec["class"]).rsplit(".", 1)[-1]
    found = _find(spec["class"])
    defaults = _defaults(found) if found is not None else {}
    given = {key: value for key, value in (spec["params"] or {}).items() if dump(defaults.get(key)) != value}
    return short + (f"({', '.join(f'{key}={describe(value)}' for key, value in given.items())})" if given else "")


def _defaults(cls: type) -> dict[str, Any]:
    if not dataclasses.is_dataclass(cls):
        return {}
    return {f.name: f.default for f in dataclasses.fields(cls) if f.default is not dataclasses.MISSING}


def _find(name: str) -> type | None:
    package, _, short = name.partition(".")
    if package == "strategies":
        import strategies

        found = getattr(strategies, short, None) if short in strategies.__all__ else None
    elif package == "labeling":
        import labeling

        found = getattr(labeling, short, None) if short in labeling.__all__ else None
    elif package == "sklearn":
        from sklearn.utils import all_estimators

        found = dict(all_estimators()).get(short)
    else:
        found = None
    return found if isinstance(found, type) else None
