"""One label an item, from everything that anyone said: people before whoever is likelier right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray, to_positions
from labeling.labels import calibrating
from labeling.labels.calibrating import Claims, chances, flat_chances
from labeling.labels.gold import gold_labels
from labeling.labels.sources import Predictions, Told, among, model_count, model_told, weak_rows, weak_told
from labeling.labels.tempering import least, tempered
from labeling.people.consensus import human_labels
from labeling.store.holdout import holdout_ids
from labeling.tasks.label_frame import OF_DISTRIBUTIONS, label_frame, shares
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


SOURCES = ("human", "weak", "model", "gold")
ORDERED = SOURCES[:3]
COMPUTED = ("weak", "model")

UNTIL_NEXT_REFIT = "Computed before class distributions were kept: there will be one after the next refit."


@dataclass(frozen=True)
class Part:
    """The labels of a computed source with the chance (n,) that each is right, learned from `judged` (n,) items."""

    name: str
    told: Told
    chance: FloatArray
    judged: IntArray

    def rows(self, ids: IntArray) -> IntArray:
        """(r,) where items stand in the source, -1 where it says nothing of them."""
        if not len(self.told.ids):
            return np.full(len(ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.told.ids, ids), len(self.told.ids) - 1)
        return np.where(self.told.ids[place] == ids, place, -1)

    def confidence(self, rows: IntArray, k: int) -> FloatArray:
        """(r,) the chance as it is stated, never below that of a guess."""
        return np.where(self.judged[rows] > 0, np.clip(self.chance[rows], least(k), 1 - 1e-6), self.told.stated[rows])

    def distributions(self, rows: IntArray) -> FloatArray | None:
        """(r, k) distributions of some rows, tempered to what is stated; None where only the label is known."""
        if self.told.proba is None:
            return None
        proba = self.told.proba[rows].copy()
        judged = self.judged[rows] > 0
        proba[judged] = tempered(proba[judged], self.chance[rows][judged])
        return proba


class Resolving:
    """The labels of a project as of now; what is not asked for is not computed."""

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._ledger = store.ledger
        self.labels = store.label_set
        self._k = len(self.labels.classes)

    @cached_property
    def people(self) -> pl.DataFrame:
        """One row an item that people answered."""
        return human_labels(self._ledger, self.labels)

    @cached_property
    def truth(self) -> tuple[IntArray, IntArray, BoolArray]:
        """Items, ascending, with a truth to calibrate by; its class position; whether people gave it.

        People's answers before development gold; never an item that is held out.
        """
        gold, classes = self._store.items.known()
        classes = to_positions(classes, self.labels.positions())
        people = self.people["item_id"].to_numpy()
        names = pl.Series(self.labels.names, dtype=pl.String())
        said = self.people["label"].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
        left = (classes != NO_VOTE) & ~np.isin(gold, people)
        items = np.concatenate([people, gold[left]])
        table = np.column_stack([items, np.concatenate([said, classes[left]]), np.arange(len(items)) < len(people)])
        held = holdout_ids(self._ledger)
        table = table[~np.isin(items, np.fromiter(held, dtype=np.int64, count=len(held)))]
        table = table[np.argsort(table[:, 0], kind="stable")]
        return table[:, 0], table[:, 1], table[:, 2].astype(bool)

    @cached_property
    def _weak(self) -> Told | None:
        run = newest_run(self._store)
        told = None if run is None else weak_told(run, self._ledger.items.withdrawn())
        return told if told is not None and len(told.ids) else None

    @cached_property
    def _model(self) -> Predictions | None:
        found = model_told(self._ledger, self.labels)
        return found if found is not None and len(found.now.ids) else None

    @cached_property
    def weak(self) -> Part | None:
        """The newest weak run's labels, those of votes and those that fill silence each with their own chance."""
        told, model = self._weak, self._model
        if told is None:
            return None
        truth = self._truth_of(told.ids)
        voted = Claims(np.where(told.filled, NO_VOTE, told.positions), told.stated)
        now = None if model is None else _claims(model.now, told.ids)
        then = None if model is None else self._unseen(model, told.ids)
        by_vote = chances(voted, voted, truth, calibrating.WEAK, other_now=now, other_then=then)
        by_default = flat_chances(Claims(np.where(told.filled, told.positions, NO_VOTE), told.stated), truth)
        return Part(
            "weak",
            told,
            np.where(told.filled, by_default.chance, by_vote.chance),
            np.where(told.filled, by_default.judged, by_vote.judged),
        )

    @cached_property
    def model(self) -> Part | None:
        """The newest classifier's labels."""
        model, weak = self._model, self._weak
        if model is None:
            return None
        told = model.now
        votes = None if weak is None else _claims(weak, told.ids, but=weak.filled)
        found = chances(
            Claims(told.positions, told.stated),
            self._unseen(model, told.ids),
            self._truth_of(told.ids),
            calibrating.MODEL,
            other_now=votes,
            other_then=votes,
        )
        return Part("model", told, found.chance, np.full(len(told.ids), found.judged))

    def _truth_of(self, ids: IntArray) -> IntArray:
        items, positions, _ = self.truth
        return _looked_up(items, positions, ids)

    def _unseen(self, model: Predictions, ids: IntArray) -> Claims:
        """Return what the classifier said of items without knowing their answers; nothing where it knew them."""
        told = _claims(model.now, ids)
        items, _, answered = self.truth
        asked = _looked_up(items, answered.astype(np.int64), ids) == 1
        if model.folds is None:
            # Which answers an older refit had learned from is not on record.
            return Claims(np.where(asked, NO_VOTE, told.positions), told.stated)
        checked, proba = model.folds
        place = _looked_up(checked, np.arange(len(checked)), ids)
        there = place >= 0
        positions, stated = told.positions.copy(), told.stated.copy()
        known = proba[place[there]]
        blank = np.asarray(np.isnan(known).any(axis=1))
        known = np.where(blank[:, None], 0.0, known)
        positions[there] = np.where(blank, NO_VOTE, known.argmax(axis=1))
        stated[there] = known.max(axis=1, initial=0.0)
        return Claims(positions, stated)

    def part(self, name: str) -> Part | None:
        """Return the labels of a computed source, None where there are none."""
        return self.weak if name == "weak" else self.model

    def frame(self, order: Sequence[str] | None, probabilities: bool) -> pl.DataFrame:
        """Return one row an item: by the sources in order, or by what is measured where there is no order."""
        taken: list[pl.DataFrame] = []
        gone = np.zeros(0, dtype=np.int64)
        if order is None or "human" in order:
            gone = self.people["item_id"].to_numpy()
        if order is None:
            taken = [self.people_frame(probabilities), *self._by_chance(gone, probabilities)]
        else:
            gone = np.zeros(0, dtype=np.int64)
            for name in order:
                part = self.people_frame(probabilities) if name == "human" else self._all_of(name, gone, probabilities)
                part = part.filter(~pl.col("item_id").is_in(gone.tolist()))
                taken.append(part)
                gone = np.union1d(gone, part["item_id"].to_numpy())
        return pl.concat([self._empty(probabilities), *taken]).sort("item_id")

    def people_frame(self, probabilities: bool) -> pl.DataFrame:
        """Return the rows of people's labels."""
        return self.people if probabilities else self.people.drop(OF_DISTRIBUTIONS)

    def _all_of(self, name: str, gone: IntArray, probabilities: bool) -> pl.DataFrame:
        part = self.part(name)
        if part is None:
            return self._empty(probabilities)
        return self.rows_of(part, np.flatnonzero(~np.isin(part.told.ids, gone)), probabilities)

    def _by_chance(self, gone: IntArray, probabilities: bool) -> list[pl.DataFrame]:
        """Return the rows of weak labels and of the model, each item from the one that is likelier right."""
        weak, model = self.weak, self.model
        if weak is None or model is None:
            return [self._all_of(name, gone, probabilities) for name in COMPUTED]
        ids = np.setdiff1d(np.union1d(weak.told.ids, model.told.ids), gone)
        w, m = weak.rows(ids), model.rows(ids)
        by_weak = (w >= 0) & ((m < 0) | (~weak.told.filled[w] & _outranks(weak, w, model, m)))
        return [
            self.rows_of(weak, w[by_weak], probabilities),
            self.rows_of(model, m[~by_weak & (m >= 0)], probabilities),
        ]

    def rows_of(self, part: Part, rows: IntArray, probabilities: bool) -> pl.DataFrame:
        """Return the frame of some rows of a source."""
        told, names = part.told, self.labels.names
        proba = part.distributions(rows) if probabilities else None
        note = UNTIL_NEXT_REFIT if told.proba is None else None
        return label_frame(
            told.ids[rows],
            told.positions[rows],
            part.name,
            part.confidence(rows, self._k),
            names,
            proba,
            told.at,
            part.judged[rows],
            note,
            probabilities=probabilities,
        )

    def distributions(self, ids: IntArray, sources: pl.Series) -> pl.DataFrame:
        """Return the columns that `frame` has of distributions for some of its rows, given the source of each (n,).

        For frames so large that all distributions at once are too much.
        """
        proba = np.full((len(ids), self._k), np.nan)
        noted = pl.repeat(None, len(ids), dtype=pl.String(), eager=True)
        by_people = (sources == "human").fill_null(value=False).to_numpy()
        place = _looked_up(*self._of_people, ids[by_people])
        proba[by_people] = self.people["probabilities"].gather(place).struct.unnest().to_numpy()
        for name in COMPUTED:
            part, rows = self.part(name), (sources == name).fill_null(value=False).to_numpy()
            if part is None or not rows.any():
                continue
            found = part.distributions(part.rows(ids[rows]))
            if found is None:
                noted = pl.select(pl.when(pl.Series(rows)).then(pl.lit(UNTIL_NEXT_REFIT)).otherwise(noted)).to_series()
            else:
                proba[rows] = found
        return pl.DataFrame([shares(proba, self.labels.names), noted.alias("probabilities_note")])

    @cached_property
    def _of_people(self) -> tuple[IntArray, IntArray]:
        """The items that people answered, ascending, and where each stands in `people`."""
        ids = self.people["item_id"].to_numpy()
        order = np.argsort(ids)
        return ids[order], order

    def beside(self, name: str, ids: IntArray) -> pl.Series:
        """(n,) the distributions of a computed source for items, null where it has none; named as in an export."""
        part, called = self.part(name), f"{name}_probabilities"
        proba = np.full((len(ids), self._k), np.nan)
        if part is not None:
            rows = part.rows(ids)
            found = part.distributions(rows[rows >= 0])
            if found is not None:
                proba[rows >= 0] = found
        return shares(proba, self.labels.names).alias(called)

    def _empty(self, probabilities: bool) -> pl.DataFrame:
        frame = self.people.clear()
        return frame if probabilities else frame.drop(OF_DISTRIBUTIONS)


