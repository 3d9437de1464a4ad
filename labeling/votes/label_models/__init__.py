"""Label models: many votes in, one soft label an item out. One is a file here, and a line in `LABEL_MODELS`."""

from labeling.votes.label_models.base import LabelModel
from labeling.votes.label_models.dawid_skene import DawidSkene
from labeling.votes.label_models.majority_vote import MajorityVote
from labeling.votes.label_models.robust import Robust
from labeling.votes.label_models.snorkel import SnorkelLabelModel
from labeling.votes.label_models.weighted_vote import WeightedVote

__all__ = ["LABEL_MODELS", "DawidSkene", "LabelModel", "MajorityVote", "Robust", "SnorkelLabelModel", "WeightedVote"]

LABEL_MODELS: dict[str, type[LabelModel]] = {
    model.__name__: model for model in (MajorityVote, Robust, DawidSkene, WeightedVote, SnorkelLabelModel)
}
"""Label models by name: ``LABEL_MODELS[name](**parameters)`` rebuilds one that was stored."""
