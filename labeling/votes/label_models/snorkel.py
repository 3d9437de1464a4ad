"""Snorkel's label model, so that both can be compared on the same votes."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from labeling.arrays import FloatArray
from labeling.extras import extra
from labeling.votes.label_models.base import Fit, PatternModel
from labeling.votes.patterns import Patterns


@dataclass(frozen=True, kw_only=True)
class SnorkelLabelModel(PatternModel):
    """Snorkel's own ``LabelModel``; needs ``pip install 'tally-labeling[snorkel]'``, and three labeling functions.

    Parameters
    ----------
    epochs, learning_rate, l2
        Passed on to Snorkel.
    class_balance
        Share of each class; None: equal shares, as in Snorkel.
    seed
        Seed of its initial values.

    References
    ----------
    Ratner, Hancock, Dunnmon, Sala, Pandey and Ré (2019). Training complex models with multi-task weak supervision.
    AAAI.
    """

    title: ClassVar[str] = "Snorkel's label model"
    summary: ClassVar[str] = "The model of another tool, to compare with. Needs three rules, and some seconds to fit."
    package: ClassVar[str | None] = "snorkel"

    epochs: int = 500
    learning_rate: float = 0.01
    l2: float = 0.0
    class_balance: tuple[float, ...] | None = None
    seed: int = 0

    def _learn(self, patterns: Patterns) -> Fit:
        m, k = patterns.values.shape[1], patterns.k
        if m < 3:
            raise ValueError(
                f"SnorkelLabelModel needs at least 3 labeling functions, got {m}. Add functions, or use MajorityVote()."
            )
        label_model = _snorkel().LabelModel
        rows = np.repeat(patterns.values, patterns.counts.astype(np.int64), axis=0).astype(np.int64)
        with keep_random_state():
            model = label_model(cardinality=k, verbose=False)
            try:
                model.fit(
                    rows,
                    n_epochs=self.epochs,
                    lr=self.learning_rate,
                    l2=self.l2,
                    seed=self.seed,
                    class_balance=None if self.class_balance is None else list(self.class_balance),
                    progress_bar=False,
                )
            except Exception as error:
                raise ValueError(
                    f"Snorkel's LabelModel failed on these votes ({type(error).__name__}: {error}). Use Robust(), or "
                    "remove functions that never vote."
                ) from error
        weights = np.asarray(model.get_weights())
        if not np.isfinite(model.mu.detach().numpy()).all() or not np.isfinite(weights).all():
            raise ValueError(
                "Snorkel's LabelModel ended in numbers that are not finite (its loss diverged). Lower learning_rate, "
                "or use Robust()."
            )
        return Fit(m, k, np.asarray(model.p, dtype=np.float64), weights, {"model": model})

    def _pattern_posterior(self, patterns: Patterns) -> FloatArray:
        proba = self._learned().arrays["model"].predict_proba(patterns.values.astype(np.int64))
        return np.asarray(proba, dtype=np.float64)


def _snorkel() -> Any:
    return extra("snorkel.labeling.model", "SnorkelLabelModel")


@contextmanager
def keep_random_state() -> Iterator[None]:
    """Give callers back the state of the global random generators, which Snorkel seeds."""
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
