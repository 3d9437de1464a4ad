"""When a classifier cannot be trained: what is missing, in words, and seeds for everything that draws."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from labeling.library_errors import without_values

if TYPE_CHECKING:
    from labeling.classifiers.base import Classifier, Model
    from labeling.classifiers.features.text import Matrix

Result = TypeVar("Result")

SETUP_ERRORS = (ImportError, MemoryError)
"""Faults of the machine: no label mends them, so they are raised wherever they happen."""

_MOST = 2**32
"""Seeds of scikit-learn lie below."""


class CannotTrain(ValueError):
    """A classifier could not be trained on what there is.

    Attributes
    ----------
    missing
        How many labels it lacks at least, None where more labels may not help.
    """

    def __init__(self, message: str, missing: int | None = None) -> None:
        super().__init__(message)
        self.missing = missing


class TrainingWarning(UserWarning):
    """A classifier failed for another reason than too few labels; its loop asks without a model."""


def explained(estimator: Any, error: Exception, labels: npt.NDArray[np.integer], *, sparse: bool) -> CannotTrain:
    """Return why an estimator could not be trained or could not predict, and what would work.

    Parameters
    ----------
    labels
        (n,) class positions it was to learn from.
    sparse
        Whether it was given sparse features.
    """
    name = type(estimator).__name__
    said = f"{type(error).__name__}: {without_values(error)}"
    if sparse and re.search(r"sparse|dense", str(error), re.IGNORECASE):
        return CannotTrain(
            f"{name} takes no sparse features. Make the classifier as SklearnClassifier({name}(…), dense=True). "
            f"({said})"
        )
    vectorizer = next((each for each in estimator.get_params().values() if hasattr(each, "build_analyzer")), None)
    if vectorizer is not None:
        short = type(vectorizer).__name__
        return CannotTrain(
            f"{name} holds a {short}, which reads texts, and is given features that were made of them already. "
            f"Leave the {short} out. ({said})"
        )
    needed = _needed(estimator, labels)
    if needed is not None:
        why, missing = needed
        more = "1 more label is" if missing == 1 else f"{missing:,} more labels are"
        return CannotTrain(f"{name} {why}: at least {more} missing. ({said})", missing)
    return CannotTrain(f"{name} could not be trained on {len(labels):,} labels. {said}")


def _needed(estimator: Any, labels: npt.NDArray[np.integer]) -> tuple[str, int] | None:
    """Return what an estimator, or one inside it, needs more of than there is, and how many are missing."""
    n, rarest = len(labels), int(np.bincount(labels)[np.unique(labels)].min()) if len(labels) else 0
    found: list[tuple[int, str]] = []
    for key, value in estimator.get_params(deep=True).items():
        short = key.rpartition("__")[2]
        if short in ("n_neighbors", "min_samples") and _whole(value) and value > n:
            found.append((value - n, f"looks at {value} neighbours and has {n} labels"))
        folds = _folds(value) if short == "cv" else None
        if folds is not None and folds > rarest:
            classes = len(np.unique(labels))
            found.append(
                (folds - rarest, f"needs {folds} labels of each class, and has {rarest} of the rarest of {classes}")
            )
    if not found:
        return None
    missing, why = max(found)
    return why, missing


def _folds(cv: Any) -> int | None:
    """Return how many folds a setting asks for; scikit-learn takes None for 5."""
    folds = (
        5 if cv is None else cv if _whole(cv) else getattr(cv, "n_splits", getattr(cv, "cvargs", {}).get("n_splits"))
    )
    return int(folds) if folds is not None and _whole(folds) else None


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def attempt(
    train: Callable[[], Result], classifier: Classifier, labels: int, *, failed: Callable[[str], None]
) -> Result | None:
    """Return what `train` gives; where it fails, say why to `failed` and return None.

    Too few labels mend themselves, and are said only. Any other fault is also warned of, each time, so that no
    loop goes on silently without the model it was made for.
    """
    try:
        return train()
    except SETUP_ERRORS:
        raise
    except CannotTrain as error:
        message, missing = str(error), error.missing
    except Exception as error:  # noqa: BLE001 - said in the notes of the refit, and warned of
        message, missing = _of_own(classifier, error, labels), None
    note = f"No model yet, questions are chosen without one. {message}"
    failed(note)
    if missing is None:
        warnings.warn(note, TrainingWarning, stacklevel=2)
    return None


def _of_own(classifier: Classifier, error: Exception, labels: int) -> str:
    name = type(classifier).__name__
    return f"{name} could not be trained on {labels:,} labels. {type(error).__name__}: {without_values(error)}"


def probed(model: Model, X: Matrix, classes: int) -> Model:
    """Return a model that gives probabilities for one row; raise where it does not.

    Raises
    ------
    ValueError
        Its probabilities have another shape, or are no numbers.
    """
    proba = np.asarray(model.predict_proba(X[:1]), dtype=np.float64)
    if proba.shape != (1, classes) or not np.isfinite(proba).all():
        raise ValueError(
            f"Its predict_proba gives {proba.tolist()} for one item, not {classes} probabilities that sum to 1."
        )
    return model


def seeded(estimator: Any, seed: int) -> Any:
    """Set every random_state that was left open, inside pipelines, ensembles and splitters too; return the estimator.

    Each gets a number of its own, so that members of an ensemble that are alike do not learn alike.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> seeded(RandomForestClassifier(), 7).random_state
    7
    >>> seeded(make_pipeline(RandomForestClassifier(random_state=3)), 7)[0].random_state
    3
    """
    params = estimator.get_params(deep=True)
    changed: dict[str, Any] = {}
    for key, value in params.items():
        own = (seed if "__" not in key else zlib.crc32(f"{seed} {key}".encode())) % _MOST
        if key.rpartition("__")[2] == "random_state" and value is None:
            changed[key] = own
        elif _draws(value):
            changed[key] = _with_seed(value, own)
    return estimator.set_params(**changed) if changed else estimator


def _draws(value: Any) -> bool:
    """Tell whether a value is a splitter of scikit-learn's whose seed was left open."""
    return (
        not isinstance(value, type)
        and hasattr(value, "split")
        and hasattr(value, "get_n_splits")
        and getattr(value, "random_state", 0) is None
        and getattr(value, "shuffle", True)
    )


def _with_seed(splitter: Any, seed: int) -> Any:
    from copy import copy

    other = copy(splitter)
    other.random_state = seed
    return other
