"""Confusion matrices of sources: what each says when the truth is c, and how that is read off the votes.

``theta`` has the shape (m, k, k): source, true class, class voted for; an abstain is missing, not an answer.
"""

from dataclasses import dataclass

import numpy as np

from labeling.arrays import BoolArray, FloatArray
from labeling.votes.label_models.base import normalize, vote_shares
from labeling.votes.patterns import Patterns

GUESS = 0.7
"""Accuracy that a source is taken to have before anything is known of it: better than chance."""


def expected_counts(patterns: Patterns, posterior: FloatArray) -> FloatArray:
    """Votes by source, true class and class voted for, shape (m, k, k), under class probabilities of shape (u, k)."""
    weighted = patterns.counts[:, None] * posterior
    m = patterns.values.shape[1]
    return np.asarray(patterns.one_hot.T @ weighted).reshape(m, patterns.k, patterns.k).transpose(0, 2, 1)


def log_likelihood(patterns: Patterns, log_theta: FloatArray) -> FloatArray:
    """Logarithm of the probability of each pattern's votes given each class, shape (u, k)."""
    m, k, _ = log_theta.shape
    return np.asarray(patterns.one_hot @ log_theta.transpose(0, 2, 1).reshape(m * k, k))


def symmetric(accuracy: FloatArray, guesses: FloatArray) -> FloatArray:
    """Confusion of sources that know the answer with some probability and guess otherwise.

    Parameters
    ----------
    accuracy
        Probability of knowing, shape (m,).
    guesses
        Distribution of the guesses, shape (m, k).

    Examples
    --------
    >>> symmetric(np.array([0.6]), np.array([[0.5, 0.5]]))
    array([[[0.8, 0.2],
            [0.2, 0.8]]])
    """
    know = accuracy[:, None, None] * np.eye(guesses.shape[1])
    return np.asarray(know + (1 - accuracy)[:, None, None] * guesses[:, None, :])


@dataclass(frozen=True, eq=False)
class Casting:
    """What sources cast, before anything is learned.

    Attributes
    ----------
    votes
        Votes of each source for each class, shape (m, k).
    marginal
        Share of the votes for each class, shape (k,), one vote added to each.
    multi
        Whether a source votes for more than one class, shape (m,).
    share
        Share of all votes that those cast.
    guesses
        What a source says when it does not know, shape (m, k). A source that only
        ever says one thing says it also when it is wrong.
    """

    votes: FloatArray
    marginal: FloatArray
    multi: BoolArray
    share: float
    guesses: FloatArray

    @staticmethod
    def of(patterns: Patterns) -> "Casting":
        """Count the votes of some patterns."""
        m, k = patterns.values.shape[1], patterns.k
        votes = np.asarray(patterns.one_hot.T @ patterns.counts).reshape(m, k)
        marginal = normalize(votes.sum(axis=0) + 1)
        multi = (votes > 0).sum(axis=1) > 1
        guesses = np.where(multi[:, None], 1 / k, 0.5 / k + 0.5 * marginal)
        return Casting(votes, marginal, multi, float(votes[multi].sum() / max(votes.sum(), 1)), guesses)


def vote_by_vote(patterns: Patterns) -> tuple[np.ndarray, np.ndarray, np.ndarray, FloatArray]:
    """Set each vote against the other votes on its item.

    Returns
    -------
    tuple
        Pattern, source and class of each vote that is not alone, shape (v,), and
        the vote shares of the others on that pattern, shape (v, k); gold, where
        it is known, takes the place of the others.
    """
    votes = patterns.one_hot.tocoo()
    source, label = np.divmod(votes.coords[1], patterns.k)
    pattern = votes.coords[0]
    several = (patterns.class_counts.sum(axis=1) > 1) | patterns.known
    kept = several[pattern]
    pattern, source, label = pattern[kept], source[kept], label[kept]
    others = patterns.class_counts[pattern]
    others[np.arange(len(label)), label] -= 1
    shares = vote_shares(others)
    known = patterns.known[pattern]
    shares[known] = np.eye(patterns.k)[patterns.gold[pattern[known]]]
    return pattern, source, label, shares
