"""One round of learning: a classifier trained on what is labeled, and the pool that a strategy reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from labeling.arrays import BoolArray, FloatArray, IntArray
from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.features.text import Matrix
from labeling.classifiers.trainable import attempt, probed
from strategies import Outcome, Pool, Strategy

WEAK_ROWS = 50_000
"""At most so many weakly labeled rows train a classifier, drawn by seed."""


@dataclass
class Learning:
    """What one round knows, and what follows from it; a loop and a simulation share it.

    Everything that costs time is computed when it is first read, so that a strategy pays for what it
    reads. Rows run over all items, those held out included.

    Attributes
    ----------
    classifier
        Trained anew each round.
    ids
        (n,) item ids.
    human
        (n, k) shares of people's answers, zero where there are none.
    held
        (n,) items that score the classifier: never trained on, never asked.
    features, embedding
        (n, d) what the classifier reads, and dense rows whose distances mean something; learned without
        what is held out.
    seed, round
        Of all chance.
    weak
        (n, k) weak probabilities and (n,) training weights, where there are any.
    votes
        (n, m) votes of the labeling functions, where there are any.
    asked
        Rows that were asked and not answered yet.
    rewards
        What became of earlier picks, oldest first.
    group
        (n,) groups of near-duplicates, -1 for items of none.
    welcome
        (n,) items that a person said belong here, however odd they look.
    regions
        (n,) masks by name.
    trains
        False: no classifier is trained.
    start
        The model that a classifier set to `warm_start` goes on from, where there is one.
    sliced
        Features are made for the rows that are asked for; nothing is computed for all items at once.
    failures
        Why the classifier could not be trained, for people.
    """

    classifier: Classifier
    ids: IntArray
    human: FloatArray
    held: BoolArray
    features: Callable[[], Matrix]
    embedding: Callable[[], Matrix]
    seed: int = 0
    round: int = 0
    weak: tuple[FloatArray, FloatArray] | None = None
    votes: Callable[[], npt.NDArray[np.integer]] | None = None
    asked: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    rewards: Callable[[], Sequence[Outcome]] | None = None
    group: Callable[[], IntArray] | None = None
    welcome: BoolArray | None = None
    regions: Mapping[str, Callable[[], BoolArray]] = field(default_factory=dict)
    trains: bool = True
    start: Callable[[], Model | None] | None = None
    sliced: bool = False
    failures: list[str] = field(default_factory=list, init=False)
    _proba: FloatArray | None = field(default=None, init=False, repr=False)
    _pool: tuple[IntArray, Pool] | None = field(default=None, init=False, repr=False)

    @cached_property
    def labeled(self) -> IntArray:
        """(l,) rows that people gave a label that may be trained on."""
        return np.flatnonzero((self.human.sum(axis=1) > 0) & ~self.held)

    @cached_property
    def training(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Rows to train on, their soft targets, their weights: people's labels, and weak ones elsewhere."""
        human = self.labeled
        rows, targets, weights = [human], [self.human[human]], [np.ones(len(human))]
        if self.weak is not None:
            proba, weight = self.weak
            usable = (weight > 0) & ~self.held
            usable[human] = False
            chosen = np.flatnonzero(usable)
            if len(chosen) > WEAK_ROWS:
                rng = np.random.default_rng([self.seed, self.round, 1])
                chosen = np.sort(rng.choice(chosen, WEAK_ROWS, replace=False))
            rows.append(chosen)
            targets.append(proba[chosen])
            weights.append(weight[chosen] * weak_weight(proba[chosen], weight[chosen]))
        return np.concatenate(rows), np.concatenate(targets), np.concatenate(weights)

    @cached_property
    def model(self) -> Model | None:
        """The classifier, trained; None where there is nothing to train on, or where `failures` say why not."""
        rows, targets, weights = self.training
        if not self.trains or not len(rows) or not weights.any():
            return None
        start = self.start() if self.start is not None else None
        # Only classifiers that start warm take such an argument.
        more: dict[str, Any] = {} if start is None else {"start": start}
        X, k = self.features()[rows], targets.shape[1]

        def train() -> Model:
            model = probed(self.classifier.fit(X, targets, weights, seed=self.seed, **more), X, k)
            if not self.sliced:
                # Some find out only here: a category that no label has, an item without a neighbour in reach.
                self._proba = np.asarray(model.predict_proba(self.features()), dtype=np.float64)
            return model

        return attempt(train, self.classifier, len(rows), failed=self.failures.append)

    @cached_property
    def proba(self) -> FloatArray:
        """(n, k) probabilities of every item: the model's; without one, uniform."""
        n, k = self.human.shape
        if self.model is None:
            return np.full((n, k), 1 / k)
        if self._proba is not None:
            return self._proba
        return np.asarray(self.model.predict_proba(self.features()), dtype=np.float64)

    def proba_of(self, rows: IntArray) -> FloatArray:
        """(r, k) probabilities of some items."""
        if self.sliced and self.model is not None:
            return np.asarray(self.model.predict_proba(self.features()[rows]), dtype=np.float64)
        return self.proba[rows]

    def pool(self, candidates: IntArray) -> Pool:
        """Return the items of some rows as a strategy reads them; one pool as long as the rows are the same."""
        if self._pool is None or not np.array_equal(self._pool[0], candidates):
            self._pool = candidates, self._pool_of(candidates)
        return self._pool[1]

    def _pool_of(self, candidates: IntArray) -> Pool:
        labeled, asked, votes, group = self.labeled, self.asked, self.votes, self.group
        return Pool(
            proba=lambda: self._first_or_model(candidates),
            mc_proba=lambda samples: self._passes(candidates, samples),
            committee=lambda: self._committee(candidates),
            embedding=lambda: self.embedding()[candidates],
            features=lambda: self.features()[candidates],
            votes=None if votes is None else lambda: votes()[candidates],
            weak_proba=None if self.weak is None else self.weak[0][candidates],
            labels=self.human[labeled].argmax(axis=1),
            labeled_embedding=lambda: self.embedding()[labeled],
            cv_errors=lambda: self.errors,
            open_embedding=(lambda: self.embedding()[asked]) if len(asked) else None,
            regions={name: _rows_of(mask, candidates) for name, mask in self.regions.items()},
            group=None if group is None else lambda: group()[candidates],
            open_group=None if group is None else lambda: group()[asked][group()[asked] >= 0],
            welcome=None if self.welcome is None else self.welcome[candidates],
            rewards=self.rewards,
            key=self.ids[candidates],
            classes=self.human.shape[1],
        )

    def _first_or_model(self, candidates: IntArray) -> FloatArray:
        if self.weak is not None and self.starts_weak:
            return self.weak[0][candidates]
        return self.proba_of(candidates)

    @property
    def starts_weak(self) -> bool:
        """Whether the rules choose the questions: before people gave labels, and while these are too few to learn."""
        if self.weak is None:
            return False
        return not len(self.labeled) or (self.model is None and bool(self.failures))

    def _passes(self, candidates: IntArray, samples: int) -> npt.NDArray[np.floating]:
        """(samples, c, k) stochastic passes; before there is a model, the one answer there is."""
        if self.model is None:
            return self._first_or_model(candidates)[None]
        passes = getattr(self.model, "mc_proba", None)
        if passes is None:
            raise TypeError(no_passes(self.classifier))
        return np.asarray(passes(self.features()[candidates], samples, seed=self.seed))

    def committee(self) -> tuple[Model, ...]:
        """Train models on samples of the training rows; none before there is a model."""
        if self.model is None:
            return ()
        from labeling.classifiers.sklearn import committee

        rows, targets, weights = self.training
        return tuple(committee(self.classifier, self.features()[rows], targets, weights, seed=self.seed))

    def _committee(self, candidates: IntArray) -> npt.NDArray[np.floating]:
        """(members, c, k); before there is a model, the one answer there is."""
        members, X = self.committee(), self.features()
        if not members:
            return self._first_or_model(candidates)[None]
        return np.stack([model.predict_proba(X[candidates]) for model in members])

    @cached_property
    def errors(self) -> BoolArray:
        """(l,) true where a model trained on the other labels gets a labeled item wrong."""
        from labeling.classifiers.calibration import out_of_fold

        rows = self.labeled
        if len(rows) < 2 or self.model is None:
            return np.zeros(len(rows), dtype=bool)
        targets = self.human[rows]
        proba = out_of_fold(self.classifier, self.features()[rows], targets, seed=self.seed)
        # A fold that could not be learned for says nothing.
        known = proba.max(axis=1) > proba.min(axis=1)
        return np.asarray(known & (proba.argmax(axis=1) != targets.argmax(axis=1)))


def _rows_of(mask: Callable[[], BoolArray], rows: IntArray) -> Callable[[], BoolArray]:
    return lambda: np.asarray(mask())[rows]


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


def no_passes(classifier: Classifier) -> str:
    """Return what to say where a strategy wants stochastic passes that a classifier has not."""
    return (
        f"The strategy reads stochastic passes, and {type(classifier).__name__} has none. "
        "Use NetworkClassifier(), or leave classifier= out."
    )


def check_suits(strategy: Strategy, classifier: Classifier) -> None:
    """Raise where a strategy reads what a classifier of Tally's own cannot give.

    Raises
    ------
    ValueError
        The strategy reads stochastic passes, and the classifier has no dropout.
    """
    from labeling.classifiers.calibration import Calibrated
    from labeling.classifiers.sklearn import SklearnClassifier
    from labeling.classifiers.text_and_tables import TableClassifier, TextClassifier

    inner = classifier
    while isinstance(inner, Calibrated):
        inner = inner.classifier
    # A classifier of the user's own may have passes; its model is asked when it is there.
    if "mc_proba" in strategy.reads() and isinstance(inner, TextClassifier | TableClassifier | SklearnClassifier):
        raise ValueError(no_passes(inner))
