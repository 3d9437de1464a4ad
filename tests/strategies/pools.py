"""Pools to try strategies on."""

import numpy as np

from strategies import Pool


def simplex(rng, *shape):
    """Random probabilities along the last axis."""
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def full_pool(n=40, k=3, d=5, seed=0, order=None, **changes):
    """A pool that has everything; `order` permutes its items."""
    rng = np.random.default_rng(seed)
    arrays = {
        "key": rng.permutation(1000)[:n],
        "proba": simplex(rng, n, k),
        "mc_proba": simplex(rng, 6, n, k),
        "committee": simplex(rng, 3, n, k),
        "embedding": rng.normal(size=(n, d)).astype(np.float32),
        "votes": rng.integers(-1, k, size=(n, 7)),
        "weak_proba": simplex(rng, n, k),
        "mask": rng.random(n) < 0.3,
        "group": rng.integers(0, n, size=n),
    }
    if order is not None:
        arrays = {
            name: array[:, order] if name in ("mc_proba", "committee") else array[order]
            for name, array in arrays.items()
        }
    others = {
        "labels": rng.integers(0, k, size=12),
        "labeled_embedding": rng.normal(size=(12, d)).astype(np.float32),
        "cv_errors": rng.random(12) < 0.4,
        "open_embedding": rng.normal(size=(2, d)).astype(np.float32),
    }
    return Pool(**(arrays | others | changes))
