"""A database looked through: each check says in words what cannot be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, select, text
from sqlalchemy.exc import DBAPIError

from storage import tables
from storage.damage import damaged_items, damaged_rows
from storage.database import open_engine
from storage.ledger import Ledger
from storage.records import ProjectRecord
from storage.texts import DamagedText
from storage.upkeep.copying import snapshot
from storage.upkeep.counts import wrong_counts
from storage.upkeep.dangling import (
    DERIVED,
    dangling,
    first_of,
    listed,
    without_items,
    without_persons,
    without_projects,
)
from storage.upkeep.derived import dead_imports, lost_refit_leases, wrong_leases, wrong_votes

SAID_BELOW = (("vote_blocks", "votes"), ("weak_blocks", "item_ids"), ("holdouts", "item_ids"))
"""Columns that the checks of a project look at."""


@dataclass(frozen=True)
class Problem:
    """What cannot be right, in which project; None where it is the whole database's."""

    project: str | None
    what: str

    def __str__(self) -> str:
        return self.what if self.project is None else f"{self.project}: {self.what}"


@dataclass(frozen=True)
class Verification:
    """What was looked at in a database, and what was wrong.

    Attributes
    ----------
    projects
        How many were looked through.
    looked
        What was looked at.
    problems
        What was wrong; none where all is well.
    """

    projects: int
    looked: tuple[str, ...]
    problems: tuple[Problem, ...]


def _others(connection: Connection, ledger: Ledger) -> Iterator[str]:
    yield from dangling(connection, ledger.project.id, but=DERIVED)
    yield from without_items(connection, ledger.project.id)


def _answers(connection: Connection, ledger: Ledger) -> Iterator[str]:
    said, undone, query, label = (
        tables.annotations, tables.annotations.alias(), tables.queries, tables.annotation_labels,
    )  # fmt: skip
    other = and_(query.c.id == said.c.query_id, query.c.item_id != said.c.item_id)
    astray = and_(undone.c.id == said.c.undoes, undone.c.item_id != said.c.item_id)
    bare = ~exists(select(label.c.label_id).where(label.c.annotation_id == said.c.id))
    wrong: dict[str, ColumnElement[bool]] = {
        "answer a query of another item": exists(select(query.c.id).where(other)),
        "take back what was said of another item": exists(select(undone.c.id).where(astray)),
        "are answers without a label": and_(said.c.kind == "answer", bare),
    }
    for what, condition in wrong.items():
        mine = and_(said.c.project_id == ledger.project.id, condition)
        if rows := connection.scalars(first_of(said, mine)).all():
            yield f"annotations (id {listed(rows)}) {what}"


def _leases(connection: Connection, ledger: Ledger) -> Iterator[str]:
    for lease in wrong_leases(connection, ledger.project.id):
        yield f"the lease on item {lease.item_id} {lease.why}"


def _votes(connection: Connection, ledger: Ledger) -> Iterator[str]:
    for votes in wrong_votes(connection, ledger.project.id):
        yield f"kept votes of the function {votes.function} {votes.why}"


