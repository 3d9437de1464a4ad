"""Votes weighed by how often their source was right on items with gold."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from labeling.arrays import FloatArray
from labeling.votes.label_models.base import Fit, PatternModel, class_prior, from_logs
from labeling.votes.label_models.confusion import expected_counts
from labeling.votes.patterns import Patterns


@dataclass(frozen=True, kw_only=True)
class WeightedVote(PatternModel):
    """Majority vote in which each source counts by its accuracy on gold.

    A source's accuracy is shrunk towards that of all sources, and its weight is
    the log-odds of being right; one that is worse than chance counts nothing.

    Parameters
    ----------
    strength
        How many votes the accuracy of all sources weighs in that of each.

    References
    ----------
    Nitzan and Paroush (1982). Optimal decision rules in uncertain dichotomous choice situations.

    Examples
    --------
    >>> from labeling.votes.matrix import LabelMatrix
    >>> votes, gold = [[0, 1, 1], [1, 0, 0], [0, 1, 0]] * 9, [0, 1, 0] * 9
    >>> matrix = LabelMatrix.from_votes(votes, labels=["ham", "spam"], gold=gold)
    >>> WeightedVote().fit(matrix).predict(matrix)[:3]
    array([0, 1, 0])
    """

    title: ClassVar[str] = "Weighted vote"
    summary: ClassVar[str] = (
        "Majority vote in which rules that were right more often count more. Learns that from known answers."
    )

    strength: float = 10.0

    def _learn(self, patterns: Patterns) -> Fit:
        if not patterns.known.any():
            raise ValueError(
                "WeightedVote learns from gold, and no item has any. Give gold=, or use Robust(), which needs none."
            )
        k = patterns.k
        truth = np.zeros((len(patterns), k))
        truth[patterns.known] = np.eye(k)[patterns.gold[patterns.known]]
        counts = expected_counts(patterns, truth)
        right, total = np.einsum("jcc->j", counts), counts.sum(axis=(1, 2))
        chance = 1 / k
        pooled = (right.sum() + self.strength * chance) / (total.sum() + self.strength)
        accuracy = (right + self.strength * pooled) / (total + self.strength)
        odds = accuracy * max(k - 1, 1) / np.maximum(1 - accuracy, 1e-6)
        return Fit(len(accuracy), k, class_prior(patterns), accuracy, {"weight": np.maximum(np.log(odds), 0)})

    def _pattern_posterior(self, patterns: Patterns) -> FloatArray:
        weight = self._learned().arrays["weight"]
        each = np.repeat(weight, patterns.k)[:, None] * np.tile(np.eye(patterns.k), (len(weight), 1))
        return from_logs(np.asarray(patterns.one_hot @ each))
