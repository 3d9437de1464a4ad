"""Any scikit-learn estimator as an end model, and committees of any classifier."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.features.columns import ColumnFeatures
from labeling.classifiers.features.text import BoolArray, Features, FloatArray, Matrix
from labeling.classifiers.linear import check_targets, softmax
from labeling.classifiers.trainable import SETUP_ERRORS, CannotTrain, explained, probed, seeded

if TYPE_CHECKING:
    import polars as pl

# A class whose share of a soft target is smaller adds a row to train on and changes nothing.
_TINY = 0.01


@dataclass(frozen=True)
class SklearnClassifier(Classifier):
    """Any scikit-learn classifier, trained on soft targets.

    A soft target becomes one row a class, weighted by its share. An estimator without `sample_weight`
    gets rows and classes drawn by these weights instead, unless all count the same. One without
    `predict_proba` gets the softmax of its `decision_function`.

    Attributes
    ----------
    estimator
        Never fitted itself: a clone is.
    columns
        Which to use; None: all that can be.
    dense
        Hand over dense features, for estimators that refuse sparse ones.

    Notes
    -----
    An estimator that cannot be trained yet, on five folds of four labels for instance, stops no loop: questions
    are chosen by the weak labels, else by chance, and history says how many labels are missing. So does any other
    fault of an estimator, which is warned of each time too.

    Examples
    --------
    >>> from sklearn.naive_bayes import MultinomialNB
    >>> X = np.array([[3.0, 0.0], [0.0, 3.0]])
    >>> model = SklearnClassifier(MultinomialNB()).fit(X, np.array([[0.9, 0.1], [0.1, 0.9]]))
    >>> model.predict_proba(X).argmax(axis=1)
    array([0, 1])
    """

    estimator: Any
    columns: tuple[str, ...] | None = None
    dense: bool = False

    def __post_init__(self) -> None:
        if not hasattr(self.estimator, "fit") or not hasattr(self.estimator, "get_params"):
            raise TypeError(f"SklearnClassifier wraps a scikit-learn estimator, got {self.estimator!r}.")
        if not _says_how_sure(self.estimator):
            raise TypeError(
                f"{type(self.estimator).__name__} has neither predict_proba nor decision_function, so it cannot "
                "say how sure it is. Take one that has, such as LinearSVC() or VotingClassifier(…, voting='soft')."
            )

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Learn scales and vocabulary from the rows of `learn_from`, default all."""
        return ColumnFeatures.learn(frame, text=text, learn_from=learn_from, columns=self.columns)

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> SklearnModel:
        """Train a clone on (n, d) features and (n, k) soft targets; `seed` sets every random_state left open.

        Raises
        ------
        CannotTrain
            The estimator refuses what there is: too few labels, sparse features, or a fault of its own.
        """
        from sklearn.base import clone
        from sklearn.utils.validation import has_fit_parameter

        targets, weights = check_targets(X, targets, weights)
        k = targets.shape[1]
        row, label = np.nonzero(targets * weights[:, None] > _TINY * weights[:, None] * (weights[:, None] > 0))
        weight = weights[row] * targets[row, label]
        unseen = 1.0 / (weights.sum() + k)
        seen = np.unique(label)
        if len(seen) == 1:
            return SklearnModel(None, seen, unseen, k, self.dense)
        estimator = seeded(clone(self.estimator), seed)
        weighted = has_fit_parameter(estimator, "sample_weight")
        if not weighted and not np.allclose(weight, weight[0]):
            row, label = _drawn(row, label, weight, seed)
        known = _as_wanted(X[row], self.dense)
        try:
            estimator.fit(known, label, **({"sample_weight": weight} if weighted else {}))
            seen = np.asarray(estimator.classes_, dtype=np.int64)
            model = SklearnModel(estimator, seen, unseen if len(seen) < k else 0.0, k, self.dense)
            # Some, such as nearest neighbours, find out only here that they have too little.
            probed(model, known, k)
        except SETUP_ERRORS:
            raise
        except Exception as error:
            raise explained(self.estimator, error, label, sparse=hasattr(known, "toarray")) from error
        return model


def _says_how_sure(estimator: Any) -> bool:
    """Tell whether an estimator gives probabilities or scores, as far as that is known before it is trained."""
    names = ("predict_proba", "decision_function")
    if any(hasattr(estimator, name) for name in names):
        return True
    # A stacking whose final estimator was left open gets one, and its probabilities, in training.
    left_open = any(key.endswith("estimator") and each is None for key, each in estimator.get_params().items())
    return left_open and any(hasattr(type(estimator), name) for name in names)


def _drawn(row: Any, label: Any, weight: FloatArray, seed: int) -> tuple[Any, Any]:
    """As many rows as there were, drawn by weight; every class at least once."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(row), size=len(row), p=weight / weight.sum())
    once = [int(np.flatnonzero(label == each)[weight[label == each].argmax()]) for each in np.unique(label)]
    chosen = np.concatenate([drawn, np.array(once, dtype=drawn.dtype)])
    return row[chosen], label[chosen]


def _as_wanted(X: Matrix, dense: bool) -> Matrix:
    return X.toarray() if dense and hasattr(X, "toarray") else X


@dataclass(frozen=True)
class SklearnModel:
    """A fitted estimator whose columns are all classes, seen or not.

    Attributes
    ----------
    estimator
        Fitted; None where only one class was seen.
    seen
        Positions of its classes.
    unseen
        Probability of each class not seen: 1 / (total weight + k).
    classes
        k.
    dense
        Whether it wants dense features.
    """

    estimator: Any
    seen: Any
    unseen: float
    classes: int
    dense: bool

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1."""
        proba = np.full((X.shape[0], self.classes), self.unseen)
        left = 1.0 - self.unseen * (self.classes - len(self.seen))
        proba[:, self.seen] = left * (np.ones((X.shape[0], 1)) if self.estimator is None else self._known(X))
        return proba

    def _known(self, X: Matrix) -> FloatArray:
        wanted = _as_wanted(X, self.dense)
        if hasattr(self.estimator, "predict_proba"):
            known: FloatArray = np.asarray(self.estimator.predict_proba(wanted), dtype=np.float64)
            known /= known.sum(axis=1, keepdims=True)
            return known
        scores = np.asarray(self.estimator.decision_function(wanted), dtype=np.float64)
        return softmax(np.column_stack([-scores / 2, scores / 2]) if scores.ndim == 1 else scores)


def committee(
    classifier: Classifier,
    X: Matrix,
    targets: FloatArray,
    weights: FloatArray | None,
    *,
    members: int = 5,
    seed: int = 0,
) -> list[Model]:
    """Train classifiers on bootstrap samples of the rows; those samples that are too small for one are left out.

    Examples
    --------
    >>> from labeling import TableClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> len(committee(TableClassifier(), X, np.eye(2)[[0, 0, 1, 1]], None, members=3))
    3
    """
    weights = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
    trained = []
    for member in range(members):
        rng = np.random.default_rng([seed, member])
        drawn = rng.multinomial(len(targets), np.full(len(targets), 1 / len(targets)))
        chosen = weights * drawn
        if not (chosen > 0).any():
            chosen = weights
        with suppress(CannotTrain):
            trained.append(classifier.fit(X, targets, chosen, seed=seed + member))
    return trained
