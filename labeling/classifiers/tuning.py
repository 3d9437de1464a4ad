"""A setting chosen anew each round: what suits fifty labels is wrong for five hundred."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.calibration import out_of_fold
from labeling.classifiers.features.text import BoolArray, Features, FloatArray, Matrix
from labeling.classifiers.linear import check_targets

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Tuned(Classifier):
    """A classifier whose setting is chosen by cross-validation each time that it is trained.

    Takes the value with the least log loss on folds, targets and weights as they are; the hold-out plays
    no part. Below `at_least` rows the setting stays as it is: the choice would be chance. Costs
    `folds` more fits a value.

    Attributes
    ----------
    classifier
        The one to tune.
    values
        What to try, from which the best is taken; of equals the first.
    parameter
        Name of the setting: a field of the classifier, or a parameter of the estimator in it.
    folds
        Of the cross-validation.
    rows
        Cross-validate on at most so many rows, drawn by seed; the model itself is trained on all.
    at_least
        Rows with weight below which nothing is chosen.

    Examples
    --------
    >>> from labeling import TableClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 30))
    >>> noise = np.eye(2)[rng.integers(2, size=60)]
    >>> Tuned(TableClassifier(), values=(0.001, 1.0, 1000.0)).fit(X, noise).value
    0.001
    """

    classifier: Classifier
    values: tuple[Any, ...] = (1.0, 3.0, 10.0, 30.0, 100.0)
    parameter: str = "C"
    folds: int = 4
    rows: int = 2000
    at_least: int = 20

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"values names nothing to try for {self.parameter}. Pass for example (1.0, 10.0).")
        if self.folds < 2 or self.rows < self.folds:
            raise ValueError(f"folds must be at least 2 and rows no less, got {self.folds} and {self.rows}.")
        for value in self.values:
            self.variant(value)

    def variant(self, value: Any) -> Classifier:
        """Return the classifier with another value of the setting.

        Raises
        ------
        ValueError
            There is no such setting.
        """
        known = [field.name for field in fields(self.classifier)]
        if self.parameter in known:
            return replace(self.classifier, **{self.parameter: value})
        estimator = getattr(self.classifier, "estimator", None)
        if estimator is not None:
            from sklearn.base import clone

            known = sorted(estimator.get_params())
            if self.parameter in known:
                tuned: Any = clone(estimator).set_params(**{self.parameter: value})
                return replace(self.classifier, estimator=tuned)  # type: ignore[call-arg]
        name = type(self.classifier if estimator is None else estimator).__name__
        raise ValueError(f"{name} has no setting {self.parameter!r}. It has: {', '.join(known)}.")

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Those of the classifier: the setting must be one of training, not of features."""
        return self.classifier.learn_features(frame, text=text, learn_from=learn_from)

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> TunedModel:
        """Choose the value on folds, then train on all rows."""
        targets, weights = check_targets(X, targets, weights)
        used = np.flatnonzero(weights > 0)
        if len(used) < self.at_least:
            return TunedModel(self.classifier.fit(X, targets, weights, seed=seed), self.parameter, None)
        if len(used) > self.rows:
            used = np.sort(np.random.default_rng(seed).choice(used, self.rows, replace=False))
        part = X[used], targets[used], weights[used]
        losses = [self._loss(self.variant(value), *part, seed) for value in self.values]
        best = self.values[int(np.argmin(losses))]
        return TunedModel(self.variant(best).fit(X, targets, weights, seed=seed), self.parameter, best)

    def _loss(self, classifier: Classifier, X: Matrix, targets: FloatArray, weights: FloatArray, seed: int) -> float:
        proba = out_of_fold(classifier, X, targets, weights, folds=self.folds, seed=seed)
        logs = np.log(np.maximum(proba, 1e-12))
        return float(-(weights @ np.einsum("nk,nk->n", targets, logs)) / weights.sum())


@dataclass(frozen=True)
class TunedModel:
    """A model, and the value that was chosen for it.

    Attributes
    ----------
    model
        Trained on all rows.
    parameter
        Name of the setting.
    value
        What was chosen; None where there were too few rows to choose.
    """

    model: Model
    parameter: str
    value: Any

    @property
    def note(self) -> str | None:
        """What history says of it."""
        return None if self.value is None else f"{self.parameter} = {self.value} by cross-validation"

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1."""
        return self.model.predict_proba(X)

    def mc_proba(self, X: Matrix, samples: int = 20, *, seed: int = 0) -> FloatArray:
        """(samples, n, k) stochastic passes, where the model has them."""
        passes = getattr(self.model, "mc_proba", None)
        if passes is None:
            raise TypeError(f"{type(self.model).__name__} has no stochastic passes. Use NetworkClassifier.")
        return np.asarray(passes(X, samples, seed=seed))
