"""The strategies as pages name them: which can be chosen, and what each asks for, in its own words."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

import strategies

USUAL = "Auto"
"""The strategy that suits most projects, first in the menu."""

MIXTURES = {
    "Bandit": "Share the questions between strategies by how well each one's did; what helps is asked more.",
    "Sequence": "One strategy first, another one from a number of labels on.",
    "Weighted": "The weighted mean of the scores of several strategies.",
}
"""Strategies that are made of others, and what they do."""

PARTS = {
    "belongs": "1 where it resembles other items, 0 where it is held back",
    "region": "1 inside the region that was chosen, 0 outside",
    "density": "how much it resembles other items",
}
"""Parts of scores that are no strategies, in words."""

_SUM = re.compile(r"[\d.]+ \* \w+")


def strategy_menu() -> dict[str, type[strategies.Strategy]]:
    """The strategies that can be chosen without further settings, by name, the usual one first.

    Examples
    --------
    >>> {"Entropy", "Margin", "Random"} <= set(strategy_menu())
    True
    >>> next(iter(strategy_menu())), "Region" in strategy_menu()
    ('Auto', False)
    """
    found = {
        name: member
        for name in sorted(strategies.__all__, key=lambda name: (name != USUAL, name))
        if inspect.isclass(member := getattr(strategies, name))
        and issubclass(member, strategies.Strategy)
        and member is not strategies.Strategy
        and not inspect.isabstract(member)
        and not _required(member)
    }
    # A region needs a name of what lies inside.
    return {name: member for name, member in found.items() if "mask" not in member().reads()}


def explain(strategy: str) -> str:
    """What a strategy asks for, in one sentence; empty for one that is not known here.

    Examples
    --------
    >>> explain("Margin")
    'Ask where the two likeliest classes are closest.'
    >>> explain("0.7 * Margin + 0.15 * KCenter + 0.15 * TypiClust")
    'The weighted mean of the scores of several strategies.'
    """
    if strategy in MIXTURES:
        return MIXTURES[strategy]
    if _SUM.match(strategy):
        return MIXTURES["Weighted"]
    member = getattr(strategies, strategy.split("(", 1)[0], None)
    return (inspect.getdoc(member) or "").split("\n", 1)[0] if inspect.isclass(member) else ""


def named(settings: str) -> str:
    """A strategy as people call it, from its settings as a loop states them.

    Examples
    --------
    >>> named("OutlierGuard(strategy=Region(where=insult, strategy=Auto(start=TypiClust)))")
    'Auto, in insult, what looks foreign held back'
    >>> named("Weighted(strategies=[Margin, KCenter], weights=[0.7, 0.3])")
    'Weighted(strategies=[Margin, KCenter], weights=[0.7, 0.3])'
    """
    guard = re.match(r"OutlierGuard\(strategy=(.*)\)$", settings, re.DOTALL)
    if guard:
        return f"{named(_first(guard[1]))}, what looks foreign held back"
    region = re.match(r"Region\(where=(.*?), strategy=(.*)\)$", settings, re.DOTALL)
    if region:
        return f"{named(_first(region[2]))}, in {region[1]}"
    return USUAL if settings.startswith(f"{USUAL}(") else settings


def _first(arguments: str) -> str:
    """The first of several arguments."""
    depth = 0
    for place, sign in enumerate(arguments):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            return arguments[:place]
    return arguments


def _required(cls: Any) -> list[str]:
    missing = dataclasses.MISSING
    return [f.name for f in dataclasses.fields(cls) if f.init and f.default is missing and f.default_factory is missing]
