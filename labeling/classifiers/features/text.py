"""From columns to numbers: text, learned vocabularies, and small dense embeddings of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Matrix: TypeAlias = Any
"""A dense array or a scipy CSR matrix, (n, d)."""


class Features(Protocol):
    """What was learned from some rows, to be applied to any."""

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """(n, d) features of the rows of a frame."""
        ...


def texts(frame: pl.DataFrame, text: str | None) -> list[str]:
    """The text column; what is missing counts as empty.

    Raises
    ------
    ValueError
        Where there is no such column.
    """
    import polars as pl

    if text is None or text not in frame.columns:
        columns = ", ".join(frame.columns) or "none"
        raise ValueError(f"No text column {text!r} (columns: {columns}). Pass text=, or choose another classifier.")
    return frame.get_column(text).cast(pl.String).fill_null("").to_list()


@dataclass(frozen=True)
class TextFeatures:
    """TF-IDF of words and word pairs, sparse float32 all the way.

    Attributes
    ----------
    text
        The column it reads.
    vectorizer
        Fitted; None where the rows it should have learned from held no word at all.
    """

    text: str
    vectorizer: Any

    @classmethod
    def learn(
        cls,
        frame: pl.DataFrame,
        *,
        text: str | None,
        learn_from: BoolArray | None = None,
        ngrams: tuple[int, int] = (1, 2),
        min_count: int = 2,
        max_features: int | None = 100_000,
    ) -> TextFeatures:
        """Learn vocabulary and document frequencies from the rows of `learn_from` alone.

        Words seen in fewer than `min_count` of these rows are left out, unless that leaves none.

        Examples
        --------
        >>> import polars as pl
        >>> frame = pl.DataFrame({"text": ["good day", "good night", ""]})
        >>> TextFeatures.learn(frame, text="text", learn_from=np.array([True, True, False])).transform(frame).shape
        (3, 1)
        """
        rows = texts(frame, text)
        if learn_from is not None:
            rows = [row for row, learn in zip(rows, learn_from, strict=True) if learn]
        for count in (min_count, 1):
            vectorizer = _fit_tfidf(rows, ngrams, count, max_features)
            if vectorizer is not None:
                break
        return cls(str(text), vectorizer)

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """(n, words) CSR float32, rows of length 1; rows without a known word are zero."""
        from scipy.sparse import csr_matrix

        rows = texts(frame, self.text)
        if self.vectorizer is None:
            return csr_matrix(np.zeros((len(rows), 0), dtype=np.float32))
        if not rows:
            return csr_matrix(np.zeros((0, len(self.vectorizer.vocabulary_)), dtype=np.float32))
        return csr_matrix(self.vectorizer.transform(rows))


def _fit_tfidf(rows: list[str], ngrams: tuple[int, int], min_count: int, max_features: int | None) -> Any:
    """A fitted vectorizer, or None where no word is left."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(rows) < min_count:
        return None
    vectorizer = TfidfVectorizer(
        ngram_range=ngrams,
        min_df=min_count,
        max_features=max_features,
        sublinear_tf=True,
        dtype=np.float32,
        token_pattern=r"(?u)\b\w+\b",  # noqa: S106 (a pattern of words)
    )
    try:
        return vectorizer.fit(rows)
    except ValueError as error:
        # scikit-learn's words for "every row is empty" and "min_df left nothing".
        if "empty vocabulary" in str(error) or "no terms remain" in str(error):
            return None
        raise


def reduce(X: Matrix, dimensions: int = 64, *, learn_from: BoolArray | None = None, seed: int = 0) -> FloatArray:
    """A dense float32 embedding of sparse features, for distances between items.

    The leading directions of a seeded randomised SVD, rows scaled to length 1 (zero rows stay zero).
    Matrices that are dense and no wider than `dimensions` are only scaled.

    Parameters
    ----------
    X
        (n, d), CSR or dense.
    dimensions
        At most so many columns come back.
    learn_from
        (n,) rows the directions are learned from; default all.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> reduce(csr_matrix(np.eye(4, dtype=np.float32)), 2).shape
    (4, 2)
    """
    basis = X if learn_from is None else X[np.flatnonzero(learn_from)]
    return Directions.learn(basis, dimensions, seed=seed).transform(X)


@dataclass(frozen=True)
class Directions:
    """The leading directions of some rows, which make any row a short dense one.

    Attributes
    ----------
    basis
        (d, dimensions) float32; None where rows are only scaled; no columns where there was nothing to learn from.
    """

    basis: FloatArray | None

    @classmethod
    def learn(cls, X: Matrix, dimensions: int = 64, *, seed: int = 0) -> Directions:
        """Learn from (n, d) rows, CSR or dense, by a seeded randomised SVD."""
        from scipy.sparse import issparse
        from sklearn.utils.extmath import randomized_svd

        rows, d = X.shape
        if d and not issparse(X) and d <= dimensions:
            return cls(None)
        rank = min(dimensions, d, rows)
        if rank < 1:
            return cls(np.zeros((d, 0), dtype=np.float32))
        _, _, directions = randomized_svd(X, rank, n_iter=4, random_state=seed)
        return cls(directions.T.astype(np.float32))

    def transform(self, X: Matrix) -> FloatArray:
        """(n, dimensions) float32 rows of length 1; zero rows stay zero."""
        if self.basis is None:
            return unit_rows(np.asarray(X, dtype=np.float32))
        if not self.basis.shape[1] or not X.shape[0]:
            return np.zeros((X.shape[0], 1), dtype=np.float32)
        return unit_rows(np.asarray(X @ self.basis, dtype=np.float32))


def unit_rows(dense: FloatArray) -> FloatArray:
    """Rows scaled to length 1; zero rows stay zero."""
    length = np.sqrt(np.einsum("nd,nd->n", dense, dense))[:, None]
    scaled: FloatArray = np.divide(dense, length, out=np.zeros_like(dense), where=length > 0)
    return scaled
