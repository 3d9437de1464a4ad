"""What every verb of a pool loop stands on: its project, its settings, its queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labeling.queue import Queue
from labeling.records import Annotation
from labeling.refit import Settings
from labeling.stopping import LabelBudget, StopRule

if TYPE_CHECKING:
    from labeling.label_set import LabelSet
    from labeling.project import Project
    from storage.records import AnnotationRecord, LoopRecord


class LoopBase:
    """A loop's place in the ledger and what it was made with."""

    def __init__(self, project: Project, record: LoopRecord, settings: Settings, stop: Sequence[StopRule]) -> None:
        self._project = project
        self._ledger = project.ledger
        self._record = record
        self._settings = settings
        self._stop = tuple(stop)
        self.name = record.name
        self._queue = Queue(project, record.id, record.name, self.budget)

    @property
    def strategy(self) -> str:
        """The strategy and its parameters, for people."""
        return str(self._record.settings["strategy_text"])

    @property
    def blind(self) -> bool:
        """Whether the loop checks labels: nothing is suggested to the people who answer."""
        return self._settings.blind

    @property
    def seed(self) -> int:
        """The seed of all chance in this loop."""
        return self._settings.seed

    @property
    def batch_size(self) -> int:
        """Answers a round."""
        return self._settings.batch_size

    @property
    def stop(self) -> tuple[StopRule, ...]:
        """The rules that end the loop."""
        return self._stop

    @property
    def budget(self) -> int | None:
        """The smallest label budget among the stop rules, None without one."""
        budgets = [rule.labels for rule in self._stop if isinstance(rule, LabelBudget)]
        return min(budgets) if budgets else None

    def _annotation(self, record: AnnotationRecord) -> Annotation:
        labels: LabelSet = self._project.label_set
        label = labels.name_of(record.label_ids[0]) if record.label_ids else None
        return Annotation(
            record.id,
            record.uuid,
            record.item_id,
            record.annotator or "",
            record.kind,
            label,
            record.query_id,
            record.created_at,
            record.origin,
        )


def annotator_name(annotator: str) -> str:
    """Return the name without blanks around it; raise for what is no name."""
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"An annotator needs a name, got {annotator!r}.")
    return annotator.strip()
