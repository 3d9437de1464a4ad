"""Dawid and Skene's model: each source has a confusion matrix, and the truth is what explains all votes best."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from labeling.arrays import FloatArray
from labeling.votes.label_models.base import (
    Fit,
    PatternModel,
    clamp_gold,
    class_prior,
    from_logs,
    normalize,
    vote_shares,
)
from labeling.votes.label_models.confusion import GUESS, Casting, expected_counts, log_likelihood, symmetric
from labeling.votes.patterns import Patterns


@dataclass(frozen=True, kw_only=True)
class DawidSkene(PatternModel):
    """Learns how each source errs, by expectation maximisation, and weighs its votes by that.

    The model of choice where the sources are people. On rules that only ever
    vote for one class, ``Robust`` is the safer one.

    Parameters
    ----------
    abstain
        ``"missing"``: an abstain says nothing, as for a person who was not asked; ``"informative"``: a source
        abstains more on some classes than on others, as rules do; ``"auto"``: informative for sources that only ever
        vote for one class, whose votes would say nothing otherwise.
    strength
        How many votes the belief weighs that a source is better than chance; maximum a posteriori.
    iterations, tolerance
        At most so many rounds, and the mean change of the probabilities at which to stop.

    References
    ----------
    Dawid and Skene (1979). Maximum likelihood estimation of observer error-rates using the EM algorithm. Applied
    Statistics 28.

    Examples
    --------
    >>> from labeling.votes.matrix import LabelMatrix
    >>> votes = [[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 0]] * 5
    >>> model = DawidSkene().fit(LabelMatrix.from_votes(votes, labels=["no", "yes"]))
    >>> model.fitted.accuracy.round(1)
    array([1. , 1. , 0.4])
    """

    title: ClassVar[str] = "Dawid and Skene"
    summary: ClassVar[str] = (
        "Learns which labels each source mixes up. The model of choice where the sources are people."
    )

    abstain: Literal["auto", "missing", "informative"] = "auto"
    strength: float = 4.0
    iterations: int = 100
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.abstain not in ("auto", "missing", "informative"):
            raise ValueError(f"DawidSkene: abstain is auto, missing or informative, got {self.abstain!r}.")
        if self.strength <= 0 or self.iterations < 1:
            raise ValueError(
                f"DawidSkene: strength is above 0 and iterations at least 1, got {self.strength}, {self.iterations}."
            )

    def _learn(self, patterns: Patterns) -> Fit:
        casting = Casting.of(patterns)
        m, k = patterns.values.shape[1], patterns.k
        believed = symmetric(np.full(m, GUESS), np.full((m, k), 1 / k))
        posterior = vote_shares(patterns.class_counts)
        clamp_gold(posterior, patterns)
        weight = patterns.counts * (patterns.voted | patterns.known)
        total = max(weight.sum(), 1.0)
        prior = class_prior(patterns)
        for _ in range(self.iterations):
            counts = expected_counts(patterns, posterior)
            theta = (counts + self.strength * believed) / (counts.sum(axis=2, keepdims=True) + self.strength)
            fire = self._fire(counts, posterior, weight, casting)
            prior = normalize(1 + weight @ posterior)
            updated = _combine(patterns, prior, np.log(theta), fire)
            clamp_gold(updated, patterns)
            change = weight @ np.abs(updated - posterior).sum(axis=1) / total
            posterior = updated
            if change < self.tolerance:
                break
        accuracy = np.einsum("c,jcc->j", prior, theta)
        return Fit(m, k, prior, accuracy, {"theta": theta, "fire": fire})

    def _fire(self, counts: FloatArray, posterior: FloatArray, weight: FloatArray, casting: Casting) -> FloatArray:
        """How often each source votes on items of each class, shape (m, k); 0.5 throughout where that says nothing."""
        overall = (casting.votes.sum(axis=1) + 1) / (weight.sum() + 2)
        expected = counts.sum(axis=2) + self.strength * overall[:, None]
        fire = np.clip(expected / (weight @ posterior + self.strength), 1e-6, 1 - 1e-6)
        silent = {"auto": casting.multi, "missing": np.ones_like(casting.multi), "informative": casting.multi & False}
        return np.asarray(np.where(silent[self.abstain][:, None], 0.5, fire))

    def _pattern_posterior(self, patterns: Patterns) -> FloatArray:
        fit = self._learned()
        return _combine(patterns, fit.prior, np.log(fit.arrays["theta"]), fit.arrays["fire"])


def _combine(patterns: Patterns, prior: FloatArray, log_theta: FloatArray, fire: FloatArray) -> FloatArray:
    """Class probabilities of each pattern, shape (u, k)."""
    # Whatever a source votes for, voting at all adds the same to a class: it rides on the confusion matrix.
    log_theta = log_theta + np.log(fire / (1 - fire))[:, :, None]
    return from_logs(np.log(prior) + np.log(1 - fire).sum(axis=0) + log_likelihood(patterns, log_theta))
