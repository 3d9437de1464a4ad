"""How good weak labels are: a blind random sample, answered by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labeling.stopping import LabelBudget
from strategies import Random

if TYPE_CHECKING:
    from labeling.pool import PoolLoop
    from labeling.project import Project
    from labeling.project_rules import RuleVerbs
    from labeling.weak import WeakRun

Z95 = 1.959964


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

    def __init__(self, project: Project, run: WeakRun, loop: PoolLoop) -> None:
        self._project = project
        self._run = run
        self.loop = loop

    def result(self) -> CheckResult:
        """Return what the answers so far say about the run."""
        answers = self._project.annotations().filter(loop=self.loop.name, kind="answer", undone=False)
        newest = answers.unique("item_id", keep="last", maintain_order=True).select("item_id", answer="label")
        judged = newest.join(self._run.frame().select("item_id", "label"), on="item_id")
        labeled = judged.drop_nulls("label")
        correct = int((labeled["label"] == labeled["answer"]).sum())
        low, high = wilson(correct, labeled.height)
        accuracy = correct / labeled.height if labeled.height else None
        return CheckResult(judged.height, correct, judged.height - labeled.height, accuracy, low, high)


def open_check(project: RuleVerbs, run: WeakRun, n: int, seed: int) -> WeakCheck:
    """Open the check of a weak run; the same call opens the same sample."""
    from labeling.opening import open_pool_loop
    from labeling.project import Project

    door = Project(project.ledger)
    name = f"check of weak run {run.number}" + (f" ({n}, seed {seed})" if (n, seed) != (50, 0) else "")
    loop = open_pool_loop(door, name, Random(), None, n, seed, [LabelBudget(n)], blind=True)
    return WeakCheck(door, run, loop)


def wilson(correct: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA.

    Examples
    --------
    >>> low, high = wilson(45, 50)
    >>> round(low, 3), round(high, 3)
    (0.786, 0.957)
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = correct / n, Z95**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * ((share * (1 - share) / n + spread / (4 * n)) ** 0.5) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
