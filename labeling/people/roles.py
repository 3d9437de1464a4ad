"""What people may do in a project: facts, which restrict nothing before there is a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labeling.people.persons import person_of

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore

NONE = "none"
"""A role that was taken away."""

ROLES = ("annotator", "reviewer", "lead", NONE)


class Roles:
    """The roles of one project.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._ledger = store.ledger

    def give(self, person: str, role: str, by: str | None, *, everywhere: bool = False) -> None:
        """Give a person, who is added when new, a role in this project, or in all of the database."""
        if role not in ROLES:
            raise ValueError(f"A role is one of {', '.join(map(repr, ROLES))}, got {role!r}.")
        with self._ledger.write() as write:
            lead = None if by is None else person_of(self._ledger, write.connection, by, add=True).id
            whose = person_of(self._ledger, write.connection, person, add=True)
            self._ledger.roles.give(write, whose.id, role, lead, everywhere=everywhere)
