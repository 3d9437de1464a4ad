"""Strategies of other libraries, run from the same splits, first labels and classifier as `labeling.simulate`."""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling import Classifier
from labeling.classifiers.features.text import Matrix, reduce
from labeling.classifiers.metrics import accuracy, calibration_error, f1_macro

IntArray = npt.NDArray[np.int64]
HOLDOUT = 0.3


@dataclass(frozen=True)
class Standing:
    """What a peer knows when it asks: rows run over `X`."""

    X: Matrix
    embedding: npt.NDArray[np.float32]
    gold: IntArray
    labeled: IntArray
    unlabeled: IntArray
    model: Any
    classes: int
    seed: int

    @property
    def known(self) -> npt.NDArray[np.float64]:
        """Labels of the labeled rows, then NaN for the unlabeled ones, as scikit-activeml wants them."""
        return np.concatenate([self.gold[self.labeled].astype(float), np.full(len(self.unlabeled), np.nan)])

    @property
    def rows(self) -> IntArray:
        """Labeled rows, then unlabeled ones."""
        return np.concatenate([self.labeled, self.unlabeled])


Ask = Callable[[Standing, int], IntArray]


def runs(
    frame: pl.DataFrame,
    gold: str,
    peers: Mapping[str, Ask],
    classifier: Classifier,
    *,
    text: str | None = None,
    start: int,
    batch_size: int,
    rounds: int,
    seeds: int,
) -> Iterator[dict[str, Any]]:
    """Yield a row a peer, seed and round, as `Curves` holds them."""
    names = frame[gold].cast(pl.String)
    truth = names.rank("dense").to_numpy().astype(np.int64) - 1
    k = int(truth.max()) + 1
    for seed in range(seeds):
        order = np.random.default_rng([seed, 2]).permutation(frame.height)
        held = np.zeros(frame.height, dtype=bool)
        held[order[: round(HOLDOUT * frame.height)]] = True
        judged = np.flatnonzero(held)
        first = order[len(judged) : len(judged) + start]
        X = classifier.featurize(frame.drop(gold), text=text, learn_from=~held)
        embedding = reduce(X, learn_from=~held, seed=seed)
        for name, ask in peers.items():
            labeled = first
            for round_ in range(rounds + 1):
                began = time.perf_counter()
                model = classifier.fit(X[labeled], np.eye(k)[truth[labeled]], seed=seed)
                proba = model.predict_proba(X[judged])
                said = proba.argmax(axis=1)
                count = len(labeled)
                if round_ < rounds:
                    unlabeled = np.setdiff1d(np.flatnonzero(~held), labeled)
                    standing = Standing(X, embedding, truth, labeled, unlabeled, model, k, seed)
                    labeled = np.concatenate([labeled, ask(standing, batch_size)])
                yield {
                    "strategy": name,
                    "seed": seed,
                    "round": round_,
                    "labels": count,
                    "accuracy": accuracy(truth[judged], said),
                    "f1_macro": f1_macro(truth[judged], said),
                    "calibration_error": calibration_error(truth[judged], proba),
                    "seconds": time.perf_counter() - began,
                }


def activeml_uncertainty(method: str) -> Ask:
    """scikit-activeml's uncertainty scores of the same model."""

    def ask(standing: Standing, n: int) -> IntArray:
        from skactiveml.pool import uncertainty_scores

        scores = uncertainty_scores(standing.model.predict_proba(standing.X[standing.unlabeled]), method=method)
        return standing.unlabeled[np.argsort(-scores, kind="stable")[:n]]

    return ask


def activeml_diverse(name: str) -> Ask:
    """scikit-activeml's strategies over dense features, which need no model."""

    def ask(standing: Standing, n: int) -> IntArray:
        from skactiveml import pool

        strategy = getattr(pool, name)(random_state=standing.seed)
        X = np.asarray(standing.X[standing.rows], dtype=np.float64)
        # It may name an item twice; a batch holds each once.
        return standing.rows[np.unique(strategy.query(X, standing.known, batch_size=n))]

    return ask


def activeml_badge(standing: Standing, n: int) -> IntArray:
    """scikit-activeml's Badge, with its own logistic regression."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge
    from sklearn.linear_model import LogisticRegression

    X = np.asarray(standing.X[standing.rows], dtype=np.float64)
    classifier = SklearnClassifier(LogisticRegression(max_iter=500), classes=np.arange(standing.classes))
    classifier.fit(X, standing.known)
    chosen = Badge(random_state=standing.seed).query(X, standing.known, classifier, fit_clf=False, batch_size=n)
    return standing.rows[np.unique(chosen)]


def small_text(name: str) -> Ask:
    """small-text's strategies of the same model."""

    def ask(standing: Standing, n: int) -> IntArray:
        import small_text as library

        class Model:
            def predict_proba(self, X: Matrix) -> npt.NDArray[np.floating[Any]]:
                return np.asarray(standing.model.predict_proba(X))

        if name == "GreedyCoreset":
            with warnings.catch_warnings():
                # Cosines of 1 + 1e-7 reach its arccos.
                warnings.simplefilter("ignore", RuntimeWarning)
                chosen = library.greedy_coreset(standing.embedding, standing.unlabeled, standing.labeled, n)
            return standing.unlabeled[np.asarray(chosen)]
        known = standing.gold[standing.labeled]
        strategy = getattr(library, name)()
        return np.asarray(strategy.query(Model(), standing.X, standing.unlabeled, standing.labeled, known, n=n))

    return ask


DENSE: dict[str, Ask] = {
    "activeml, margin": activeml_uncertainty("margin_sampling"),
    "activeml, entropy": activeml_uncertainty("entropy"),
    "activeml, core-set": activeml_diverse("CoreSet"),
    "activeml, typiclust": activeml_diverse("TypiClust"),
    "activeml, badge": activeml_badge,
}
"""What takes dense features."""

SPARSE: dict[str, Ask] = {
    "small-text, breaking ties": small_text("BreakingTies"),
    "small-text, entropy": small_text("PredictionEntropy"),
    "small-text, core-set": small_text("GreedyCoreset"),
}
"""What takes TF-IDF as it is; scikit-activeml refuses sparse features."""
