"""Scores of predictions against known labels: accuracy alone hides what happens to rare classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labeling.classifiers.features.text import FloatArray

Positions = npt.NDArray[np.integer]


@dataclass(frozen=True)
class ClassScore:
    """How one class fares.

    Attributes
    ----------
    label
        Name, or position where no names were given.
    precision
        Of those predicted so, the share that is so; 0 where none is predicted.
    recall
        Of those that are so, the share that is found; 0 where there is none.
    f1
        Harmonic mean of both.
    average_precision
        Area under precision over recall as the threshold falls; None without probabilities or positives.
    support
        Number of items that are so.
    """

    label: str
    precision: float
    recall: float
    f1: float
    average_precision: float | None
    support: int


@dataclass(frozen=True)
class Scores:
    """What a classifier is worth on labeled items.

    Attributes
    ----------
    accuracy
        Share predicted right.
    f1_macro
        Mean of the F1 of the classes that occur, in the truth or in the predictions.
    average_precision
        Mean over the classes that occur; None without probabilities.
    calibration_error
        Expected calibration error; None without probabilities.
    items
        Number of items.
    classes
        One a class, in the order of the positions.
    """

    accuracy: float
    f1_macro: float
    average_precision: float | None
    calibration_error: float | None
    items: int
    classes: tuple[ClassScore, ...]


def confusion(truth: npt.ArrayLike, predicted: npt.ArrayLike, k: int) -> npt.NDArray[np.int64]:
    """(k, k) counts: truth in rows, predictions in columns; pairs with -1 are left out.

    Examples
    --------
    >>> confusion([0, 0, 1, 1], [0, 1, 1, -1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    true, said = _pairs(truth, predicted)
    known = (true >= 0) & (said >= 0)
    counts = np.bincount(true[known] * k + said[known], minlength=k * k)
    if len(counts) > k * k:
        raise ValueError(f"Class positions must lie below {k}, got {max(true.max(), said.max())}.")
    return counts.reshape(k, k).astype(np.int64)


def accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Share predicted right; an abstain (-1) is not right.

    Examples
    --------
    >>> accuracy([0, 1, 1, 0], [0, 1, -1, 1])
    0.5
    """
    true, said = _pairs(truth, predicted)
    if not len(true):
        raise ValueError("There are no items to score. Set a hold-out with labels first.")
    return float(np.mean(true == said))


def f1_macro(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean F1 of the classes that occur in the truth or in the predictions.

    Examples
    --------
    >>> f1_macro([0, 0, 1, 1], [0, 0, 0, 0]).__round__(3)
    0.333
    """
    from sklearn.metrics import f1_score

    true, said = _pairs(truth, predicted)
    if not len(true):
        raise ValueError("There are no items to score. Set a hold-out with labels first.")
    labels = np.union1d(true, said[said >= 0])
    return float(f1_score(true, said, labels=labels, average="macro", zero_division=0.0))


def calibration_error(truth: npt.ArrayLike, proba: FloatArray, bins: int = 15) -> float:
    """Expected calibration error: mean gap between confidence and accuracy over bins of equal width.

    References
    ----------
    Guo et al. (2017). On calibration of modern neural networks. ICML.

    Examples
    --------
    Sure of everything, right half of the time:

    >>> calibration_error([0, 1], np.array([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    """
    true = np.asarray(truth)
    if not len(true):
        raise ValueError("There are no items to score. Set a hold-out with labels first.")
    confidence = proba.max(axis=1)
    right = proba.argmax(axis=1) == true
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(true))


def average_precision(truth: npt.ArrayLike, proba: FloatArray) -> list[float | None]:
    """Average precision of each class against the others; None for a class without items.

    Examples
    --------
    >>> average_precision([0, 1, 1], np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]))
    [1.0, 1.0]
    """
    from sklearn.metrics import average_precision_score

    true = np.asarray(truth)
    return [
        float(average_precision_score(true == each, proba[:, each])) if (true == each).any() else None
        for each in range(proba.shape[1])
    ]


def evaluate(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike | None = None,
    *,
    proba: FloatArray | None = None,
    labels: Sequence[str] | None = None,
) -> Scores:
    """All scores at once.

    Parameters
    ----------
    truth
        (n,) class positions.
    predicted
        (n,) class positions, -1 abstains; default the likeliest by `proba`.
    proba
        (n, k) probabilities, where there are any.
    labels
        Names of the classes.

    Examples
    --------
    >>> scores = evaluate([0, 0, 1], [0, 1, 1], labels=["ok", "spam"])
    >>> round(scores.accuracy, 3), round(scores.f1_macro, 3), scores.classes[1].precision
    (0.667, 0.667, 0.5)
    """
    from sklearn.metrics import precision_recall_fscore_support

    if predicted is None:
        if proba is None:
            raise ValueError("evaluate() needs predicted class positions or proba=.")
        predicted = proba.argmax(axis=1)
    true, said = _pairs(truth, predicted)
    k = (
        len(labels)
        if labels is not None
        else proba.shape[1]
        if proba is not None
        else int(max(true.max(), said.max())) + 1
    )
    names = list(labels) if labels is not None else [str(each) for each in range(k)]
    columns = precision_recall_fscore_support(true, said, labels=np.arange(k), zero_division=0.0)
    precisions = average_precision(true, proba) if proba is not None else [None] * k
    classes = tuple(
        ClassScore(name, float(precision), float(recall), float(f1), area, int(support))
        for name, precision, recall, f1, support, area in zip(names, *columns, precisions, strict=True)
    )
    areas = [area for area in precisions if area is not None]
    return Scores(
        accuracy=accuracy(true, said),
        f1_macro=f1_macro(true, said),
        average_precision=float(np.mean(areas)) if areas else None,
        calibration_error=None if proba is None else calibration_error(true, proba),
        items=len(true),
        classes=classes,
    )


def kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Cohen's kappa of two sets of labels: agreement beyond chance, at most 1.

    None where both know one class only, the same: chance alone agrees.

    References
    ----------
    Cohen (1960). A coefficient of agreement for nominal scales.

    Examples
    --------
    >>> kappa([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    one, two = _pairs(first, second)
    if not len(one):
        raise ValueError("There are no items to compare.")
    lowest = min(int(one.min()), int(two.min()))
    if max(int(one.max()), int(two.max())) == lowest:
        return None
    # Counted by value, without sorting: a refit compares the predictions of the whole pool.
    shares, others = np.bincount(one - lowest) / len(one), np.bincount(two - lowest) / len(two)
    both = min(len(shares), len(others))
    chance = float(shares[:both] @ others[:both])
    return (float(np.mean(one == two)) - chance) / (1.0 - chance)


def interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a share, such as an accuracy on n held-out items.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> [round(bound, 3) for bound in interval(90, 100)]
    [0.826, 0.945]
    """
    from statistics import NormalDist

    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"Expected 0 <= successes <= n and n >= 1, got {successes} of {n}.")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / n
    middle = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max((middle - half) / (1 + z * z / n), 0.0), min((middle + half) / (1 + z * z / n), 1.0)


def _pairs(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    true, said = np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != said.shape or true.ndim != 1:
        raise ValueError(f"truth and predictions must be of one length, got {true.shape} and {said.shape}.")
    return true, said
