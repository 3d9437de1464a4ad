"""The form for stop rules; what each means in words, it says itself."""

from __future__ import annotations

from typing import Any

import streamlit as st

from labeling import LabelBudget, OverallUncertainty, Plateau, Stability, StopRule, TargetScore
from labeling.loops.stopping.rules import SCORES

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
    budget = st.number_input(
        "Budget of answers", 1, 10_000_000, 500, 50, key="new_loop_budget",
        help="The loop is done when so many answers are given.",
    )  # fmt: skip
    rules: list[StopRule] = [LabelBudget(int(budget))]
    if st.toggle("Stop early at a target score", key="new_loop_aim", disabled=held == 0):
        measure = _measure("new_loop_measure")
        target = st.slider("Target", 50, 99, 90, 1, format="%d %%", key="new_loop_target")
        rules.append(TargetScore(measure, target / 100))
    if st.toggle("Stop early when the score no longer rises", key="new_loop_plateau", disabled=held == 0):
        measure = _measure("new_loop_plateau_measure")
        with st.container(horizontal=True, key="new-loop-plateau-numbers"):
            rounds = st.number_input("Rounds to look at", 1, 50, 5, 1, key="new_loop_plateau_rounds")
            least = st.number_input("Points it has to rise", 0.1, 20.0, 0.5, 0.1, key="new_loop_plateau_least")
        rules.append(Plateau(measure, rounds=int(rounds), least=float(least) / 100))
    if held == 0:
        st.html('<p class="tally-small">A target needs a hold-out: known answers kept aside on the Data page.</p>')
    if st.toggle("Stop early when answers no longer change the predictions", key="new_loop_stable"):
        rounds = st.number_input(
            "Rounds in a row that agree", 1, 20, 3, 1, key="new_loop_stable_rounds",
            help="Two rounds agree where Cohen's kappa of their predictions is 0.99 or more.",
        )  # fmt: skip
        least = st.number_input("Never before so many answers", 0, int(budget), min(100, int(budget)), 10,
                                key="new_loop_stable_labels")  # fmt: skip
        rules.append(Stability(rounds=int(rounds), labels=int(least)))
    if st.toggle("Stop early when the model is sure of what is left", key="new_loop_sure"):
        below = st.slider(
            "Mean uncertainty below", 1, 50, 5, 1, format="%d %%", key="new_loop_sure_below",
            help="0 % is sure of every item, 100 % is blind guessing.",
        )  # fmt: skip
        rules.append(OverallUncertainty(below / 100))
    return rules


def _measure(key: str) -> str:
    names = sorted(SCORES, key=lambda name: name != _USUAL)
    chosen: Any = st.selectbox("Score", names, format_func=lambda name: SCORES[name] + _MORE.get(name, ""), key=key)
    return str(chosen)
