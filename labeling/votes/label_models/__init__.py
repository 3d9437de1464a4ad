"""Label models: many votes in, one soft label an item out. One is a file here, and a line in `LABEL_MODELS`."""

from labeling.votes.label_models.base import LabelModel
from labeling.votes.label_models.dawid_skene import DawidSkene
from labeling.votes.label_models.majority_vote import MajorityVote
from labeling.votes.label_models.robust import Robust
from labeling.votes.label_models.snorkel import SnorkelLabelModel
from labeling.votes.label_models.weighted_vote import WeightedVote

__all__ = ["LABEL_MODELS", "DawidSkene", "LabelModel", "MajorityVote", "Robust", "SnorkelLabelModel", "WeightedVote"]

LABEL_MODELS: dict[str, type[LabelModel]] = {
    model.__name__: model for model in (Robust, MajorityVote, WeightedVote, DawidSkene, SnorkelLabelModel)
}
"""Label models by name, in the order of menus: ``LABEL_MODELS[name](**parameters)`` rebuilds one."""
