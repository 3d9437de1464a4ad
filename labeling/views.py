"""The items of a project as numbers: features and embeddings, kept while items and hold-out stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling import specs
from labeling.classifiers import Classifier, TextClassifier
from labeling.features import Matrix, reduce
from labeling.items import Columns, Items

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LEARNED = ("text", "data", "image")
"""Roles of the columns that features are made of."""


@dataclass(frozen=True)
class Views:
    """What a classifier and a strategy see of every item, learned without the hold-out.

    Ids, groups and private columns are no content: nothing is learned from them.
    """

    items: Items
    classifier: Classifier
    held: BoolArray
    seed: int

    @property
    def features(self) -> Matrix:
        """(n, d) what the classifier reads."""
        return self._kept("features", self._featurize)

    @property
    def embedding(self) -> Matrix:
        """(n, d) dense, for strategies that measure distances."""
        return self._kept(
            f"embedding {self.seed}", lambda: reduce(self.features, learn_from=~self.held, seed=self.seed)
        )

    def _kept(self, what: str, make: Callable[[], Any]) -> Any:
        version = (self.items.version, hash(self.held.tobytes()))
        return self.items.cached(f"{what} {specs.dump(self.classifier)}", version, make)

    def _featurize(self) -> Matrix:
        columns, frame = self.items.columns(), self.items.frame()
        image = columns.named("image")
        if image is not None and not isinstance(self.classifier, TextClassifier):
            pictures = self.items.images()
            column = [pictures.get(item) for item in frame["item_id"].to_list()]
            frame = frame.with_columns(pl.Series(image, column, dtype=pl.Binary))
        return self.classifier.featurize(content(frame, columns), text=columns.named("text"), learn_from=~self.held)

    @property
    def group(self) -> Callable[[], IntArray] | None:
        """How to get (n,) the group of each item, -1 for none; None where items have no groups."""
        name = self.items.columns().named("group")
        return None if name is None else lambda: group_codes(self.items.frame()[name])

    def regions(self) -> dict[str, Callable[[], BoolArray]]:
        """Return how to get (n,) the mask of each column of truth values."""
        frame = self.items.frame()
        return {name: _true(frame[name]) for name, dtype in frame.schema.items() if dtype == pl.Boolean}


def content(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Return the columns that may be learned from."""
    return frame.select(name for name in frame.columns if columns.roles.get(name) in LEARNED)


def group_codes(column: pl.Series) -> IntArray:
    """Return an integer a group, -1 where there is none.

    Examples
    --------
    >>> group_codes(pl.Series(["a", None, "b", "a"]))
    array([ 0, -1,  1,  0])
    """
    ranks = column.rank("dense").cast(pl.Int64) - 1
    return ranks.fill_null(-1).to_numpy().astype(np.int64)


def _true(column: pl.Series) -> Callable[[], BoolArray]:
    return lambda: column.fill_null(False).to_numpy().astype(bool)