def _classes(connection: Connection, ledger: Ledger) -> Iterator[str]:
    sets, project = tables.label_sets, ledger.project
    rows = connection.execute(select(sets.c.version, sets.c.classes).where(sets.c.project_id == project.id))
    known = {row.version: {each["id"] for each in row.classes} for row in rows}
    every = set().union(*known.values())
    if set(known) != set(range(1, len(known) + 1)):
        yield f"versions of the classes are missing: there are {listed(sorted(known))}"
    refit, loop, run = tables.refits, tables.loops, tables.weak_runs
    refits = (
        select(loop.c.name, refit.c.round, refit.c.label_set, refit.c.label_ids)
        .join(loop, loop.c.id == refit.c.loop_id)
        .where(refit.c.project_id == project.id)
        .order_by(refit.c.id)
    )
    runs = select(run.c.number, run.c.label_set, run.c.label_ids).where(run.c.project_id == project.id)
    named = [(f"the refit {row[1]} of the loop {row[0]!r}", *row[2:]) for row in connection.execute(refits)]
    named += [(f"the weak run {row[0]}", *row[1:]) for row in connection.execute(runs.order_by(run.c.number))]
    for what, version, ids in named:
        if not set(ids) <= known.get(version, set()):
            gone = sorted(set(ids) - known.get(version, set()))
            yield f"{what} has classes ({listed(gone)}) that version {version} of the labels has not"
    label, said, gold = tables.annotation_labels, tables.annotations, tables.gold
    given = (
        select(label.c.label_id).join(said, said.c.id == label.c.annotation_id).where(said.c.project_id == project.id)
    )
    for what, statement in (
        ("answers", given),
        ("known answers", select(gold.c.label_id).where(gold.c.project_id == project.id)),
    ):
        odd = sorted(set(connection.scalars(statement.distinct())) - every)
        if odd:
            yield f"{what} name classes ({listed(odd)}) that the project never had"


def _imports(connection: Connection, ledger: Ledger) -> Iterator[str]:
    for _, name in dead_imports(connection, ledger.project.id):
        yield f"an import of {name!r} never completed, and nobody goes on with it"


CHECKS: dict[str, Callable[[Connection, Ledger], Iterator[str]]] = {
    "rows that name others": _others,
    "answers against queries": _answers,
    "leases": _leases,
    "kept votes against versions of functions": _votes,
    "classes of answers, refits and weak runs against the labels": _classes,
    "counts against facts": wrong_counts,
    "imports that never completed": _imports,
}
"""What is looked at in each project."""


def look_through(storage: str) -> Verification:
    """Look through a database, as it is at one moment, and change nothing.

    Raises
    ------
    StorageError
        There is no database, or it cannot be read at all.
    """
    engine = open_engine(storage)
    problems: list[Problem] = []
    looked = ["pages of the file"] if engine.dialect.name == "sqlite" else []
    projects: list[ProjectRecord] = []
    with snapshot(engine) as connection:
        try:
            if looked:
                problems += [Problem(None, f"the file is damaged: {line}") for line in _pages(connection)]
            whole = not problems
            problems += [Problem(None, what) for what in _of_none(connection)]
            if whole:
                # Where pages are damaged, SQLite has said so, and rows on them cannot be looked through.
                problems += [Problem(None, what) for what in _unreadable(connection)]
            rows = connection.execute(select(tables.projects).order_by(tables.projects.c.id)).all()
            projects = [ProjectRecord(r.id, r.uuid, r.name, r.description, r.created_at, r.archived_at) for r in rows]
            for ledger in [Ledger(engine, project) for project in projects]:
                for looks_at, check in CHECKS.items():
                    try:
                        problems += [Problem(ledger.project.name, what) for what in check(connection, ledger)]
                    except DamagedText:
                        problems.append(
                            Problem(ledger.project.name, f"{looks_at}: cannot be looked at for what is damaged")
                        )
        except DBAPIError:
            # Where pages are damaged, rows on them cannot be read.
            if not problems:
                raise
            problems.append(Problem(None, "what comes after that could not be read"))
    return Verification(len(projects), (*looked, *CHECKS), tuple(problems))


def _unreadable(connection: Connection) -> Iterator[str]:
    for project, items in damaged_items(connection).items():
        yield f"contents of items ({listed(items)}) of {project!r} cannot be read"
    for row in damaged_rows(connection):
        # Of these the checks below say more.
        if (row.table.name, row.column) not in SAID_BELOW:
            yield f"{row} cannot be read"


def _of_none(connection: Connection) -> Iterator[str]:
    yield from without_projects(connection)
    yield from without_persons(connection)
    for loop in lost_refit_leases(connection):
        yield f"the refit lease of loop {loop} is of a loop that is not there"


def _pages(connection: Connection) -> list[str]:
    """Return what SQLite itself finds wrong with its file."""
    return [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check(10)")) if row[0] != "ok"]
