"""What would have been asked: strategies compared on data whose labels are known, without a project."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arguments import whole_number
from labeling.arrays import BoolArray, FloatArray, IntArray
from labeling.classifiers.base import Classifier
from labeling.classifiers.default import default_classifier
from labeling.classifiers.features.text import Matrix, reduce
from labeling.classifiers.metrics import accuracy, calibration_error, f1_macro
from labeling.classifiers.trainable import CannotTrain
from labeling.executors import Engine, map_in_order
from labeling.label_names import label_name, label_names
from labeling.loops.rounds.learning import Learning, check_suits
from labeling.loops.simulation.curves import Curves
from labeling.store.near_duplicates import near_duplicates
from strategies import Outcome, Pick, Strategy

if TYPE_CHECKING:
    from labeling.formats.mapping import Mapping as ColumnMapping

Progress = bool | Callable[[int, int], None]


def simulate(
    frame: object,
    *,
    gold: str,
    strategies: Mapping[str, Strategy],
    classifier: Classifier | None = None,
    start: int = 25,
    batch_size: int = 25,
    rounds: int = 20,
    seeds: Iterable[int] = range(3),
    holdout: float = 0.3,
    labels: Sequence[str] | None = None,
    text: str | None = None,
    executor: Engine = None,
    progress: Progress = False,
) -> Curves:
    """Run loops whose answers are known already, and compare what they learn.

    Each seed draws a hold-out and the first labels, the same for all strategies, so that their curves
    can be compared pair by pair. Everything is as in `Project.pool_loop`, but stays in memory.

    Parameters
    ----------
    frame
        Polars or pandas frame, or the path of a file; rows without gold are left out.
    gold
        The column of the known labels.
    strategies
        What to compare, by the name it gets in the result.
    classifier
        Default: what suits the columns and the strategies, one for all.
    start
        Labels drawn at random before the first question; 0: the strategies ask from the start.
    batch_size, rounds
        Questions a round, and how many rounds.
    seeds
        A run of each strategy for each.
    holdout
        Share of the items that scores the classifiers.
    labels
        Names of the classes; default those that occur.
    text
        The text column; default a guess by name and content.
    executor
        Where the runs are done, see `apply`.
    progress
        True for a bar, or a callable that gets (runs done, runs in all).

    Raises
    ------
    ValueError
        A column is missing, a label is unknown, or the items are too few.

    Examples
    --------
    >>> from strategies import Margin, Random
    >>> numbers = [n % 10 for n in range(60)]
    >>> frame = pl.DataFrame({"x": numbers, "label": ["low" if n < 5 else "high" for n in numbers]})
    >>> curves = simulate(frame, gold="label", strategies={"margin": Margin(), "random": Random()},
    ...                   start=4, batch_size=4, rounds=2, seeds=[0, 1])
    >>> curves.frame().select("strategy", "seed", "labels").head(3).rows()
    [('margin', 0, 4), ('margin', 0, 8), ('margin', 0, 12)]
    """
    _check(strategies, holdout)
    start, batch_size = whole_number("start", start, 0), whole_number("batch_size", batch_size, 1)
    rounds = whole_number("rounds", rounds, 0)
    if start == 0 and rounds == 0:
        raise ValueError("start=0 and rounds=0 leave nothing to learn from.")
    data = _Items.of(frame, gold, labels, text, holdout)
    chosen = classifier or _default(data, strategies)
    for strategy in strategies.values():
        check_suits(strategy, chosen)
    drawn = [whole_number("A seed", seed, 0) for seed in ([seeds] if isinstance(seeds, int | np.integer) else seeds)]
    if not drawn:
        raise ValueError("seeds= names no seed. Pass for example range(3).")
    if start > (left := data.size - data.held_out):
        raise ValueError(f"start={start} labels are more than the {left} items that are not held out.")
    plan = _Plan(chosen, start, batch_size, rounds)
    tasks = _tasks(data, plan, strategies, drawn)
    done, total = [], len(drawn) * len(strategies)
    tell = _teller(progress, total)
    for rows in map_in_order(_run, tasks, executor):
        done += rows
        tell()
    baseline = next((name for name, strategy in strategies.items() if type(strategy).__name__ == "Random"), None)
    return Curves.of(done, list(strategies), baseline)


def _check(strategies: object, holdout: float) -> None:
    if not isinstance(strategies, Mapping) or not strategies:
        raise ValueError(
            'strategies= takes names and strategies, for example {"margin": Margin(), "random": Random()}.'
        )
    for name, strategy in strategies.items():
        if not isinstance(strategy, Strategy):
            raise TypeError(f"strategies[{name!r}] must be an object such as Margin(), got {strategy!r}.")
    if not 0 < holdout < 1:
        raise ValueError(f"holdout must lie between 0 and 1, got {holdout!r}.")


def _default(data: _Items, strategies: Mapping[str, Strategy]) -> Classifier:
    """Return one classifier for all, with dropout if a strategy needs that."""
    needy = [strategy for strategy in strategies.values() if "mc_proba" in strategy.reads()]
    return default_classifier(data.frame.schema, needy[0] if needy else None, text=data.text)


@dataclass(frozen=True)
class _Items:
    """What may be learned from, the truth by position, and the names of the classes."""

    frame: pl.DataFrame
    gold: IntArray
    labels: tuple[str, ...]
    text: str | None
    group: IntArray | None
    held_out: int

    @property
    def size(self) -> int:
        return len(self.gold)

    @classmethod
    def of(cls, source: object, gold: str, labels: Sequence[str] | None, text: str | None, holdout: float) -> _Items:
        from labeling.formats.mapping import guess_mapping
        from labeling.formats.reading.tables import read_source

        frame = source if isinstance(source, pl.DataFrame) else read_source(source).frame
        for column in (gold, text):
            if column is not None and column not in frame.columns:
                raise ValueError(f"There is no column {column!r}. The columns are: {', '.join(frame.columns)}.")
        frame = frame.filter(pl.col(gold).is_not_null())
        written = frame[gold].cast(pl.String)
        names = written.replace_strict({name: label_name(name) for name in written.unique()}, return_dtype=pl.String)
        known = label_names(labels) if labels is not None else tuple(names.unique().sort())
        if strange := sorted(set(names.unique()) - set(known)):
            raise ValueError(f"The column {gold!r} holds {strange[0]!r}, which is none of labels={list(known)}.")
        if len(known) < 2:
            raise ValueError(f"A simulation needs at least two classes, {gold!r} holds {list(known)}.")
        held = round(holdout * frame.height)
        if not 0 < held < frame.height:
            raise ValueError(f"{frame.height} items with gold cannot be split with holdout={holdout}.")
        place = {name: position for position, name in enumerate(known)}
        truth = np.array([place[name] for name in names], dtype=np.int64)
        rest = frame.drop(gold)
        roles: ColumnMapping = guess_mapping(rest)
        left_out = [name for name in (roles.id, roles.group, *roles.private) if name is not None and name != text]
        column = text or roles.text
        group = None if column is None else near_duplicates(rest[column]).group
        return cls(rest.drop(left_out), truth, known, column, group, held)


@dataclass(frozen=True)
class _Plan:
    classifier: Classifier
    start: int
    batch_size: int
    rounds: int


@dataclass(frozen=True)
class _Split:
    """The items as one seed sees them: what is held out, and features learned from the rest."""

    seed: int
    gold: IntArray
    classes: int
    held: BoolArray
    first: IntArray
    features: Matrix
    group: IntArray | None
    regions: Mapping[str, BoolArray]

    @cached_property
    def embedding(self) -> Matrix:
        return reduce(self.features, learn_from=~self.held, seed=self.seed)


@dataclass(frozen=True)
class _Task:
    name: str
    strategy: Strategy
    plan: _Plan
    split: _Split


def _tasks(data: _Items, plan: _Plan, strategies: Mapping[str, Strategy], seeds: Sequence[int]) -> Iterator[_Task]:
    for seed in seeds:
        order = np.random.default_rng([seed, 2]).permutation(data.size)
        held = np.zeros(data.size, dtype=bool)
        held[order[: data.held_out]] = True
        first = order[data.held_out : data.held_out + plan.start]
        features = plan.classifier.featurize(data.frame, text=data.text, learn_from=~held)
        masks = {
            name: data.frame[name].fill_null(False).to_numpy().astype(bool)
            for name, dtype in data.frame.schema.items()
            if dtype == pl.Boolean
        }
        split = _Split(seed, data.gold, len(data.labels), held, first, features, data.group, masks)
        if any("embedding" in strategy.reads() for strategy in strategies.values()):
            # Once for all strategies, also where they run in other processes.
            _ = split.embedding
        for name, strategy in strategies.items():
            yield _Task(name, strategy, plan, split)


def _run(task: _Task) -> list[dict[str, Any]]:
    """One strategy with one seed: a row a round."""
    split, plan = task.split, task.plan
    human = np.zeros((len(split.gold), split.classes))
    human[split.first, split.gold[split.first]] = 1.0
    rows: list[dict[str, Any]] = []
    outcomes: list[Outcome] = []
    asked: list[tuple[Pick, tuple[float, ...], int]] = []
    for round_ in range(plan.rounds + 1):
        began = time.perf_counter()
        learning = _learning(split, plan.classifier, human.copy(), round_, outcomes)
        scores = _scores(split, learning)
        gain = scores["f1_macro"] - rows[-1]["f1_macro"] if rows and scores else None
        outcomes += [Outcome(pick.strategy, pick.probability, proba, label, gain) for pick, proba, label in asked]
        candidates = np.flatnonzero((human.sum(axis=1) == 0) & ~split.held)
        count = min(plan.batch_size, len(candidates)) if round_ < plan.rounds else 0
        rng = np.random.default_rng([split.seed, round_])
        picks = task.strategy.select(learning.pool(candidates), count, rng) if count else []
        if scores:
            labels = len(learning.labeled)
            about = {"strategy": task.name, "seed": split.seed, "round": round_, "labels": labels}
            rows.append(about | scores | {"seconds": time.perf_counter() - began})
        asked = []
        for pick in picks:
            row = int(candidates[pick.index])
            said = () if learning.model is None else tuple(learning.proba[row].tolist())
            asked.append((pick, said, int(split.gold[row])))
            human[row, split.gold[row]] = 1.0
        if not picks:
            break
    if not rows:
        why = learning.failures[-1] if learning.failures else "There was nothing to learn from."
        raise CannotTrain(f"{task.name!r} learned nothing in {plan.rounds} rounds. {why} Pass more rounds or labels.")
    return rows


def _learning(
    split: _Split, classifier: Classifier, human: FloatArray, round_: int, outcomes: Sequence[Outcome]
) -> Learning:
    group = split.group
    return Learning(
        classifier=classifier,
        ids=np.arange(len(split.gold)),
        human=human,
        held=split.held,
        features=lambda: split.features,
        embedding=lambda: split.embedding,
        seed=split.seed,
        round=round_,
        rewards=lambda: tuple(outcomes),
        group=None if group is None else lambda: group,
        regions={name: _given(mask) for name, mask in split.regions.items()},
    )


def _given(mask: BoolArray) -> Callable[[], BoolArray]:
    return lambda: mask


def _scores(split: _Split, learning: Learning) -> dict[str, float]:
    """Return scores on what is held out, nothing where nothing was learned."""
    if learning.model is None:
        return {}
    proba = np.asarray(learning.model.predict_proba(split.features[np.flatnonzero(split.held)]), dtype=np.float64)
    gold, said = split.gold[split.held], proba.argmax(axis=1)
    return {
        "accuracy": accuracy(gold, said),
        "f1_macro": f1_macro(gold, said),
        "calibration_error": calibration_error(gold, proba),
    }


def _teller(progress: Progress, total: int) -> Callable[[], None]:
    """Return what to call when a run is done."""
    if progress is False:
        return lambda: None
    if progress is True:
        from tqdm.auto import tqdm

        bar = tqdm(total=total, desc="simulate", unit="run")

        def step() -> None:
            bar.update()
            if bar.n >= total:
                bar.close()

        return step
    count = 0

    def call() -> None:
        nonlocal count
        count += 1
        progress(count, total)

    return call
