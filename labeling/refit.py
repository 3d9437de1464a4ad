"""What a refit computes: a classifier from all labels so far, its scores, and the ranking it commits."""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labeling import specs, warm_start
from labeling.blocks import NO_LABEL, pack, to_positions, unpack
from labeling.classifiers import Classifier
from labeling.executors import Engine
from labeling.items import Items
from labeling.label_set import LabelSet
from labeling.labels.keeping import checked, kept
from labeling.labels.sources import PACKED, PREDICTIONS
from labeling.learning import Learning
from labeling.metrics import evaluate, interval, kappa
from labeling.near_duplicates import near_groups, together
from labeling.regions import masks
from labeling.rewards import outcomes
from labeling.scoring import Predicted, Scored, score
from labeling.slices import score_in_slices
from labeling.views import Views
from labeling.votes import Functions, holdout_ids
from labeling.weak import WeakRun
from strategies import Pick, Strategy

if TYPE_CHECKING:
    from labeling.project_store import ProjectStore
    from storage.ledger import Ledger
    from storage.records import RefitBlock, RefitRecord

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

RANKED_BATCHES = 4
RANKED_AT_LEAST = 100
TOP_CLASSES = 5


@dataclass(frozen=True)
class Settings:
    """What a loop was made with; a blind one checks labels, trains nothing and suggests nothing.

    `candidates` of the pool are ranked, drawn anew each round; None: all. The executor is where the pool is scored,
    slice by slice; it is never stored.
    """

    strategy: Strategy
    classifier: Classifier
    batch_size: int
    seed: int
    blind: bool = False
    candidates: int | None = None
    regions: Mapping[str, Any] = field(default_factory=dict, compare=False)
    executor: Engine = field(default=None, compare=False)


@dataclass(frozen=True)
class State:
    """The ledger as a refit sees it: arrays over all items, in item order.

    `human` (n, k) holds the shares of people's answers, zero where there are none;
    `asked` are the rows that somebody holds and nobody answered;
    `busy` counts items that are held or were skipped: a ranking reaches so much further;
    `welcome` marks those that a person said belong here; `alike` counts answers taken over for near-duplicates.
    """

    ids: IntArray
    human: FloatArray
    open: BoolArray
    held: BoolArray
    gold: IntArray
    saw: int
    asked: IntArray
    busy: int
    welcome: BoolArray
    alike: int
    inputs: Mapping[str, Any]


def read_state(ledger: Ledger, items: Items, labels: LabelSet, weak: WeakRun | None) -> State:
    """Read everything a refit depends on, as of one write."""
    saw = ledger.version()
    ids = items.frame()["item_id"].to_numpy()
    positions = labels.positions()
    human = np.zeros((len(ids), len(labels.classes)))
    still_open = np.ones(len(ids), dtype=bool)
    leased = ledger.loops.leased()
    newest, busy, alike = 0, len(leased), 0
    records = ledger.annotations.current(until=saw)
    rows = rows_of(np.array([record.item_id for record in records], dtype=np.int64), ids)
    for record, row in zip(records, rows.tolist(), strict=True):
        newest = max(newest, record.seq)
        if row < 0 or record.kind == "skip":
            busy += record.kind == "skip"
            continue
        still_open[row] = False
        alike += record.kind == "answer" and record.origin == "alike"
        if record.kind == "answer" and record.label_ids and record.label_ids[0] in positions:
            human[row, positions[record.label_ids[0]]] += 1
    human /= np.maximum(human.sum(axis=1, keepdims=True), 1)
    held_ids = holdout_ids(ledger)
    held = np.zeros(len(ids), dtype=bool)
    there = rows_of(np.fromiter(held_ids, dtype=np.int64, count=len(held_ids)), ids)
    held[there[there >= 0]] = True
    inputs = {
        "annotations": [newest, int((~still_open).sum())],
        "items": items.version,
        "weak_run": None if weak is None else weak.number,
        "label_set": labels.version,
        "holdout": len(held_ids),
    }
    welcome, belongs = np.zeros(len(ids), dtype=bool), ledger.annotations.welcome()
    if filters := ledger.functions.filters():
        inputs["filters"] = [[record.name, record.created_at.isoformat()] for record in filters]
    if belongs:
        there = rows_of(np.fromiter(sorted(belongs), dtype=np.int64, count=len(belongs)), ids)
        welcome[there[there >= 0]] = True
        inputs["welcome"] = [len(belongs), sum(belongs)]
    still_open &= ~held
    asked = rows_of(np.array(sorted(leased), dtype=np.int64), ids)
    asked = asked[asked >= 0]
    asked = asked[still_open[asked]]
    gold = to_positions(items.gold(ids), positions)
    return State(ids, human, still_open, held, gold, saw, asked, busy, welcome, alike, inputs)


