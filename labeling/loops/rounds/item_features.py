"""The items of a project as numbers: features and embeddings, kept while items and hold-out stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from labeling import serialization
from labeling.arrays import BoolArray, IntArray
from labeling.classifiers.base import Classifier
from labeling.classifiers.features.text import Directions, Features, Matrix, reduce
from labeling.classifiers.text_and_tables import TextClassifier
from labeling.store.items import Columns, Items
from labeling.store.snapshots import cached

LEARNED = ("text", "data", "image")
"""Roles of the columns that features are made of."""


LEARN_ROWS = 200_000
DIRECTION_ROWS = 20_000


@dataclass(frozen=True)
class Rows:
    """A matrix that is made row by row: nothing holds it whole."""

    make: Callable[[IntArray], Matrix]

    def __getitem__(self, rows: IntArray) -> Matrix:
        return self.make(np.asarray(rows))


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
        return cached(self.items.project, f"{what} {serialization.dump(self.classifier)}", version, make)

    def _featurize(self) -> Matrix:
        return self.placed.featurize(self.content(), text=self.text, learn_from=~self.held)

    @property
    def placed(self) -> Classifier:
        """The classifier, with a file beside the database for what is costly to compute."""
        return self.classifier.beside(self.items.cache_file("embeddings"))

    @property
    def text(self) -> str | None:
        """The text column."""
        return self.items.columns().named("text")

    def content(self, rows: IntArray | None = None) -> pl.DataFrame:
        """Return what may be learned from, of some rows or all; pictures are read from the ledger for these alone."""
        columns, frame = self.items.columns(), self.items.frame()
        frame = frame if rows is None else frame[rows]
        image = columns.named("image")
        if image is not None and not isinstance(self.classifier, TextClassifier):
            ids = frame["item_id"].to_list()
            pictures = self.items.images(None if rows is None else ids)
            frame = frame.with_columns(pl.Series(image, [pictures.get(item) for item in ids], dtype=pl.Binary))
        return content(frame, columns)

    @property
    def learned(self) -> Features:
        """What features need (a vocabulary, a scale), learned from at most 200,000 items, drawn by seed."""
        learned: Features = self._kept(f"learned {self.seed}", lambda: self._learn(LEARN_ROWS))
        return learned

    def _learn(self, most: int) -> Features:
        return self.placed.learn_features(self.content(self._drawn(most)), text=self.text)

    @property
    def directions(self) -> Directions:
        """The directions of the embedding, learned from at most 20,000 items, drawn by seed."""
        directions: Directions = self._kept(
            f"directions {self.seed}",
            lambda: Directions.learn(self.rows[self._drawn(DIRECTION_ROWS)], seed=self.seed),
        )
        return directions

    def _drawn(self, most: int) -> IntArray:
        """Rows to learn from: none that is held out."""
        rows = np.flatnonzero(~self.held)
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng([self.seed, 3]).choice(rows, most, replace=False))

    @property
    def rows(self) -> Rows:
        """Features, made for the rows that are asked for."""
        return Rows(lambda rows: self.learned.transform(self.content(rows)))

    @property
    def embedded_rows(self) -> Rows:
        """The embedding, made for the rows that are asked for."""
        return Rows(lambda rows: self.directions.transform(self.rows[rows]))

    def regions(self) -> dict[str, Callable[[], BoolArray]]:
        """Return how to get (n,) the mask of each column of truth values."""
        frame = self.items.frame()
        return {name: _true(frame[name]) for name, dtype in frame.schema.items() if dtype == pl.Boolean}


def content(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Return the columns that may be learned from."""
    return frame.select(name for name in frame.columns if columns.roles.get(name) in LEARNED)


def _true(column: pl.Series) -> Callable[[], BoolArray]:
    return lambda: column.fill_null(False).to_numpy().astype(bool)
