"""The one door for scripts and pages: a project, and its verbs."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.functions.base import Rule
from labeling.labels import exporting
from labeling.labels.export_choice import Choice
from labeling.labels.records import LabelSource
from labeling.loops.records import LoopInfo
from labeling.people.annotations import annotation_frame, discarded
from labeling.people.assignments import Assignment, Assignments
from labeling.people.consensus import people
from labeling.people.documents import Documents
from labeling.people.given_answers import AnswersReport, add_annotations
from labeling.people.item_history import item_history
from labeling.people.persons import People, PeopleMerge
from labeling.people.remarks import Remarks
from labeling.people.roles import Roles
from labeling.project import erasing
from labeling.project.items import ProjectItems
from labeling.project.labels import LabelUse, ProjectLabels
from labeling.project.records import ProjectInfo, ProjectStatus
from labeling.project.rules import ProjectRules
from labeling.store.filters import FilterInfo, Filters
from labeling.store.holdout import holdout_ids
from labeling.store.imports import importing
from labeling.store.imports.answer_columns import hidden_columns
from labeling.store.label_set import LabelSet
from labeling.store.overlap import OVERLAP, Overlap, overlap_of
from labeling.store.project_store import ProjectStore
from labeling.store.snapshots import cached, tallies
from labeling.weak_labels.judged import judged_matrix, voted
from labeling.weak_labels.rule_report import Analysis
from storage import DESCRIPTION, GUIDELINES, Ledger, ProjectExists, list_projects

if TYPE_CHECKING:
    from labeling.classifiers.base import Classifier
    from labeling.executors import Engine
    from labeling.formats.mapping import Mapping as ColumnMapping
    from labeling.labels.records import ExportPreview, ExportReport
    from labeling.loops.drift.detectors import DriftDetector
    from labeling.loops.pool.loop import PoolLoop
    from labeling.loops.stopping.rules import StopRule
    from labeling.loops.stream.learning import StreamLearning
    from labeling.loops.stream.loop import StreamLoop
    from labeling.people.annotations import Annotation
    from labeling.store.function_comparison import FunctionComparison
    from labeling.store.function_store import Functions
    from labeling.store.imports.known_answers import GoldReport
    from labeling.store.imports.reports import ImportPreview, ImportReport, UndoneImport
    from labeling.store.items import Items
    from labeling.store.label_set import LabelClass
    from labeling.store.records import FunctionInfo, FunctionPreview, FunctionsReport
    from labeling.votes.label_models.base import LabelModel
    from labeling.votes.matrix import LabelMatrix
    from labeling.votes.suggestions import Suggestion
    from labeling.votes.weak_label_file import LabelFileReport
    from labeling.weak_labels.run import WeakPreview, WeakRun
    from strategies import Budget, Strategy


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def default_storage() -> str:
    """Return the database URL to use where none is given: LABELING_STORAGE, else a SQLite file here."""
    return os.environ.get("LABELING_STORAGE") or "sqlite:///labeling.db"


class Project:
    """Items, rules, loops and labels of one task, kept in a database.

    Make one with `Project.create`, open one with `Project.open`. All that is
    decided is on record: nothing is overwritten, and any number of processes may
    have the project open.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._store = ProjectStore(ledger)
        self._items = ProjectItems(self._store)
        self._rules = ProjectRules(self._store)
        self._filters = Filters(self._store)
        self._labels = ProjectLabels(self._store)
        self._remarks = Remarks(self._store)
        self._documents = Documents(self._store)
        self._people = People(self._store)
        self._roles = Roles(self._store)
        self._assignments = Assignments(self._store)
        ledger.imports.purge()

    @classmethod
    def create(
        cls,
        name: str,
        labels: Iterable[str | Mapping[str, Any]],
        *,
        storage: str | None = None,
        exist_ok: bool = False,
        description: str = "",
        annotators_per_item: int = 1,
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
        description
            What the project is about.
        annotators_per_item
            How many people answer each item; `set_annotators_per_item` says more.

        Raises
        ------
        ValueError
            The name or the labels cannot be used, or the project exists.
        storage.StorageError
            The database cannot be used.
        """
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            raise ValueError(f"A project needs a name of 1 to 200 characters, got {name!r}.")
        label_set, overlap = LabelSet.of(labels), Overlap(annotators_per_item)
        storage = storage or default_storage()
        settings = {OVERLAP: overlap.dump()} if overlap.several else None
        try:
            return cls(Ledger.create(storage, name.strip(), description, label_set.dump(), settings))
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
    def list(storage: str | None = None, *, archived: bool | None = False) -> builtins.list[ProjectInfo]:
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
            self.description,
            record.created_at,
            items,
            self.ledger.annotations.labeled_count(),
            self.archived,
        )

    @property
    def name(self) -> str:
        """The project's name."""
        return self._store.name

    @property
    def description(self) -> str:
        """What the project is about, as it was said last."""
        return self._store.description

    def set_description(self, text: str, by: str | None = None) -> None:
        """Say what the project is about; what was said before stays on record."""
        self._documents.set(DESCRIPTION, text, by)

    @property
    def guidelines(self) -> str:
        """How to label, as Markdown, in the newest version; empty where nothing was said."""
        return self._documents.text(GUIDELINES)

    def set_guidelines(self, text: str, by: str | None = None, *, after: int | None = None) -> int:
        """Say how to label, as Markdown: the next version. Each answer knows under which one it was given.

        Parameters
        ----------
        text
            All of it, at most 50,000 characters; "" takes the guidelines away.
        by
            Who says so.
        after
            The version that this one was made from, 0 for none; None takes any.

        Returns
        -------
        int
            The number of the version, from 1; the same text again makes none.

        Raises
        ------
        ValueError
            The text is too long, or holds what no database keeps.
        storage.StorageError
            The newest version is another than `after`.
        """
        return self._documents.set(GUIDELINES, text, by, after)

    def guideline_versions(self) -> pl.DataFrame:
        """Return a row a version of the guidelines, oldest first: version, text, who, at."""
        return self._documents.versions(GUIDELINES)

    @property
    def ledger(self) -> Ledger:
        """Where all of it is kept."""
        return self._store.ledger

    @property
    def store(self) -> ProjectStore:
        """Ledger, items, functions and classes, which loops, weak runs and exports read."""
        return self._store

    @property
    def storage(self) -> str:
        """The database's URL, with the password hidden."""
        return self.ledger.url

    def version(self) -> int:
        """Return the number of the newest write: it changes when anything does."""
        return self.ledger.version()

    def archive(self) -> None:
        """Put the project away: lists leave it out, and it can only be read.

        Its name stays taken, and all in it stays. Whoever was asked holds nothing any longer. `restore` brings it back.
        """
        self.ledger.set_archived(True)

    def restore(self) -> None:
        """Bring a project back that was archived."""
        self.ledger.set_archived(False)

    @property
    def archived(self) -> bool:
        """Whether the project was archived: it can be read, and nothing can be written to it."""
        return self.ledger.archived_at() is not None

    @property
    def item_store(self) -> Items:
        """The items, made columnar."""
        return self._store.items

    @property
    def function_store(self) -> Functions:
        """The labeling functions and their votes."""
        return self._store.functions

    @property
    def label_set(self) -> LabelSet:
        """The classes as they are now."""
        return self._store.label_set

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in order."""
        return self.label_set.classes

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the classes in order."""
        return self.label_set.names

    def add_label(self, name: str, definition: str = "", key: str | None = None) -> None:
        """Add a class; earlier answers stay."""
        self._labels.add(name, definition, key)

    def rename_label(self, old: str, new: str) -> None:
        """Give a class another name; everything said about it follows."""
        self._labels.rename(old, new)

    def describe_label(self, name: str, definition: str | None = None, key: str | None = None) -> None:
        """Set the definition or the shortcut key of a class."""
        self._labels.describe(name, definition, key)

    def label_use(self, name: str) -> LabelUse:
        """Return what names a class now: what merging, splitting or retiring it would touch.

        Raises
        ------
        ValueError
            There is no such label.
        """
        return self._labels.use(name)

    def merge_labels(self, names: Iterable[str], into: str) -> None:
        """Make several classes one; answers, votes, predictions and known answers of each count for it.

        Parameters
        ----------
        names
            The labels to merge.
        into
            One of them, another label, or a new one. Their names go on meaning it.

        Raises
        ------
        ValueError
            A name is no label, there are not two to merge, or fewer than two labels would be left.
        """
        self._labels.merge(names, into)

    def split_label(self, name: str, into: Iterable[str | Mapping[str, Any]]) -> int:
        """Put new classes in the place of one, and ask again what was answered with it.

        Its answers stay on record and count neither as answers nor against a budget; the loops that asked them ask
        them again, before anything else. Known answers of the class are unknown until they are given anew, and its
        rules are paused. `label_use` says beforehand what that is.

        Parameters
        ----------
        name
            The label to split.
        into
            At least two new labels, names or mappings as for `Project.create`.

        Returns
        -------
        int
            How many items are open again.

        Raises
        ------
        ValueError
            There is no such label, or the new ones cannot be used; the name of the old one is not given again.
        """
        return self._labels.split(name, into)

    def retire_label(self, name: str) -> None:
        """Take a class out of use: nobody is offered it, its answers stay on record and name no class.

        Items that were answered with it are not asked again. Its known answers are unknown, its rules are paused.

        Raises
        ------
        ValueError
            There is no such label, or fewer than two would be left.
        """
        self._labels.retire(name)

    @property
    def annotators_per_item(self) -> Overlap:
        """How many people answer an item: for which share of the items, and chosen how."""
        return overlap_of(self.ledger)

    def set_annotators_per_item(
        self, people: int, *, share: float = 1.0, rule: str = "all", below: float = 0.6, seed: int = 0
    ) -> None:
        """Ask several people about an item, each at most once; whoever comes later does not see what others said.

        Parameters
        ----------
        people
            Answers wanted on a chosen item; 1 on the others.
        share
            Of the items that the rule allows, how many are chosen, in (0, 1].
        rule
            "all"; "disagreement": where answers differ from each other or from what the model said when it was asked;
            "low confidence": where the likeliest class had less than `below` then.
        below, seed
            For "low confidence", and to choose the share by.

        Raises
        ------
        ValueError
            One of them is out of range.
        """
        self.ledger.change(OVERLAP, Overlap(people, share, rule, below, seed).dump())

    def people(self) -> pl.DataFrame:
        """Return one row a person who has answered here, has a role, or an assignment; of people that are one, one.

        Columns: person (the UUID), name (null where it was erased), names (under which there are answers here), role
        (annotator, reviewer, lead, none; null where nobody gave one), answers (that stand), assignments (loops),
        accounts (of the sign-in), since (when the database first knew this person).
        """
        return self._people.frame()

    def merged_people(self) -> pl.DataFrame:
        """Return one row a person who counts as another one of this project, since `merge_people`.

        Columns: person, name, into, into_name: UUIDs and names, null where those were erased.
        """
        return self._people.merged()

    def link_account(self, person: str, account: str | None, *, by: str | None = None) -> None:
        """Say whose an account of the sign-in is; it takes the place of the account that this person had before.

        No account takes over a person because the names are the same. That it was linked stays on record; the account
        itself goes where the person's name is erased.

        Parameters
        ----------
        person
            A name, or the UUID that `people` shows; of people who were merged, the one as whom they count.
        account
            What the sign-in says who somebody is, often an address; None takes the account away.
        by
            Who says so.

        Raises
        ------
        LookupError
            There is no such person.
        ValueError
            The account is somebody else's, is no name, the person's name was erased, or several people have this name.
        """
        self._people.link(person, account, by)

    def set_role(self, person: str, role: str, *, by: str | None = None, everywhere: bool = False) -> None:
        """Give a person a role. It is on record and restricts no call from Python; the app's sign-in reads it.

        Parameters
        ----------
        person
            A name, or the UUID that `people` shows; a new name is a new person.
        role
            "annotator", "reviewer", "lead", or "none": taken away.
        by
            Who gives it.
        everywhere
            In all projects of the database that give this person none of their own.

        Raises
        ------
        ValueError
            There is no such role, or several people have this name.
        """
        self._roles.give(person, role, by, everywhere=everywhere)

    def assign(
        self,
        person: str,
        *,
        loop: str,
        items: int | None = None,
        until: datetime | None = None,
        by: str | None = None,
    ) -> Assignment:
        """Give a person work in a pool loop, in place of what they were assigned there before.

        `ask` then gives this person no more than that, and nothing afterwards. Whoever has no assignment is asked as
        ever, unless `set_assigned_only` says otherwise.

        Parameters
        ----------
        person
            A name, or the UUID that `people` shows; a new name is a new person.
        loop
            The name of the loop.
        items
            Answers to the loop's questions from now on, default any number.
        until
            When it ends, default never; without a zone, in that of this machine.
        by
            Who assigns it.

        Raises
        ------
        LookupError
            There is no such loop.
        ValueError
            The loop is a stream, `items` is less than 1, or several people have this name.
        """
        return self._assignments.assign(person, loop, items, until, by)

    def withdraw(self, assignment: Assignment | str, *, by: str | None = None) -> None:
        """Take an assignment, or the one of that UUID, back; answers stay, and the person is asked as ever.

        Raises
        ------
        LookupError
            It does not stand.
        """
        self._assignments.withdraw(getattr(assignment, "uuid", str(assignment)), by)

    def assignments(self) -> pl.DataFrame:
        """Return the assignments that stand, the oldest first.

        Columns: assignment, person (UUIDs), name, loop, items, answered (since then), left (null where any number
        goes), until, by, at.
        """
        return self._assignments.frame()

    def set_assigned_only(self, loop: str, only: bool = True) -> None:
        """Let a pool loop ask nobody but those who are assigned to it; False lets it ask anybody again."""
        self._assignments.only(loop, only)

    def preview_merge_people(self, person: str, into: str) -> PeopleMerge:
        """Return what `merge_people` would touch: answers, items that both answered, projects."""
        return self._people.preview(person, into)

    def merge_people(self, person: str, into: str, *, by: str | None = None) -> PeopleMerge:
        """Let a person count as another one, in all projects of the database; nothing that was said is changed.

        Where both answered an item the later answer counts, as for a correction. Neither is asked again what the other
        has answered. `unmerge_people` takes it back.

        Parameters
        ----------
        person, into
            Names, or the UUIDs that `people` shows.
        by
            Who says so.

        Raises
        ------
        LookupError
            There is no such person.
        ValueError
            They are one already, the first counts as somebody else, or several people have a name.
        """
        return self._people.merge(person, into, by)

    def unmerge_people(self, person: str, *, by: str | None = None) -> None:
        """Let a person who counted as another one count for themselves again, with all that was said under the name.

        Raises
        ------
        LookupError
            There is no such person.
        ValueError
            They count as nobody else.
        """
        self._people.unmerge(person, by)

    def history(self, item_id: int) -> pl.DataFrame:
        """Return everything that ever happened to an item, oldest first.

        Columns: at, event (imported, imported again, gold, asked, decided, answer, unsure, skip, discard, welcome,
        undo, note, flag, unflag, comment, erased), who, loop, label, details.

        Raises
        ------
        LookupError
            There is no such item.
        """
        return item_history(self._store, item_id)

    def add_note(self, item_id: int, text: str, annotator: str) -> None:
        """Note something about an item, for everybody who works on it."""
        self._remarks.note(item_id, text, annotator)

    def flag(self, item_id: int, annotator: str, reason: str = "") -> None:
        """Flag an item for a second look; `unflag` takes that away."""
        self._remarks.flag(item_id, annotator, reason)

    def unflag(self, item_id: int, annotator: str) -> None:
        """Take the flag of an item away, whoever set it."""
        self._remarks.unflag(item_id, annotator)

    def flagged(self) -> pl.DataFrame:
        """Return the items that are flagged: item_id, who, reason, at."""
        return self._remarks.flagged()

    def comment(self, annotation: Annotation | str, text: str, annotator: str) -> None:
        """Comment on something that somebody did, by the annotation or its UUID.

        Raises
        ------
        LookupError
            There is no such annotation in this project.
        """
        self._remarks.comment(getattr(annotation, "uuid", str(annotation)), text, annotator)

    def remarks(self, item_id: int | None = None) -> pl.DataFrame:
        """Return notes, flags and comments, of one item or of all, oldest first.

        Columns: item_id, kind (note, flag, unflag, comment), text, who, annotation (the UUID of what a comment is
        about), at.
        """
        return self._remarks.frame(item_id)

    def preview_items(self, source: object, **options: Any) -> ImportPreview:
        """Return what `add_items` would do with the same options: the first rows, what would be rejected, and why."""
        return self._items.preview(source, options)

    def add_items(
        self,
        source: object,
        *,
        text: str | None = None,
        id: str | None = None,  # noqa: A002 - the users' word
        gold: str | None = None,
        group: str | None = None,
        private: Sequence[str] = (),
        image: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | int | None = None,
        format: str | None = None,  # noqa: A002 - the name that users know
        decimal: str | None = None,
        dates: str | None = None,
        name: str | None = None,
        add_labels: bool = False,
        hidden: Sequence[str] | None = None,
        holdout: float | None = None,
        progress: importing.Progress = None,
    ) -> ImportReport:
        """Import rows: a path or an open file (CSV, JSON, Parquet, Excel, also as gz or zip), or a frame.

        The path may also be that of a data set folder: an export, or what `save_to_disk` of `datasets` wrote.

        Exact duplicates are kept as source rows of one item; rows that are in the
        project already, by id or by content, are not added again; rows that cannot
        be read are reported. It is all or nothing for a source that is broken.

        Parameters
        ----------
        text, id, gold, group, image
            The columns that hold the text, the user's own id, the known label, a
            group that no hold-out splits, a picture. What is not given is found by
            name as in the last import, else by a look at the columns; gold only
            counts where it is named here.
        private
            Columns that neither a page nor an export shows unless asked to.
        encoding, delimiter
            Of a text file, where the guess is wrong.
        sheet
            Of a workbook, its name, or its number from 1; None: the first that holds anything.
        format
            ``"label_studio"``, ``"prodigy"`` or ``"doccano"`` for tasks of these tools, ``"plain"`` for JSON as it
            is; None: found from the first tasks. Labels in them are known answers where ``gold="label"`` says so.
        decimal, dates
            ``","`` reads numbers with a decimal comma, ``"day-first"`` or ``"month-first"`` dates such as 31.12.2024,
            in columns where every cell is one. The preview offers them; unasked, such columns stay texts.
        name
            What to call the source in messages.
        add_labels
            Make labels of the values of the gold column that are none yet.
        hidden
            Columns that annotators are not shown, [] for none; default those that look like the answer, by name or
            by what they hold. `hide_columns` changes that later.
        holdout
            The share of the known answers to hold out once they are in, as by `set_holdout`. Where there are none,
            nothing is imported.
        progress
            None for a bar where it takes more than a second, True for one at once, False
            for none, or a callable that gets (rows done, rows in all).

        Raises
        ------
        ValueError
            The source is broken, a column is missing, a gold value is no label.
        """
        return self._items.add(
            source,
            {"text": text, "id": id, "gold": gold, "group": group, "image": image},
            private,
            _given(
                encoding=encoding,
                delimiter=delimiter,
                sheet=sheet,
                format=format,
                decimal=decimal,
                dates=dates,
                name=name,
            ),
            add_labels=add_labels,
            hidden=hidden,
            holdout=holdout,
            progress=progress,
        )

    def set_gold(
        self,
        source: object,
        *,
        gold: str,
        id: str | None = None,  # noqa: A002 - the users' word
        item_id: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        sheet: str | int | None = None,
        name: str | None = None,
    ) -> GoldReport:
        """Add or correct known answers of items that are there.

        Nothing is overwritten: the newest known answer of an item counts, and `undo_import` takes these back.
        A hold-out that was drawn stays as it is.

        Parameters
        ----------
        source
            A file or frame, as `add_items` takes it.
        gold
            The column of known answers. Values that are no label are left out and named in the report.
        id, item_id
            The column of your own ids, or of Tally's item numbers. Without either, the column that the project's
            ids have, else `item_id`.
        encoding, delimiter, sheet, name
            As for `add_items`.

        Raises
        ------
        ValueError
            The source is broken, a column is missing, or an id stands there with different answers.
        """
        reading = _given(encoding=encoding, delimiter=delimiter, sheet=sheet, name=name)
        return self._items.set_gold(source, gold, id=id, item_id=item_id, reading=reading)

    def imports(self) -> pl.DataFrame:
        """Return a row an import, oldest first.

        Columns: import_id; name; kind ("items", "gold" for known answers alone, "stream" for records offered to a
        stream); rows, added, known, gold as its report counted them; at; taken_back.
        """
        return self._items.imports()

    def preview_undo_import(self, import_id: int) -> UndoneImport:
        """Return what `undo_import` would take back."""
        return self._items.preview_undo(import_id)

    def undo_import(self, import_id: int) -> UndoneImport:
        """Take an import back as one step: what it alone brought leaves the pool, labels, rules and export.

        Items that another import has too stay. What people answered stays on record, and counts again when the
        file is imported again. Known answers that came with the import go with it.

        Parameters
        ----------
        import_id
            As `imports` lists it, or `ImportReport.import_id`.

        Raises
        ------
        LookupError
            There is no such import.
        ValueError
            It was taken back already, or holds the records of a stream.
        """
        return self._items.undo(import_id)

    def last_mapping(self) -> ColumnMapping | None:
        """Return how the columns of the last import were mapped."""
        return self._items.last_mapping()

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """The columns of the items and their types."""
        return dict(self._store.items.columns().dtypes)

    @property
    def text_column(self) -> str | None:
        """The column that holds the text."""
        return self._store.items.columns().named("text")

    @property
    def image_column(self) -> str | None:
        """The column that holds a picture."""
        return self._store.items.columns().named("image")

    @property
    def hidden_columns(self) -> tuple[str, ...]:
        """The columns that annotators are not shown, sorted."""
        return hidden_columns(self._store.ledger)

    def hide_columns(self, columns: Sequence[str]) -> None:
        """Choose which columns annotators are not shown; [] shows all. Rules, models and exports see them as before.

        Raises
        ------
        ValueError
            There is no such column, or it holds the text or the picture.
        """
        self._items.hide(columns)

    def items(self, columns: Sequence[str] | None = None, private: bool = False) -> pl.DataFrame:
        """Return the items: item_id, then their columns (pictures left out)."""
        frame = self._store.items.frame(private=private)
        return frame if columns is None else frame.select("item_id", *columns)

    def item(self, item_id: int) -> dict[str, Any]:
        """Return one item with its picture.

        Raises
        ------
        LookupError
            There is no such item.
        """
        return self._items.one(item_id)

    def search_items(self, text: str = "", offset: int = 0, limit: int = 50) -> tuple[pl.DataFrame, int]:
        """Return a page of the items that contain `text` in any case, and how many there are in all."""
        return self._items.search(text, offset, limit)

    def erase(self, item_ids: Sequence[int], reason: str = "", backups: Sequence[str | Path] = ()) -> int:
        """Delete what items hold and what was noted on them, for good; their ids and labels stay as tombstones.

        What was computed of items and kept beside the database goes too. Exports that were written, copies in other
        databases and models that learned from an item are out of reach.

        Parameters
        ----------
        item_ids
            Of the items.
        reason
            Why, for the record.
        backups
            Backups, as `labeling.upkeep.backup` makes them, in which the same is to be erased.

        Returns
        -------
        int
            How many items there were that held anything.

        Raises
        ------
        storage.StorageError
            A backup is not there, or not of this project; nothing was erased.
        """
        return erasing.erase_items(self._store, item_ids, reason, backups)

    def erase_person(self, annotator: str, backups: Sequence[str | Path] = ()) -> None:
        """Delete the names of a person in the whole database, for good: what they did stays, by nobody named.

        Whoever was merged with this person is the same person. Exported files and what people wrote in notes are out of
        reach.

        Parameters
        ----------
        annotator
            The name, or the UUID that `people` shows.
        backups
            Backups in which the same is to be erased.

        Raises
        ------
        LookupError
            Nobody in the project is called that.
        ValueError
            Several people of the database are, and none has answered here: say which by the UUID.
        storage.StorageError
            A backup is not there, or not of this project; nothing was erased.
        """
        erasing.erase_person(self._store, annotator, backups)

    def erase_project(self, name: str, backups: Sequence[str | Path] = ()) -> Mapping[str, int]:
        """Delete this project, for good: items, labels, loops and all else; also where it is archived.

        A tombstone keeps its UUID and what it counted; its name is free again. Whoever has it open can write no more.

        Parameters
        ----------
        name
            The project's name, so that no other is meant.
        backups
            Backups in which it is to be erased too.

        Returns
        -------
        Mapping[str, int]
            How many rows of each table were deleted.

        Raises
        ------
        ValueError
            It has another name.
        storage.StorageError
            A backup is not there, or not of this project; nothing was erased.
        """
        return erasing.erase_project(self._store, name, backups)

    def set_holdout(self, fraction: float = 0.3, seed: int = 0) -> int:
        """Choose gold items that score classifiers and are never asked; return how many.

        The choice is seeded and splits neither a group nor near-duplicate texts. Setting it again replaces it.

        Raises
        ------
        ValueError
            There is no gold, or the fraction is outside (0, 1).
        """
        return self._items.set_holdout(fraction, seed)

    def add_annotations(
        self,
        source: object,
        *,
        id: str | None = None,  # noqa: A002 - the users' word
        item_id: str | None = None,
        annotator: str | None = None,
        label: str | None = None,
        at: str | None = None,
        uuid: str | None = None,
        **reading: Any,
    ) -> AnswersReport:
        """Record answers that people gave elsewhere, as annotations of items that are here.

        Every answer counts as one of its annotator; of several by one person about an item the last counts, so one
        that is older than what is on record is put aside. The same again adds nothing. Answers to held-out items are
        not taken, and counted in what is returned. It is all or nothing.

        Parameters
        ----------
        source
            A frame or a file with an answer a row, or tasks of Label Studio, Prodigy or doccano with what was answered
            in them. Items without an id there are found by their text.
        id, item_id
            The column of your own ids, or of Tally's item numbers.
        annotator
            The column of who answered; rows without a name are those of "unnamed".
        label
            The column of labels.
        at
            The column of when, as ISO 8601, or as seconds or milliseconds since 1970; without it, now.
        uuid
            The column of ids of your own, one an answer, default one called uuid; without it they are derived from
            item, person, label and time.
        **reading
            As for `add_items`: ``encoding``, ``delimiter``, ``sheet``, ``format``, ``name``.

        Raises
        ------
        ValueError
            There are no items, the source is broken, a column is missing, or an id of your own names another answer.
        """
        columns = {"id": id, "item_id": item_id, "annotator": annotator, "label": label, "at": at, "uuid": uuid}
        return add_annotations(self._store, source, columns, reading)

    def add_functions(self, functions: Sequence[object]) -> FunctionsReport:
        """Keep labeling functions; an identical one is no change, a changed body is a new version."""
        return self._store.functions.add(functions, self._store.label_set)

    def functions(self) -> builtins.list[FunctionInfo]:
        """Return the labeling functions."""
        return self._store.functions.infos(self._store.label_set)

    def remove_function(self, name: str) -> None:
        """Retire a labeling function; its history stays."""
        self._store.functions.remove(name)

    def preview(self, function: object) -> FunctionPreview:
        """Return what a labeling function would match, without keeping it."""
        return self._store.functions.preview(function, self._store.label_set)

    def label_matrix(self, progress: bool = True, *, executor: Engine = None) -> LabelMatrix:
        """Return what every labeling function votes on every item.

        Votes are kept: only what was not asked before is computed, here, or where an executor runs (see `apply`).
        """
        return self._store.functions.matrix(self._store.label_set, progress=progress, executor=executor)

    def item_votes(self, item_id: int) -> builtins.list[Mapping[str, str | None]]:
        """Return function, expert and label of every vote on one item."""
        return exporting.votes_of(self.label_matrix(), item_id)

    def weak_label_file(
        self,
        source: str | Path,
        model: LabelModel,
        destination: str | Path,
        *,
        skip_missing: bool = False,
        **options: Any,
    ) -> LabelFileReport:
        """Label a Parquet file of any size with the functions of this project, past the ledger.

        Parameters
        ----------
        source, model, destination
            As for `labeling.weak_label_file`, with its `options`: keep, executor, progress.
        skip_missing
            Leave functions out whose code is not in this process.

        Raises
        ------
        FunctionNotLoaded
            The code of a function is not in this process.
        """
        return self._rules.label_file(source, model, destination, skip_missing=skip_missing, options=options)

    def judged_matrix(self, *, executor: Engine = None) -> LabelMatrix:
        """Return the label matrix with all that label models may know: development gold, people's labels."""
        return judged_matrix(self._store, executor)

    def voted(self, versions: Sequence[str]) -> LabelMatrix:
        """Return what the functions voted as they were: `versions` are texts such as "politics@2"."""
        return voted(self._store, versions)

    def compare_functions(self, old: object, new: object) -> FunctionComparison:
        """Return which votes the new function gains, loses and flips beside the old one, with examples.

        Parameters
        ----------
        old, new
            A labeling function, kept or not; the name of a kept one; or its name and
            version, as in "politics@1".
        """
        return self._store.functions.compare(old, new, self._store.label_set)

    def analysis(self) -> Analysis:
        """Return what the rules are worth and which are missing, as frames; see `Analysis`."""
        return Analysis(self._store)

    def suggest_functions(self, n: int = 20) -> builtins.list[Suggestion]:
        """Return keyword rules mined from people's labels and development gold, those that add most first."""
        return self.analysis().suggestions(n)

    def weak_label(self, model: LabelModel, *, executor: Engine = None) -> WeakRun:
        """Combine the votes into one soft label an item, and keep the run.

        Label models that learn use what is known: development gold, and people's
        labels; never the hold-out's. Votes that are not kept yet are computed here, or where an executor
        runs (see `apply`).
        """
        return self._rules.run(model, executor)

    def preview_weak_label(self, model: LabelModel, *, executor: Engine = None) -> WeakPreview:
        """Return what a weak run would give, without keeping it."""
        return self._rules.preview_run(model, executor)

    def weak_run(self, number: int | None = None) -> WeakRun:
        """Return a weak run by its number, default the newest.

        Raises
        ------
        LookupError
            There is no such run.
        """
        return self._rules.weak_run(number)

    def newest_weak_run(self) -> WeakRun | None:
        """Return the newest weak run, None if there is none; its arrays are kept in this process."""
        return self._rules.newest_run()

    def weak_runs(self) -> pl.DataFrame:
        """Return a row a weak run: number, model, items, labeled, at."""
        return self._rules.runs()

    def save_filter(self, name: str, rule: object) -> None:
        """Keep a rule as a filter, to look at or to ask more in: `Region("politics")`.

        A filter of that name is replaced from now on; its history stays.

        Parameters
        ----------
        name
            Unlike the names of labeling functions and columns.
        rule
            Made by `keyword`, `regex` or `comparison`: data, which any process can read. The label that it
            would vote for does not matter. A Polars expression is code: pass it with
            ``pool_loop(…, regions={"name": expression})``.

        Raises
        ------
        TypeError
            The rule is code.
        ValueError
            The name is taken, or there is no such column.

        Examples
        --------
        >>> import tempfile
        >>> from labeling import Project, keyword
        >>> project = Project.create("p", ["ok", "spam"], storage=f"sqlite:///{tempfile.mkdtemp()}/work.db")
        >>> report = project.add_items(pl.DataFrame({"text": ["the senate votes", "my cat sleeps"]}))
        >>> project.save_filter("politics", keyword("politics", ["senate"], label="any"))
        >>> project.filtered("politics")["text"].to_list()
        ['the senate votes']
        """
        self._filters.save(name, rule)

    def filters(self) -> builtins.list[FilterInfo]:
        """Return the saved filters by name."""
        return self._filters.all()

    def remove_filter(self, name: str) -> None:
        """Drop a saved filter; its history stays. A loop that asks in it must not be refitted afterwards."""
        self._filters.remove(name)

    def filtered(self, name: str) -> pl.DataFrame:
        """Return the items that a saved filter picks out."""
        return self._filters.items(name)

    def export(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002 - the users' word
        source: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        min_confidence: float | None = None,
        split: str | None = None,
        columns: str | Sequence[str] | None = None,
        where: str | Rule | pl.Expr | None = None,
        private: bool = False,
        probabilities: str | Sequence[str] = (),
        escape_formulas: bool = True,
        progress: exporting.Progress = True,
    ) -> ExportReport:
        """Write the data set with its evidence: a file by its suffix, or a folder for `datasets`.

        Rows come as they were imported, duplicates included, discarded items left out. The file appears when it is
        complete; on an error nothing changes. What was chosen is put on record, see `exports`.

        Parameters
        ----------
        path
            With the suffix of a format (.csv, .jsonl, .parquet); without a suffix a folder that
            `datasets.load_from_disk` opens, the hold-out as its test split, with a card that says what it holds.
        format
            The name of a format, where the path does not say.
        source
            Only rows whose label comes from there: one or several of "human", "weak", "model".
        order
            Which source comes first where several have a label, as for `labels`; one that is not listed is left out.
        min_confidence
            Only labels at least that sure, from 0 to 1.
        split
            "train" or "test": only what is not held out, or only what is.
        columns
            Only these columns of the items, beside those that tell of the label. Default: all that are not private.
        where
            Only items that a filter picks out: the name of a saved one, a rule made by `keyword`, `regex` or
            `comparison`, or a Polars expression over the columns of the items.
        private
            Let private columns out: all, or those that `columns` names.
        probabilities
            "weak", "model" or both: their distributions in columns of their own, `weak_probabilities` and
            `model_probabilities`, beside `probabilities`, which are those of each row's own source.
        escape_formulas
            In CSV, put an apostrophe before cells that a spreadsheet would run.
        progress
            Show a bar where it takes more than a second; or a function to call instead, after each block, with the rows
            that are done and those there are.

        Raises
        ------
        ValueError, LookupError, TypeError
            A choice names what is not there, or a private column without `private=True`; or no row is left.
        """
        self.ledger.check_writable()
        choice = Choice.of(
            source=source,
            order=order,
            min_confidence=min_confidence,
            split=split,
            columns=columns,
            where=where,
            private=private,
            probabilities=probabilities,
        )
        return exporting.export(
            self._store, path, choice, format=format, escape_formulas=escape_formulas, progress=progress
        )

    def preview_export(
        self,
        *,
        source: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        min_confidence: float | None = None,
        split: str | None = None,
        columns: str | Sequence[str] | None = None,
        where: str | Rule | pl.Expr | None = None,
        private: bool = False,
        probabilities: str | Sequence[str] = (),
        rows: int = 5,
    ) -> ExportPreview:
        """Return what an export with the same choices would hold: counts by label and source, and the first rows.

        Nothing is written or put on record; the votes of the rules are left out of the rows.
        """
        choice = Choice.of(
            source=source,
            order=order,
            min_confidence=min_confidence,
            split=split,
            columns=columns,
            where=where,
            private=private,
            probabilities=probabilities,
        )
        return exporting.preview(self._store, choice, rows)

    def exports(self) -> pl.DataFrame:
        """Return a row an export, newest first: name, format, rows, sha256, at, private, options.

        `private` lists the private columns that left; null for exports made before that was kept, which say in
        their `options` (JSON: what was chosen) whether all of them did.
        """
        return exporting.exports(self.ledger)

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
        and not stored: with one (see `apply`), refits ask rules for their votes, make features of the pool and
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
        from labeling.loops.pool.opening import open_pool_loop

        return open_pool_loop(
            self._store,
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
        from labeling.loops.stream.opening import open_stream_loop

        return open_stream_loop(
            self._store,
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
        from labeling.loops.pool.opening import loop_info

        return [loop_info(self._store, record) for record in self.ledger.loops.all()]

    def open_items(self) -> int:
        """Return how many items are neither held out nor answered."""
        return self._store.open_items()

    def discarded(self) -> set[int]:
        """Return the items that somebody said do not belong."""
        return discarded(self.ledger)

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

        return resolved(self._store, source, order, probabilities)

    def annotations(self) -> pl.DataFrame:
        """Return everything that people did, oldest first, what was taken back included.

        `origin` tells what was not asked item by item: "alike" where the answer to the query `from_query` was
        taken over for a near-duplicate, "group" where a whole group was discarded or welcomed, "import" where it
        was given elsewhere (`add_annotations`), "split" where an answer was taken back as its class was split. A `late`
        answer came after its item had gone to somebody else; it counts while nobody else's answer stands.
        `guidelines` is the version that was in force (`guideline_versions`); null where there was none, and for
        answers given elsewhere.
        """
        return annotation_frame(self.ledger, self.label_set)

    def annotators(self) -> pl.DataFrame:
        """Return a row a person whose answers count, by name.

        Columns: annotator; answers; shared, of which others answered the item too; estimated_accuracy, how often the
        person is right, as told from whom they agree with (Dawid and Skene), which `labels` weighs their answers by.
        It is null for who shares no item, and for all until 20 items have answers of several people.
        """
        return people(self.ledger, self.label_set)

    def status(self) -> ProjectStatus:
        """Return where the project stands, in counts; they are counted once a version."""
        version = self.version()
        return cached(self.ledger.place, "status", version, lambda: self._status(version), tallies)

    def _status(self, version: int) -> ProjectStatus:
        from labeling.labels.resolving import counted

        items, gold = self.item_store.counts()
        counts = counted(self._store)
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
