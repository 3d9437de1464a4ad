"""The form for stop rules, as their list has them; what each means in words, it says itself."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import streamlit as st

from labeling import StopRule
from labeling.loops.stopping import rules as stopping
from labeling.loops.stopping.rules import SCORES, Setting

_USUAL = "f1_macro"
_MORE = {"f1_macro": " (each class counts the same)"}
"""What the menu of scores says beside their names."""


def form(held: int) -> list[StopRule]:
    """Draw the choice of stop rules; return them.

    Parameters
    ----------
    held
        Items of the hold-out: without any, scores cannot be measured.
    """
    budget, *others = stopping.STOP_RULES
    given = _settings(budget, "new_loop_budget", None)
    rules = [budget(**given)]
    most = next(iter(given.values()))
    rules += _chosen([kind for kind in others if kind.needs_holdout], most, possible=held > 0)
    if held == 0:
        st.html('<p class="tally-small">A target needs a hold-out: known answers kept aside on the Data page.</p>')
    return rules + _chosen([kind for kind in others if not kind.needs_holdout], most)


def _chosen(kinds: list[type[StopRule]], budget: int, *, possible: bool = True) -> list[StopRule]:
    """Draw a switch for each kind, and its settings where it is on; return the rules of those."""
    rules = []
    for kind in kinds:
        key = f"new_loop_{kind.__name__.lower()}"
        if st.toggle(kind.offer, key=key, disabled=not possible):
            rules.append(kind(**_settings(kind, key, budget)))
    return rules


def _settings(kind: type[StopRule], key: str, budget: int | None) -> dict[str, Any]:
    """Ask for what a kind of rule is made with."""
    given: dict[str, Any] = {}
    if any(field.name == "metric" for field in fields(kind)):  # type: ignore[arg-type]  # each of the list is one
        names = sorted(SCORES, key=lambda name: name != _USUAL)
        told = {name: SCORES[name] + _MORE.get(name, "") for name in names}
        given["metric"] = st.selectbox("Score", names, format_func=told.__getitem__, key=f"{key}_metric")
    with st.container(horizontal=True, key=f"{key.replace('_', '-')}-numbers"):
        return given | {each.name: _asked(each, f"{key}_{each.name}", budget) for each in kind.settings}


def _asked(setting: Setting, key: str, budget: int | None) -> float:
    whole = all(float(number).is_integer() for number in (setting.default, setting.least, setting.step))
    kind: Any = int if whole else float
    most = budget if setting.most is None else setting.most
    low, high, step = kind(setting.least), kind(most or setting.least), kind(setting.step)
    start = min(kind(setting.default), high)
    if setting.percent and whole:
        number: float = st.slider(setting.asks, low, high, start, step, format="%d %%", key=key, help=setting.help)
    else:
        number = st.number_input(setting.asks, low, high, start, step, key=key, help=setting.help)
    return number / 100 if setting.percent else number
