"""Classifiers that go on from the model of the round before: what is stored, and when it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labeling.classifiers.base import Classifier, Model
    from storage.ledger import Ledger
    from storage.records import RefitRecord

_SAME = ("items", "label_set", "holdout")
"""What features and classes depend on: with other ones, the same place in an array means something else."""


def starts_warm(classifier: Classifier) -> bool:
    """Whether a classifier is set to start from its last model.

    Examples
    --------
    >>> from labeling import NetworkClassifier, TextClassifier
    >>> starts_warm(NetworkClassifier(warm_start=True)), starts_warm(NetworkClassifier()), starts_warm(TextClassifier())
    (True, False, False)
    """
    return bool(getattr(classifier, "warm_start", False))


def stored(classifier: Classifier, model: Model | None) -> bytes | None:
    """Return the bytes of a model that the next round starts from; None where rounds start cold."""
    if model is None or not starts_warm(classifier):
        return None
    content: bytes = model.dump()  # type: ignore[attr-defined]
    return content


def previous(
    classifier: Classifier, ledger: Ledger, last: RefitRecord | None, inputs: Mapping[str, Any]
) -> Model | None:
    """Return the model of the round before; None where there is none, or where items, labels or hold-out changed."""
    if last is None or not starts_warm(classifier):
        return None
    before = last.metrics.get("inputs", {})
    if any(before.get(name) != inputs[name] for name in _SAME):
        return None
    content = ledger.loops.model(last.id)
    if content is None:
        return None
    from labeling.classifiers.networks.convolution import PictureClassifier, PictureModel
    from labeling.classifiers.networks.perceptron import NetworkClassifier, NetworkModel

    if isinstance(classifier, NetworkClassifier):
        return NetworkModel.load(content)
    if isinstance(classifier, PictureClassifier):
        return PictureModel.load(content)
    return None
