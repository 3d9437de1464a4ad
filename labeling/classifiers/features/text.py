"""From columns to numbers: text, learned vocabularies, and small dense embeddings of them."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Matrix: TypeAlias = Any
"""A dense array or a scipy CSR matrix, (n, d)."""

SHORT = 300
"""Texts of at most so many characters are split into words once and remembered: loops come back to the same ones."""

_WORD = re.compile(r"(?u)\b\w+\b")


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
    column = frame.get_column(text)
    values = (column if column.dtype == pl.String else column.cast(pl.String)).to_list()
    return ["" if value is None else value for value in values]


@dataclass(frozen=True)
class TextFeatures:
    """TF-IDF of words and word pairs, sparse float32 all the way.

    Attributes
    ----------
    text
        The column it reads.
    vectorizer
        What was learned; None where the rows it should have learned from held no word at all.
    """

    text: str
    vectorizer: TfIdf | None

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
            vectorizer = TfIdf.learn(rows, ngrams, count, max_features)
            if vectorizer is not None:
                break
        return cls(str(text), vectorizer)

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """(n, words) CSR float32, rows of length 1; rows without a known word are zero."""
        from scipy.sparse import csr_matrix

        rows = texts(frame, self.text)
        if self.vectorizer is None:
            return csr_matrix(np.zeros((len(rows), 0), dtype=np.float32))
        return self.vectorizer.transform(rows)


@dataclass(frozen=True)
class TfIdf:
    """The numbers of scikit-learn's TfidfVectorizer (sublinear, smooth, of length 1), at a fraction of its time.

    Its checks of a single text take ten times as long as to count the words.

    Attributes
    ----------
    vocabulary_
        The column of each word and row of words, in alphabetical order.
    idf_
        (words,) float32: how rare each is.
    ngrams
        Fewest and most words in a row.
    """

    vocabulary_: dict[str, int]
    idf_: FloatArray
    ngrams: tuple[int, int]

    @classmethod
    def learn(
        cls, rows: Sequence[str], ngrams: tuple[int, int], min_count: int, max_features: int | None
    ) -> TfIdf | None:
        """Learn from texts which words there are and how rare each is; None where no word is left.

        Examples
        --------
        >>> TfIdf.learn(["a b", "a c"], (1, 2), 1, None).vocabulary_
        {'a': 0, 'a b': 1, 'a c': 2, 'b': 3, 'c': 4}
        >>> TfIdf.learn(["a b", "a c"], (1, 2), 2, None).idf_
        array([1.], dtype=float32)
        """
        if len(rows) < min_count:
            return None
        held = Counter[str]()
        for row in rows:
            held.update(set(_terms(row, ngrams)))
        words = sorted(word for word, count in held.items() if count >= min_count)
        if not words:
            return None
        if max_features is not None and len(words) > max_features:
            said = Counter(chain.from_iterable(_terms(row, ngrams) for row in rows))
            often = np.array([said[word] for word in words], dtype=np.float32)
            words = [words[place] for place in np.sort((-often).argsort()[:max_features]).tolist()]
        idf = np.full(len(words), len(rows) + 1, dtype=np.float32)
        idf /= np.array([held[word] for word in words], dtype=np.float32) + np.float32(1.0)
        np.log(idf, out=idf)
        idf += np.float32(1.0)
        return cls({word: place for place, word in enumerate(words)}, idf, ngrams)

    def transform(self, rows: Sequence[str]) -> Matrix:
        """(n, words) CSR float32, rows of length 1; rows without a known word are zero.

        Examples
        --------
        >>> TfIdf.learn(["a", "b"], (1, 1), 1, None).transform(["b b", "c"]).toarray()
        array([[0., 1.],
               [0., 0.]], dtype=float32)
        """
        from scipy.sparse import csr_matrix
        from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2

        # Arrays: lists of a million texts would take many times the room.
        column, columns, counts, ends = self.vocabulary_.get, array("i"), array("i"), array("q", [0])
        for row in rows:
            found: dict[int, int] = {}
            for term in _terms(row, self.ngrams):
                place = column(term)
                if place is not None:
                    found[place] = found.get(place, 0) + 1
            here = sorted(found)
            columns.extend(here)
            counts.extend(map(found.__getitem__, here))
            ends.append(len(columns))
        indices, values = np.array(columns, dtype=np.int32), np.array(counts, dtype=np.float32)
        np.log(values, out=values)
        values += np.float32(1.0)
        values *= self.idf_[indices]
        X = csr_matrix((values, indices, np.array(ends)), shape=(len(rows), len(self.vocabulary_)))
        inplace_csr_row_normalize_l2(X)
        return X


def _terms(text: str, ngrams: tuple[int, int]) -> Iterable[str]:
    """Return the words of a text in lower case and its rows of words, as often as they are there."""
    return _remembered(text, ngrams) if len(text) <= SHORT else _split(text, ngrams)


def _split(text: str, ngrams: tuple[int, int]) -> tuple[str, ...]:
    words, (fewest, most) = _WORD.findall(text.lower()), ngrams
    found = list(words) if fewest == 1 else []
    for n in range(max(fewest, 2), most + 1):
        found += map(" ".join, zip(*(words[first:] for first in range(n)), strict=False))
    return tuple(found)


_remembered = lru_cache(maxsize=2048)(_split)


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