def rows_of(items: IntArray, ids: IntArray) -> IntArray:
    """Return the place of each item among the sorted ids, -1 where it is not among them.

    Examples
    --------
    >>> rows_of(np.array([7, 4, 5]), np.array([4, 7]))
    array([ 1,  0, -1])
    """
    if not len(ids):
        return np.full(len(items), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, items), len(ids) - 1)
    return np.where(ids[place] == items, place, -1)


@dataclass
class Refitting:
    """One refit under way: trains, predicts, ranks.

    `last` is the refit before it, None for the first; `kept` are the distributions that it computed.
    """

    store: ProjectStore
    loop_id: int
    settings: Settings
    labels: LabelSet
    state: State
    weak: WeakRun | None
    last: RefitRecord | None
    notes: list[str] = field(default_factory=list)
    kept: list[RefitBlock] = field(default_factory=list)

    @property
    def round(self) -> int:
        """The number of this refit, from 0."""
        return 0 if self.last is None else self.last.round + 1

    def compute(self) -> dict[str, Any]:
        """Return the values of the refit's row in the ledger."""
        started = time.perf_counter()
        state, strategy, learning = self.state, self.settings.strategy, self.learning
        candidates = self.candidates
        wanted = max(RANKED_BATCHES * self.settings.batch_size, RANKED_AT_LEAST) + state.busy
        count = min(wanted, len(candidates))
        if self.settings.executor is None:
            rng = np.random.default_rng([self.settings.seed, self.round])
            scored = score(learning, strategy, candidates, count, rng)
        else:
            scored = score_in_slices(learning, strategy, self.views, candidates, count, self.settings.executor)
        picks, predicted = scored.picks, scored.predicted
        self.notes += [note for note in [getattr(learning.model, "note", None)] if note]
        self.notes += learning.failures
        self._keep(predicted)
        return {
            "saw": state.saw,
            "weak_run_id": None if self.weak is None else self.weak.id,
            "label_set": self.labels.version,
            "label_ids": list(self.labels.ids),
            "strategy": specs.describe(specs.dump(strategy)),
            "metrics": self._metrics(int(state.open.sum()), scored),
            "notes": self.notes,
            "ranking": dump_ranking(picks, candidates, state.ids, predicted, self.labels),
            "predictions": self._predictions(predicted),
            "model": warm_start.stored(self.settings.classifier, learning.model),
            "seconds": time.perf_counter() - started,
        }

    def _keep(self, predicted: Predicted | None) -> None:
        """Set aside the distributions that go to the ledger with the refit's row."""
        if predicted is None:
            return
        group = together(self.store.items)
        known = checked(self.learning, group, self.store.ledger, self.last, self.labels)
        self.kept = kept(self.state.ids, predicted.pieces, known)
        self.notes += [note for note in [known.note] if note]

    @cached_property
    def candidates(self) -> IntArray:
        """(c,) rows of the pool to rank: all, or as many as the settings say."""
        pool, most = np.flatnonzero(self.state.open), self.settings.candidates
        if most is None or most >= len(pool):
            return pool
        return np.sort(np.random.default_rng([self.settings.seed, self.round, 4]).choice(pool, most, replace=False))

    @cached_property
    def learning(self) -> Learning:
        """What this round knows and learns, computed as it is read."""
        state, ledger, labels = self.state, self.store.ledger, self.labels
        views, sliced = self.views, self.settings.executor is not None
        functions = self.store.functions
        rules = {info.name: j for j, info in enumerate(functions.infos(labels))}
        return Learning(
            classifier=self.settings.classifier,
            ids=state.ids,
            human=state.human,
            held=state.held,
            features=lambda: views.rows if sliced else views.features,
            embedding=lambda: views.embedded_rows if sliced else views.embedding,
            seed=self.settings.seed,
            round=self.round,
            weak=self._weak(),
            votes=(lambda: functions.matrix(labels).values) if rules else None,
            asked=state.asked,
            rewards=lambda: outcomes(ledger, self.loop_id, labels, state.saw),
            group=near_groups(self.store.items),
            welcome=state.welcome,
            regions={name: _voted(functions, labels, j) for name, j in rules.items()}
            | views.regions()
            | masks(self.store, self.settings.regions),
            trains=not self.settings.blind,
            start=lambda: warm_start.previous(self.settings.classifier, ledger, self.last, state.inputs),
            sliced=sliced,
        )

    @cached_property
    def views(self) -> Views:
        """The items as numbers."""
        return Views(self.store.items, self.settings.classifier, self.state.held, self.settings.seed)

    def _weak(self) -> tuple[FloatArray, FloatArray] | None:
        """(n, k) weak probabilities and (n,) training weights of every item, in item order."""
        if self.weak is None or not len(self.state.ids):
            return None
        ids, result = self.weak.arrays()
        n, k = len(self.state.ids), len(self.labels.classes)
        proba, weight = np.full((n, k), 1 / k), np.zeros(n)
        rows = np.searchsorted(self.state.ids, ids)
        there = (rows < n) & (self.state.ids[np.minimum(rows, n - 1)] == ids)
        proba[rows[there]], weight[rows[there]] = result.proba[there], result.weight[there]
        return proba, weight

    def _metrics(self, candidates: int, scored: Scored) -> dict[str, Any]:
        state, labeled = self.state, self.learning.labeled
        picks, predicted = scored.picks, scored.predicted
        counts = state.human[labeled].argmax(axis=1)
        first = Counter(pick.strategy for pick in picks[: self.settings.batch_size])
        metrics: dict[str, Any] = {
            "trained": predicted is not None,
            "failed": predicted is None and bool(self.learning.failures),
            "labels": len(labeled),
            "alike": state.alike,
            "weak_labels": len(self.learning.training[0]) - len(labeled),
            "asked": {str(c.id): int((counts == position).sum()) for position, c in enumerate(self.labels.classes)},
            "candidates": candidates,
            "ranked": len(picks),
            "shares": {name: count / first.total() for name, count in first.most_common()},
            "inputs": dict(state.inputs),
        }
        if predicted is None:
            return metrics
        judged = np.flatnonzero(state.held & (state.gold != NO_LABEL))
        if len(judged):
            metrics |= holdout_scores(state.gold[judged], predicted.of(judged), self.labels)
        metrics["agreement"] = self._agreement(predicted)
        metrics["uncertainty"] = predicted.uncertainty
        return metrics

    def _agreement(self, predicted: Predicted) -> float | None:
        """Return Cohen's kappa with what the last refit predicted, over the items of the pool."""
        if self.last is None or not self.last.metrics["trained"]:
            return None
        before = unpack(self.store.ledger.loops.ranking(self.last.id)[1], PACKED).view(PREDICTIONS)
        ids, held = self.state.ids, self.state.held
        rows = np.searchsorted(ids, before["item"])
        known = rows < len(ids)
        known[known] = (ids[rows[known]] == before["item"][known]) & ~held[rows[known]]
        now = np.array(self.labels.ids)[predicted.best[rows[known]]]
        return kappa(before["label"][known], now) if known.any() else None

    def _predictions(self, predicted: Predicted | None) -> bytes:
        table = np.zeros(len(self.state.ids), dtype=PREDICTIONS)
        table["item"], table["label"] = self.state.ids, NO_LABEL
        if predicted is not None:
            table["label"] = np.array(self.labels.ids)[predicted.best]
            table["confidence"] = predicted.confidence
        return pack(table.view(PACKED), PACKED)


