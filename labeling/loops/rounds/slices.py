"""A pool scored slice by slice on an executor, for pools whose features no machine holds at once.

Each slice of items is made into features, predicted and searched for its best candidates where the executor runs;
the best of all slices are then searched once more, together (Mirzasoleiman et al. 2013, Distributed submodular
maximization, NeurIPS). Strategies that score items one by one choose what they would have chosen in one piece, but
for exact ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from labeling.arrays import BoolArray, FloatArray, IntArray
from labeling.classifiers.base import Model
from labeling.classifiers.features.text import Directions, Features, Matrix
from labeling.executors import Engine, map_in_order
from labeling.loops.rounds.distributions import dump
from labeling.loops.rounds.scoring import Predicted, Scored, entropy_sum
from strategies import Pool, Region, Strategy

if TYPE_CHECKING:
    import polars as pl

    from labeling.loops.rounds.item_features import Views
    from labeling.loops.rounds.learning import Learning


SLICE = 16_384
"""Items a slice: a few MB of text each."""


@dataclass(frozen=True)
class Shared:
    """What the slices of one refit have in common."""

    strategy: Strategy
    features: Features
    directions: Directions | None
    model: Model | None
    committee: tuple[Model, ...]
    known: Mapping[str, Any]
    n: int
    seed: int
    round: int
    starts_weak: bool
    classes: int


@dataclass(frozen=True)
class Slice:
    """Items next to each other: what they hold, and what is known of them."""

    shared: Shared
    first: int
    content: pl.DataFrame
    candidates: IntArray
    ids: IntArray
    arrays: Mapping[str, Any]
    regions: Mapping[str, BoolArray]


@dataclass(frozen=True)
class Found:
    """What became of a slice; `rows` are those of its best candidates, in the whole, `distributions` of all items."""

    rows: IntArray
    best: IntArray
    confidence: FloatArray
    entropy: float
    distributions: bytes


def score_in_slices(
    learning: Learning, strategy: Strategy, views: Views, candidates: IntArray, n: int, executor: Engine
) -> Scored:
    """Choose `n` of the candidates, and predict all items, slice by slice on an executor."""
    found = list(map_in_order(search, _slices(learning, strategy, views, candidates, n), executor))
    rows = np.concatenate([each.rows for each in found]) if found else np.zeros(0, dtype=np.int64)
    rng = np.random.default_rng([learning.seed, learning.round])
    picks = strategy.select(learning.pool(rows), min(n, len(rows)), rng) if len(rows) else []
    places = np.searchsorted(candidates, rows)
    picks = [replace(pick, index=int(places[pick.index])) for pick in picks]
    if learning.model is None:
        return Scored(picks, None)
    best = np.concatenate([each.best for each in found])
    confidence = np.concatenate([each.confidence for each in found])
    total = sum(each.entropy for each in found)
    uncertainty = total / len(candidates) if len(candidates) else None
    pieces = [(len(each.best), each.distributions) for each in found]
    return Scored(picks, Predicted(best, confidence, uncertainty, learning.proba_of, pieces))


def _slices(learning: Learning, strategy: Strategy, views: Views, candidates: IntArray, n: int) -> Iterator[Slice]:
    shared = _shared(learning, strategy, views, n)
    votes = None if learning.votes is None else learning.votes()
    group = None if learning.group is None else learning.group()
    weak = None if learning.weak is None else learning.weak[0]
    wanted = {part.where for part in walk(strategy) if isinstance(part, Region) and part.where}
    regions = {name: np.asarray(mask()) for name, mask in learning.regions.items() if name in wanted}
    for first in range(0, len(learning.ids), SLICE):
        rows = np.arange(first, min(first + SLICE, len(learning.ids)))
        inside = candidates[np.searchsorted(candidates, first) : np.searchsorted(candidates, first + SLICE)]
        given = {"votes": votes, "group": group, "weak_proba": weak, "welcome": learning.welcome}
        arrays = {name: array[inside] for name, array in given.items() if array is not None}
        yield Slice(
            shared=shared,
            first=first,
            content=views.content(rows),
            candidates=inside - first,
            ids=learning.ids[inside],
            arrays=arrays,
            regions={name: mask[inside] for name, mask in regions.items()},
        )


def _shared(learning: Learning, strategy: Strategy, views: Views, n: int) -> Shared:
    """Compute once what every slice needs and the strategy reads."""
    reads = strategy.reads()
    labeled = learning.labeled
    known: dict[str, Any] = {"labels": learning.human[labeled].argmax(axis=1)}
    near = "embedding" in reads
    if near and len(labeled):
        known["labeled_embedding"] = learning.embedding()[labeled]
    if near and len(learning.asked):
        known["open_embedding"] = learning.embedding()[learning.asked]
    if "cv_errors" in reads:
        known["cv_errors"] = learning.errors
    if learning.group is not None:
        asked = learning.group()[learning.asked]
        known["open_group"] = asked[asked >= 0]
    if learning.rewards is not None:
        known["rewards"] = learning.rewards()
    return Shared(
        strategy=strategy,
        features=views.learned,
        directions=views.directions if near else None,
        model=learning.model,
        committee=learning.committee() if "committee" in reads else (),
        known=known,
        n=n,
        seed=learning.seed,
        round=learning.round,
        starts_weak=learning.starts_weak,
        classes=learning.human.shape[1],
    )


def walk(strategy: Strategy) -> Iterator[Strategy]:
    """Yield a strategy and all that it is made of."""
    yield strategy
    for part in strategy.parts():
        yield from walk(part)


def search(part: Slice) -> Found:
    """Predict one slice and find its best candidates; runs where the executor runs."""
    shared, inside = part.shared, part.candidates
    X = shared.features.transform(part.content)
    model = shared.model
    proba = np.full((X.shape[0], shared.classes), 1 / shared.classes)
    if model is not None:
        proba = np.asarray(model.predict_proba(X), dtype=np.float64)
    best = proba.argmax(axis=1)
    confidence = proba[np.arange(len(best)), best]
    rows: list[int] = []
    if len(inside) and shared.n:
        rng = np.random.default_rng([shared.seed, shared.round, 2, part.first])
        picks = shared.strategy.select(_pool(part, X[inside], proba[inside]), min(shared.n, len(inside)), rng)
        rows = sorted(part.first + int(inside[pick.index]) for pick in picks)
    kept = b"" if model is None else dump(proba)
    return Found(np.array(rows, dtype=np.int64), best, confidence, entropy_sum(proba[inside]), kept)


def _pool(part: Slice, X: Matrix, proba: FloatArray) -> Pool:
    shared, directions = part.shared, part.shared.directions
    first = part.arrays["weak_proba"] if shared.starts_weak else proba

    def passes(samples: int) -> npt.NDArray[np.floating[Any]]:
        stochastic = getattr(shared.model, "mc_proba", None)
        return first[None] if stochastic is None else np.asarray(stochastic(X, samples, seed=shared.seed))

    def committee() -> npt.NDArray[np.floating[Any]]:
        members = [model.predict_proba(X) for model in shared.committee]
        return np.stack(members) if members else first[None]

    return Pool(
        proba=first,
        mc_proba=passes,
        committee=committee,
        embedding=None if directions is None else lambda: directions.transform(X),
        features=X,
        regions=part.regions,
        key=part.ids,
        classes=shared.classes,
        **part.arrays,
        **shared.known,
    )
