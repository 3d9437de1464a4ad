"""Multinomial logistic regression on soft targets, for sparse and dense features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from labeling.classifiers.features.text import FloatArray, Matrix

# Rows scored at a time: bounds the memory of the logits, whatever the size of the pool.
_SLICE = 65_536


@dataclass(frozen=True)
class LinearModel:
    """Softmax of ``X @ coef + intercept`` over the classes that were seen in training.

    A class never seen gets probability 1 / (total weight + k): what a count with one pseudo-count a class
    would say of it.

    Attributes
    ----------
    coef
        (d, classes seen) float32.
    intercept
        (classes seen,).
    seen
        (classes seen,) their positions.
    unseen
        Probability of each class not seen.
    classes
        k.
    """

    coef: FloatArray
    intercept: FloatArray
    seen: npt.NDArray[np.intp]
    unseen: float
    classes: int

    def logits(self, X: Matrix) -> FloatArray:
        """(n, classes seen)."""
        return np.asarray(X @ self.coef, dtype=np.float64) + self.intercept

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1."""
        if X.shape[1] != self.coef.shape[0]:
            raise ValueError(f"The model was trained on {self.coef.shape[0]} features, got {X.shape[1]}.")
        proba = np.full((X.shape[0], self.classes), self.unseen)
        left = 1.0 - self.unseen * (self.classes - len(self.seen))
        for start in range(0, X.shape[0], _SLICE):
            part = slice(start, start + _SLICE)
            proba[part, self.seen] = softmax(self.logits(X[part])) * left
        return proba


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    proba: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return proba