def _voted(functions: Functions, labels: LabelSet, column: int) -> Callable[[], BoolArray]:
    """Return where a labeling function votes."""
    return lambda: np.asarray(functions.matrix(labels).values[:, column] != NO_LABEL)


def holdout_scores(gold: IntArray, proba: FloatArray, labels: LabelSet) -> dict[str, Any]:
    """Return scores on the hold-out, over all classes and by class id."""
    scores = evaluate(gold, proba=proba, labels=labels.names)
    low, high = interval(round(scores.accuracy * scores.items), scores.items)
    by_class = zip(labels.ids, scores.classes, strict=True)
    return {
        "accuracy": scores.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "f1_macro": scores.f1_macro,
        "average_precision": scores.average_precision,
        "calibration_error": scores.calibration_error,
        "judged": scores.items,
        "classes": {
            str(id_): {
                "precision": score.precision,
                "recall": score.recall,
                "average_precision": score.average_precision,
                "support": score.support,
            }
            for id_, score in by_class
        },
    }


@dataclass(frozen=True)
class Ranked:
    """One entry of a committed ranking."""

    item_id: int
    score: float
    strategy: str
    probability: float
    parts: Mapping[str, float]
    probabilities: Mapping[int, float]
    why: Mapping[str, Any] | None = None

    @property
    def predicted(self) -> int | None:
        """The class id that the model holds likeliest, None if several are."""
        if not self.probabilities:
            return None
        best = max(self.probabilities.values())
        likeliest = [label for label, p in self.probabilities.items() if p >= best - 1e-9]
        return likeliest[0] if len(likeliest) == 1 else None


