"""What every label model does: many votes in, one soft label an item out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray
from labeling.functions.base import listed
from labeling.label_names import find_label, label_name, label_position
from labeling.votes.patterns import Patterns

if TYPE_CHECKING:
    from labeling.votes.matrix import LabelMatrix

TIE = 1e-9
"""Probabilities closer than this are tied."""


@dataclass(frozen=True)
class Fit:
    """What a label model learned.

    Attributes
    ----------
    m, k
        Number of sources and of classes that it was fitted on.
    prior
        Estimated share of each class, shape (k,).
    accuracy
        Estimated accuracy of each source, shape (m,); None where the model estimates none.
    arrays
        Further parameters by name.
    notes
        What whoever reads the labels should know, such as a return to majority vote.
    """

    m: int
    k: int
    prior: FloatArray
    accuracy: FloatArray | None = None
    arrays: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WeakLabels:
    """One label an item, from votes.

    Attributes
    ----------
    positions
        Class positions, shape (n,); -1 where there is no label.
    proba
        Class probabilities, shape (n, k); rows sum to 1.
    weight
        What an item counts in training, shape (n,), in [0, 1]; 0 where no vote decided.
    """

    positions: IntArray
    proba: FloatArray
    weight: FloatArray


@dataclass(frozen=True, kw_only=True)
class LabelModel(ABC):
    """Combines votes into probabilities; a frozen set of parameters, and what was learned.

    Parameters
    ----------
    otherwise
        Class for items that the votes leave open: silent or tied, or below a threshold.
    otherwise_probability
        What is stated for those: not an estimate. They never weigh in training.

    Attributes
    ----------
    title, summary
        What a menu calls it, and what it does, in a sentence or two.
    package
        What has to be installed before a menu offers it.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    package: ClassVar[str | None] = None

    otherwise: str | None = None
    otherwise_probability: float = 0.75
    fitted: Fit | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.otherwise is not None:
            object.__setattr__(self, "otherwise", label_name(self.otherwise))
        if not 0 < self.otherwise_probability <= 1:
            raise ValueError(f"otherwise_probability lies in (0, 1], got {self.otherwise_probability}.")

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name, JSON-able: ``type(model)(**model.parameters)`` makes an equal model."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.init}

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever reads the labels should know."""
        return self.fitted.notes if self.fitted else ()

    def fit(self, matrix: "LabelMatrix") -> Self:
        """Learn from votes, and from gold where the matrix holds some; return a fitted copy."""
        return self.fit_patterns(matrix.patterns)

    def fit_patterns(self, patterns: Patterns) -> Self:
        """Learn from unique patterns of votes; return a fitted copy."""
        if patterns.values.shape[1] == 0:
            raise ValueError(f"{type(self).__name__} needs votes of at least one source. Add labeling functions.")
        copy = replace(self)
        object.__setattr__(copy, "fitted", self._learn(patterns))
        return copy

    @abstractmethod
    def _learn(self, patterns: Patterns) -> Fit:
        """Estimate parameters from patterns."""

    @abstractmethod
    def _posterior(self, matrix: "LabelMatrix") -> FloatArray:
        """Class probabilities from the votes alone, shape (n, k)."""

    def _vote(self, matrix: "LabelMatrix") -> tuple[FloatArray, IntArray]:
        """Class probabilities, shape (n, k), and the positions decided for, shape (n,), -1 where none is."""
        proba = self._posterior(matrix)
        top = proba.max(axis=1, keepdims=True)
        clear = (proba >= top - TIE).sum(axis=1) == 1
        return proba, np.where(clear & (matrix.votes_per_item > 0), proba.argmax(axis=1), NO_VOTE)

    def label(self, matrix: "LabelMatrix") -> WeakLabels:
        """Labels, probabilities and training weights of the items of a matrix, in one pass."""
        self._check(matrix)
        proba, positions = self._vote(matrix)
        open_items: BoolArray = positions == NO_VOTE
        if self.otherwise is not None:
            k, chosen = len(matrix.labels), label_position(self.otherwise, matrix.labels)
            stated = np.full(k, (1 - self.otherwise_probability) / max(k - 1, 1))
            stated[chosen] = self.otherwise_probability if k > 1 else 1.0
            positions = np.where(open_items, chosen, positions)
            proba[open_items] = stated
        return WeakLabels(positions, proba, np.where(open_items, 0.0, 1.0))

    def predict_proba(self, matrix: "LabelMatrix") -> FloatArray:
        """Class probabilities, shape (n, k); uniform where nobody voted and no ``otherwise`` is set."""
        return self.label(matrix).proba

    def predict(self, matrix: "LabelMatrix") -> IntArray:
        """Class positions, shape (n,); -1 where the model abstains."""
        return self.label(matrix).positions

    def training_weight(self, matrix: "LabelMatrix") -> FloatArray:
        """What each item counts in training, shape (n,), in [0, 1]."""
        return self.label(matrix).weight

    def _learned(self) -> Fit:
        if self.fitted is None:
            name = type(self).__name__
            raise ValueError(f"{name} is not fitted. Call {name}().fit(matrix) first: it returns the fitted model.")
        return self.fitted

    def _check(self, matrix: "LabelMatrix") -> None:
        if self.otherwise is not None and find_label(self.otherwise, matrix.labels) is None:
            raise ValueError(f"otherwise={self.otherwise!r} is not a class. Known: {listed(matrix.labels)}.")
        found, k = len(matrix.sources), len(matrix.labels)
        if self.fitted and (self.fitted.m, self.fitted.k) != (found, k):
            raise ValueError(
                f"{type(self).__name__} was fitted on {self.fitted.m} sources and {self.fitted.k} classes, got "
                f"{found} and {k}. Fit it on votes of the same sources."
            )


class PatternModel(LabelModel):
    """A label model whose answer depends on the pattern of votes alone: it is asked once a pattern."""

    @abstractmethod
    def _pattern_posterior(self, patterns: Patterns) -> FloatArray:
        """Class probabilities of each pattern, shape (u, k)."""

    def _posterior(self, matrix: "LabelMatrix") -> FloatArray:
        patterns = matrix.patterns
        proba = self._pattern_posterior(patterns)
        # What nobody voted on stays open: filled with the prior, it would all go to the largest class.
        proba[~patterns.voted] = 1 / patterns.k
        return np.asarray(proba[patterns.inverse])


def vote_shares(counts: IntArray) -> FloatArray:
    """Shares of the votes, shape (n, k); uniform where there are none.

    Examples
    --------
    >>> vote_shares(np.array([[3, 1], [0, 0]]))
    array([[0.75, 0.25],
           [0.5 , 0.5 ]])
    """
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, counts / np.maximum(total, 1), 1 / counts.shape[1]))


def class_prior(patterns: Patterns) -> FloatArray:
    """Estimate the share of each class, shape (k,): vote shares, gold where it is known, one item of each added."""
    shares = vote_shares(patterns.class_counts)
    clamp_gold(shares, patterns)
    voted = patterns.known | patterns.voted
    total = 1 + patterns.counts[voted] @ shares[voted]
    return np.asarray(total / total.sum())


def clamp_gold(proba: FloatArray, patterns: Patterns) -> None:
    """Set the probabilities, shape (u, k), of patterns with gold to what is known."""
    proba[patterns.known] = np.eye(patterns.k)[patterns.gold[patterns.known]]


def normalize(values: FloatArray) -> FloatArray:
    """Divide by the sum over the last axis."""
    return np.asarray(values / values.sum(axis=-1, keepdims=True))


def from_logs(logs: FloatArray) -> FloatArray:
    """Probabilities from unnormalised logarithms, over the last axis."""
    return normalize(np.exp(logs - logs.max(axis=-1, keepdims=True)))
