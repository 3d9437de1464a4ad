"""Distances and clusters in float32, over dense and CSR embeddings, without n x n matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from strategies.pool import FloatArray, IntArray, Matrix

# Rows at a time, so that a block of distances stays within some tens of megabytes.
_ROWS = 16_384
_COLUMNS = 256


def as_embedding(X: Matrix) -> Matrix:
    """Dense as float32, CSR as it is."""
    if X.ndim != 2:
        raise ValueError(f"An embedding must be (n items, d columns), got shape {X.shape}.")
    return X.tocsr() if is_sparse(X) else np.ascontiguousarray(X, dtype=np.float32)


def is_sparse(X: Matrix) -> bool:
    """Whether it is a scipy matrix."""
    return hasattr(X, "tocsr")


def dense_rows(X: Matrix, rows: npt.ArrayLike) -> FloatArray:
    """(r, d) some rows, dense float32."""
    part: Any = X[np.atleast_1d(np.asarray(rows))]
    dense: FloatArray = np.asarray(part.toarray() if is_sparse(part) else part, dtype=np.float32)
    return dense


def squared_norms(X: Matrix) -> FloatArray:
    """(n,) squared lengths of the rows."""
    if is_sparse(X):
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float32).ravel()
    norms: FloatArray = np.einsum("nd,nd->n", X, X)
    return norms


def squared_distances(X: Matrix, norms: FloatArray, centers: FloatArray) -> FloatArray:
    """(n, c) squared distances from rows to dense centers; rounding never makes them negative."""
    products = np.asarray(X @ np.ascontiguousarray(centers.T), dtype=np.float32)
    products *= -2.0
    products += norms[:, None]
    products += squared_norms(centers)[None, :]
    return np.maximum(products, 0.0, out=products)


def nearest_distance(X: Matrix, norms: FloatArray, others: Matrix) -> FloatArray:
    """(n,) squared distance to the nearest of the others."""
    n = X.shape[0]
    distance = np.full(n, np.inf, dtype=np.float32)
    for left in range(0, others.shape[0], _COLUMNS):
        centers = dense_rows(others, np.arange(left, min(left + _COLUMNS, others.shape[0])))
        double, lengths = np.ascontiguousarray(-2.0 * centers.T), squared_norms(centers)
        for top in range(0, n, _ROWS):
            rows = slice(top, top + _ROWS)
            # |x| is the same for all centers: added once, after the smallest was found.
            block = np.asarray(X[rows] @ double, dtype=np.float32)
            block += lengths
            np.minimum(distance[rows], block.min(axis=1), out=distance[rows])
    distance += norms
    return np.maximum(distance, 0.0, out=distance)


def nearest(X: Matrix, norms: FloatArray, others: Matrix) -> tuple[FloatArray, IntArray]:
    """Squared distance to, and row of, the nearest of the others, for every row of X."""
    n = X.shape[0]
    distance = np.full(n, np.inf, dtype=np.float32)
    which = np.zeros(n, dtype=np.int64)
    for left in range(0, others.shape[0], _COLUMNS):
        centers = dense_rows(others, np.arange(left, min(left + _COLUMNS, others.shape[0])))
        for top in range(0, n, _ROWS):
            rows = slice(top, top + _ROWS)
            block = squared_distances(X[rows], norms[rows], centers)
            column = block.argmin(axis=1)
            found = block[np.arange(len(block)), column]
            closer = found < distance[rows]
            which[rows] = np.where(closer, left + column, which[rows])
            distance[rows] = np.where(closer, found, distance[rows])
    return distance, which


def stack(parts: list[Matrix]) -> Matrix:
    """Rows of all parts, None and empty ones left out; None where nothing is left."""
    there = [part for part in parts if part is not None and part.shape[0]]
    if not there:
        return None
    if is_sparse(there[0]):
        from scipy.sparse import vstack

        return vstack(there).tocsr()
    return np.vstack([np.asarray(part, dtype=np.float32) for part in there])


def k_means(X: Matrix, k: int, rng: np.random.Generator, *, sample: int = 20_000, steps: int = 10) -> FloatArray:
    """(k, d) centers by Lloyd's steps from a k-means++ start, learned from at most `sample` seeded rows.

    References
    ----------
    Arthur and Vassilvitskii (2007). k-means++: the advantages of careful seeding. SODA.
    """
    n = X.shape[0]
    if n > sample:
        X = X[np.sort(rng.choice(n, sample, replace=False))]
    norms = squared_norms(X)
    centers = dense_rows(X, _plus_plus(X, norms, min(k, X.shape[0]), rng))
    for _ in range(steps):
        _, label = nearest(X, norms, centers)
        moved = _means(X, label, centers)
        if np.allclose(moved, centers, atol=1e-4):
            break
        centers = moved
    return centers


def _plus_plus(X: Matrix, norms: FloatArray, k: int, rng: np.random.Generator) -> list[int]:
    """Rows drawn with chances proportional to the squared distance from those drawn before."""
    rows = [int(rng.integers(X.shape[0]))]
    distance = squared_distances(X, norms, dense_rows(X, rows))[:, 0]
    while len(rows) < k:
        distance[rows[-1]] = 0.0
        total = np.cumsum(distance, dtype=np.float64)
        if total[-1] <= 0:
            break
        rows.append(min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(total) - 1))
        np.minimum(distance, squared_distances(X, norms, dense_rows(X, rows[-1:]))[:, 0], out=distance)
    return rows


def _means(X: Matrix, label: IntArray, centers: FloatArray) -> FloatArray:
    """Mean of the rows of each label; a center without rows stays where it is."""
    from scipy.sparse import csr_matrix

    n, k = X.shape[0], len(centers)
    member = csr_matrix((np.ones(n, dtype=np.float32), (label, np.arange(n))), shape=(k, n))
    sums = member @ X
    sums = sums.toarray() if is_sparse(sums) else sums
    count = np.bincount(label, minlength=k)[:, None].astype(np.float32)
    means: FloatArray = np.where(count > 0, sums / np.maximum(count, 1), centers)
    return means