def dump_ranking(
    picks: Sequence[Pick], candidates: IntArray, ids: IntArray, predicted: Predicted | None, labels: LabelSet
) -> bytes:
    """Encode picks, best first, with the probabilities of their likeliest classes where there is a model."""
    chosen = candidates[np.array([pick.index for pick in picks], dtype=np.int64)]
    proba = None if predicted is None or not len(chosen) else predicted.of(chosen)
    rows = []
    for place, (pick, row) in enumerate(zip(picks, chosen.tolist(), strict=True)):
        likeliest: dict[str, float] = {}
        if proba is not None:
            top = np.argsort(-proba[place], kind="stable")[:TOP_CLASSES]
            likeliest = {str(labels.ids[c]): round(float(proba[place, c]), 6) for c in top}
        parts = {name: round(float(value), 6) for name, value in pick.parts.items()}
        rows.append([int(ids[row]), float(pick.score), pick.strategy, float(pick.probability), parts, likeliest])
    return zlib.compress(json.dumps(rows).encode(), 1)


def load_ranking(data: bytes) -> list[Ranked]:
    """Decode a committed ranking, best first."""
    return [
        Ranked(item, score, strategy, probability, parts, {int(label): p for label, p in likeliest.items()}, *why)
        for item, score, strategy, probability, parts, likeliest, *why in json.loads(zlib.decompress(data))
    ]


def unchanged(refit: RefitRecord, state: State) -> bool:
    """Tell whether a refit saw all that `state` holds."""
    return bool(refit.metrics.get("inputs") == json.loads(json.dumps(dict(state.inputs))))
