"""When a loop is done, in plain words: a form for stop rules, and a sentence for each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from labeling import After, LabelBudget, OverallUncertainty, Plateau, Stability, StopRule, TargetScore
from ui.parts.markup import count

MEASURES = {
    "f1_macro": "macro F1 (each class counts the same)",
    "accuracy": "accuracy",
    "average_precision": "average precision",
}
SHORT = {"f1_macro": "macro F1", "accuracy": "accuracy", "average_precision": "average precision"}


def words(rule: StopRule) -> str:
    """Say when a rule ends a loop.

    Examples
    --------
    >>> words(LabelBudget(1500))
    'after 1,500 answers'
    >>> words(TargetScore("f1_macro", 0.9))
    'when macro F1 on the hold-out reaches 90 %'
    """
    if isinstance(rule, LabelBudget):
        return f"after {count(rule.labels)} answers"
    if isinstance(rule, TargetScore):
        return f"when {SHORT.get(rule.metric, rule.metric)} on the hold-out reaches {rule.value * 100:g} %"
    if isinstance(rule, Stability):
        return f"when more answers no longer change what the model predicts ({rule.rounds} rounds in a row)"
    if isinstance(rule, Plateau):
        name = SHORT.get(rule.metric, rule.metric)
        return f"when {name} rises by less than {rule.least * 100:g} points over {rule.rounds} rounds"
    if isinstance(rule, OverallUncertainty):
        return f"when the model is sure of what is left (mean uncertainty below {rule.below * 100:g} %)"
    if isinstance(rule, After):
        return f"{words(rule.rule)}, looked at again after {count(rule.answers)} answers"
    return f"by {type(rule).__name__}"


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
    chosen: Any = st.selectbox("Score", list(MEASURES), format_func=lambda name: MEASURES[name], key=key)
    return str(chosen)
