"""The strategies as pages name them: which can be chosen, and what each asks for, in its own words."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import strategies


def strategy_menu() -> dict[str, type[strategies.Strategy]]:
    """The strategies that can be chosen without further settings, by name.

    Examples
    --------
    >>> {"Entropy", "Margin", "Random"} <= set(strategy_menu())
    True
    """
    return {
        name: member
        for name in strategies.__all__
        if inspect.isclass(member := getattr(strategies, name))
        and issubclass(member, strategies.Strategy)
        and member is not strategies.Strategy
        and not inspect.isabstract(member)
        and not _required(member)
    }


def explain(strategy: str) -> str:
    """What a strategy asks for, in one sentence; empty for one that is not known here.

    Examples
    --------
    >>> explain("Margin")
    'Ask where the two likeliest classes are closest.'
    """
    member = getattr(strategies, strategy.split("(", 1)[0], None)
    return (inspect.getdoc(member) or "").split("\n", 1)[0] if inspect.isclass(member) else ""


def _required(cls: Any) -> list[str]:
    missing = dataclasses.MISSING
    return [f.name for f in dataclasses.fields(cls) if f.init and f.default is missing and f.default_factory is missing]
