"""Probabilities that mean what they say: cross-validation and temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.features.text import BoolArray, Features, FloatArray, Matrix
from labeling.classifiers.linear import check_targets, softmax
from labeling.classifiers.trainable import CannotTrain

if TYPE_CHECKING:
    import polars as pl


def out_of_fold(
    classifier: Classifier,
    X: Matrix,
    targets: FloatArray,
    weights: FloatArray | None = None,
    *,
    folds: int = 5,
    seed: int = 0,
) -> FloatArray:
    """(n, k) probabilities of every row from a model that was not trained on it.

    Folds are drawn by seed, the classes spread evenly over them. Where there are fewer rows than
    folds, each row is a fold.

    Examples
    --------
    >>> from labeling import TableClassifier
    >>> X = np.array([[0.0], [0.1], [1.0], [1.1]])
    >>> out_of_fold(TableClassifier(C=100.0), X, np.eye(2)[[0, 0, 1, 1]], folds=2).argmax(axis=1)
    array([0, 0, 1, 1])
    """
    targets, weights = check_targets(X, targets, weights)
    n = len(targets)
    if n < 2:
        raise ValueError("Cross-validation needs at least 2 rows. Label more items first.")
    fold = stratified_folds(targets.argmax(axis=1), min(folds, n), seed)
    proba = np.empty_like(targets)
    for each in range(int(fold.max()) + 1):
        inside, outside = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        if not (weights[outside] > 0).any():
            proba[inside] = 1.0 / targets.shape[1]
            continue
        try:
            model = classifier.fit(X[outside], targets[outside], weights[outside], seed=seed)
        except CannotTrain:
            # The other folds are too few to learn from, all together may do.
            proba[inside] = 1.0 / targets.shape[1]
            continue
        proba[inside] = model.predict_proba(X[inside])
    return proba


def stratified_folds(labels: Any, folds: int, seed: int = 0) -> Any:
    """(n,) fold of each row, classes spread evenly.

    Examples
    --------
    >>> folds = stratified_folds(np.array([0, 0, 0, 0, 1, 1]), 2)
    >>> np.bincount(folds[:4]).tolist(), np.bincount(folds[4:]).tolist()
    ([2, 2], [1, 1])
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(np.asarray(labels)[order], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def temperature(proba: FloatArray, targets: FloatArray, weights: FloatArray | None = None) -> float:
    """The T in [1/20, 20] whose softmax(log p / T) fits the targets best; above 1: p was too sure.

    References
    ----------
    Guo et al. (2017). On calibration of modern neural networks. ICML.

    Examples
    --------
    Half of what was said with 95 % was right:

    >>> temperature(np.array([[0.95, 0.05]] * 4), np.eye(2)[[0, 1, 0, 1]]) > 10
    True
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(proba, 1e-12))
    shares = np.ones(len(proba)) if weights is None else np.asarray(weights, dtype=np.float64)

    def loss(log_t: float) -> float:
        scaled = logs / np.exp(log_t)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        scaled = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-(shares @ (targets * scaled).sum(axis=1)) / shares.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-np.log(20), np.log(20)), method="bounded").x))


@dataclass(frozen=True)
class Calibrated(Classifier):
    """A classifier whose probabilities are brought to what cross-validation shows (temperature scaling).

    Which class is likeliest never changes. Below `at_least` rows the probabilities stay as they are: the
    temperature would be chance. Costs `folds` more fits.

    Attributes
    ----------
    classifier
        The one to calibrate.
    folds
        Of the cross-validation that the temperature is learned from; the hold-out plays no part.
    at_least
        Rows with weight below which nothing is scaled.

    Examples
    --------
    >>> from labeling import TextClassifier
    >>> Calibrated(TextClassifier()).folds
    3
    """

    classifier: Classifier
    folds: int = 3
    at_least: int = 30

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Those of the classifier."""
        return self.classifier.learn_features(frame, text=text, learn_from=learn_from)

    def fit(
        self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0
    ) -> CalibratedModel:
        """Train on all rows, and learn the temperature from folds of them."""
        targets, weights = check_targets(X, targets, weights)
        model = self.classifier.fit(X, targets, weights, seed=seed)
        used = np.flatnonzero(weights > 0)
        if len(used) < self.at_least:
            return CalibratedModel(model, 1.0)
        X, targets, weights = X[used], targets[used], weights[used]
        proba = out_of_fold(self.classifier, X, targets, weights, folds=self.folds, seed=seed)
        return CalibratedModel(model, temperature(proba, targets, weights))


@dataclass(frozen=True)
class CalibratedModel:
    """A model and its temperature.

    Attributes
    ----------
    model
        Trained on all rows.
    temperature
        Above 1 where it was too sure.
    """

    model: Model
    temperature: float

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1."""
        return self._scaled(self.model.predict_proba(X))

    def mc_proba(self, X: Matrix, samples: int = 20, *, seed: int = 0) -> FloatArray:
        """(samples, n, k) stochastic passes, scaled alike, where the model has them."""
        passes = getattr(self.model, "mc_proba", None)
        if passes is None:
            raise TypeError(f"{type(self.model).__name__} has no stochastic passes. Use NetworkClassifier.")
        return self._scaled(passes(X, samples, seed=seed))

    def _scaled(self, proba: FloatArray) -> FloatArray:
        if self.temperature == 1.0:
            return proba
        return softmax(np.log(np.maximum(proba, 1e-12)) / self.temperature)
