"""The class that most vote for.

Examples
--------
>>> from labeling.votes.matrix import LabelMatrix
>>> matrix = LabelMatrix.from_votes([[0, 0, 1], [-1, 1, 1], [-1, -1, -1]], labels=["ham", "spam"])
>>> MajorityVote().fit(matrix).predict(matrix)
array([ 0,  1, -1])
"""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray, VoteArray
from labeling.votes.label_models.base import TIE, Fit, LabelModel, WeakLabels, class_prior, vote_shares
from labeling.votes.matrix import LabelMatrix, Source
from labeling.votes.patterns import Patterns, class_counts, splitmix

AT_ONCE = 262_144


@dataclass(frozen=True, kw_only=True)
class MajorityVote(LabelModel):
    """The class that most functions, or most experts, vote for.

    Probabilities are shares of the votes.

    Parameters
    ----------
    by
        Who votes: each ``"function"``, or each ``"expert"`` with the majority of its functions (a tie abstains). A
        function without an expert votes for itself.
    threshold
        Share that the largest class needs, in [0, 1]; None: the plurality wins.
    of
        Share of ``"all"`` functions or experts, or of those that are ``"voting"`` on the item.
    otherwise
        Class for items that are silent, below the threshold or tied; None: they get no label.
    otherwise_probability
        What is stated for those; they have no weight in training.
    ties
        ``"abstain"``; ``"prior"``, the class that has more votes overall; ``"random"``, seeded by the item's id, so
        that the order of the items never matters.
    seed
        Seed of random ties.

    Examples
    --------
    >>> votes = [[1, -1, -1, -1], [1, 1, -1, 0]]
    >>> matrix = LabelMatrix.from_votes(votes, labels=["ok", "offensive"])
    >>> MajorityVote(threshold=0.5, otherwise="ok").predict(matrix)
    array([0, 1])
    """

    title: ClassVar[str] = "Majority vote"
    summary: ClassVar[str] = "The label with most votes wins; every rule, or every expert, counts the same."

    by: Literal["function", "expert"] = "function"
    threshold: float | None = None
    of: Literal["all", "voting"] = "all"
    ties: Literal["abstain", "prior", "random"] = "abstain"
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (
            ("by", ("function", "expert")),
            ("of", ("all", "voting")),
            ("ties", ("abstain", "prior", "random")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"MajorityVote: {name} is one of {', '.join(known)}, got {getattr(self, name)!r}.")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(
                f"MajorityVote: threshold is a share in [0, 1], got {self.threshold}. For 30 %, write 0.3."
            )

    def _learn(self, patterns: Patterns) -> Fit:
        return Fit(patterns.values.shape[1], patterns.k, class_prior(patterns))

    def label(self, matrix: LabelMatrix) -> WeakLabels:
        """Labels, probabilities and training weights of the items of a matrix."""
        if len(matrix) <= AT_ONCE:
            return super().label(matrix)
        parts = [super(MajorityVote, self).label(matrix.block(i, i + AT_ONCE)) for i in range(0, len(matrix), AT_ONCE)]
        return WeakLabels(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("positions", "proba", "weight")))

    def _posterior(self, matrix: LabelMatrix) -> FloatArray:
        return self._vote(matrix)[0]

    def _vote(self, matrix: LabelMatrix) -> tuple[FloatArray, IntArray]:
        values = matrix.values if self.by == "function" else expert_votes(matrix)
        counts, voters = class_counts(values, len(matrix.labels)), values.shape[1]
        most, total = counts.max(axis=1), counts.sum(axis=1)
        enough: BoolArray = most > 0
        if self.threshold is not None:
            enough &= most >= self.threshold * (voters if self.of == "all" else total) - TIE
        tied = counts == most[:, None]
        positions = np.where(enough, tied.argmax(axis=1), NO_VOTE)
        open_ties = np.flatnonzero(enough & (tied.sum(axis=1) > 1))
        if len(open_ties):
            positions[open_ties] = self._break(tied[open_ties], matrix.item_ids[open_ties])
        return vote_shares(counts), positions

    def _break(self, tied: BoolArray, ids: np.ndarray[Any, Any]) -> IntArray:
        """Decide between tied classes, shape (t, k) -> (t,)."""
        if self.ties == "abstain":
            return np.full(len(tied), NO_VOTE)
        if self.ties == "prior":
            return np.asarray(np.where(tied, self._learned().prior, -1.0).argmax(axis=1))
        chosen = item_hash(ids, self.seed) % tied.sum(axis=1).astype(np.uint64)
        return np.asarray((tied.cumsum(axis=1) == chosen.astype(np.int64)[:, None] + 1).argmax(axis=1))


def expert_votes(matrix: LabelMatrix) -> VoteArray:
    """Let each expert's functions vote among themselves: shape (n, experts), -1 where they are silent or tied.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0, 0, 1], [0, 1, 1]], labels=["a", "b"], experts=["ann", "ann", None])
    >>> expert_votes(matrix)
    array([[ 0,  1],
           [-1,  1]], dtype=int8)
    """
    groups = expert_columns(matrix.sources)
    votes = np.empty((len(matrix), len(groups)), matrix.values.dtype, order="F")
    for e, columns in enumerate(groups.values()):
        if len(columns) == 1:
            votes[:, e] = matrix.values[:, columns[0]]
            continue
        counts = class_counts(matrix.values[:, columns], len(matrix.labels))
        most = counts.max(axis=1)
        clear = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
        votes[:, e] = np.where(clear, counts.argmax(axis=1), NO_VOTE)
    return votes


def expert_columns(sources: tuple[Source, ...]) -> dict[tuple[str, str], list[int]]:
    """Columns of each expert; a source without one stands for itself."""
    groups: dict[tuple[str, str], list[int]] = {}
    for j, source in enumerate(sources):
        key = ("source", source.name) if source.expert is None else ("expert", source.expert)
        groups.setdefault(key, []).append(j)
    return groups


def item_hash(ids: np.ndarray[Any, Any], seed: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Scattered 64-bit numbers that depend on the ids and the seed alone, shape (n,)."""
    if ids.dtype.kind in "iu":
        numbers = ids.astype(np.int64).view(np.uint64)
    else:
        digests = b"".join(hashlib.blake2b(str(item).encode(), digest_size=8).digest() for item in ids)
        numbers = np.frombuffer(digests, dtype="<u8").astype(np.uint64)
    start = splitmix(np.array([seed], dtype=np.int64).view(np.uint64))
    return splitmix(numbers ^ start)
