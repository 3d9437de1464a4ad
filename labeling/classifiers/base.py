"""What every classifier is: features in, class probabilities out, trained on soft targets with weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, Protocol

from labeling.classifiers.features.text import BoolArray, Features, FloatArray, Matrix

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


ClassWeight = Literal["balanced"] | None


class Model(Protocol):
    """A trained classifier."""

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1."""
        ...


@dataclass(frozen=True)
class Classifier:
    """Parameters of an end model; training gives a `Model` and changes nothing here."""

    @property
    def quick(self) -> bool:
        """Whether a fit takes so little that a round can afford one for each fold of the answers."""
        return False

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Learn what features need (a vocabulary, a scale) from the rows of `learn_from`, default all."""
        raise NotImplementedError(f"{type(self).__name__} defines no learn_features().")

    def featurize(self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None) -> Matrix:
        """(n, d) features of every row, learned from the rows of `learn_from`, default all."""
        return self.learn_features(frame, text=text, learn_from=learn_from).transform(frame)

    def beside(self, cache: Path) -> Classifier:
        """The same, with a file to keep what is costly to compute of an item; those who keep nothing stay."""
        inner = {each.name: getattr(self, each.name) for each in fields(self)}
        placed = {name: value.beside(cache) for name, value in inner.items() if isinstance(value, Classifier)}
        return replace(self, **placed) if placed else self

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> Model:
        """Train on (n, d) features and (n, k) soft targets, rows that sum to 1, weighted by (n,)."""
        raise NotImplementedError(f"{type(self).__name__} defines no fit().")
