"""What a refit computes: a classifier from all labels so far, its scores, and the ranking it commits."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling import serialization
from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray, pack, unpack
from labeling.classifiers.metrics import evaluate, interval, kappa
from labeling.loops.refits.keeping import checked, kept
from labeling.loops.refits.outcomes import outcomes
from labeling.loops.refits.predictions import PACKED, PREDICTIONS
from labeling.loops.refits.ranking import dump_ranking
from labeling.loops.refits.regions import masks
from labeling.loops.refits.settings import Settings
from labeling.loops.refits.state import State
from labeling.loops.rounds import warm_start
from labeling.loops.rounds.item_features import Views
from labeling.loops.rounds.learning import Learning
from labeling.loops.rounds.scoring import Predicted, Scored, score
from labeling.loops.rounds.slices import score_in_slices
from labeling.store.function_store import Functions
from labeling.store.label_set import LabelSet
from labeling.store.near_duplicates import near_groups, together
from labeling.weak_labels.run import WeakRun

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.project_store import ProjectStore
    from storage.records import RefitBlock, RefitRecord


RANKED_BATCHES = 4
RANKED_AT_LEAST = 100


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
            "strategy": serialization.describe(serialization.dump(strategy)),
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
        group = together(self.store.items, self.settings.executor)
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
        views, executor = self.views, self.settings.executor
        sliced = executor is not None
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
            votes=(lambda: functions.matrix(labels, executor=executor).values) if rules else None,
            asked=state.asked,
            rewards=lambda: outcomes(ledger, self.loop_id, labels, state.saw),
            group=near_groups(self.store.items, executor),
            welcome=state.welcome,
            regions={name: _voted(functions, labels, j, executor) for name, j in rules.items()}
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
        judged = np.flatnonzero(state.held & (state.gold != NO_VOTE))
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
        table["item"], table["label"] = self.state.ids, NO_VOTE
        if predicted is not None:
            table["label"] = np.array(self.labels.ids)[predicted.best]
            table["confidence"] = predicted.confidence
        return pack(table.view(PACKED), PACKED)


def _voted(functions: Functions, labels: LabelSet, column: int, executor: Engine) -> Callable[[], BoolArray]:
    """Return where a labeling function votes."""
    return lambda: np.asarray(functions.matrix(labels, executor=executor).values[:, column] != NO_VOTE)


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
