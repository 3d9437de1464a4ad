"""Ask where the evidence is weak: rules or models disagree, errors are near, someone wants better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.base import Ranking, Strategy, unit
from strategies.bayesian import mutual_information
from strategies.diversity import KCenter
from strategies.geometry import as_embedding, dense_rows, nearest, squared_distances, squared_norms
from strategies.pool import FloatArray, IntArray, Pool
from strategies.uncertainty import normalised_entropy

_ROWS = 65_536


@dataclass(frozen=True)
class LabelConflict(Strategy):
    """Ask where labeling functions contradict each other, or are silent.

    Scores the entropy of the votes of an item, divided by log k; `silent` where none votes. Without
    labeling functions everything scores 0.

    Attributes
    ----------
    silent
        Score of an item that no labeling function votes on.

    Examples
    --------
    >>> LabelConflict().score(Pool(votes=np.array([[0, 1], [1, 1], [-1, -1]]), classes=2)).tolist()
    [1.0, 0.0, 0.5]
    """

    silent: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.silent <= 1.0:
            raise ValueError(f"silent must lie in [0, 1], got {self.silent}.")

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        votes = pool.votes
        if votes.shape[1] == 0:
            return np.zeros(len(pool))
        k = max(pool.classes, 1)
        scores = np.empty(len(votes))
        for top in range(0, len(votes), _ROWS):
            counts = vote_counts(votes[top : top + _ROWS], k)
            total = counts.sum(axis=1)
            share = counts / np.maximum(total, 1)[:, None]
            scores[top : top + _ROWS] = np.where(total > 0, normalised_entropy(share), self.silent)
        return scores


def vote_counts(votes: IntArray, k: int) -> IntArray:
    """(n, k) how many vote for each class; -1 abstains."""
    n = len(votes)
    row, column = np.nonzero(votes >= 0)
    return np.bincount(row * k + votes[row, column], minlength=n * k).reshape(n, k)


@dataclass(frozen=True)
class NearErrors(Strategy):
    """Ask near labeled items that the model gets wrong in cross-validation.

    Scores the share of errors among the labeled items around, each weighed by exp(-d² / 2h²), h the median
    distance from an item to its nearest labeled one; one correct item at distance h is assumed, so that
    what lies far from everything scores near 0.

    Examples
    --------
    >>> pool = Pool(embedding=np.array([[0.0], [10.0]]), labeled_embedding=np.array([[1.0], [9.0]]),
    ...             cv_errors=np.array([True, False]))
    >>> NearErrors().score(pool).round(2).tolist()
    [0.5, 0.0]
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"embedding", "cv_errors"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        errors = np.asarray(pool.cv_errors, dtype=np.float32)
        X = as_embedding(pool.embedding)
        labeled = pool.labeled_embedding
        if labeled is None or not errors.any() or not len(pool):
            return np.zeros(len(pool))
        if labeled.shape[0] != len(errors):
            raise ValueError(f"pool.cv_errors has {len(errors)} entries for {labeled.shape[0]} labeled items.")
        labeled = as_embedding(labeled)
        norms = squared_norms(X)
        width = max(float(np.median(nearest(X, norms, labeled)[0])), 1e-12)
        wrong = np.zeros(len(pool))
        # exp(-1/2) is the weight of one item at distance h.
        total = np.full(len(pool), np.exp(-0.5))
        for left in range(0, labeled.shape[0], 128):
            centers = dense_rows(labeled, np.arange(left, min(left + 128, labeled.shape[0])))
            for top in range(0, len(pool), _ROWS):
                rows = slice(top, top + _ROWS)
                weight = np.exp(squared_distances(X[rows], norms[rows], centers) / (-2.0 * width))
                wrong[rows] += weight @ errors[left : left + 128]
                total[rows] += weight.sum(axis=1)
        return unit(wrong / total)


@dataclass(frozen=True)
class Region(Strategy):
    """Ask where better performance is wanted.

    Attributes
    ----------
    where
        Name of a mask in `Pool.regions`; empty: `Pool.mask`.
    strategy
        Scores what lies inside; None: all alike.
    outside
        What is left of the score outside, in [0, 1].

    Examples
    --------
    >>> Region().score(Pool(mask=np.array([True, False]))).tolist()
    [1.0, 0.0]
    """

    where: str = ""
    strategy: Strategy | None = None
    outside: float = 0.0

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """Alone, and over another strategy."""
        return cls(), cls(strategy=KCenter(), outside=0.5)

    def __post_init__(self) -> None:
        if not 0.0 <= self.outside <= 1.0:
            raise ValueError(f"outside must lie in [0, 1], got {self.outside}.")

    @property
    def name(self) -> str:
        """With its mask."""
        return f"Region({self.where})" if self.where else "Region"

    def reads(self) -> frozenset[str]:
        """The mask, unless it is a named one, and what the strategy reads."""
        return super().reads() | (frozenset() if self.where else frozenset({"mask"}))

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """The strategy's own ranking, cut to the region."""
        from strategies.diversity import Weighed

        inside = np.asarray(pool.region(self.where) if self.where else pool.mask, dtype=bool)
        weight = np.where(inside, 1.0, self.outside)
        if self.strategy is None:
            return Ranking(weight)
        return Weighed(self.strategy.ranking(pool, rng, n), weight, self.strategy.name, "region")


@dataclass(frozen=True)
class Committee(Strategy):
    """Ask where the members of a committee disagree (query by committee).

    Attributes
    ----------
    measure
        "divergence": mean Kullback-Leibler divergence from the mean of the members, divided by log k.
        "votes": entropy of the members' votes, divided by log k.

    References
    ----------
    McCallum and Nigam (1998). Employing EM and pool-based active learning for text classification. ICML.
    Dagan and Engelson (1995). Committee-based sampling for training probabilistic classifiers. ICML.

    Examples
    --------
    >>> members = np.array([[[0.9, 0.1], [1.0, 0.0]], [[0.9, 0.1], [0.0, 1.0]]])
    >>> Committee().score(Pool(committee=members)).round(3).tolist()
    [0.0, 1.0]
    """

    measure: Literal["divergence", "votes"] = "divergence"

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"committee"})

    @classmethod
    def examples(cls) -> tuple[Strategy, ...]:
        """One of each measure."""
        return cls(), cls("votes")

    def __post_init__(self) -> None:
        if self.measure not in ("divergence", "votes"):
            raise ValueError(f"Unknown measure {self.measure!r}. Choose 'divergence' or 'votes'.")

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        members = pool.committee
        k = members.shape[2]
        if k < 2:
            return np.zeros(len(pool))
        if self.measure == "divergence":
            return unit(mutual_information(members) / np.log(k))
        return normalised_entropy(vote_counts(members.argmax(axis=2).T, k) / len(members))
