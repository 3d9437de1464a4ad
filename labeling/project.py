"""The one door for scripts and pages: a project, and its verbs."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from labeling import resolve
from labeling.given_answers import AnnotationVerbs
from labeling.items import tallies
from labeling.label_set import LabelSet
from labeling.project_exports import ExportVerbs
from labeling.project_items import ItemVerbs
from labeling.project_rules import RuleVerbs
from labeling.records import LoopInfo, ProjectInfo, ProjectStatus
from labeling.regions import FilterVerbs
from labeling.votes import holdout_ids
from storage import Ledger, ProjectExists, list_projects

if TYPE_CHECKING:
    from labeling.classifiers import Classifier
    from labeling.drift import DriftDetector
    from labeling.executors import Engine
    from labeling.pool import PoolLoop
    from labeling.stopping import StopRule
    from labeling.stream import StreamLoop
    from labeling.stream_learning import StreamLearning
    from strategies import Budget, Strategy

LabelSource = Literal["human", "weak", "model", "gold"]


def default_storage() -> str:
    """Return the database URL to use where none is given: LABELING_STORAGE, else a SQLite file here."""
    return os.environ.get("LABELING_STORAGE") or "sqlite:///labeling.db"


class Project(ItemVerbs, AnnotationVerbs, RuleVerbs, FilterVerbs, ExportVerbs):
    """Items, rules, loops and labels of one task, kept in a database.

    Make one with `Project.create`, open one with `Project.open`. All that is
    decided is on record: nothing is overwritten, and any number of processes may
    have the project open.
    """

    @classmethod
    def create(
        cls,
        name: str,
        labels: Iterable[str | Mapping[str, Any]],
        *,
        storage: str | None = None,
        exist_ok: bool = False,
        description: str = "",
    ) -> Project:
        """Make a project.

        Parameters
        ----------
        name
            Unique in the database.
        labels
            Class names, or mappings with name, key (a keyboard shortcut) and definition;
            `labels_of("posts.csv", "label")` takes them from a column.
        storage
            Database URL; default LABELING_STORAGE, else sqlite:///labeling.db.
        exist_ok
            Open the project if it exists, so that a script can run again; its labels must be the same.

        Raises
        ------
        ValueError
            The name or the labels cannot be used, or the project exists.
        storage.StorageError
            The database cannot be used.
        """
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            raise ValueError(f"A project needs a name of 1 to 200 characters, got {name!r}.")
        label_set = LabelSet.of(labels)
        storage = storage or default_storage()
        try:
            return cls(Ledger.create(storage, name.strip(), description, label_set.dump()))
        except ProjectExists as error:
            if not exist_ok:
                raise ProjectExists(f"{error} Open it with Project.open({name!r}), or pass exist_ok=True.") from error
        project = cls.open(name.strip(), storage)
        missing = [label for label in label_set.names if label not in project.label_names]
        if missing:
            raise ValueError(
                f"The project {name!r} exists with the labels {', '.join(map(repr, project.label_names))}, "
                f"without {missing[0]!r}. Use add_label(), or another name."
            )
        return project

    @classmethod
    def open(cls, name: str, storage: str | None = None) -> Project:
        """Open a project by its name. One that was archived can be read; `restore` brings it back.

        Raises
        ------
        LookupError
            There is no such project; the message names those there are.
        storage.StorageError
            The database cannot be used.
        """
        return cls(Ledger.open(storage or default_storage(), name))

    @staticmethod
    def list(storage: str | None = None, *, archived: bool | None = False) -> list[ProjectInfo]:
        """Return the projects of a database in the order they were made.

        `archived` lists those that were archived (True), all (None), or those in use (False).
        """
        storage = storage or default_storage()
        records = [r for r in list_projects(storage) if archived in (None, r.archived_at is not None)]
        return [Project.open(record.name, storage).info() for record in records]

    @staticmethod
    def names(storage: str | None = None) -> builtins.list[str]:
        """Return the names of the projects in use, in the order they were made, without a look into any."""
        return [r.name for r in list_projects(storage or default_storage()) if r.archived_at is None]

    def info(self) -> ProjectInfo:
        """Return the project as a list shows it."""
        record = self.ledger.project
        items, _ = self.item_store.counts()
        return ProjectInfo(
            record.name,
            record.description,
            record.created_at,
            items,
            len(self.ledger.annotations.answered()),
            self.archived,
        )

    def pool_loop(
        self,
        name: str,
        *,
        strategy: Strategy | None = None,
        classifier: Classifier | None = None,
        batch_size: int | None = None,
        seed: int | None = None,
        stop: Sequence[StopRule] | None = None,
        candidates: int | None = None,
        executor: Engine = None,
        regions: Mapping[str, pl.Expr] | None = None,
    ) -> PoolLoop:
        """Make a pool loop, or open the one of that name.

        Without settings an existing loop is opened as it was made. Settings that
        are given for an existing loop must be its own. With `candidates`, each refit
        ranks so many items of the pool, drawn by seed. The executor is no setting
        and not stored: with one (see `apply`), refits make features of the pool and
        score it slice by slice where it runs, for pools too large for one machine.
        `regions` are Polars expressions by name, for `Region("name")`; they are code, and
        passed again whenever the loop is opened.

        Raises
        ------
        KeyError
            There is no such loop, and no strategy to make it with.
        ValueError
            The loop exists with other settings, or a target score has no hold-out.
        """
        from labeling.opening import open_pool_loop

        return open_pool_loop(
            self,
            name,
            strategy,
            classifier,
            batch_size,
            seed,
            stop,
            candidates=candidates,
            executor=executor,
            regions=regions,
        )

    def stream_loop(
        self,
        name: str,
        *,
        strategy: Strategy | None = None,
        budget: Budget | None = None,
        classifier: Classifier | None = None,
        seed: int | None = None,
        text: str | None = None,
        memory: int | None = None,
        boost: float | None = None,
        boost_records: int | None = None,
        drift: DriftDetector | builtins.list[DriftDetector] | None = None,
        learning: StreamLearning | None = None,
    ) -> StreamLoop:
        """Make a stream loop, which decides about records as they arrive, or open the one of that name.

        Parameters
        ----------
        strategy, budget
            What makes a record worth asking about, as `LeastConfidence()`; and how many
            are asked, as `VariableUncertainty(0.1)`: one in ten.
        classifier
            Default: what suits the columns.
        seed
            Of all chance, default 0.
        text
            The column that holds the text, default the project's.
        memory
            Learn from so many of the newest answers, default 5,000.
        boost, boost_records
            After a drift, multiply the share promised by `boost` (default 1: not) for
            so many records (default 500).
        drift
            What looks for drift, in the answers, in confidence and in the records, such as
            `[ADWIN(on="error"), KolmogorovSmirnov(on="features")]`; default `ErrorRise()`
            and `KolmogorovSmirnov(on="confidence")`, [] for nothing.
        learning
            `Refits()`, the default: train anew, with long and with short memory; or
            `Online()`: scikit-learn's `partial_fit`.

        Raises
        ------
        KeyError
            There is no such loop, and no strategy or budget to make it with.
        ValueError
            The loop exists with other settings, or the strategy compares the items of a pool.
        """
        from labeling.stream_opening import open_stream_loop

        return open_stream_loop(
            self,
            name,
            strategy=strategy,
            budget=budget,
            classifier=classifier,
            seed=seed,
            text=text,
            memory=memory,
            boost=boost,
            boost_records=boost_records,
            drift=drift,
            learning=learning,
        )

    def loops(self) -> builtins.list[LoopInfo]:
        """Return the loops in the order they were made."""
        from labeling.opening import loop_info

        return [loop_info(self, record) for record in self.ledger.loops.all()]

    def open_items(self) -> int:
        """Return how many items are neither held out nor answered."""
        taken = holdout_ids(self.ledger) | self.ledger.annotations.answered()
        ids = self.item_store.frame(private=False)["item_id"]
        return len(ids) - int(ids.is_in(list(taken)).sum())

    def discarded(self) -> set[int]:
        """Return the items that somebody said do not belong."""
        return resolve.discarded(self.ledger)

    def labels(
        self,
        source: LabelSource | None = None,
        *,
        order: Sequence[LabelSource] | None = None,
        probabilities: bool | Sequence[LabelSource] = True,
    ) -> pl.DataFrame:
        """Return one row an item that has a label: people's, else the one that is likelier right.

        People come first. Between the newest weak run's label and the newest classifier's, the one with the
        higher chance of being right wins; the chance is learned from people's answers and development gold, out of
        sample. A class that only filled silence (`otherwise`) gives way to any classifier. Where nothing can be
        learned from yet, weak labels that votes decided come first. Nothing is trained, and the same version gives
        the same labels.

        Parameters
        ----------
        source
            Only labels of that kind. "gold" is what was known at import; it never resolves a label.
        order
            Sources by rank instead, such as ["human", "weak", "model"]: the first that has a label wins, whatever
            is measured; a source that is not listed is left out.
        probabilities
            False leaves the distributions out. A list of "weak" and "model" adds theirs beside those of each row's
            own source, as `weak_probabilities` and `model_probabilities`.

        Returns
        -------
        pl.DataFrame
            item_id, label, source, confidence, annotators, labeled_at, calibrated_on, probabilities,
            probabilities_note; for gold also role.

            `probabilities` is a structure with a number a class: the distribution of the row's source. Its largest
            number is that of `label`, and is `confidence`. People's are shares of their answers, or what
            these say once people are weighed; those of weak labels and classifiers are tempered so that
            the largest is the chance of being right, never below that of a guess. `calibrated_on` counts the items with
            a known truth that the chance was learned from; 0: it is as the source states it. `probabilities` are
            null, and `probabilities_note` says why, for more than two classes of a classifier that was trained
            before distributions were kept.

        Raises
        ------
        ValueError
            There is no such source, or the order or the list names none, or one twice.
        """
        from labeling.labels.resolving import resolved

        return resolved(self, source, order, probabilities)

    def annotations(self) -> pl.DataFrame:
        """Return everything that people did, oldest first, what was taken back included.

        `origin` tells what was not asked item by item: "alike" where the answer to the query `from_query` was
        taken over for a near-duplicate, "group" where a whole group was discarded or welcomed, "import" where it
        was given elsewhere (`add_annotations`).
        """
        return resolve.annotation_frame(self.ledger, self.label_set)

    def status(self) -> ProjectStatus:
        """Return where the project stands, in counts; they are counted once a version."""
        version = self.version()
        status: ProjectStatus = self.item_store.cached("status", version, lambda: self._status(version), tallies)
        return status

    def _status(self, version: int) -> ProjectStatus:
        from labeling.labels.resolving import counted

        items, gold = self.item_store.counts()
        counts = counted(self)
        return ProjectStatus(
            items=items,
            gold=gold,
            holdout=len(holdout_ids(self.ledger)),
            functions=len(self.ledger.functions.current()),
            weak_runs=len(self.ledger.functions.weak_runs()),
            loops=len(self.ledger.loops.all()),
            human=counts["human"],
            weak=counts["weak"],
            model=counts["model"],
            version=version,
        )

    def __repr__(self) -> str:
        return f"Project({self.name!r}, {self.storage})"

    def _repr_html_(self) -> str:
        import html

        status = self.status()
        return (
            f"<p><b>{html.escape(self.name)}</b> · {status.items:,} items · {status.functions} functions · "
            f"{status.human:,} human, {status.weak:,} weak labels</p>"
        )
