"""What a refit computes: a classifier from all labels so far, its scores, and the ranking it commits."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labeling import specs
from labeling.blocks import NO_LABEL, pack, to_positions
from labeling.classifiers import Classifier, Model
from labeling.features import reduce
from labeling.items import Items
from labeling.label_set import LabelSet
from labeling.resolve import PACKED, PREDICTIONS
from labeling.votes import Functions, holdout_ids
from labeling.weak import WeakRun
from strategies import Pick, Pool, Strategy

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import RefitRecord

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

WEAK_ROWS = 50_000
"""At most so many weakly labeled rows train a classifier, drawn by seed."""

RANKED_BATCHES = 4
RANKED_AT_LEAST = 100
TOP_CLASSES = 5


@dataclass(frozen=True)
class Settings:
    """What a loop was made with; a blind one checks labels, trains nothing and suggests nothing."""

    strategy: Strategy
    classifier: Classifier
    batch_size: int
    seed: int
    blind: bool = False


@dataclass(frozen=True)
class State:
    """The ledger as a refit sees it: arrays over all items, in item order.

    `human` (n, k) holds the shares of people's answers, zero where there are none;
    `busy` counts items that are held or were skipped: a ranking reaches so much further.
    """

    ids: IntArray
    human: FloatArray
    open: BoolArray
    held: BoolArray
    gold: IntArray
    saw: int
    busy: int
    inputs: Mapping[str, Any]

    @property
    def labeled(self) -> BoolArray:
        """Where people gave a label that may be trained on."""
        return np.asarray((self.human.sum(axis=1) > 0) & ~self.held)


def read_state(ledger: Ledger, items: Items, labels: LabelSet, weak: WeakRun | None) -> State:
    """Read everything a refit depends on, as of one write."""
    saw = ledger.version()
    ids = items.frame()["item_id"].to_numpy()
    positions = labels.positions()
    row_of = {int(item): row for row, item in enumerate(ids)}
    human = np.zeros((len(ids), len(labels.classes)))
    still_open = np.ones(len(ids), dtype=bool)
    newest, busy = 0, ledger.loops.leased()
    for record in ledger.annotations.current(until=saw):
        newest = max(newest, record.seq)
        row = row_of.get(record.item_id)
        if row is None or record.kind == "skip":
            busy += record.kind == "skip"
            continue
        still_open[row] = False
        if record.kind == "answer" and record.label_ids and record.label_ids[0] in positions:
            human[row, positions[record.label_ids[0]]] += 1
    human /= np.maximum(human.sum(axis=1, keepdims=True), 1)
    held_ids = holdout_ids(ledger)
    held = np.fromiter((int(item) in held_ids for item in ids), dtype=bool, count=len(ids))
    known = dict(ledger.items.gold())
    truth = np.fromiter((known.get(int(item), NO_LABEL) for item in ids), dtype=np.int64, count=len(ids))
    inputs = {
        "annotations": [newest, int((~still_open).sum())],
        "items": items.version,
        "weak_run": None if weak is None else weak.number,
        "label_set": labels.version,
        "holdout": len(held_ids),
    }
    return State(ids, human, still_open & ~held, held, to_positions(truth, positions), saw, busy, inputs)


@dataclass
class Refitting:
    """One refit under way: trains, predicts, ranks."""

    items: Items
    functions: Functions
    labels: LabelSet
    settings: Settings
    state: State
    weak: WeakRun | None
    round: int
    notes: list[str] = field(default_factory=list)

    def compute(self) -> dict[str, Any]:
        """Return the values of the refit's row in the ledger."""
        started = time.perf_counter()
        state, strategy = self.state, self.settings.strategy
        candidates = np.flatnonzero(state.open)
        wanted = max(RANKED_BATCHES * self.settings.batch_size, RANKED_AT_LEAST) + state.busy
        rng = np.random.default_rng([self.settings.seed, self.round])
        picks = strategy.select(self._pool(candidates), min(wanted, len(candidates)), rng) if len(candidates) else []
        return {
            "saw": state.saw,
            "weak_run_id": None if self.weak is None else self.weak.id,
            "label_set": self.labels.version,
            "label_ids": list(self.labels.ids),
            "strategy": specs.describe(specs.dump(strategy)),
            "metrics": self._metrics(len(candidates), len(picks)),
            "notes": self.notes,
            "ranking": dump_ranking(picks, candidates, state.ids, self._proba if self._model else None, self.labels),
            "predictions": self._predictions(),
            "seconds": time.perf_counter() - started,
        }

    @cached_property
    def _frame(self) -> Any:
        return self.items.frame()

    @cached_property
    def _features(self) -> Any:
        """Features of every item, learned without the hold-out; kept while items and hold-out stand."""
        held, text = self.state.held, self.items.columns().named("text")
        key = f"features {specs.dump(self.settings.classifier)}"
        version = (self.items.version, hash(held.tobytes()))
        classifier = self.settings.classifier
        return self.items.cached(key, version, lambda: classifier.featurize(self._frame, text=text, learn_from=~held))

    @cached_property
    def _embedding(self) -> Any:
        """(n, d) dense features of every item, for strategies that measure distances."""
        version = (self.items.version, hash(self.state.held.tobytes()))
        key = f"embedding {specs.dump(self.settings.classifier)}"
        return self.items.cached(
            key, version, lambda: reduce(self._features, learn_from=~self.state.held, seed=self.settings.seed)
        )

    @cached_property
    def _weak(self) -> tuple[FloatArray, FloatArray] | None:
        """(n, k) weak probabilities and (n,) training weights of every item, in item order."""
        if self.weak is None:
            return None
        ids, result = self.weak.arrays()
        n, k = len(self.state.ids), len(self.labels.classes)
        proba, weight = np.full((n, k), 1 / k), np.zeros(n)
        rows = np.searchsorted(self.state.ids, ids)
        there = (rows < n) & (self.state.ids[np.minimum(rows, n - 1)] == ids)
        proba[rows[there]], weight[rows[there]] = result.proba[there], result.weight[there]
        return proba, weight

    @cached_property
    def _training(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Rows to train on, their soft targets, their weights: people's labels, and weak ones elsewhere."""
        state = self.state
        human = np.flatnonzero(state.labeled)
        rows, targets, weights = [human], [state.human[human]], [np.ones(len(human))]
        if self._weak is not None:
            proba, weight = self._weak
            usable = np.flatnonzero((weight > 0) & ~state.held & ~state.labeled)
            if len(usable) > WEAK_ROWS:
                rng = np.random.default_rng([self.settings.seed, self.round, 1])
                usable = np.sort(rng.choice(usable, WEAK_ROWS, replace=False))
            rows.append(usable)
            targets.append(proba[usable])
            weights.append(weight[usable] * weak_weight(proba[usable], weight[usable]))
        return np.concatenate(rows), np.concatenate(targets), np.concatenate(weights)

    @cached_property
    def _model(self) -> Model | None:
        rows, targets, weights = self._training
        if self.settings.blind or not len(rows) or not weights.any():
            return None
        return self.settings.classifier.fit(self._features[rows], targets, weights, seed=self.settings.seed)

    @cached_property
    def _proba(self) -> FloatArray:
        """(n, k) probabilities of every item: the model's; without one, uniform."""
        n, k = len(self.state.ids), len(self.labels.classes)
        if self._model is None:
            return np.full((n, k), 1 / k)
        return np.asarray(self._model.predict_proba(self._features), dtype=np.float64)

    def _pool(self, candidates: IntArray) -> Pool:
        labeled = np.flatnonzero(self.state.labeled)
        weak = self._weak
        # Before people gave labels, the rules choose the first questions.
        first = weak is not None and not len(labeled)
        votes = (lambda: self.functions.matrix(self.labels).values[candidates]) if self._has_functions else None
        return Pool(
            proba=lambda: weak[0][candidates] if first and weak is not None else self._proba[candidates],
            embedding=lambda: self._embedding[candidates],
            votes=votes,
            weak_proba=None if weak is None else weak[0][candidates],
            labels=lambda: self.state.human[labeled].argmax(axis=1),
            labeled_embedding=lambda: self._embedding[labeled],
            key=self.state.ids[candidates],
            classes=len(self.labels.classes),
        )

    @cached_property
    def _has_functions(self) -> bool:
        return bool(self.functions.infos(self.labels))

    def _metrics(self, candidates: int, ranked: int) -> dict[str, Any]:
        state = self.state
        labeled = state.labeled
        counts = state.human[labeled].argmax(axis=1)
        asked = {str(c.id): int((counts == position).sum()) for position, c in enumerate(self.labels.classes)}
        metrics: dict[str, Any] = {
            "trained": self._model is not None,
            "labels": int(labeled.sum()),
            "weak_labels": int(len(self._training[0]) - labeled.sum()),
            "asked": asked,
            "candidates": candidates,
            "ranked": ranked,
            "inputs": dict(state.inputs),
        }
        judged = np.flatnonzero(state.held & (state.gold != NO_LABEL))
        if self._model is not None and len(judged):
            metrics |= scores(state.gold[judged], self._proba[judged].argmax(axis=1))
        return metrics

    def _predictions(self) -> bytes:
        table = np.zeros(len(self.state.ids), dtype=PREDICTIONS)
        table["item"], table["label"] = self.state.ids, NO_LABEL
        if self._model is not None:
            best = self._proba.argmax(axis=1)
            table["label"] = np.array(self.labels.ids)[best]
            table["confidence"] = self._proba[np.arange(len(best)), best]
        return pack(table.view(PACKED), PACKED)


def weak_weight(proba: FloatArray, weight: FloatArray) -> float:
    """Return what one weak label weighs beside people's labels, which weigh 1.

    All weak labels together weigh as much as 10 people's labels a class, and up
    to 250 more where they are spread evenly over the classes: rules that vote for
    one class only would else teach that there is no other. See docs/decisions.md.

    Parameters
    ----------
    proba, weight
        (n, k) weak probabilities and (n,) training weights of the rows used.
    """
    total = float(weight.sum())
    if total <= 0:
        return 0.0
    k = proba.shape[1]
    rarest = float((weight @ proba).min() / total)
    return float(min(1.0, (10.0 * k + 250.0 * k * rarest) / total))


def scores(gold: IntArray, predicted: IntArray) -> dict[str, Any]:
    """Return accuracy and macro F1 over the classes that occur, and how many items were judged."""
    from sklearn.metrics import f1_score

    classes = np.union1d(gold, predicted)
    macro = f1_score(gold, predicted, labels=classes, average="macro", zero_division=0.0)
    return {"accuracy": float((gold == predicted).mean()), "f1_macro": float(macro), "judged": len(gold)}


@dataclass(frozen=True)
class Ranked:
    """One entry of a committed ranking."""

    item_id: int
    score: float
    strategy: str
    probability: float
    parts: Mapping[str, float]
    probabilities: Mapping[int, float]

    @property
    def predicted(self) -> int | None:
        """The class id that the model holds likeliest, None if several are."""
        if not self.probabilities:
            return None
        best = max(self.probabilities.values())
        likeliest = [label for label, p in self.probabilities.items() if p >= best - 1e-9]
        return likeliest[0] if len(likeliest) == 1 else None


def dump_ranking(
    picks: Sequence[Pick], candidates: IntArray, ids: IntArray, proba: FloatArray | None, labels: LabelSet
) -> bytes:
    """Encode picks, best first, with the probabilities of their likeliest classes where there is a model."""
    rows = []
    for pick in picks:
        row = int(candidates[pick.index])
        likeliest: dict[str, float] = {}
        if proba is not None:
            top = np.argsort(-proba[row], kind="stable")[:TOP_CLASSES]
            likeliest = {str(labels.ids[c]): round(float(proba[row, c]), 6) for c in top}
        parts = {name: round(float(value), 6) for name, value in pick.parts.items()}
        rows.append([int(ids[row]), float(pick.score), pick.strategy, float(pick.probability), parts, likeliest])
    return zlib.compress(json.dumps(rows).encode(), 1)


def load_ranking(data: bytes) -> list[Ranked]:
    """Decode a committed ranking, best first."""
    return [
        Ranked(item, score, strategy, probability, parts, {int(label): p for label, p in likeliest.items()})
        for item, score, strategy, probability, parts, likeliest in json.loads(zlib.decompress(data))
    ]


def unchanged(refit: RefitRecord, state: State) -> bool:
    """Tell whether a refit saw all that `state` holds."""
    return bool(refit.metrics.get("inputs") == json.loads(json.dumps(dict(state.inputs))))
