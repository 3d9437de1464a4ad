"""What the rules of a project are worth, and which ones are missing."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE
from labeling.store.holdout import holdout_ids
from labeling.votes import analysis
from labeling.votes.matrix import LabelMatrix
from labeling.votes.suggestions import Suggestion, suggest_functions
from labeling.weak_labels.judged import judged_matrix
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


SLOW_SECONDS = 1.0
SLOW_SHARE = 1 / 3
"""A function is slow that took at least so long, and at least this share of the time of all."""


class Analysis:
    """The rules of a project as they stood when the analysis was made, in frames.

    What is known of an item is its development gold and what people answered;
    hold-out items take no part.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store

    @cached_property
    def _matrix(self) -> LabelMatrix:
        """Votes and what is known, without the hold-out's items."""
        matrix = judged_matrix(self._store)
        kept = ~pl.Series(matrix.item_ids).is_in(list(holdout_ids(self._store.ledger)))
        return matrix.take(kept.arg_true().to_numpy())

    @cached_property
    def _items(self) -> pl.DataFrame:
        ids = pl.DataFrame({"item_id": self._matrix.item_ids})
        return ids.join(self._store.items.frame(), on="item_id", how="left", maintain_order="left")

    @cached_property
    def _texts(self) -> pl.Series:
        text = self._store.items.columns().named("text")
        if text is None:
            raise ValueError("The items have no text column, so there are no words to look at.")
        return self._items[text]

    def accuracy(self) -> pl.DataFrame:
        """Return a row a function: function, expert, votes, judged, accuracy, low, high, estimated.

        `estimated` is what the newest weak run makes of its votes, without any gold of its own.
        """
        run = newest_run(self._store)
        if run is None:
            return analysis.function_accuracy(self._matrix)
        ids, weak = run.arrays()
        there = pl.Series(ids).is_in(pl.Series(self._matrix.item_ids).implode()).to_numpy()
        common = pl.Series(self._matrix.item_ids).is_in(pl.Series(ids).implode()).arg_true().to_numpy()
        return analysis.function_accuracy(self._matrix.take(common), weak.proba[there])

    def troubles(self) -> pl.DataFrame:
        """Return the functions that fail or are slow: function, faults, first_item, error, seconds, slow.

        `first_item` is the id of the first item that a function failed on, `error`
        its exception without what the item holds; both are null where none failed.
        """
        matrix = self._store.functions.matrix(self._store.label_set, progress=True)
        total = sum(source.seconds or 0.0 for source in matrix.sources)
        rows = []
        for source in matrix.sources:
            faults, seconds = source.faults, source.seconds or 0.0
            slow = seconds >= SLOW_SECONDS and seconds >= SLOW_SHARE * total
            first = None if faults is None else int(matrix.item_ids[faults.first_row])
            error = None if faults is None else faults.error
            if faults is not None or slow:
                rows.append((source.name, faults.count if faults else 0, first, error, seconds, slow))
        schema = dict.fromkeys(("faults", "first_item"), pl.Int64) | {"error": pl.String, "seconds": pl.Float64}
        return pl.DataFrame(rows, schema={"function": pl.String, **schema, "slow": pl.Boolean}, orient="row")

    def agreement(self) -> pl.DataFrame:
        """Return pairs of functions that vote on the same items: first, second, both, agreement, overlap, redundant."""
        return analysis.function_agreement(self._matrix)

    def expert_conflicts(self) -> pl.DataFrame:
        """Return pairs of experts: first, second, both, conflicts, share."""
        return analysis.expert_conflicts(self._matrix)

    def uncovered(self, groups: int = 20) -> pl.DataFrame:
        """Return what items without votes have in common: word, items, share, lift, example (an item id)."""
        return analysis.uncovered(self._matrix, self._texts, groups=groups)

    def examples(self, function: str, *, right: bool, n: int = 10, seed: int = 0) -> pl.DataFrame:
        """Return items that one function got right, or wrong: vote, gold, and the items' columns."""
        found = analysis.examples(self._matrix, function, right=right, n=n, seed=seed)
        return found.join(self._items, on="item_id", how="left", maintain_order="left")

    def threshold_curve(self) -> pl.DataFrame:
        """Return what a threshold on the newest weak run's probability costs and brings.

        Columns: threshold, coverage, judged, accuracy, low, high.
        """
        run = newest_run(self._store)
        if run is None:
            raise LookupError("There is no weak run to look at. Run weak_label() first.")
        ids, weak = run.arrays()
        gold = np.full(len(ids), NO_VOTE, dtype=np.int64)
        if self._matrix.gold is not None:
            known = dict(zip(self._matrix.item_ids.tolist(), self._matrix.gold.tolist(), strict=True))
            gold[:] = [known.get(item, NO_VOTE) for item in ids.tolist()]
        return analysis.coverage_accuracy(weak.proba, gold, weak.positions != NO_VOTE)

    def suggestions(self, n: int = 20) -> list[Suggestion]:
        """Return keyword rules mined from what is known, those that add most first.

        Accept one with `project.add_functions([suggestion.function])`.
        """
        matrix = self._matrix
        if matrix.gold is None or not (matrix.gold != NO_VOTE).any():
            raise ValueError("Rules are mined from items whose label is known. Label some, or import gold.")
        return suggest_functions(
            self._texts,
            matrix.gold,
            matrix.labels,
            covered=matrix.votes_per_item > 0,
            taken=[source.name for source in matrix.sources],
            n=n,
        )
