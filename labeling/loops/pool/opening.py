"""Making loops and opening them again: settings are stored, and checked against what is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling import serialization
from labeling.arguments import whole_number
from labeling.classifiers.base import Classifier
from labeling.classifiers.default import default_classifier
from labeling.loops.pool.ending import check_stop
from labeling.loops.pool.loop import PoolLoop
from labeling.loops.pool.rules_in_force import GO_ON
from labeling.loops.records import LoopInfo
from labeling.loops.refits.regions import check_expressions, check_regions, given_again, texts_of
from labeling.loops.refits.settings import Settings
from labeling.loops.rounds.item_features import LEARNED
from labeling.loops.rounds.learning import check_suits
from labeling.loops.settings import check_kind, check_setting
from labeling.loops.stopping.rules import StopRule
from strategies import Strategy

if TYPE_CHECKING:
    from labeling.executors import Engine
    from labeling.store.project_store import ProjectStore
    from storage.records import LoopRecord

DEFAULTS: dict[str, Any] = {"batch_size": 20, "seed": 0, "stop": (), "blind": False, "candidates": None}


def open_pool_loop(
    store: ProjectStore,
    name: str,
    strategy: Strategy | None,
    classifier: Classifier | None,
    batch_size: int | None,
    seed: int | None,
    stop: Sequence[StopRule] | None,
    *,
    candidates: int | None = None,
    blind: bool = False,
    executor: Engine = None,
    regions: Mapping[str, pl.Expr] | None = None,
) -> PoolLoop:
    """Return the loop of a name, made if it is new; see `Project.pool_loop`."""
    given: dict[str, Any] = {
        "strategy": strategy,
        "classifier": classifier,
        "batch_size": batch_size,
        "seed": seed,
        "stop": None if stop is None else tuple(stop),
        "candidates": candidates,
    }
    given = {key: value for key, value in given.items() if value is not None} | ({"blind": True} if blind else {})
    _check(given)
    expressions = check_expressions(regions or {})
    if regions is not None:
        given["regions"] = texts_of(expressions)
    record = store.ledger.loops.get(name)
    if record is None:
        record = _make(store, name, given)
    check_kind(record, "pool")
    stored = {"regions": serialization.dump({}), **record.settings}
    changes = store.ledger.loops.changes(record.id)
    went_on = [change.details["stop"] for change in changes if change.kind == GO_ON][-1:]
    for key, value in given.items():
        # A script that is run again gives the rules that the loop was made with, also after it went on.
        check_setting(f"The loop {name!r}", key, value, stored.get(key), *(went_on if key == "stop" else []))
    settings = {
        key: given[key] if key in given else serialization.load(stored[key])
        for key in stored
        if key not in ("strategy_text", "regions")
    }
    settings["regions"] = given_again(name, stored["regions"]["mapping"], expressions)
    stop_rules = tuple(settings.pop("stop"))
    return PoolLoop(store, record, Settings(**settings, executor=executor), stop_rules)


def reopened(store: ProjectStore, name: str) -> PoolLoop:
    """Return a loop as it was made."""
    return open_pool_loop(store, name, None, None, None, None, None)


def _make(store: ProjectStore, name: str, given: dict[str, Any]) -> LoopRecord:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"A loop needs a name, got {name!r}.")
    if "strategy" not in given:
        known = ", ".join(repr(record.name) for record in store.ledger.loops.all()) or "none yet"
        raise KeyError(
            f"There is no loop {name!r}; there are: {known}. To make it, pass strategy=, for example Auto()."
        )
    settings = DEFAULTS | {"classifier": None} | given
    if settings["classifier"] is None:
        settings["classifier"] = _default_classifier(store, given["strategy"])
    check_suits(given["strategy"], settings["classifier"])
    check_regions(store, given["strategy"], given.get("regions", {}))
    check_stop(store, settings["stop"])
    stored = {key: serialization.dump(value, key) for key, value in settings.items()}
    stored["strategy_text"] = serialization.describe(stored["strategy"])
    made = store.ledger.loops.add(name, "pool", stored) or store.ledger.loops.get(name)
    if made is None:
        raise RuntimeError(f"The loop {name!r} was not stored.")
    return made


def _default_classifier(store: ProjectStore, strategy: Strategy) -> Classifier:
    columns = store.items.columns()
    if not columns.dtypes:
        # Nothing is imported yet: text is what most projects hold.
        return default_classifier({"text": pl.String()}, strategy, text="text")
    schema = {name: dtype for name, dtype in columns.dtypes.items() if columns.roles[name] in LEARNED}
    return default_classifier(schema, strategy, text=columns.named("text"))


def _check(given: dict[str, Any]) -> None:
    """Check the settings that were given, and make numbers plain; raise with what would work."""
    kinds = {"strategy": (Strategy, "Entropy()"), "classifier": (Classifier, "TextClassifier()")}
    for key, (kind, example) in kinds.items():
        if key in given and not isinstance(given[key], kind):
            raise TypeError(f"{key}= takes an object such as {example}, got {given[key]!r}.")
    for key, least in (("batch_size", 1), ("seed", 0), ("candidates", 1)):
        if key in given:
            given[key] = whole_number(key, given[key], least)
    for rule in given.get("stop", ()):
        if not isinstance(rule, StopRule):
            raise TypeError(f"stop= takes a list of rules such as LabelBudget(500), got {rule!r}.")


def loop_info(store: ProjectStore, record: LoopRecord) -> LoopInfo:
    """Return a loop as a list shows it."""
    with store.ledger.read() as connection:
        tally = store.ledger.loops.tally(connection, record.id)
    went_on = [change.details["stop"] for change in store.ledger.loops.changes(record.id) if change.kind == GO_ON]
    rules = went_on[-1] if went_on else record.settings["stop"]
    budgets = [rule["params"]["labels"] for rule in rules if rule["class"] == "labeling.LabelBudget"]
    answered = tally["answer"] + tally["unsure"] + tally["discard"]
    text = str(record.settings["strategy_text"])
    budget = min(budgets) if budgets else None
    blind = bool(record.settings.get("blind"))
    return LoopInfo(record.name, record.kind, text, record.created_at, answered, budget, blind)
