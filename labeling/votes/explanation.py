"""Why an item has its weak label: each vote, what its source is worth, what the label would be without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE
from labeling.votes.label_models.base import LabelModel
from labeling.votes.matrix import LabelMatrix


@dataclass(frozen=True)
class Explanation:
    """The weak label of one item, and what it was made of.

    Attributes
    ----------
    label, confidence
        What the run says; None where it says nothing.
    probabilities
        By class name.
    votes
        A row a vote: function, expert, vote, estimated accuracy of the source
        (null where the model estimates none), effect (how much the label's
        probability falls without the vote), label_without.
    """

    item_id: int
    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    votes: pl.DataFrame


def explain(fitted: LabelModel, matrix: LabelMatrix, row: int) -> Explanation:
    """Explain the label that a fitted label model gives to one row of a matrix.

    Examples
    --------
    >>> from labeling.votes.label_models import MajorityVote
    >>> matrix = LabelMatrix.from_votes([[0, 0, 1]], labels=["ham", "spam"])
    >>> explain(MajorityVote().fit(matrix), matrix, 0).votes.select("function", "vote", "effect", "label_without")
    shape: (3, 4)
    ┌────────────┬──────┬───────────┬───────────────┐
    │ function   ┆ vote ┆ effect    ┆ label_without │
    │ ---        ┆ ---  ┆ ---       ┆ ---           │
    │ str        ┆ str  ┆ f64       ┆ str           │
    ╞════════════╪══════╪═══════════╪═══════════════╡
    │ function_1 ┆ ham  ┆ 0.166667  ┆ null          │
    │ function_2 ┆ ham  ┆ 0.166667  ┆ null          │
    │ function_3 ┆ spam ┆ -0.333333 ┆ ham           │
    └────────────┴──────┴───────────┴───────────────┘
    """
    votes = matrix.values[row]
    voters = np.flatnonzero(votes != NO_VOTE)
    # The item as it is, then once without each of its votes.
    variants = np.repeat(votes[None, :], len(voters) + 1, axis=0)
    variants[np.arange(len(voters)) + 1, voters] = NO_VOTE
    ids = np.repeat(matrix.item_ids[row : row + 1], len(variants))
    result = fitted.label(replace(matrix, values=variants, item_ids=ids, gold=None))
    position = int(result.positions[0])
    names = [*matrix.labels, None]
    accuracy = None if fitted.fitted is None else fitted.fitted.accuracy
    believed = int(result.proba[0].argmax()) if position == NO_VOTE else position
    table = pl.DataFrame(
        {
            "function": [matrix.sources[j].name for j in voters],
            "expert": [matrix.sources[j].expert for j in voters],
            "vote": [matrix.labels[votes[j]] for j in voters],
            "accuracy": [None if accuracy is None else float(accuracy[j]) for j in voters],
            "effect": (result.proba[0, believed] - result.proba[1:, believed]).tolist(),
            "label_without": [names[p] for p in result.positions[1:]],
        },
        schema={
            "function": pl.String(),
            "expert": pl.String(),
            "vote": pl.String(),
            "accuracy": pl.Float64(),
            "effect": pl.Float64(),
            "label_without": pl.String(),
        },
    )
    return Explanation(
        int(matrix.item_ids[row]),
        names[position],
        None if position == NO_VOTE else float(result.proba[0, position]),
        {name: float(p) for name, p in zip(matrix.labels, result.proba[0], strict=True)},
        table,
    )
