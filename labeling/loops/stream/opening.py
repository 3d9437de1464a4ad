"""Making stream loops and opening them again: settings are stored, and checked against what is given."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from labeling import serialization
from labeling.arguments import whole_number
from labeling.classifiers.base import Classifier
from labeling.loops.drift.detectors import DriftDetector, ErrorRise, KolmogorovSmirnov
from labeling.loops.settings import check_kind, check_setting
from labeling.loops.stream.decide import StreamSettings
from labeling.loops.stream.learning import Online, Refits, StreamLearning
from labeling.loops.stream.loop import StreamLoop
from labeling.loops.stream.online import check_online
from strategies import Budget, Product, Strategy, Weighted

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import LoopRecord

DEFAULTS: dict[str, Any] = {
    "classifier": None,
    "seed": 0,
    "text": None,
    "memory": 5000,
    "boost": 1.0,
    "boost_records": 500,
    "drift": (ErrorRise(), KolmogorovSmirnov()),
    "learning": Refits(),
}


def open_stream_loop(store: ProjectStore, name: str, **settings: Any) -> StreamLoop:
    """Return the stream of a name, made if it is new; see `Project.stream_loop`."""
    given = {key: value for key, value in settings.items() if value is not None}
    if isinstance(given.get("drift"), DriftDetector):
        given["drift"] = (given["drift"],)
    if isinstance(given.get("drift"), list):
        given["drift"] = tuple(given["drift"])
    _check(given)
    record = store.ledger.loops.get(name)
    if record is None:
        record = _make(store, name, given)
    check_kind(record, "stream")
    # A stream made before there was a setting has what is usual.
    stored = {key: serialization.dump(value) for key, value in DEFAULTS.items()} | dict(record.settings)
    for key, value in given.items():
        check_setting(f"The stream {name!r}", key, value, stored[key])
    keys = ("strategy", "budget", *DEFAULTS)
    return StreamLoop(
        store,
        record,
        StreamSettings(**{key: given[key] if key in given else serialization.load(stored[key]) for key in keys}),
    )


def _make(store: ProjectStore, name: str, given: dict[str, Any]) -> LoopRecord:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"A loop needs a name, got {name!r}.")
    lacking = [key for key in ("strategy", "budget") if key not in given]
    if lacking:
        known = ", ".join(repr(record.name) for record in store.ledger.loops.all()) or "none yet"
        raise KeyError(
            f"There is no stream {name!r}; loops: {known}. To make it, pass {' and '.join(f'{k}=' for k in lacking)}, "
            "for example strategy=LeastConfidence(), budget=VariableUncertainty(0.1)."
        )
    if isinstance(given.get("learning"), Online):
        check_online(given.get("classifier"))
    stored = {key: serialization.dump(value, key) for key, value in (DEFAULTS | given).items()}
    stored["strategy_text"] = (
        f"{serialization.describe(stored['strategy'])}, {serialization.describe(stored['budget'])}"
    )
    # A stream ends when nothing is offered any more: no rule stops it.
    stored["stop"] = []
    made = store.ledger.loops.add(name, "stream", stored) or store.ledger.loops.get(name)
    if made is None:
        raise RuntimeError(f"The stream {name!r} was not stored.")
    return made


def _check(given: dict[str, Any]) -> None:
    """Check the settings that were given, and make numbers plain; raise with what would work."""
    kinds = {
        "strategy": (Strategy, "LeastConfidence()"),
        "budget": (Budget, "VariableUncertainty(0.1)"),
        "classifier": (Classifier, "TextClassifier()"),
        "text": (str, "'text'"),
        "learning": (StreamLearning, "Refits() or Online()"),
        "drift": (tuple, "[ErrorRise()] or []"),
    }
    for key, (kind, example) in kinds.items():
        if key in given and not isinstance(given[key], kind):
            raise TypeError(f"{key}= takes an object such as {example}, got {given[key]!r}.")
    for detector in given.get("drift", ()):
        if not isinstance(detector, DriftDetector):
            raise TypeError(f"drift= takes detectors such as ErrorRise() or ADWIN(on='error'), got {detector!r}.")
    if "strategy" in given and not _alone(given["strategy"]):
        raise ValueError(
            f"{given['strategy'].name} compares the items of a pool; a stream decides about each record alone. "
            "Use LeastConfidence(), Margin(), Entropy() or a mixture of them; FixedBudget() asks at random."
        )
    for key, least in (("seed", 0), ("memory", 1), ("boost_records", 1)):
        if key in given:
            given[key] = whole_number(key, given[key], least)
    boost = given.get("boost", 1.0)
    if isinstance(boost, bool) or not isinstance(boost, Real) or not 1.0 <= float(boost) <= 100.0:
        raise ValueError(f"boost must lie between 1 (the default: none) and 100, got {boost!r}.")
    if "boost" in given:
        given["boost"] = float(boost)


def _alone(strategy: Strategy) -> bool:
    """Tell whether a strategy scores each record by its own probabilities."""
    if isinstance(strategy, Weighted | Product):
        return all(_alone(part) for part in strategy.parts())
    return strategy.reads() == {"proba"} and not strategy.parts()
