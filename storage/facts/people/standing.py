"""Which annotations stand: followed in memory, so that a question costs what is new, not all that ever was."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from storage import tables
from storage.transactions import shared_of

if TYPE_CHECKING:
    from storage.facts.people.persons import Merged
    from storage.transactions import Transactions

ANSWERS = ("answer", "unsure", "discard")

WELCOME = "welcome"
"""Says that an item belongs, however odd it looks; no answer, and stands beside one."""

FOLLOWED = 24
_followers: OrderedDict[tuple[str, str], Follower] = OrderedDict()
_followers_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Standing:
    """One annotation, as much of it as counting needs."""

    id: int
    seq: int
    item_id: int
    annotator_id: int
    kind: str
    loop_id: int | None
    origin: str | None

    @property
    def tallied(self) -> str:
        """What a loop's tally counts it as: by its kind what was asked, else by where it came from."""
        return self.origin or self.kind


@dataclass
class _State:
    leads: Mapping[int, int] = field(default_factory=dict)
    seq: int = 0
    by_id: dict[int, Standing] = field(default_factory=dict)
    stacks: dict[tuple[int, int], list[Standing]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    labels: Counter[int] = field(default_factory=Counter)
    skips: dict[int, dict[int, int]] = field(default_factory=dict)
    kinds: dict[int | None, Counter[str]] = field(default_factory=dict)
    in_order: dict[int | None, list[Standing]] = field(default_factory=dict)
    welcomed: Counter[int] = field(default_factory=Counter)
    welcomes: dict[int, int] = field(default_factory=dict)
    people: set[int] = field(default_factory=set)

    def count(self, one: Standing, by: int) -> None:
        """Count an annotation that became current (1) or is so no more (-1)."""
        self.kinds.setdefault(one.loop_id, Counter())[one.tallied] += by
        if one.kind in ANSWERS:
            self.answers[one.item_id] += by
            if not self.answers[one.item_id]:
                del self.answers[one.item_id]
            if one.kind == "answer":
                self.labels[one.item_id] += by
                if not self.labels[one.item_id]:
                    del self.labels[one.item_id]
        elif by > 0:
            self.skips.setdefault(one.annotator_id, {})[one.item_id] = one.id
        else:
            del self.skips[one.annotator_id][one.item_id]

    def add(self, one: Standing, undoes: int | None) -> None:
        """Take the next annotation in, in the order of the ledger."""
        if one.kind == WELCOME:
            self.welcomed[one.item_id] += 1
            self.welcomes[one.id] = one.item_id
            return
        if one.kind == "undo" and undoes in self.welcomes:
            self.welcomed[self.welcomes.pop(undoes)] -= 1
            return
        undone = self.by_id.pop(undoes or 0, None) if one.kind == "undo" else None
        # Somebody may have taken back what another said while both were one person.
        whose = one if undone is None else undone
        stack = self.stacks.setdefault((whose.item_id, whose.annotator_id), [])
        before = stack[-1] if stack else None
        if undone is not None:
            stack.remove(undone)
        elif one.kind != "undo":
            stack.append(one)
            self.people.add(one.annotator_id)
            self.by_id[one.id] = one
            self.in_order.setdefault(one.loop_id, []).append(one)
        after = stack[-1] if stack else None
        if before is not after:
            if before is not None:
                self.count(before, -1)
            if after is not None:
                self.count(after, 1)

    def is_current(self, one: Standing) -> bool:
        """Tell whether an annotation is the newest that stands of its person on its item."""
        stack = self.stacks[one.item_id, one.annotator_id]
        return bool(stack) and stack[-1] is one


class Follower:
    """The annotations of one project that stand now: newest, not taken back, per (item, person).

    Facts are only added and `seq` is in commit order, so that reading what came
    after the last `seq` brings the counts up to date. In a write transaction it
    is asked before annotations are added: what is rolled back must not be followed.
    Annotators who are one person since a merge are followed as one: when that changes, from the first annotation on.
    """

    def __init__(self, project_id: int) -> None:
        self._project_id = project_id
        self.merged: Callable[[Connection], Merged] | None = None
        self._lock = threading.Lock()
        self._state = _State()

    def _follow(self, connection: Connection) -> _State:
        shared = shared_of(connection)
        if shared is not None and shared.followed:
            return self._state
        state = self._caught_up(connection)
        if shared is not None:
            shared.followed = True
        return state

    def _leads(self, connection: Connection) -> Mapping[int, int]:
        """Return of each annotator who is one with others who stands for them."""
        return {} if self.merged is None else self.merged(connection).leads

    def _caught_up(self, connection: Connection) -> _State:
        table, projects = tables.annotations, tables.projects
        seq = connection.scalar(select(projects.c.seq).where(projects.c.id == self._project_id))
        leads = self._leads(connection)
        # Put anew where the database was put back to an earlier state, or other people are one.
        if seq is None or seq < self._state.seq or leads != self._state.leads:
            self._state = _State(leads)
        columns = (
            table.c.id, table.c.seq, table.c.item_id, table.c.annotator_id, table.c.kind, table.c.loop_id,
            table.c.origin, table.c.undoes,
        )  # fmt: skip
        rows = connection.execute(
            select(*columns)
            .where(table.c.project_id == self._project_id, table.c.seq > self._state.seq)
            .order_by(table.c.seq, table.c.id)
        )
        for row in rows.all():
            person = leads.get(row.annotator_id, row.annotator_id)
            self._state.add(Standing(*row[:3], person, *row[4:7]), row.undoes)
            self._state.seq = row.seq
        return self._state

    def answered(self, connection: Connection) -> set[int]:
        """Return the items that have an answer, an unsure or a discard."""
        with self._lock:
            return set(self._follow(connection).answers)

    def welcome(self, connection: Connection) -> set[int]:
        """Return the items that somebody welcomed."""
        with self._lock:
            return {item for item, count in self._follow(connection).welcomed.items() if count > 0}

    def answered_count(self, connection: Connection) -> int:
        """Return how many items have an answer, an unsure or a discard."""
        with self._lock:
            return len(self._follow(connection).answers)

    def labeled(self, connection: Connection) -> set[int]:
        """Return the items that somebody gave a class to."""
        with self._lock:
            return set(self._follow(connection).labels)

    def answered_among(self, connection: Connection, item_ids: Sequence[int]) -> set[int]:
        """Return which of the items have an answer, an unsure or a discard."""
        with self._lock:
            answers = self._follow(connection).answers
            return {item for item in item_ids if item in answers}

    def answers_on(self, connection: Connection, item_ids: Collection[int]) -> int:
        """Return how many answers, unsures and discards stand on the items."""
        with self._lock:
            answers = self._follow(connection).answers
            return sum(answers.get(item, 0) for item in item_ids)

    def skipped(self, connection: Connection, annotator_id: int) -> dict[int, int]:
        """Return the items whose current annotation by a person is a skip, with the skip's id."""
        with self._lock:
            state = self._follow(connection)
            return dict(state.skips.get(state.leads.get(annotator_id, annotator_id), {}))

    def skipped_by_anyone(self, connection: Connection) -> set[int]:
        """Return the items whose current annotation by somebody is a skip."""
        with self._lock:
            return set().union(*self._follow(connection).skips.values())

    def answered_by_others(self, connection: Connection, item_id: int, annotator_id: int) -> bool:
        """Tell whether somebody else's answer, unsure or discard of an item stands."""
        with self._lock:
            state = self._follow(connection)
            stack = state.stacks.get((item_id, state.leads.get(annotator_id, annotator_id)))
            own = bool(stack and stack[-1].kind in ANSWERS)
            return state.answers[item_id] > int(own)

    def answered_by(self, connection: Connection, loop_id: int, annotator_ids: Collection[int], since: int) -> int:
        """Return how many answers to a loop's questions, given by one of these after a write, stand."""
        with self._lock:
            state = self._follow(connection)
            people = {state.leads.get(id_, id_) for id_ in annotator_ids}
            return sum(
                one.seq > since and one.kind in ANSWERS and one.origin is None and state.is_current(one)
                for one in state.in_order.get(loop_id, [])
                if one.annotator_id in people
            )

    def given(self, connection: Connection, besides: Container[int]) -> Counter[int]:
        """Return how many answers of each annotator stand, for all of theirs together; `besides` are items left out."""
        with self._lock:
            stacks = self._follow(connection).stacks.items()
            return Counter(
                who for (item, who), stack in stacks if stack and stack[-1].kind in ANSWERS and item not in besides
            )

    def answered_in(self, connection: Connection, loop_id: int) -> dict[int, set[int]]:
        """Return who answered each item that somebody answered in a loop and nobody discarded, in whatever loop."""
        with self._lock:
            state = self._follow(connection)
            items = dict.fromkeys(
                one.item_id
                for one in state.in_order.get(loop_id, [])
                if one.kind in ANSWERS and one.origin is None and state.answers[one.item_id] and state.is_current(one)
            )
            found: dict[int, set[int]] = {}
            for item in items:
                kinds = {
                    person: stack[-1].kind
                    for person in state.people
                    if (stack := state.stacks.get((item, person))) and stack[-1].kind in ANSWERS
                }
                if "discard" not in kinds.values():
                    found[item] = set(kinds)
        return found

    def tally(self, connection: Connection, loop_id: int, since: int | None = None) -> Counter[str]:
        """Count a loop's current annotations by kind; `since` counts only what came after that write."""
        with self._lock:
            state = self._follow(connection)
            if since is None:
                return Counter(state.kinds.get(loop_id, Counter()))
            found: Counter[str] = Counter()
            for one in reversed(state.in_order.get(loop_id, [])):
                if one.seq <= since:
                    break
                if state.is_current(one):
                    found[one.tallied] += 1
            return found


def follower(transactions: Transactions, merged: Callable[[Connection], Merged]) -> Follower:
    """Return the follower of a project's annotations, which asks `merged` who is one person; one a process is kept."""
    key = (transactions.full_url, transactions.project.uuid)
    with _followers_lock:
        found = _followers.pop(key, None) or Follower(transactions.project.id)
        _followers[key] = found
        while len(_followers) > FOLLOWED:
            _followers.popitem(last=False)
    found.merged = merged
    return found
