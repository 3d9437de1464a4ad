"""How good weak labels are: a blind random sample, answered by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labeling.loops.pool.opening import loop_info, open_pool_loop, reopened
from labeling.loops.stopping.rules import LabelBudget
from labeling.people.annotations import annotation_frame
from labeling.votes.analysis import wilson
from strategies import Random

if TYPE_CHECKING:
    from labeling.loops.pool.loop import PoolLoop
    from labeling.store.project_store import ProjectStore
    from labeling.weak_labels.run import WeakRun


@dataclass(frozen=True)
class CheckResult:
    """Accuracy of weak labels on the items that people answered, with its 95 % Wilson interval.

    `unlabeled` of the answered items have no weak label and do not count.
    """

    answered: int
    correct: int
    unlabeled: int
    accuracy: float | None
    low: float
    high: float

    def __str__(self) -> str:
        if self.accuracy is None:
            return "No answers yet."
        judged = self.answered - self.unlabeled
        return f"{self.accuracy:.1%} ({self.low:.1%} to {self.high:.1%}) on {judged} items"


class WeakCheck:
    """A sample to answer, drawn from the items that nobody answered yet; hold-out items are not asked."""

    def __init__(self, store: ProjectStore, run: WeakRun, loop: PoolLoop) -> None:
        self._store = store
        self._run = run
        self.loop = loop

    def result(self) -> CheckResult:
        """Return what the answers so far say about the run."""
        said = annotation_frame(self._store.ledger, self._store.label_set)
        answers = said.filter(loop=self.loop.name, kind="answer", undone=False)
        newest = answers.unique("item_id", keep="last", maintain_order=True).select("item_id", answer="label")
        judged = newest.join(self._run.frame().select("item_id", "label"), on="item_id")
        labeled = judged.drop_nulls("label")
        correct = int((labeled["label"] == labeled["answer"]).sum())
        low, high = wilson(np.array([correct]), np.array([labeled.height]))
        accuracy = correct / labeled.height if labeled.height else None
        unlabeled = judged.height - labeled.height
        return CheckResult(judged.height, correct, unlabeled, accuracy, float(low[0]), float(high[0]))


class WeakChecks:
    """Opens checks of weak runs: blind loops over a random sample.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store

    def open(self, run: WeakRun, n: int, seed: int) -> WeakCheck:
        """Open the check of a weak run; the same call opens the same sample."""
        name = _name(run) + (f" ({n}, seed {seed})" if (n, seed) != (50, 0) else "")
        loop = open_pool_loop(self._store, name, Random(), None, n, seed, [LabelBudget(n)], blind=True)
        return WeakCheck(self._store, run, loop)

    def opened(self, run: WeakRun) -> list[WeakCheck]:
        """Return the checks of a weak run that were opened before, the oldest first."""
        infos = [loop_info(self._store, record) for record in self._store.ledger.loops.all()]
        names = [info.name for info in infos if info.blind and (info.name + " (").startswith(_name(run) + " (")]
        return [WeakCheck(self._store, run, reopened(self._store, name)) for name in names]


def _name(run: WeakRun) -> str:
    return f"check of weak run {run.number}"
