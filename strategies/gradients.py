"""Ask for what would change the model most, in many directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.base import Pick, Ranking, Strategy, batch_size, tie_order, unit
from strategies.geometry import as_embedding, dense_rows, squared_norms
from strategies.pool import FloatArray, Pool


@dataclass(frozen=True)
class Badge(Strategy):
    """Draw a batch of large and diverse gradients (k-means++ over gradient embeddings).

    The gradient embedding of an item is the outer product of a = p - onehot(likeliest class) and of its
    features with a bias. Distances need only products of the a's and of the features, so the n x (k * d)
    matrix is never built. Scores the length of the gradient, divided by the longest; within a batch the
    distance to the nearest gradient taken.

    References
    ----------
    Ash et al. (2020). Deep batch active learning by diverse, uncertain gradient lower bounds. ICLR.

    Examples
    --------
    >>> pool = Pool(proba=np.array([[0.5, 0.5], [1.0, 0.0]]), embedding=np.zeros((2, 3)))
    >>> Badge().score(pool).tolist()
    [1.0, 0.0]
    """

    reads_arrays: ClassVar[frozenset[str]] = frozenset({"proba", "embedding"})

    def score(self, pool: Pool, rng: np.random.Generator | None = None) -> FloatArray:
        """(n,) scores in [0, 1]."""
        return self.ranking(pool, rng).scores

    def ranking(self, pool: Pool, rng: np.random.Generator | None = None, n: int = 1) -> Ranking:
        """Gradients far from those taken; the drawing is left to `select`."""
        return _Gradients(pool)

    def choose(self, pool: Pool, n: int, rng: np.random.Generator | None = None) -> list[Pick]:
        """The longest gradient, then draws with chances proportional to the squared distance.

        Where only copies of gradients taken are left, the rest is drawn evenly.
        """
        n = batch_size(pool, n)
        if n == 0:
            return []
        generator = np.random.default_rng(0) if rng is None else rng
        tie = tie_order(pool, generator)
        by_key = np.argsort(pool.rank)
        gradients = _Gradients(pool)
        top = np.flatnonzero(gradients.squared == gradients.squared.max())
        index = int(top[np.argmin(tie[top])])
        picks = [Pick(index, float(gradients.scores[index]), self.name)]
        left = np.ones(len(pool), dtype=bool)
        while len(picks) < n:
            gradients.add(index)
            left[index] = False
            chances = np.cumsum(gradients.squared[by_key], dtype=np.float64)
            if chances[-1] <= 0:
                rest = np.flatnonzero(left)
                rest = rest[np.argsort(tie[rest])][: n - len(picks)]
                return picks + [Pick(int(row), 0.0, self.name) for row in rest]
            # A draw just below the total must not land on a row behind the last with a chance.
            place = np.searchsorted(chances, generator.random() * chances[-1], side="right")
            index = int(by_key[min(place, np.searchsorted(chances, chances[-1]))])
            probability = float(gradients.squared[index] / chances[-1])
            picks.append(Pick(index, gradients.one(index), self.name, probability))
        return picks


class _Gradients(Ranking):
    """Squared distances to the nearest gradient taken; before any, squared lengths."""

    fixed = False

    def __init__(self, pool: Pool) -> None:
        proba = pool.proba
        self._X = as_embedding(pool.embedding)
        self._a = np.array(proba, dtype=np.float32)
        self._a[np.arange(len(proba)), proba.argmax(axis=1)] -= 1.0
        # The bias column adds 1 to every product of features.
        self._norms = squared_norms(self._a) * (squared_norms(self._X) + 1.0)
        self.squared = self._norms.copy()
        self._empty = True
        self._scale = float(np.sqrt(self._norms.max(initial=0.0)))

    @property
    def scores(self) -> FloatArray:
        """(n,) in [0, 1]; two gradients are at most twice the longest apart."""
        if self._scale == 0.0:
            return np.zeros(len(self.squared))
        return unit(np.sqrt(self.squared) / self._scale)

    def one(self, index: int) -> float:
        """The score of one item."""
        return min(float(np.sqrt(self.squared[index])) / self._scale, 1.0) if self._scale else 0.0

    def add(self, index: int) -> None:
        """One more gradient to be far from."""
        # BLAS reads beyond the ends of short rows and may raise the flag for what it then throws away.
        with np.errstate(invalid="ignore"):
            products = self._a @ self._a[index]
            products *= np.asarray(self._X @ dense_rows(self._X, index)[0], dtype=np.float32).ravel() + 1.0
        distance = self._norms - 2.0 * products
        distance += self._norms[index]
        np.maximum(distance, 0.0, out=distance)
        if self._empty:
            self.squared = distance
            self._empty = False
        else:
            np.minimum(self.squared, distance, out=self.squared)
        # What rounding leaves of the distance to oneself would be drawn again.
        self.squared[index] = 0.0
