"""Who is who: people of the whole database, what they may do in a project, and which of them are one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labeling.people.answers import annotator_name
from storage import ANSWERS, root_of

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.ledger import Ledger
    from storage.records import PersonRecord
    from storage.transactions import Connection


@dataclass(frozen=True)
class PeopleMerge:
    """What a merge of two people touches.

    Attributes
    ----------
    person, into
        Their names; None where it was erased.
    answers
        How many answers of the first count as the second's, in this project.
    twice
        Items of this project that both answered: the newer answer counts, and the other does no more.
    projects
        All projects of the database in which the first has answered.
    """

    person: str | None
    into: str | None
    answers: int
    twice: tuple[int, ...]
    projects: tuple[str, ...]

    def __str__(self) -> str:
        many = len(self.twice)
        items = f"{many:,} item{'s' * (many != 1)} that both answered, where the later answer counts"
        both = f", {items}" if many else ""
        where = ", ".join(map(repr, self.projects)) or "no project"
        return (
            f"{self.person or 'erased'} as {self.into or 'erased'}: {self.answers:,} "
            f"answer{'s' * (self.answers != 1)} here{both}; "
            f"answered in {where}"
        )


class People:
    """The people of one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._ledger = store.ledger

    def frame(self) -> pl.DataFrame:
        """Return one row a person who has answered here, has a role or an assignment; see `Project.people`."""
        ledger, persons = self._ledger, self._ledger.persons
        with ledger.view() as connection:
            here, into = persons.here(connection), persons.merges(connection)
            roles = {id_: role for id_, role in ledger.roles.all(connection).items() if id_ not in into}
            loops = {loop.id: loop.name for loop in ledger.loops.all()}
            work: dict[int, list[str]] = {}
            for each in ledger.assignments.standing(connection, into):
                work.setdefault(root_of(each.person_id, into), []).append(loops[each.loop_id])
            known = persons.some(connection, [*here.people.values(), *roles, *work])
            gone = ledger.items.withdrawn_in(connection)
            given: Counter[int] = Counter()
            for annotator, answers in ledger.annotations.standing.given(connection, gone).items():
                given[here.people[annotator]] += answers
            accounts: dict[int, list[str]] = {}
            for id_, each_of in (persons.some(connection, into) | known).items():
                if each_of.account is not None:
                    accounts.setdefault(root_of(id_, into), []).append(each_of.account)
        rows = [
            (
                person.uuid,
                person.name,
                sorted(here.names[each] or "erased" for each in here.annotators(id_)),
                roles.get(id_),
                given[id_],
                sorted(work.get(id_, [])),
                sorted(accounts.get(id_, [])),
                person.created_at,
            )
            for id_, person in known.items()
        ]
        texts = pl.List(pl.String())
        schema = {"person": pl.String(), "name": pl.String(), "names": texts, "role": pl.String()}
        schema |= {"answers": pl.Int64(), "assignments": texts, "accounts": texts}
        schema |= {"since": pl.Datetime("us", "UTC")}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def merged(self) -> pl.DataFrame:
        """Return one row a person of this project who counts as another one; see `Project.merged_people`."""
        ledger, persons = self._ledger, self._ledger.persons
        with ledger.view() as connection:
            into = persons.merges(connection)
            here = {*persons.here(connection).people.values()}
            here |= {root_of(id_, into) for id_ in ledger.roles.all(connection)}
            here |= {root_of(each.person_id, into) for each in ledger.assignments.standing(connection, into)}
            shown = {id_: other for id_, other in into.items() if root_of(id_, into) in here}
            known = persons.some(connection, [*shown, *shown.values()])
        rows = [
            (known[id_].uuid, known[id_].name, known[other].uuid, known[other].name)
            for id_, other in sorted(shown.items())
        ]
        schema = dict.fromkeys(("person", "name", "into", "into_name"), pl.String())
        return pl.DataFrame(rows, schema=schema, orient="row")

    def link(self, who: str, account: str | None, by: str | None) -> None:
        """Link an account to a person; None takes it away."""
        name = None if account is None else _account(account)
        with self._ledger.write() as write:
            lead = None if by is None else person_of(self._ledger, write.connection, by, add=True).id
            person = person_of(self._ledger, write.connection, who)
            if person.name is None and name is not None:
                raise ValueError(f"The name of the person {who!r} was erased: no account is linked to them any more.")
            owner = self._ledger.persons.link(write, person.id, name, lead)
            if name is not None and owner is not None:
                whose = owner.name or owner.uuid
                raise ValueError(
                    f"The account {name[:80]!r} is linked to {whose!r} already, and to nobody else before that "
                    f"is taken back: project.link_account({whose!r}, None). Where both are one person, merge them."
                )

    def preview(self, who: str, into: str) -> PeopleMerge:
        """Return what a merge would touch."""
        with self._ledger.view() as connection:
            return self._touched(connection, *self._both(connection, who, into))

    def merge(self, who: str, into: str, by: str | None) -> PeopleMerge:
        """Let a person count as another one, in the whole database."""
        persons = self._ledger.persons
        with self._ledger.unstamped() as connection:
            first, second = self._both(connection, who, into)
            touched = self._touched(connection, first, second)
            persons.touch(connection, first.id)
            lead = None if by is None else person_of(self._ledger, connection, by, add=True).id
            persons.merge(connection, first.id, second.id, lead)
        return touched

    def unmerge(self, who: str, by: str | None) -> None:
        """Let a person count for themselves again."""
        persons = self._ledger.persons
        with self._ledger.unstamped() as connection:
            person = _only(persons.found(connection, _name(who)), who)
            if person.id not in persons.merges(connection):
                raise ValueError(f"{who!r} counts as nobody else: there is no merge to take back.")
            persons.touch(connection, person.id)
            lead = None if by is None else person_of(self._ledger, connection, by, add=True).id
            persons.merge(connection, person.id, None, lead)

    def _both(self, connection: Connection, who: str, into: str) -> tuple[PersonRecord, PersonRecord]:
        persons = self._ledger.persons
        first = _only(persons.found(connection, _name(who)), who)
        merges = persons.merges(connection)
        if first.id in merges:
            now = persons.some(connection, [root_of(first.id, merges)])
            said = ", ".join(repr(each.name or each.uuid) for each in now.values())
            raise ValueError(
                f"{who!r} counts as {said} already. Take that back first: project.unmerge_people({who!r})."
            )
        second = person_of(self._ledger, connection, into)
        if first.id == second.id:
            raise ValueError(f"{who!r} and {into!r} are one person already.")
        return first, second

    def _touched(self, connection: Connection, first: PersonRecord, second: PersonRecord) -> PeopleMerge:
        persons = self._ledger.persons
        here = persons.here(connection).people
        said: dict[int, set[int]] = {first.id: set(), second.id: set()}
        for record in self._ledger.annotations.current_in(connection):
            if record.kind in ANSWERS and here[record.annotator_id] in said:
                said[here[record.annotator_id]].add(record.item_id)
        twice = tuple(sorted(said[first.id] & said[second.id]))
        projects = persons.projects_of(connection, persons.counted_as(connection, first.id))
        return PeopleMerge(first.name, second.name, len(said[first.id]), twice, tuple(projects))


