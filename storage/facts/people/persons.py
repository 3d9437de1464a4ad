"""People of the whole database, what projects call them, and which of them count as one."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, delete, exists, insert, select, text, update

from storage import tables
from storage.records import PersonRecord
from storage.transactions import shared_of

if TYPE_CHECKING:
    from storage.transactions import Transactions, Write

ACCOUNT = "account"
"""The kind of change of a project that says whose account was linked, or is no more."""


@dataclass(frozen=True)
class Merged:
    """Which annotators of a project are one person since a merge; nobody here where there was none.

    Attributes
    ----------
    leads
        Of each annotator of such a person, the annotator that stands for all of theirs.
    names
        Of each, how the person is called.
    called
        The same by the annotator's own name, those among them who have said nothing in this project.
    ids
        By name, all annotators of the person.
    """

    leads: Mapping[int, int] = field(default_factory=dict)
    names: Mapping[int, str | None] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def lead(self, annotator_id: int) -> int:
        """Return the annotator that stands for all of a person."""
        return self.leads.get(annotator_id, annotator_id)

    def same(self, annotator_id: int) -> tuple[int, ...]:
        """Return all annotators who are the person of this one."""
        lead = self.leads.get(annotator_id)
        return (annotator_id,) if lead is None else tuple(id_ for id_, of in self.leads.items() if of == lead)

    def name(self, annotator_id: int, own: str | None) -> str | None:
        """Return how the person of an annotator is called, whose own name is `own`."""
        return self.names.get(annotator_id, own)

    def is_named(self, name: str) -> ColumnElement[bool]:
        """Return the condition that an annotator is the person who gave this name."""
        table = tables.annotators
        return table.c.id.in_(self.ids[name]) if name in self.ids else table.c.name == name

    def by_person(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return what is the same for all annotators of a person, of a column of annotators' ids."""
        moved = {id_: lead for id_, lead in self.leads.items() if id_ != lead}
        return case(moved, value=column, else_=column) if moved else column


@dataclass(frozen=True)
class Here:
    """Who answers in a project: of each annotator the person that counts, and the annotator's own name."""

    people: Mapping[int, int]
    names: Mapping[int, str | None]
    by_name: Mapping[str, int]

    def annotators(self, person_id: int | None) -> tuple[int, ...]:
        """Return the annotators of a person."""
        return tuple(id_ for id_, person in self.people.items() if person == person_id)


NOBODY = Merged()
"""Nobody counts as anybody else."""


