"""What classifiers say of answered items that they were not trained on, for about the cost of one more fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from labeling.arrays import FloatArray, IntArray
from labeling.classifiers.trainable import SETUP_ERRORS
from labeling.library_errors import without_values

if TYPE_CHECKING:
    from labeling.loops.rounds.learning import Learning


FOLDS = 5

WEAK_ROWS = 5_000
"""At most so many weakly labeled rows train a fold; together they weigh what all of them do."""

QUICK = 50_000
"""Rows times classes up to which a linear classifier is trained on all folds in one round."""


@dataclass(frozen=True)
class OutOfFold:
    """Distributions of answered items by classifiers that had not seen their answers.

    Attributes
    ----------
    rows
        (l,) every answered item that may be trained on.
    proba
        (l, k); nan for items whose fold was not trained yet.
    note
        Why folds were left out, None where none was.
    """

    rows: IntArray
    proba: FloatArray
    note: str | None = None


def fold_of(group: IntArray, seed: int) -> IntArray:
    """(n,) fold of each item, the same for a whole group and in every round.

    Examples
    --------
    >>> fold_of(np.array([7, 7, 8, 9]), seed=0).tolist()
    [4, 4, 0, 3]
    """
    mixed = group.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    # The finaliser of splitmix64: neighbours get unrelated numbers.
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return (mixed % np.uint64(FOLDS)).astype(np.int64)


def out_of_fold(learning: Learning, group: IntArray, before: Callable[[IntArray], FloatArray]) -> OutOfFold:
    """Return what is known out of sample of each answered item.

    A linear classifier of few rows is trained on all five folds each round. Others are trained on one fold a
    round, in turn; the other folds keep what they were told before: by their own fold in an earlier round, or, of
    items answered since, by the model of the round before, which had not seen the answer either.

    Parameters
    ----------
    learning
        The round.
    group
        (n,) items that no fold may split share a number.
    before
        From rows to (r, k) what was said of them out of sample in the round before; nan where nothing was.
    """
    rows, turn = learning.labeled, _turn(learning)
    whole = len(turn) == FOLDS
    proba = np.full((len(rows), learning.human.shape[1]), np.nan) if whole else before(rows)
    fold = fold_of(group[rows], learning.seed)
    note = None
    for each in turn:
        inside = fold == each
        if not inside.any() or inside.all():
            # Nothing to tell, or nothing left to learn from.
            continue
        try:
            proba[inside] = _predict(learning, rows, inside)
        except SETUP_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - said in the notes of the refit
            # A fold has fewer rows than the whole: what can be trained on the one may not be on the other.
            note = f"Not all answers could be checked by folds: {without_values(error)}"
    return OutOfFold(rows, proba, note)


def _turn(learning: Learning) -> range:
    """Return the folds that are trained in this round."""
    size = (len(learning.labeled) + min(WEAK_ROWS, len(learning.training[0]))) * learning.human.shape[1]
    if learning.classifier.quick and size <= QUICK:
        return range(FOLDS)
    first = learning.round % FOLDS
    return range(first, first + 1)


def _predict(learning: Learning, rows: IntArray, inside: npt.NDArray[np.bool_]) -> FloatArray:
    """(i, k) what a model says of some answered items that took them for items nobody answered."""
    outside, features = rows[~inside], learning.features()
    trained = [outside]
    targets, weights = [learning.human[outside]], [np.ones(len(outside))]
    weak, share = learning.training[0][len(rows) :], learning.training[2][len(rows) :]
    if learning.weak is not None and len(weak):
        # An item of the fold is to be told as one that nobody answered: with its weak label, where it has one.
        own = rows[inside][learning.weak[1][rows[inside]] > 0]
        chosen, weight = np.concatenate([weak, own]), np.concatenate([share, np.full(len(own), share.mean())])
        if len(chosen) > WEAK_ROWS:
            drawn = np.random.default_rng([learning.seed, learning.round, 5]).choice(len(chosen), WEAK_ROWS, False)
            weight = weight[drawn] * weight.sum() / weight[drawn].sum()
            chosen = chosen[drawn]
        trained.append(chosen)
        targets.append(learning.weak[0][chosen])
        weights.append(weight)
    at = np.concatenate(trained)
    with warnings.catch_warnings():
        # What there is to warn of, the fit on all rows has said.
        warnings.simplefilter("ignore")
        model = learning.classifier.fit(
            features[at], np.concatenate(targets), np.concatenate(weights), seed=learning.seed
        )
        return np.asarray(model.predict_proba(features[rows[inside]]), dtype=np.float64)