def check_targets(X: Matrix, targets: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Targets and weights as float64, in agreement with the features.

    Raises
    ------
    ValueError
        Where shapes disagree, rows do not sum to 1, weights are negative, or nothing has weight.
    """
    targets = np.asarray(targets, dtype=np.float64)
    if targets.ndim != 2 or len(targets) != X.shape[0]:
        raise ValueError(f"targets must be ({X.shape[0]} items, k classes), got shape {targets.shape}.")
    if not np.allclose(targets.sum(axis=1), 1.0, atol=1e-3) or (targets < 0).any():
        raise ValueError("Each row of targets must be probabilities that sum to 1. Divide each row by its sum.")
    weights = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(targets),) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"weights must be {len(targets)} finite numbers of at least 0.")
    if not (weights > 0).any():
        raise ValueError("Nothing to train on: no item has a label and a weight above 0.")
    return targets, weights


def balance(targets: FloatArray, weights: FloatArray) -> FloatArray:
    """Weights changed so that every class seen has the same total, the overall total kept."""
    mass = weights @ targets
    factor = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
    balanced: FloatArray = weights * (targets @ factor)
    balanced *= weights.sum() / balanced.sum()
    return balanced


def fit_linear(
    X: Matrix,
    targets: FloatArray,
    weights: FloatArray | None = None,
    *,
    C: float = 1.0,
    class_weight: Literal["balanced"] | None = None,
    iterations: int = 200,
    start: LinearModel | None = None,
) -> LinearModel:
    """Minimise C * weighted cross-entropy + half the squared coefficients, by L-BFGS.

    With one-hot targets this is scikit-learn's LogisticRegression. Features that are zero in every
    training row get coefficient 0, so that only those present cost time. A model of the same features and
    classes to `start` from saves iterations and changes the optimum by no more than their tolerance.

    Examples
    --------
    >>> model = fit_linear(np.array([[-1.0], [1.0]]), np.array([[0.9, 0.1], [0.1, 0.9]]), C=1000.0)
    >>> model.predict_proba(np.array([[-1.0], [0.0], [1.0]])).round(2)
    array([[0.9, 0.1],
           [0.5, 0.5],
           [0.1, 0.9]])
    """
    targets, weights = check_targets(X, targets, weights)
    k = targets.shape[1]
    used = weights > 0
    if not used.all():
        rows = np.flatnonzero(used)
        X, targets, weights = X[rows], targets[rows], weights[rows]
    mass = weights @ targets
    seen = np.flatnonzero(mass > 1e-9)
    unseen = 1.0 / (weights.sum() + k) if len(seen) < k else 0.0
    if class_weight == "balanced":
        weights = balance(targets, weights)
    Q = targets[:, seen] / targets[:, seen].sum(axis=1, keepdims=True)
    present = present_columns(X)
    coef = np.zeros((X.shape[1], len(seen)), dtype=np.float32)
    if len(seen) == 1:
        return LinearModel(coef, np.zeros(1), seen, unseen, k)
    before = _before(start, seen, present, X.shape[1], k)
    coef[present], intercept = _minimise(take_columns(X, present), Q, weights, C, iterations, before)
    return LinearModel(coef, intercept, seen, unseen, k)


def present_columns(X: Matrix) -> npt.NDArray[np.intp]:
    """Columns that are not zero throughout."""
    if hasattr(X, "tocsr"):
        return np.unique(X.tocsr().indices)
    return np.flatnonzero(np.asarray(X).any(axis=0))


def take_columns(X: Matrix, present: npt.NDArray[np.intp]) -> Matrix:
    """(n, present) those columns, float32."""
    part = X[:, present] if len(present) < X.shape[1] else X
    return part.astype(np.float32) if hasattr(X, "tocsr") else np.asarray(part, dtype=np.float32)


def _before(
    start: LinearModel | None, seen: npt.NDArray[np.intp], present: npt.NDArray[np.intp], width: int, k: int
) -> tuple[FloatArray, FloatArray] | None:
    """Coefficients (present, seen) and intercepts (seen,) of a model to start from; None where it does not fit."""
    if start is None or start.coef.shape[0] != width or start.classes != k or len(start.seen) < 2:
        return None
    if not np.array_equal(start.seen, seen):
        return None
    return start.coef[present].astype(np.float64), np.asarray(start.intercept, dtype=np.float64)


def _minimise(
    X: Matrix,
    Q: FloatArray,
    weights: FloatArray,
    C: float,
    iterations: int,
    before: tuple[FloatArray, FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (d, k) and intercepts (k,) for at least two classes.

    Two classes need one logit, the difference of theirs; halving it over both leaves the penalty of
    the difference as it is in the binary model.
    """
    from scipy.optimize import minimize

    d, k = X.shape[1], Q.shape[1]
    outputs = 1 if k == 2 else k
    transposed = X.T.tocsr() if hasattr(X, "tocsr") else np.ascontiguousarray(X.T)
    scale = 1.0 / weights.sum()

    def split(flat: FloatArray) -> tuple[FloatArray, FloatArray]:
        return flat[: d * outputs].reshape(d, outputs), flat[d * outputs :]

    def objective(flat: FloatArray) -> tuple[float, FloatArray]:
        W, b = split(flat)
        scores = np.asarray(X @ W.astype(X.dtype), dtype=np.float64) + b
        if outputs == 1:
            scores = np.hstack([-0.5 * scores, 0.5 * scores])
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        loss = -weights @ np.einsum("nk,nk->n", Q, scores)
        residual = (np.exp(scores) - Q) * weights[:, None]
        if outputs == 1:
            residual = residual[:, 1:]
        gradient = np.asarray(transposed @ residual.astype(X.dtype), dtype=np.float64) + W / C
        value = loss + 0.5 / C * float(np.einsum("dk,dk->", W, W))
        return value * scale, np.concatenate([gradient.ravel(), residual.sum(axis=0)]) * scale

    start = np.zeros(d * outputs + outputs)
    start[d * outputs :] = _first_intercepts(Q, weights)
    if before is not None:
        coef, intercept = before
        if outputs == 1:
            coef, intercept = coef[:, 1:] - coef[:, :1], intercept[1:] - intercept[:1]
        start = np.concatenate([coef.ravel(), intercept])
    # The vectors are too short for BLAS threads: with two of them a fit took five times as long.
    with _blas().limit(limits=1, user_api="blas"):
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "gtol": 1e-5})
    W, b = split(found.x)
    if outputs == 1:
        W, b = np.hstack([-0.5 * W, 0.5 * W]), np.concatenate([-0.5 * b, 0.5 * b])
    return W.astype(np.float32), b


@cache
def _blas() -> Any:
    """What sets the threads of the libraries that are loaded: to look for them took a third of a small fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _first_intercepts(Q: FloatArray, weights: FloatArray) -> FloatArray:
    """The intercepts that alone would give the share of each class."""
    logs = np.log(np.maximum(weights @ Q, 1e-12) / weights.sum())
    intercepts: FloatArray = logs[1:] - logs[:1] if len(logs) == 2 else logs - logs.mean()
    return intercepts
