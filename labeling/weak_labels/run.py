"""Weak runs: a label model over the votes of a project, kept with everything that went in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from labeling import serialization
from labeling.arrays import BLOCK, NO_VOTE, known_where, pack, to_positions, unpack
from labeling.store.label_set import LabelSet
from labeling.store.snapshots import cached
from labeling.votes.explanation import Explanation, explain
from labeling.votes.label_models.base import TIE, LabelModel, WeakLabels
from labeling.votes.matrix import LabelMatrix
from labeling.weak_labels.judged import voted
from storage.records import WeakBlock, WeakRunRecord

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore

LIBRARIES = ("numpy", "polars", "scikit-learn", "snorkel")


class Check(Protocol):
    """A blind sample of items to answer that says how good weak labels are."""

    loop: Any

    def result(self) -> Any:
        """Return what the answers so far say about the run."""


class Checks(Protocol):
    """Whoever can open checks of weak runs: it needs loops, which stand above weak runs."""

    def open(self, run: WeakRun, n: int, seed: int) -> Check:
        """Open a check; the same call opens the same sample."""

    def opened(self, run: WeakRun) -> Sequence[Check]:
        """Return the checks that were opened before, the oldest first."""


class WeakResult:
    """One soft label an item, and what the votes looked like."""

    _labels: LabelSet
    _summary: Mapping[str, Any]

    def arrays(self) -> tuple[np.ndarray[Any, Any], WeakLabels]:
        """Return the item ids (n,), and positions (n,), probabilities (n, k) and training weights (n,)."""
        raise NotImplementedError

    @property
    def notes(self) -> tuple[str, ...]:
        """What the label model said about its fit."""
        return tuple(self._summary.get("notes", ()))

    @property
    def silent(self) -> float:
        """Share of the items that no function votes on."""
        return float(self._summary["silent"])

    @property
    def conflicts(self) -> float:
        """Share of the items on which functions vote for different classes."""
        return float(self._summary["conflicts"])

    @property
    def abstained(self) -> float:
        """Share of the items without a label."""
        return float(self._summary["abstained"])

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.arrays()[0])

    @property
    def open(self) -> int:
        """Items that the votes leave open, whether `otherwise` filled them or not."""
        _, weak = self.arrays()
        return int(((weak.positions == NO_VOTE) | _filled(weak)).sum())

    def filled(self) -> pl.DataFrame:
        """Return item_id of the items whose label only fills what the votes leave open: stated, not estimated."""
        ids, weak = self.arrays()
        return pl.DataFrame({"item_id": ids[_filled(weak)]}, schema={"item_id": pl.Int64()})

    def frame(self) -> pl.DataFrame:
        """Return item_id, label, confidence, and a column p_<class> a class, one row an item.

        `label` and `confidence` are null where the run gives no label; the probabilities too where it has nothing
        to say: no vote, or votes that leave all classes alike.
        """
        ids, weak = self.arrays()
        names = np.array([*self._labels.names, None], dtype=object)
        rows = np.arange(len(ids))
        labeled = weak.positions != NO_VOTE
        alike = np.ptp(weak.proba, axis=1) < TIE if len(ids) else np.zeros(0, dtype=bool)
        said = pl.Series(labeled | ~alike, dtype=pl.Boolean())
        confidence = known_where(
            pl.Series(labeled, dtype=pl.Boolean()), weak.proba[rows, np.maximum(weak.positions, 0)]
        )
        return pl.DataFrame(
            {
                "item_id": pl.Series(ids, dtype=pl.Int64()),
                "label": pl.Series(names[weak.positions].tolist(), dtype=pl.String()),
                "confidence": confidence,
            }
            | {
                f"p_{name}": known_where(said, weak.proba[:, position])
                for position, name in enumerate(self._labels.names)
            }
        )

    def balance(self) -> pl.DataFrame:
        """Return label, count, share and filled, a row a class, and one with a null label for items without one.

        `filled` is how many of `count` only fill what the votes leave open.
        """
        _, weak = self.arrays()
        places = [*range(len(self._labels.classes)), NO_VOTE]
        filled = _filled(weak)
        counts = [int((weak.positions == place).sum()) for place in places]
        n = max(len(weak.positions), 1)
        return pl.DataFrame(
            {
                "label": [*self._labels.names, None],
                "count": counts,
                "share": [count / n for count in counts],
                "filled": [int(filled[weak.positions == place].sum()) for place in places],
            },
            schema={"label": pl.String(), "count": pl.Int64(), "share": pl.Float64(), "filled": pl.Int64()},
        )


class WeakPreview(WeakResult):
    """What a label model would give, not kept."""

    def __init__(
        self, ids: np.ndarray[Any, Any], result: WeakLabels, labels: LabelSet, summary: Mapping[str, Any]
    ) -> None:
        self._ids, self._result, self._labels, self._summary = ids, result, labels, summary

    def arrays(self) -> tuple[np.ndarray[Any, Any], WeakLabels]:
        """Return the item ids (n,), and positions (n,), probabilities (n, k) and training weights (n,)."""
        return self._ids, self._result


class WeakRun(WeakResult):
    """The result of one weak run, read from the ledger.

    Attributes
    ----------
    number
        Counts the runs of the project from 1.
    """

    def __init__(self, store: ProjectStore, record: WeakRunRecord) -> None:
        self._store = store
        self._checks: Checks | None = None
        self._record = record
        self._labels = store.label_set
        self._summary = record.summary
        self.number = record.number

    def checked_by(self, checks: Checks) -> WeakRun:
        """Return this run, which opens its checks there from now on."""
        self._checks = checks
        return self

    @property
    def id(self) -> int:
        """The run's id in the ledger."""
        return self._record.id

    @property
    def model(self) -> str:
        """The label model and its parameters, for people."""
        return serialization.describe(self._record.label_model)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that voted, as "name@version", in the order of their votes."""
        return tuple(self._record.function_versions)

    def label_model(self) -> LabelModel:
        """Return the label model, fitted again on the votes of the functions as they were."""
        return self._fitted[1]

    @property
    def created_at(self) -> datetime:
        """When it ran."""
        return self._record.created_at

    @property
    def n_items(self) -> int:
        """How many items were voted on."""
        return self._record.n_items

    @property
    def labeled(self) -> int:
        """How many items got a label."""
        return int(self._summary["labeled"])

    @cached_property
    def _arrays(self) -> tuple[np.ndarray[Any, Any], WeakLabels]:
        """Item ids, and labels with positions among the present classes."""
        k = len(self._record.label_ids)
        parts = [
            (
                unpack(block.item_ids, "<i8"),
                unpack(block.labels, "<i2"),
                unpack(block.weights, "<f4"),
                unpack(block.probabilities, "<f4").reshape(-1, k),
            )
            for block in self._store.ledger.functions.weak_blocks(self._record.id)
        ]
        if not parts:
            parts = [(np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0), np.empty((0, k)))]
        ids, labels, weights, stored = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        positions = self._labels.positions()
        proba = np.zeros((len(ids), len(self._labels.classes)))
        for column, label_id in enumerate(self._record.label_ids):
            if label_id in positions:
                proba[:, positions[label_id]] += stored[:, column]
        return ids, WeakLabels(to_positions(labels.astype(np.int64), positions), proba, weights.astype(np.float64))

    def arrays(self) -> tuple[np.ndarray[Any, Any], WeakLabels]:
        """Return the item ids (n,), and positions (n,), probabilities (n, k) and training weights (n,)."""
        return self._arrays

    def explain(self, item_id: int) -> Explanation:
        """Return why an item has its label: each vote, what its source is worth, the label without it.

        The label model is fitted again on the votes of the functions as they were.

        Raises
        ------
        LookupError
            The run has no such item.
        """
        matrix, fitted = self._fitted
        row = int(np.searchsorted(matrix.item_ids, item_id))
        if row >= len(matrix.item_ids) or matrix.item_ids[row] != item_id:
            raise LookupError(f"The weak run {self.number} has no item {item_id!r}.")
        return explain(fitted, matrix, row)

    @cached_property
    def _fitted(self) -> tuple[LabelMatrix, LabelModel]:
        matrix = voted(self._store, self._record.function_versions)
        model: LabelModel = serialization.load(self._record.label_model)
        return matrix, model.fit(matrix)

    def check(self, n: int = 50, *, seed: int = 0) -> Check:
        """Return a blind random sample of `n` items to answer, and the accuracy that the answers show.

        The sample is a loop of its own, so that it can be answered in the browser or
        by `check.loop.ask` and `check.loop.tell`; suggestions are hidden.
        """
        return self._checker().open(self, n, seed)

    def checks(self) -> Sequence[Check]:
        """Return the checks of this run that were opened so far, the oldest first."""
        return self._checker().opened(self)

    def _checker(self) -> Checks:
        if self._checks is None:
            raise RuntimeError("Checks are opened from the run as the project hands it out: project.weak_run().")
        return self._checks

    def __repr__(self) -> str:
        return f"WeakRun({self.number}, {self.model}, {self._record.n_items:,} items)"

    def _repr_html_(self) -> str:
        import html

        table: str = self.balance()._repr_html_()
        return f"<p>{html.escape(repr(self))}</p>{table}"


def preview_label_model(matrix: LabelMatrix, model: LabelModel, labels: LabelSet) -> WeakPreview:
    """Fit a label model on the votes and label every item, keeping nothing."""
    fitted, result = _label(matrix, model)
    return WeakPreview(matrix.item_ids, result, labels, _summary(matrix, result, fitted.notes))


def _label(matrix: LabelMatrix, model: LabelModel) -> tuple[LabelModel, WeakLabels]:
    n, m = matrix.values.shape
    if n == 0 or m == 0:
        missing = (
            "items: import some with add_items()" if n == 0 else "labeling functions: add some with add_functions()"
        )
        raise ValueError(f"There is nothing to vote on: the project has no {missing}.")
    fitted = model.fit(matrix)
    return fitted, fitted.label(matrix)


def _filled(weak: WeakLabels) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """What fills silence has a label and no weight in training, shape (n,)."""
    return np.asarray((weak.positions != NO_VOTE) & (weak.weight == 0))


def _summary(matrix: LabelMatrix, result: WeakLabels, notes: Sequence[str]) -> dict[str, Any]:
    n = len(matrix.item_ids)
    return {
        "labeled": int((result.positions != NO_VOTE).sum()),
        "functions": len(matrix.sources),
        "silent": float((matrix.votes_per_item == 0).sum() / n),
        "conflicts": float(np.asarray(matrix.conflicts).sum() / n),
        "abstained": float((result.positions == NO_VOTE).sum() / n),
        "notes": list(notes),
    }


def newest_run(store: ProjectStore) -> WeakRun | None:
    """Return the newest weak run, None if there is none; its arrays are kept in this process."""
    records = store.ledger.functions.weak_runs()
    if not records:
        return None
    key = (records[-1].number, store.label_set.version)
    return cached(store.ledger.place, "weak run", key, lambda: WeakRun(store, records[-1]))


def run_label_model(
    store: ProjectStore, matrix: LabelMatrix, model: LabelModel, labels: LabelSet, saw: int
) -> WeakRunRecord:
    """Fit a label model on the votes, label every item, and keep the run; return its record.

    Raises
    ------
    ValueError
        There are no items or no functions.
    """
    fitted, result = _label(matrix, model)
    values = {
        "saw": saw,
        "label_model": serialization.dump(model),
        "function_versions": [f"{source.name}@{source.version}" for source in matrix.sources],
        "libraries": _libraries(),
        "label_set": labels.version,
        "label_ids": list(labels.ids),
        "n_items": len(matrix.item_ids),
        "summary": _summary(matrix, result, fitted.notes),
    }
    return store.ledger.functions.add_weak_run(values, _blocks(matrix, result, labels))


def _blocks(matrix: LabelMatrix, result: WeakLabels, labels: LabelSet) -> Iterator[WeakBlock]:
    ids = np.array([*labels.ids, NO_VOTE])
    for number, start in enumerate(range(0, len(matrix.item_ids), BLOCK)):
        part = slice(start, start + BLOCK)
        yield WeakBlock(
            number,
            pack(matrix.item_ids[part], "<i8"),
            pack(ids[result.positions[part]], "<i2"),
            pack(result.weight[part], "<f4"),
            pack(result.proba[part], "<f4"),
        )


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
