"""The choice of what to ask next: a strategy, a mixture of several, held-back outliers, a region."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from labeling import Project
from strategies import Bandit, OutlierGuard, Region, Strategy, Weighted
from strategies import Sequence as InTurn
from ui.parts.markup import escape
from ui.parts.menu import MIXTURES, explain, strategy_menu

TITLES = {
    "Auto": "Auto (usual)",
    "Bandit": "Bandit: several, the better ones more often",
    "Sequence": "Sequence: one first, another later",
    "Weighted": "Mixture of two",
}
_EVERYWHERE = ""


def draw(project: Project) -> Strategy:
    """Draw the choice; return the strategy that it describes."""
    menu = strategy_menu()
    name = str(
        st.selectbox(
            "What to ask next",
            [*menu, *MIXTURES],
            format_func=lambda key: TITLES.get(key, key),
            key="new_loop_strategy",
        )
    )
    st.html(f'<p class="tally-small">{escape(explain(name))}</p>')
    strategy = _mixture(name, list(menu)) if name in MIXTURES else menu[name]()
    where = _region(project)
    if where:
        strategy = Region(where, strategy)
    if st.toggle(
        "Hold back what looks foreign",
        key="new_loop_guard",
        help="Items unlike anything else (another language, garbage, empty ones) are not asked before all others. "
        "They are shown in groups on this page, to discard or to welcome in one step.",
    ):
        strategy = OutlierGuard(strategy)
    return strategy


def _mixture(name: str, names: Sequence[str]) -> Strategy:
    menu = strategy_menu()
    if name == "Bandit":
        parts = st.multiselect(
            "Strategies", names, default=["Auto", "Entropy", "Random"], key="new_loop_parts", max_selections=6
        )
        if not parts:
            raise ValueError("A bandit shares the questions between strategies: choose at least one.")
        return Bandit(tuple(menu[part]() for part in parts))
    if name == "Sequence":
        first, second = _two("First", "Later", names, ("TypiClust", "Margin"))
        until = st.number_input("From so many labels on", 1, 1_000_000, 60, 10, key="new_loop_until")
        return InTurn((menu[first](), menu[second]()), until=(int(until),))
    first, second = _two("One", "The other", names, ("Entropy", "KCenter"))
    share = st.slider("Weight of the first", 5, 95, 70, 5, format="%d %%", key="new_loop_share") / 100
    return Weighted((menu[first](), menu[second]()), (share, round(1 - share, 2)))


def _two(first: str, second: str, names: Sequence[str], usual: tuple[str, str]) -> tuple[str, str]:
    chosen = []
    with st.container(horizontal=True):
        for label, start in zip((first, second), usual, strict=True):
            chosen.append(
                str(st.selectbox(label, names, index=list(names).index(start), key=f"new_loop_{label.lower()}"))
            )
    return chosen[0], chosen[1]


def _region(project: Project) -> str:
    rules = {info.name: f"where the rule “{info.name}” votes" for info in project.functions()}
    columns = {name: f"where {name} is true" for name, dtype in project.columns.items() if dtype == pl.Boolean}
    filters = {info.name: f"in the filter “{info.name}”" for info in project.filters()}
    places = {_EVERYWHERE: "everywhere"} | filters | rules | columns
    if len(places) == 1:
        return _EVERYWHERE
    chosen = st.selectbox(
        "Where",
        list(places),
        format_func=lambda name: places[name],
        key="new_loop_region",
        help="Better performance is wanted there: other items are asked when nothing is left in it.",
    )
    return str(chosen or _EVERYWHERE)


def reads_network(strategy: Strategy) -> bool:
    """Whether a strategy asks a network with dropout.

    Examples
    --------
    >>> from strategies import MCDropout
    >>> reads_network(MCDropout())
    True
    """
    return "mc_proba" in strategy.reads()
