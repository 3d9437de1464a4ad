"""The default label model: learns from the votes what can be learned, and does not lose to majority vote.

Three answers are mixed: majority vote; a model in which each source knows the
answer or guesses (one number a source); and Dawid and Skene's confusion
matrices. How far the last are trusted is read off the votes themselves: they
assume that sources err independently, and how often pairs of sources agree
tells whether they do. People err independently, rules seldom.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from labeling.arrays import BoolArray, FloatArray
from labeling.votes.label_models.base import (
    TIE,
    Fit,
    PatternModel,
    clamp_gold,
    class_prior,
    from_logs,
    normalize,
    vote_shares,
)
from labeling.votes.label_models.confusion import (
    GUESS,
    Casting,
    expected_counts,
    log_likelihood,
    symmetric,
    vote_by_vote,
)
from labeling.votes.patterns import Patterns

CAUTIOUS = np.array([0.5, 0.2, 0.3])
"""Shares of majority vote, of knowing or guessing, and of confusion matrices where sources depend on one another."""
INDEPENDENT = np.array([0.0, 0.1, 0.9])
"""The same where they err independently."""
STRENGTH = 10.0
"""How many votes a prior weighs."""
NO_CLEAR_DEPENDENCE = 2.0
"""Squared excess agreement, in units of its variance, up to which sources pass for independent (1 is exact)."""


@dataclass(frozen=True, kw_only=True)
class Robust(PatternModel):
    """Weighs sources by what their votes say about one another, and stays near majority vote where that says little.

    - A source that only ever votes for one class is never learned by expectation maximisation, which would take it
      for a constant: it is judged by how often the other votes on its items agree with it.
    - Sources are believed to be better than chance, and class shares are shrunk, so that labels never turn around.
    - Where the votes show that sources err independently, as people do, confusion matrices decide; otherwise
      majority vote keeps half of the say.
    - Where the fit degenerates, the model returns to majority vote; ``notes`` says so.

    Parameters
    ----------
    otherwise, otherwise_probability
        Class for items without votes, and what is stated for them.

    References
    ----------
    Dawid and Skene (1979), Applied Statistics 28; Li, Yu and Zhou (2013). Error rate analysis of labeling by
    crowdsourcing. ICML workshop.

    Examples
    --------
    >>> from labeling.votes.matrix import LabelMatrix
    >>> matrix = LabelMatrix.from_votes([[0, 0, 1, -1], [1, 1, 0, 1], [0, 0, 0, -1]] * 20, labels=["ham", "spam"])
    >>> Robust().fit(matrix).predict(matrix)[:3]
    array([0, 1, 0])
    """

    title: ClassVar[str] = "Robust (usual)"
    summary: ClassVar[str] = (
        "Weighs rules by what their votes say about one another, else stays near the majority. Needs no known answers."
    )

    iterations: int = 3
    more_iterations: int = 10
    tolerance: float = 1e-4

    def _learn(self, patterns: Patterns) -> Fit:
        m, k = patterns.values.shape[1], patterns.k
        prior = class_prior(patterns)
        if not (patterns.voted & (patterns.known | (patterns.class_counts.sum(axis=1) > 1))).any():
            return _majority(m, k, prior, "no item has two votes, so nothing can be learned about the sources")
        learner = _Learner(patterns, prior, self.tolerance)
        state = learner.run(CAUTIOUS, self.iterations)
        trust = learner.casting.share * independence(patterns, learner.casting.multi, state)
        if trust > 0:
            mix = (1 - trust) * CAUTIOUS + trust * INDEPENDENT
            state = learner.run(mix, self.iterations + round(trust * self.more_iterations))
        problem = degenerate(patterns, state.posterior)
        if problem:
            return _majority(m, k, prior, problem)
        arrays = {
            "simple": state.simple,
            "full": state.full,
            "mix": state.mix,
            "tau": learner.casting.share,
            "trust": trust,
        }
        accuracy = np.einsum("c,jcc->j", state.prior, state.simple)
        return Fit(m, k, state.prior, accuracy, arrays)

    def _pattern_posterior(self, patterns: Patterns) -> FloatArray:
        fit = self._learned()
        if "mix" not in fit.arrays:
            return vote_shares(patterns.class_counts)
        arrays = fit.arrays
        return _mixed(patterns, arrays["mix"], fit.prior, arrays["simple"], arrays["full"], arrays["tau"])


def _majority(m: int, k: int, prior: FloatArray, why: str) -> Fit:
    return Fit(m, k, prior, notes=(f"Robust returned to majority vote: {why}.",))


@dataclass
class _State:
    """Where the iterations stand."""

    mix: FloatArray
    prior: FloatArray
    accuracy: FloatArray
    posterior: FloatArray
    simple: FloatArray = field(default_factory=lambda: np.empty(0))
    full: FloatArray = field(default_factory=lambda: np.empty(0))


class _Learner:
    """Estimates sources and labels in turn, on unique patterns."""

    def __init__(self, patterns: Patterns, prior: FloatArray, tolerance: float) -> None:
        self.patterns, self.prior, self.tolerance = patterns, prior, tolerance
        self.casting = Casting.of(patterns)
        self.weight = patterns.counts * (patterns.voted | patterns.known)
        self.first_counts, agreement = self._against_others()
        self.accuracy = np.where(self.casting.multi, GUESS, agreement)

    def run(self, mix: FloatArray, iterations: int) -> _State:
        """Iterate from majority vote with given shares of the three answers."""
        start = vote_shares(self.patterns.class_counts)
        clamp_gold(start, self.patterns)
        state = _State(mix, self.prior, self.accuracy, start)
        for iteration in range(iterations):
            counts = self.first_counts if iteration == 0 else expected_counts(self.patterns, state.posterior)
            change = self._step(state, counts)
            if change < self.tolerance:
                break
        return state

    def _step(self, state: _State, counts: FloatArray) -> float:
        casting = self.casting
        state.accuracy = self._know(counts, state.accuracy)
        state.simple = symmetric(state.accuracy, casting.guesses)
        full = (counts + STRENGTH * state.simple) / (counts.sum(axis=2, keepdims=True) + STRENGTH)
        state.full = np.where(casting.multi[:, None, None], full, state.simple)
        found = normalize(1 + self.weight @ state.posterior)
        state.prior = normalize(np.sqrt(found * self.prior))
        posterior = _mixed(self.patterns, state.mix, state.prior, state.simple, state.full, casting.share)
        clamp_gold(posterior, self.patterns)
        change = self.weight @ np.abs(posterior - state.posterior).sum(axis=1) / max(self.weight.sum(), 1)
        state.posterior = posterior
        return float(change)

    def _know(self, counts: FloatArray, accuracy: FloatArray) -> FloatArray:
        """How often each source knows the answer, shape (m,): shrunk towards all that vote for several classes."""
        multi, guesses = self.casting.multi, self.casting.guesses
        if not multi.any():
            return accuracy
        a = accuracy[:, None]
        know = (np.einsum("jcc->jc", counts) * a / (a + (1 - a) * guesses)).sum(axis=1)
        total = counts.sum(axis=(1, 2))
        pooled = (know[multi].sum() + 20 * GUESS) / (total[multi].sum() + 20)
        learned = np.clip((know + STRENGTH * pooled) / (total + STRENGTH), 0.05, 0.97)
        return np.asarray(np.where(multi, learned, accuracy))

    def _against_others(self) -> tuple[FloatArray, FloatArray]:
        """Counts by source, others' class and own class, and the accuracy of sources that vote for one class alone."""
        patterns, casting = self.patterns, self.casting
        m, k = casting.votes.shape
        pattern, source, label, others = vote_by_vote(patterns)
        weight = patterns.counts[pattern]
        place = source * k + label
        counts = np.stack([np.bincount(place, weight * others[:, c], m * k).reshape(m, k) for c in range(k)], axis=1)
        compared = np.bincount(place, weight, m * k).reshape(m, k)
        agreed = np.einsum("jcc->j", counts)
        base = normalize(compared.sum(axis=0) + 1)[casting.votes.argmax(axis=1)]
        total = compared.sum(axis=1)
        excess = (agreed - total * base) / np.maximum(1 - base, 0.05)
        single = ~casting.multi & (casting.votes.sum(axis=1) > 0)
        mean = excess[single].sum() / max(total[single].sum(), 1)
        accuracy = np.clip(GUESS + 0.5 * (excess - total * mean) / (total + 50), 0.3, 0.95)
        # A vote on nearly everything is a default, there to give way to others and not to be doubted.
        default = casting.votes.sum(axis=1) >= 0.9 * patterns.counts.sum()
        return np.asarray(counts, dtype=np.float64), np.where(default, np.maximum(accuracy, 0.8), accuracy)


