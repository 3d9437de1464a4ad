"""The choice of a label model on the Weak labels page, in plain words."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

import streamlit as st

from labeling import Project
from labeling.votes.label_models import LABEL_MODELS, LabelModel, MajorityVote
from labeling.weak_labels.run import WeakPreview
from ui.parts.markup import escape
from ui.session import open_project, storage

_BY: dict[Literal["expert", "function"], str] = {
    "expert": "each expert's rules as one vote",
    "function": "each rule as one vote",
}
_OF: dict[Literal["all", "voting"], str] = {"all": "all voters", "voting": "those that vote on the item"}
_TIES: dict[Literal["abstain", "prior", "random"], str] = {
    "abstain": "give no label",
    "prior": "take the more frequent label",
    "random": "draw by lot, seeded by the item",
}


def draw(project: Project) -> LabelModel:
    """Draw the choice and its settings; return the label model that they describe."""
    names = [name for name, model in LABEL_MODELS.items() if model.package is None or find_spec(model.package)]
    missing = [model for name, model in LABEL_MODELS.items() if name not in names]
    name = str(
        st.selectbox(
            "How votes become labels",
            names,
            format_func=lambda key: LABEL_MODELS[key].title,
            key="weak_model",
            help=" ".join(f"{model.title} is offered where {model.package} is installed." for model in missing) or None,
        )
    )
    st.html(f'<p class="tally-small">{escape(LABEL_MODELS[name].summary)}</p>')
    if name == MajorityVote.__name__:
        return _majority(project)
    return LABEL_MODELS[name](otherwise=_otherwise(project))


def _otherwise(project: Project) -> str | None:
    chosen = st.selectbox(
        "Otherwise",
        ["", *project.label_names],
        format_func=lambda name: name or "no label",
        key="weak_otherwise",
        help="For items where the rules are silent or leave it open. Such labels are never trained on.",
    )
    return chosen or None


def _majority(project: Project) -> MajorityVote:
    by = st.radio("Count", list(_BY), format_func=lambda key: _BY[key], key="weak_by")
    ask = st.toggle("Ask for a share of the votes", value=True, key="weak_ask")
    threshold: float | None = None
    of: Literal["all", "voting"] = "all"
    if ask:
        share = st.slider("A label needs at least", 1, 100, 10, 1, format="%d %%", key="weak_share")
        of = st.radio("of the votes of", list(_OF), format_func=lambda key: _OF[key], key="weak_of", horizontal=True)
        threshold = share / 100
    otherwise = _otherwise(project)
    ties = st.selectbox("Where two labels tie", list(_TIES), format_func=lambda key: _TIES[key], key="weak_ties")
    return MajorityVote(by=by, threshold=threshold, of=of, otherwise=otherwise, ties=ties)


def preview(project: Project, model: LabelModel) -> WeakPreview:
    """What a label model gives, computed once a state of the project."""
    return _preview(storage(), project.name, project.version(), repr(model), model)


@st.cache_resource(show_spinner=False, max_entries=4)
def _preview(storage: str, name: str, version: int, settings: str, _model: LabelModel) -> WeakPreview:  # noqa: ARG001
    return open_project(storage, name).preview_weak_label(_model)
