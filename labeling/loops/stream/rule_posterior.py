"""What the project's rules say of records, while a stream has no answer to learn from."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labeling.arrays import FloatArray
from labeling.votes.label_models import LabelModel, MajorityVote
from labeling.votes.matrix import LabelMatrix
from labeling.votes.running import check_functions, run_functions
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from labeling.functions.makers import LabelingFunction
    from labeling.store.project_store import ProjectStore


log = logging.getLogger("labeling.stream")


class Rules:
    """Runs the rules on records as they arrive, and combines the votes as the newest weak run does."""

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self._key: object = None
        self._functions: list[LabelingFunction] = []
        self._model: LabelModel = MajorityVote()

    def posterior(self, frame: pl.DataFrame, text: str | None) -> FloatArray | None:
        """(n, k) probabilities of the records in a frame, uniform where no rule votes; None without rules."""
        self._load(frame, text)
        if not self._functions:
            return None
        labels = self._store.label_names
        votes = run_functions(self._functions, frame, labels, text=text)
        matrix = LabelMatrix.from_functions(votes, self._functions, labels)
        return np.asarray(self._model.predict_proba(matrix), dtype=np.float64)

    def _load(self, frame: pl.DataFrame, text: str | None) -> None:
        store = self._store
        labels = store.label_set
        current = [(record.name, record.version) for record in store.functions.voting(labels)]
        run = newest_run(store) if current else None
        key = (tuple(current), labels.version, None if run is None else run.number, tuple(frame.columns))
        if key == self._key:
            return
        loaded, missing = store.functions.loaded(labels)
        self._functions = [function for function in loaded if _runs(function, frame, labels.names, text)]
        left_out = missing + [function.name for function in loaded if function not in self._functions]
        if left_out:
            log.warning("Rules that cannot be run on the records of a stream are left out: %s", ", ".join(left_out))
        votes = [f"{name}@{version}" for name, version in current]
        # A learned label model knows the rules that it was fitted on, in their order.
        if run is not None and not left_out and votes == list(run.functions):
            self._model = run.label_model()
        else:
            self._model = MajorityVote()
        self._key = key


def _runs(function: LabelingFunction, frame: pl.DataFrame, labels: tuple[str, ...], text: str | None) -> bool:
    try:
        check_functions([function], frame.columns, labels, text)
    except ValueError:
        return False
    return True