def _outranks(weak: Part, w: IntArray, model: Part, m: IntArray) -> BoolArray:
    """(n,) whether the weak label is at least as likely right; what was never judged gives way to what was."""
    known, learned = weak.judged[w] > 0, model.judged[m] > 0
    return np.asarray(np.where(known & learned, weak.chance[w] >= model.chance[m], known | ~learned))


def _claims(told: Told, ids: IntArray, but: BoolArray | None = None) -> Claims:
    """Return what a source says of items, nothing of those of its labels that are left out."""
    positions = told.positions if but is None else np.where(but, NO_VOTE, told.positions)
    place = _looked_up(told.ids, np.arange(len(told.ids)), ids)
    there = place >= 0
    found, stated = np.full(len(ids), NO_VOTE, dtype=np.int64), np.full(len(ids), 0.5)
    found[there], stated[there] = positions[place[there]], told.stated[place[there]]
    return Claims(found, stated)


def _looked_up(items: IntArray, values: IntArray, ids: IntArray) -> IntArray:
    """(n,) the value of each item among ascending ones, -1 where it is not there."""
    if not len(items):
        return np.full(len(ids), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(items, ids), len(items) - 1)
    return np.where(items[place] == ids, values[place], -1)


def resolved(
    store: ProjectStore,
    source: str | None = None,
    order: Sequence[str] | None = None,
    probabilities: bool | Sequence[str] = True,
) -> pl.DataFrame:
    """Return the labels of a project, a row an item; see `Project.labels`."""
    beside = check(source, order, probabilities)
    found = Resolving(store)
    wanted = bool(beside) or probabilities is True
    if source == "gold":
        frame = gold_labels(store.ledger, found.labels)
        frame = frame if wanted else frame.drop(OF_DISTRIBUTIONS)
    else:
        frame = found.frame([source] if source is not None else order, wanted)
    ids = frame["item_id"].to_numpy()
    return frame.with_columns(found.beside(name, ids) for name in beside)