def _mixed(
    patterns: Patterns, mix: FloatArray, prior: FloatArray, simple: FloatArray, full: FloatArray, tau: float
) -> FloatArray:
    """Class probabilities of each pattern: the three answers in their shares, shape (u, k)."""
    logs = np.log(prior)
    posterior = mix[0] * vote_shares(patterns.class_counts)
    posterior += mix[1] * from_logs(0.5 * tau * logs + log_likelihood(patterns, np.log(simple)))
    posterior += mix[2] * from_logs(tau * logs + log_likelihood(patterns, np.log(full)))
    posterior[~patterns.voted] = 1 / patterns.k
    return np.asarray(posterior)


def independence(patterns: Patterns, multi: BoolArray, state: _State) -> float:
    """How far the votes look as if sources erred independently, in [0, 1].

    The agreement of each pair of sources that vote for several classes, on the
    items that both voted on, is compared with what their confusion matrices
    predict. The mean squared difference in units of its variance is 1 for
    independent sources, and grows with what they share beyond the truth.
    """
    from scipy.sparse import csr_array

    votes = patterns.one_hot
    source, label = np.divmod(votes.indices, patterns.k)
    row = np.repeat(np.arange(len(patterns)), np.diff(votes.indptr))
    present = multi[source].astype(np.float64)
    weight = patterns.counts[row]

    def together(one: FloatArray, other: FloatArray) -> FloatArray:
        """Sum over the items that two sources both voted on, shape (m, m), of products of numbers given by vote."""
        shape = (len(patterns), len(multi))
        left, right = (csr_array((by, source, votes.indptr), shape) for by in (one, other))
        return np.asarray((left.T @ right).todense())

    joint = together(present, present * weight)
    one, two = np.nonzero(np.triu(joint >= 5, k=1))
    if not len(one):
        return 0.0
    n = joint[one, two]
    agreed, expected = np.zeros(len(n)), np.zeros(len(n))
    for c in range(patterns.k):
        says = present * (label == c)
        agreed += together(says, says * weight)[one, two]
        likely = together(present, present * weight * state.posterior[row, c])[one, two]
        expected += likely * np.einsum("pl,pl->p", state.full[one, c], state.full[two, c])
    share = np.clip(expected / n, 0.01, 0.99)
    misfit = float(np.mean((agreed / n - share) ** 2 * n / (share * (1 - share))))
    return min(1.0, NO_CLEAR_DEPENDENCE / max(misfit, TIE))


def degenerate(patterns: Patterns, posterior: FloatArray) -> str:
    """Say what is wrong with a fit, in words; empty where nothing is."""
    if not np.isfinite(posterior).all():
        return "the fit did not stay finite"
    counts = patterns.class_counts
    clear = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    weight = patterns.counts * (clear & patterns.voted)
    majority, fitted = counts.argmax(axis=1), posterior.argmax(axis=1)
    total = weight.sum()
    if weight[majority != fitted].sum() > 0.5 * total:
        return "the fit contradicts most of the clear majorities"
    before, after = (np.bincount(found, weight, patterns.k) for found in (majority, fitted))
    lost = (before > 0.05 * total) & (after < 0.1 * before)
    return "the fit lost a class that the votes name often" if lost.any() else ""