class PersonFacts:
    """The people of one project's database."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._project_id = transactions.project.id

    def annotator(self, connection: Connection, name: str) -> int:
        """Return the id of an annotator, who is added when new, as the person of that name."""
        table = tables.annotators
        found = connection.scalar(self._named, {"name": name})
        if found is None:
            values = {"project_id": self._project_id, "uuid": str(uuids.uuid4()), "name": name}
            values |= {"person_id": self.person(connection, name)}
            found = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
            shared = shared_of(connection)
            if shared is not None and self._transactions.marks(connection)["person_merges"]:
                # Whoever is new may be one who was merged elsewhere.
                shared.people = self._read(connection)
        return int(found)

    @cached_property
    def _named(self) -> Select[Any]:
        """A SELECT of the annotator `name`, made once: to put it together takes as long as to run it."""
        table = tables.annotators
        return select(table.c.id).where(table.c.project_id == self._project_id, table.c.name == bindparam("name"))

    def person(self, connection: Connection, name: str) -> int:
        """Return the oldest person of a name, who is added when new."""
        table = tables.persons
        oldest = select(table.c.id).where(table.c.name == name).order_by(table.c.id).limit(1)
        found = connection.scalar(oldest)
        if found is None and connection.dialect.name == "postgresql":
            # Two projects may write at once: whoever comes second finds the person that the first one added.
            connection.execute(text("LOCK TABLE persons IN SHARE ROW EXCLUSIVE MODE"))
            found = connection.scalar(oldest)
        if found is None:
            values = {"uuid": str(uuids.uuid4()), "created_at": datetime.now(UTC), "name": name}
            found = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
        return int(found)

    def annotators(self) -> dict[int, str | None]:
        """Return the names of the people of a project by annotator; None where the name was erased."""
        table = tables.annotators
        with self._transactions.read() as connection:
            merged = self.merged(connection)
            rows = connection.execute(select(table.c.id, table.c.name).where(table.c.project_id == self._project_id))
            return {row.id: merged.name(row.id, row.name) for row in rows}

    def merged(self, connection: Connection) -> Merged:
        """Return which annotators of the project are one person, kept until that changes."""
        shared = shared_of(connection)
        if shared is not None and isinstance(shared.people, Merged):
            return shared.people
        if not self._transactions.marks(connection)["person_merges"]:
            return NOBODY
        of = [tables.person_merges, tables.annotators, tables.project_changes]
        return self._transactions.kept_in(connection, "merged people", of, self._read)

    def _read(self, connection: Connection) -> Merged:
        into = self.merges(connection)
        if not into:
            return NOBODY
        roots = {person: root_of(person, into) for person in into}
        roots |= {root: root for root in roots.values()}
        table, own = tables.persons, tables.annotators
        called = {r.id: r.name for r in connection.execute(select(table.c.id, table.c.name)) if r.id in roots}
        rows = connection.execute(
            select(own.c.id, own.c.name, own.c.person_id).where(own.c.project_id == self._project_id).order_by(own.c.id)
        ).all()
        together: dict[int, list[int]] = {root: [] for root in roots.values()}
        for row in rows:
            if row.person_id in roots:
                together[roots[row.person_id]].append(row.id)
        # Whoever has a name in this project has it before a namesake elsewhere.
        persons = {name: person for person, name in called.items() if name is not None}
        persons |= {row.name: row.person_id for row in rows if row.name is not None}
        known = {name: roots[person] for name, person in persons.items() if person in roots}
        return Merged(
            leads={id_: ids[0] for ids in together.values() for id_ in ids},
            names={id_: called.get(root) for root, ids in together.items() for id_ in ids},
            called={name: called.get(root) or name for name, root in known.items()},
            ids={name: tuple(together[root]) for name, root in known.items()},
        )

    def merges(self, connection: Connection) -> Mapping[int, int]:
        """Return the person as whom each merged person counts, by the newest fact about each."""
        if not self._transactions.marks(connection)["person_merges"]:
            return {}
        return self._transactions.kept_in(connection, "merges", [tables.person_merges], _merges)

    def touch(self, connection: Connection, person_id: int) -> None:
        """Begin a merge inside an open transaction: the next one waits, and whatever was made of answers is made anew.

        Each project that this person, or who counts as that one, has answered in takes a number.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE person_merges IN SHARE ROW EXCLUSIVE MODE"))
        own, project = tables.annotators, tables.projects
        here = select(own.c.project_id).where(own.c.person_id.in_(self.counted_as(connection, person_id)))
        # In one order everywhere, so that nobody waits for each other.
        for id_ in connection.scalars(select(project.c.id).where(project.c.id.in_(here)).order_by(project.c.id)).all():
            connection.execute(update(project).where(project.c.id == id_).values(seq=project.c.seq + 1))

    def merge(self, connection: Connection, person_id: int, into_id: int | None, by_id: int | None) -> None:
        """Say, after `touch`, that a person counts as another; None for as nobody else any more.

        An item that both were asked stays with the other; afterwards each holds what they were asked themselves.
        """
        if into_id is not None:
            lease, held = tables.leases, tables.leases.alias()
            own = select(tables.annotators.c.id)
            both = (
                held.c.project_id == lease.c.project_id,
                held.c.item_id == lease.c.item_id,
                held.c.annotator_id.in_(own.where(tables.annotators.c.person_id == into_id)),
            )
            mine = lease.c.annotator_id.in_(own.where(tables.annotators.c.person_id == person_id))
            connection.execute(delete(lease).where(mine, exists(select(held.c.item_id).where(*both))))
        else:
            # Who held what the other was asked, while both were one person, holds it no longer.
            lease, query = tables.leases, tables.queries
            same = (query.c.id == lease.c.query_id, query.c.annotator_id == lease.c.annotator_id)
            connection.execute(delete(lease).where(~exists(select(query.c.id).where(*same))))
        values = {"uuid": str(uuids.uuid4()), "created_at": datetime.now(UTC), "person_id": person_id}
        connection.execute(insert(tables.person_merges).values(values | {"into_id": into_id, "by_id": by_id}))

    def link(self, write: Write, person_id: int, account: str | None, by_id: int | None) -> PersonRecord | None:
        """Give a person an account inside `write`, or take it away; return whose it is where it is another's.

        The fact names the person and not the account, which goes with the name where that is erased.
        """
        table, connection = tables.persons, write.connection
        if connection.dialect.name == "postgresql":
            # Two projects may link one account at once: whoever comes second finds whose it is.
            connection.execute(text("LOCK TABLE persons IN SHARE ROW EXCLUSIVE MODE"))
        ids = [person_id] if by_id is None else [person_id, by_id]
        own = self.some(connection, ids)
        owner = None if account is None else next(iter(self._persons(connection, table.c.account == account)), None)
        if owner is not None:
            # One who counts as this person since a merge keeps it for both.
            return None if root_of(owner.id, self.merges(connection)) == person_id else owner
        # Whoever counts as this person has no account either, where it is taken away.
        whose = [person_id] if account is not None else self.counted_as(connection, person_id)
        if account is not None or any(each.account for each in self.some(connection, whose).values()):
            connection.execute(update(table).where(table.c.id.in_(whose)).values(account=account))
            details = {"person": own[person_id].uuid, "linked": account is not None}
            by = None if by_id is None else own[by_id].uuid
            write.fact(tables.project_changes, kind=ACCOUNT, details=details | {"by": by})
        return None

    def counted_as(self, connection: Connection, person_id: int) -> list[int]:
        """Return a person and all who count as that one."""
        into = self.merges(connection)
        return [person_id, *(each for each in into if each != person_id and person_id in _way(each, into))]

    def found(self, connection: Connection, who: str) -> list[PersonRecord]:
        """Return the people whose UUID or name this is: those of the project before all others, the oldest first."""
        table, own = tables.persons, tables.annotators
        by_uuid = self._persons(connection, table.c.uuid == who)
        if by_uuid:
            return by_uuid
        here = select(own.c.person_id).where(own.c.project_id == self._project_id, own.c.name == who)
        return self._persons(connection, table.c.id.in_(here)) or self._persons(connection, table.c.name == who)

    def who(self, connection: Connection, name: str) -> int | None:
        """Return the person that counts whose answers are given under a name, None for nobody yet."""
        person = self.here(connection).by_name.get(name)
        if person is None and (found := self._persons(connection, tables.persons.c.name == name)):
            person = root_of(found[0].id, self.merges(connection))
        return person

    def some(self, connection: Connection, ids: Iterable[int]) -> dict[int, PersonRecord]:
        """Return people by their ids."""
        return {each.id: each for each in self._persons(connection, tables.persons.c.id.in_(list(ids)))}

    @staticmethod
    def _persons(connection: Connection, condition: ColumnElement[bool]) -> list[PersonRecord]:
        table = tables.persons
        rows = connection.execute(select(table).where(condition).order_by(table.c.id))
        return [PersonRecord(row.id, row.uuid, row.name, row.account, row.created_at) for row in rows]

    def here(self, connection: Connection) -> Here:
        """Return who answers in the project, kept until that changes."""
        of = [tables.person_merges, tables.annotators, tables.project_changes]
        return self._transactions.kept_in(connection, "people here", of, self._here)

    def _here(self, connection: Connection) -> Here:
        table, into = tables.annotators, self.merges(connection)
        rows = connection.execute(
            select(table.c.id, table.c.name, table.c.person_id)
            .where(table.c.project_id == self._project_id)
            .order_by(table.c.id)
        ).all()
        return Here(
            {row.id: root_of(row.person_id, into) for row in rows},
            {row.id: row.name for row in rows},
            {row.name: root_of(row.person_id, into) for row in rows if row.name is not None},
        )

    def projects_of(self, connection: Connection, person_ids: Sequence[int]) -> list[str]:
        """Return the names of the projects that people have answered in."""
        table, project = tables.annotators, tables.projects
        own = select(table.c.project_id).where(table.c.person_id.in_(person_ids))
        return list(
            connection.scalars(select(project.c.name).where(project.c.id.in_(own)).order_by(project.c.id)).all()
        )


def _merges(connection: Connection) -> Mapping[int, int]:
    table = tables.person_merges
    statement = select(table.c.person_id, table.c.into_id).order_by(table.c.created_at, table.c.id)
    newest = {row.person_id: row.into_id for row in connection.execute(statement)}
    return {person: into for person, into in newest.items() if into is not None}


def root_of(person_id: int, into: Mapping[int, int]) -> int:
    """Return the person that counts in the end, the first of a circle where merges of two databases make one.

    Examples
    --------
    >>> root_of(1, {1: 2, 2: 3}), root_of(7, {1: 2}), root_of(5, {5: 4, 4: 5})
    (3, 7, 4)
    """
    way = _way(person_id, into)
    last = way[-1]
    return min(way[way.index(into[last]) :]) if last in into else last


def _way(person_id: int, into: Mapping[int, int]) -> list[int]:
    """Return a person and the people it counts as, one after the other, each once."""
    way = [person_id]
    while (following := into.get(way[-1])) is not None and following not in way:
        way.append(following)
    return way
