"""What people are to work on: which loop, up to how many answers, until when; and what that leaves to ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from labeling.arguments import whole_number
from labeling.people.persons import person_of
from storage import root_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labeling.store.project_store import ProjectStore
    from storage.records import AssignmentRecord, LoopRecord, PersonRecord
    from storage.transactions import Connection

ONLY = "assigned only"
"""The kind of change of a project that says whether a loop asks nobody but those who are assigned to it."""

UNLIMITED = 1_000_000_000


@dataclass(frozen=True)
class Assignment:
    """What a person is to work on.

    `items` are answers to the loop's questions from `at` on, None for any number; `until` is None where it has no end.
    """

    uuid: str
    person: str
    name: str | None
    loop: str
    items: int | None
    until: datetime | None
    at: datetime


@dataclass(frozen=True)
class Allowance:
    """How many more questions a person may be asked in a loop, and why none where that is 0."""

    left: int = UNLIMITED
    why: str = ""


FREE = Allowance()


class Assignments:
    """The assignments of one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._ledger = store.ledger
        self._project = store.name

    def assign(self, person: str, loop: str, items: int | None, until: datetime | None, by: str | None) -> Assignment:
        """Give a person, who is added when new, work in a loop; it takes the place of what they had there."""
        if items is not None:
            whole_number("items", items, 1)
        record, end = self._loop(loop), _moment(until)
        with self._ledger.write() as write:
            lead = None if by is None else person_of(self._ledger, write.connection, by, add=True).id
            whose = person_of(self._ledger, write.connection, person, add=True)
            uuid = self._ledger.assignments.add(
                write, record.id, whose.id, items=items, until=end, active=True, by_id=lead
            )
        return Assignment(uuid, whose.uuid, whose.name, record.name, items, end, write.now)

    def withdraw(self, uuid: str, by: str | None) -> None:
        """Take an assignment back; raise LookupError where it does not stand."""
        with self._ledger.write() as write:
            found = next((each for each in self._standing(write.connection) if each.uuid == uuid), None)
            if found is None:
                raise LookupError(
                    f"The project {self._project!r} has no assignment {uuid!r} that stands: it was taken back, another "
                    "took its place, or it never was. project.assignments() lists those that stand."
                )
            lead = None if by is None else person_of(self._ledger, write.connection, by, add=True).id
            self._ledger.assignments.add(
                write, found.loop_id, found.person_id, items=None, until=None, active=False, by_id=lead
            )

    def only(self, loop: str, only: bool) -> None:
        """Let a loop ask nobody but those who are assigned to it, or anybody again."""
        self._ledger.change(ONLY, {"loop": self._loop(loop).name, "only": bool(only)})

    def frame(self) -> pl.DataFrame:
        """Return the assignments that stand, the oldest first; see `Project.assignments`."""
        ledger = self._ledger
        with ledger.view() as connection:
            loops = {loop.id: loop.name for loop in ledger.loops.all()}
            found, merges = self._standing(connection), ledger.persons.merges(connection)
            named = {root_of(each.person_id, merges) for each in found} | {each.by_id for each in found if each.by_id}
            people: Mapping[int, PersonRecord] = ledger.persons.some(connection, named)
            rows = []
            for each in found:
                who = people[root_of(each.person_id, merges)]
                given = self._given(connection, each, who.id)
                left = None if each.items is None else max(0, each.items - given)
                by = None if each.by_id is None else people[each.by_id].name
                row = (each.uuid, who.uuid, who.name, loops[each.loop_id], each.items, given, left, each.until, by)
                rows.append((*row, each.created_at))
        texts, numbers = pl.String(), pl.Int64()
        moment = pl.Datetime("us", "UTC")
        schema = {"assignment": texts, "person": texts, "name": texts, "loop": texts, "items": numbers}
        schema |= {"answered": numbers, "left": numbers, "until": moment, "by": texts, "at": moment}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def allowance(self, connection: Connection, loop: LoopRecord, annotator: str) -> Allowance:
        """Return how many more answers a person may give in a loop; what is asked already is among them."""
        ledger = self._ledger
        only = next(
            (d["only"] for _, d in reversed(ledger.changes_in(connection, ONLY)) if d["loop"] == loop.name), False
        )
        if not only and not ledger.assignments.all(connection):
            return FREE
        person = ledger.persons.who(connection, annotator)
        merges = ledger.persons.merges(connection)
        found = next(
            (
                each
                for each in self._standing(connection)
                if each.loop_id == loop.id and root_of(each.person_id, merges) == person
            ),
            None,
        )
        if found is None:
            why = f"The loop {loop.name!r} asks only those who are assigned to it, and {annotator!r} is not."
            return Allowance(0, f"{why} project.assign({annotator!r}, loop={loop.name!r}) does that.") if only else FREE
        if found.until is not None and datetime.now(UTC) > found.until:
            end = f"{found.until:%d %B %Y at %H:%M} UTC"
            return Allowance(0, f"The assignment of {annotator!r} to the loop {loop.name!r} ended on {end}.")
        if found.items is None or person is None:
            return FREE
        left = found.items - self._given(connection, found, person)
        if left <= 0:
            return Allowance(
                0, f"{annotator!r} has given the {found.items:,} answers assigned in the loop {loop.name!r}. Well done."
            )
        return Allowance(left)

    def open(self, connection: Connection, loop: LoopRecord, annotator: str) -> int:
        """Return how many questions of a loop a person has open, whichever holder has them."""
        persons = self._ledger.persons
        own = persons.here(connection).annotators(persons.who(connection, annotator))
        return self._ledger.leases.held_by(connection, loop.id, own)

    def _given(self, connection: Connection, assignment: AssignmentRecord, person: int) -> int:
        """Return how many answers a person has given since they were assigned."""
        annotators = self._ledger.persons.here(connection).annotators(person)
        facts = self._ledger.annotations.standing
        return facts.answered_by(connection, assignment.loop_id, annotators, assignment.seq)

    def _standing(self, connection: Connection) -> list[AssignmentRecord]:
        return self._ledger.assignments.standing(connection, self._ledger.persons.merges(connection))

    def _loop(self, name: str) -> LoopRecord:
        record = self._ledger.loops.get(name)
        if record is None:
            known = ", ".join(repr(each.name) for each in self._ledger.loops.all()) or "none yet"
            raise LookupError(f"There is no loop {name!r} in the project {self._project!r}; loops: {known}.")
        if record.kind != "pool":
            raise ValueError(
                f"{name!r} is a stream, which asks nobody in particular. People are assigned to pool loops."
            )
        return record


def _moment(until: datetime | None) -> datetime | None:
    if until is None:
        return None
    if not isinstance(until, datetime):
        raise TypeError(f"until= takes a moment, as datetime(2031, 5, 1, 18), got {until!r}.")
    return until.astimezone(UTC)
