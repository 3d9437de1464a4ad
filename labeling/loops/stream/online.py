"""Online learning: scikit-learn's estimators that learn from each answer once."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labeling.classifiers.base import Classifier
from labeling.classifiers.features.text import FloatArray, Matrix
from labeling.classifiers.linear import softmax
from labeling.classifiers.sklearn import SklearnClassifier
from labeling.classifiers.trainable import seeded


def check_online(classifier: Classifier | None) -> SklearnClassifier:
    """Return the classifier if it can learn online.

    Raises
    ------
    TypeError
        It is no `SklearnClassifier`, or its estimator has no `partial_fit`.
    """
    hint = "Use SklearnClassifier(SGDClassifier(loss='log_loss')) or another that has one, or learn by Refits()."
    if not isinstance(classifier, SklearnClassifier):
        raise TypeError(f"Online() calls an estimator's partial_fit, got classifier={classifier!r}. {hint}")
    if not hasattr(classifier.estimator, "partial_fit"):
        raise TypeError(f"{type(classifier.estimator).__name__} has no partial_fit, which Online() calls. {hint}")
    return classifier


@dataclass(frozen=True)
class OnlineModel:
    """An estimator that has learned from some rows, one by one.

    Attributes
    ----------
    estimator
        Fitted by `partial_fit`; never changed again: learning goes on with a copy.
    counts
        (k,) rows of each class so far.
    dense
        Whether it wants dense features.
    """

    estimator: Any
    counts: npt.NDArray[np.int64]
    dense: bool = False

    def after(self, X: Matrix, labels: npt.NDArray[np.int64]) -> OnlineModel:
        """Return a model that also learned from each row in turn: the same in whichever portions they come."""
        estimator, classes = deepcopy(self.estimator), np.arange(len(self.counts))
        wanted = self._wanted(X)
        # The variance of one row is 0.
        with np.errstate(all="ignore"):
            for row, label in enumerate(labels):
                estimator.partial_fit(wanted[row : row + 1], [label], classes=classes)
        return OnlineModel(estimator, self.counts + np.bincount(labels, minlength=len(self.counts)), self.dense)

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1; a class never seen gets 1 / (rows + k)."""
        n, k = X.shape[0], len(self.counts)
        seen = np.flatnonzero(self.counts)
        proba = np.full((n, k), 1.0 / (self.counts.sum() + k))
        if len(seen) < 2:
            known = np.ones((n, len(seen)))
        else:
            with np.errstate(all="ignore"):
                known = self._known(X)[:, seen]
                known = known / known.sum(axis=1, keepdims=True)
            known[~np.isfinite(known).all(axis=1)] = 1.0 / len(seen)
        proba[:, seen] = known * (1.0 - proba[0, 0] * (k - len(seen)) if n else 1.0)
        return proba

    def _known(self, X: Matrix) -> FloatArray:
        wanted = self._wanted(X)
        for name in ("predict_joint_log_proba", "predict_proba", "decision_function"):
            if hasattr(self.estimator, name):
                values = np.asarray(getattr(self.estimator, name)(wanted), dtype=np.float64)
                if name == "predict_proba":
                    return values
                if values.ndim == 1:
                    values = np.column_stack([-values / 2, values / 2])
                # Classes without a row have no finite likelihood.
                return softmax(np.where(self.counts > 0, values, -np.inf))
        raise TypeError(f"{type(self.estimator).__name__} cannot say how sure it is.")

    def _wanted(self, X: Matrix) -> Matrix:
        return X.toarray() if self.dense and hasattr(X, "toarray") else X


def begin_online(classifier: Classifier, classes: int, *, seed: int = 0) -> OnlineModel:
    """Return a model of so many classes that has learned from nothing.

    Examples
    --------
    >>> from sklearn.naive_bayes import BernoulliNB
    >>> X, labels = np.eye(4), np.array([0, 1, 0, 1])
    >>> model = begin_online(SklearnClassifier(BernoulliNB()), 2).after(X[:2], labels[:2])
    >>> model.after(X[2:], labels[2:]).predict_proba(X).argmax(axis=1)
    array([0, 1, 0, 1])
    """
    from sklearn.base import clone

    chosen = check_online(classifier)
    estimator = seeded(clone(chosen.estimator), seed)
    return OnlineModel(estimator, np.zeros(classes, dtype=np.int64), chosen.dense)
