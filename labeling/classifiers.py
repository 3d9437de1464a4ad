"""End models: features in, class probabilities out, trained on soft targets with weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, Protocol

from labeling.features import BoolArray, Features, FloatArray, Matrix, TextFeatures
from labeling.linear import LinearModel, fit_linear
from labeling.tabular import ColumnFeatures

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


@dataclass(frozen=True)
class TextClassifier(Classifier):
    """TF-IDF of words into a multinomial logistic regression.

    The defaults were chosen on tweets, EDOS and snips with 50 to 1,000 labels: balanced classes gained up to
    .18 macro F1 and lost no accuracy; word pairs cost up to .09 macro F1 while labels are few.

    Attributes
    ----------
    C
        Inverse of the strength of regularisation.
    class_weight
        "balanced": every class counts the same, however rare; None: every item does.
    ngrams
        Shortest and longest run of words that makes a feature.
    min_count
        Words in fewer items are left out.
    max_features
        Keep so many features, the most frequent ones.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> frame = pl.DataFrame({"text": ["good day", "bad day", "good food", "bad food"]})
    >>> classifier = TextClassifier(min_count=1)
    >>> X = classifier.featurize(frame, text="text")
    >>> model = classifier.fit(X[:2], np.eye(2))
    >>> model.predict_proba(X).argmax(axis=1)
    array([0, 1, 0, 1])
    """

    C: float = 10.0
    class_weight: ClassWeight = "balanced"
    ngrams: tuple[int, int] = (1, 1)
    min_count: int = 2
    max_features: int | None = 100_000

    @property
    def quick(self) -> bool:
        """A few hundred answers are learned in tens of milliseconds."""
        return True

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> TextFeatures:
        """Learn the vocabulary from the rows of `learn_from`, default all."""
        return TextFeatures.learn(
            frame,
            text=text,
            learn_from=learn_from,
            ngrams=self.ngrams,
            min_count=self.min_count,
            max_features=self.max_features,
        )

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> LinearModel:
        """Train on (n, d) features and (n, k) soft targets; `seed` changes nothing, the optimum is unique."""
        return fit_linear(X, targets, weights, C=self.C, class_weight=self.class_weight)


@dataclass(frozen=True)
class TableClassifier(Classifier):
    """Logistic regression over any columns: numbers, choices, embeddings, and text where there is some.

    Attributes
    ----------
    C
        Inverse of the strength of regularisation.
    class_weight
        "balanced": every class counts the same, however rare; None: every item does.
    columns
        Which to use; None: all that can be.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> frame = pl.DataFrame({"length": [1.0, 2.0, 8.0, 9.0]})
    >>> classifier = TableClassifier()
    >>> X = classifier.featurize(frame)
    >>> classifier.fit(X[[0, 3]], np.eye(2)).predict_proba(X).argmax(axis=1)
    array([0, 0, 1, 1])
    """

    C: float = 1.0
    class_weight: ClassWeight = "balanced"
    columns: tuple[str, ...] | None = None

    @property
    def quick(self) -> bool:
        """A few hundred answers are learned in tens of milliseconds."""
        return True

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> ColumnFeatures:
        """Learn scales and vocabulary from the rows of `learn_from`, default all."""
        return ColumnFeatures.learn(frame, text=text, learn_from=learn_from, columns=self.columns)

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> LinearModel:
        """Train on (n, d) features and (n, k) soft targets; `seed` changes nothing, the optimum is unique."""
        return fit_linear(X, targets, weights, C=self.C, class_weight=self.class_weight)
