"""Which stop rules a loop has now: those it was made with, or went on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labeling import serialization
from labeling.loops.stopping.rules import After, LabelBudget, StopRule

if TYPE_CHECKING:
    from storage import Ledger
    from storage.records import LoopChange

GO_ON = "go on"


class RulesInForce:
    """The stop rules of one loop.

    Parameters
    ----------
    ledger
        Where changes of the rules are kept.
    loop_id
        The loop's id in the ledger.
    made_with
        The rules that the loop was made with; those of the user's own cannot be read from the ledger.
    """

    def __init__(self, ledger: Ledger, loop_id: int, made_with: Sequence[StopRule]) -> None:
        self._ledger = ledger
        self._loop_id = loop_id
        self._known = tuple(made_with)

    @property
    def rules(self) -> tuple[StopRule, ...]:
        """The rules that end the loop."""
        return stop_rules(self._ledger.loops.changes(self._loop_id), self._known)

    @property
    def budget(self) -> int | None:
        """The smallest label budget among them, None without one."""
        budgets = [rule.labels for rule in self.rules if isinstance(rule, LabelBudget)]
        return min(budgets) if budgets else None

    def know(self, rules: Sequence[StopRule]) -> None:
        """Take note of rules that the loop goes on with, so that those of the user's own are found again."""
        self._known = (*self._known, *(rule for rule in rules if rule not in self._known))


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
