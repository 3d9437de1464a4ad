"""What every verb of a pool loop stands on: its project, its settings, its queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labeling import serialization
from labeling.loops.pool.queue import Queue
from labeling.loops.refits.settings import Settings
from labeling.loops.stopping.rules import After, LabelBudget, StopRule
from labeling.people.annotations import Annotation

if TYPE_CHECKING:
    from labeling.store.label_set import LabelSet
    from labeling.store.project_store import ProjectStore
    from storage.records import AnnotationRecord, LoopChange, LoopRecord


GO_ON = "go on"


class LoopBase:
    """A loop's place in the ledger and what it was made with."""

    def __init__(self, store: ProjectStore, record: LoopRecord, settings: Settings, stop: Sequence[StopRule]) -> None:
        self._store = store
        self._ledger = store.ledger
        self._record = record
        self._settings = settings
        self._stop = tuple(stop)
        self.name = record.name
        self._queue = Queue(store, record.id, record.name, lambda: self.budget)

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
        """The rules that end the loop: those it was made with, or went on with."""
        return stop_rules(self._ledger.loops.changes(self._record.id), self._stop)

    @property
    def budget(self) -> int | None:
        """The smallest label budget among the stop rules, None without one."""
        budgets = [rule.labels for rule in self.stop if isinstance(rule, LabelBudget)]
        return min(budgets) if budgets else None

    def _annotation(self, record: AnnotationRecord) -> Annotation:
        labels: LabelSet = self._store.label_set
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


def stop_rules(changes: Sequence[LoopChange], made_with: tuple[StopRule, ...]) -> tuple[StopRule, ...]:
    """Return the rules that a loop has after its changes, oldest first; rules of the user's own are `made_with`."""
    newest = next((change for change in reversed(changes) if change.kind == GO_ON), None)
    if newest is None:
        return made_with
    own = [(serialization.dump(rule), rule) for rule in made_with]
    return tuple(_rule(spec, own) for spec in newest.details["stop"])


def _rule(spec: Mapping[str, Any], own: Sequence[tuple[Any, StopRule]]) -> StopRule:
    for known, rule in own:
        if known == spec:
            return rule
    if spec["class"] == "labeling.After":
        return After(_rule(spec["params"]["rule"], own), spec["params"]["answers"])
    loaded: StopRule = serialization.load(spec)
    return loaded


def annotator_name(annotator: str) -> str:
    """Return the name without blanks around it; raise for what is no name."""
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"An annotator needs a name, got {annotator!r}.")
    return annotator.strip()