def counted(store: ProjectStore) -> dict[str, int]:
    """Return how many items have a label of people, of the newest weak run, of the newest classifier."""
    ledger, labels = store.ledger, store.label_set
    run, gone = newest_run(store), ledger.items.withdrawn()
    people = human_labels(ledger, labels)["item_id"].to_numpy()
    return {
        "human": int((~among(people, gone)).sum()),
        "weak": 0 if run is None else len(weak_rows(run, gone)),
        "model": model_count(ledger, labels),
    }


def check(source: str | None, order: Sequence[str] | None, probabilities: bool | Sequence[str]) -> tuple[str, ...]:
    """Return the sources whose distributions are wanted beside the label's own.

    Raises
    ------
    ValueError
        There is no such source, an order names none or one twice, or both source and order are given.
    """
    if source is not None and source not in SOURCES:
        raise ValueError(f"There are no labels of source {source!r}. Sources are {', '.join(SOURCES)}.")
    if order is not None:
        if source is not None:
            raise ValueError(f"source={source!r} asks for one kind of label, order= for several. Give one of them.")
        named = [order] if isinstance(order, str) else list(order)
        for name in named:
            if name not in ORDERED:
                also = " Known answers (gold) never resolve a label." if name == "gold" else ""
                raise ValueError(f"order= names {name!r}. It lists some of {', '.join(ORDERED)}.{also}")
        if isinstance(order, str) or not named or len(set(named)) < len(named):
            raise ValueError(
                f"order= lists sources, the first that has a label wins, each once: order={list(ORDERED)!r}; "
                f"got {order!r}."
            )
    if isinstance(probabilities, bool):
        return ()
    beside = (probabilities,) if isinstance(probabilities, str) else tuple(dict.fromkeys(probabilities))
    for name in beside:
        if name not in COMPUTED:
            raise ValueError(
                f"probabilities= names {name!r}. It is True, False, or lists some of {', '.join(COMPUTED)}."
            )
    return beside