def person_of(ledger: Ledger, connection: Connection, who: str, *, add: bool = False) -> PersonRecord:
    """Return the person of a UUID or a name, as whom they count now; with `add` one of a new name is added.

    Raises
    ------
    LookupError
        There is no such person.
    ValueError
        Several people have this name.
    """
    persons, name = ledger.persons, _name(who)
    found = persons.found(connection, name)
    if not found and add:
        found = list(persons.some(connection, [persons.person(connection, name)]).values())
    root = root_of(_only(found, who).id, persons.merges(connection))
    return persons.some(connection, [root])[root]


def _account(account: str) -> str:
    if not isinstance(account, str) or not account.strip():
        raise ValueError(f"An account is the name that the sign-in gives, or None for none, got {account!r}.")
    return annotator_name(account)


def _only(found: list[PersonRecord], who: str) -> PersonRecord:
    if not found:
        raise LookupError(f"There is no person {who!r} in this database. project.people() lists those of a project.")
    if len(found) > 1:
        named = ", ".join(each.uuid for each in found)
        raise ValueError(f"Several people are called {who!r}. Say which one by the UUID: {named}.")
    return found[0]


def _name(who: str) -> str:
    if not isinstance(who, str) or not who.strip():
        raise ValueError(f"A person is a name or the UUID that people() shows, got {who!r}.")
    return annotator_name(who)
