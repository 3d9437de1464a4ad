"""New loop: what to ask, what learns from it, when it is done; the usual settings are filled in."""

from __future__ import annotations

import streamlit as st

from labeling import Classifier, Project, TextClassifier
from labeling.classifiers.default import default_classifier
from strategies import MCDropout, Strategy
from ui.loop import forecasts, stop_rules, strategy_form
from ui.parts.markup import escape
from ui.session import NEXT_LOOP, problems

CLASSIFIERS = {
    "usual": "What suits the columns (usual)",
    "linear": "Words counted, linear",
    "network": "Network with dropout",
}
_CLASSIFIER_WORDS = {
    "usual": "Text: counts of words into a linear model. Other columns and pictures: a linear model over all of them.",
    "linear": "TF-IDF of words into a linear model. Fast, and hard to beat while labels are few.",
    "network": "A neural network, its dropout kept on for strategies that ask how much it wavers. Slower to train.",
}


def draw(project: Project, name: str) -> str | None:
    """Draw the form; return the name of the loop that was made, None as long as there is none."""
    held = project.status().holdout
    strategy: Strategy | None = None
    with st.container(key="split-newloop"):
        left, right = st.columns(2, gap="large")
    with left:
        name = (st.text_input("Name", value=name, max_chars=100, key="new_loop_name") or "").strip()
        with problems("This cannot be asked yet."):
            strategy = strategy_form.draw(project)
        learns = _classifier(project, strategy)
        with st.container(horizontal=True):
            batch = st.number_input(
                "Questions a round", 1, 1000, 20, 5, key="new_loop_batch",
                help="After so many answers the model learns again.",
            )  # fmt: skip
            seed = st.number_input(
                "Seed", 0, 2**31, 0, 1, key="new_loop_seed",
                help="The same seed and the same answers give the same questions.",
            )  # fmt: skip
    with right:
        rules = stop_rules.form(held)
        st.html(f'<p class="tally-small">Done {escape(", or ".join(rule.meaning for rule in rules))}.</p>')
        with problems():
            forecasts.draw_new(project, rules)
    if not st.button("Start the loop", type="primary", key="new-loop"):
        return None
    made: str | None = None
    with problems("The loop was not started."):
        if strategy is None:
            raise ValueError("What to ask next is not complete: the message above says what is missing.")
        if not name:
            raise ValueError("Give it a name.")
        if name in [info.name for info in project.loops()]:
            raise ValueError(f"There is a loop “{name}” already. Take another name.")
        with st.spinner("Starting…"):
            project.pool_loop(
                name, strategy=strategy, classifier=_made(project, learns), batch_size=int(batch), seed=int(seed),
                stop=rules,
            )  # fmt: skip
        st.session_state[NEXT_LOOP] = made = name
    return made


def _classifier(project: Project, strategy: Strategy | None) -> str:
    if strategy is not None and strategy_form.reads_network(strategy):
        st.html('<p class="tally-small">This strategy needs a network with dropout: that is what learns.</p>')
        return "network"
    names = [key for key in CLASSIFIERS if key != "linear" or project.text_column is not None]
    chosen = str(
        st.selectbox("What learns", names, format_func=lambda key: CLASSIFIERS[key], key="new_loop_classifier")
    )
    st.html(f'<p class="tally-small">{escape(_CLASSIFIER_WORDS[chosen])}</p>')
    return chosen


def _made(project: Project, chosen: str) -> Classifier | None:
    if chosen == "usual":
        return None
    if chosen == "linear":
        return TextClassifier()
    mapping = project.last_mapping()
    unlearned = {mapping.id, mapping.group, *mapping.private} if mapping else set()
    columns = {name: dtype for name, dtype in project.columns.items() if name not in unlearned}
    return default_classifier(columns, MCDropout(), text=project.text_column)
