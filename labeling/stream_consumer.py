"""Follows a stream in the ledger: learns when enough was answered, notices drift, knows where it stands."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from labeling.items import Columns
from labeling.stream_learning import ANSWERS_COMPARED, Learned, drift_of, gap, learn, rise_of
from labeling.stream_records import Records
from labeling.stream_state import Frontier, Plan, StreamSettings, read_frontier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labeling.project import Project
    from storage.records import StreamAnswer, StreamEvent


class Consumer:
    """One process's view of a stream. All of it is rebuilt from the ledger, none of it grows.

    Attributes
    ----------
    stale
        The ledger has to be read before the next decision.
    seq
        The write up to which it was read.
    number
        The newest event.
    round
        The newest refit that has a model, 0 before the first.
    learned
        Its classifier.
    frontier
        Where the stream stands.
    columns
        The columns of the project's items.
    names
        The names of the classes by id.
    """

    def __init__(self, project: Project, loop_id: int, settings: StreamSettings, records: Records) -> None:
        self._project = project
        self._loop_id = loop_id
        self._settings = settings
        self._records = records
        self._refit: StreamEvent | None = None
        self._since = 0
        self._answers: tuple[StreamAnswer, ...] = ()
        self.stale = True
        self.seq = -1
        self.number = 0
        self.round = 0
        self.learned = Learned(None, None, project.label_set.ids, 0)
        self.frontier = Frontier(-1, settings.budget.start())
        self.columns = Columns({}, {})
        self.names: dict[int, str] = {}

    def committed(self, plan: Plan, seq: int) -> None:
        """Take note that a plan is in the ledger, by the write `seq`."""
        self.frontier = plan.frontier
        self.number += len(plan.events)
        self.stale = seq != self.seq + 1
        self.seq = seq

    def catch_up(self) -> None:
        """Read what others wrote; learn and look for drift until there is nothing more to learn."""
        while self.stale:
            new = self._read()
            self.stale = self._look_for_drift() or self._learn_again(new)

    def _read(self) -> int:
        """Read the ledger, and return how many answers came since the newest refit."""
        project, loop_id = self._project, self._loop_id
        labels = project.label_set
        self.names = dict(zip(labels.ids, labels.names, strict=True))
        self.columns = project.item_store.columns()
        streams = project.ledger.streams
        with project.ledger.read() as connection:
            self.seq = streams.version(connection)
            events = streams.events(connection, loop_id, self.number)
            position = streams.offered(connection, loop_id)
        self._follow(events, position)
        with project.ledger.read() as connection:
            window = self._answers[0].annotation_id if len(self._answers) == ANSWERS_COMPARED else 0
            found = streams.answers(connection, loop_id, max(self._since, window), ANSWERS_COMPARED)
            self._answers = tuple(found)
            return streams.new_answers(connection, 0 if self._refit is None else self._refit.saw)

    def _follow(self, events: Sequence[StreamEvent], position: int) -> None:
        """Take in the events and decisions that are new."""
        before = self._refit
        restart, boost_until = self.frontier.restart, self.frontier.boost_until
        for event in events:
            self.number = event.number
            restart = event.position
            if event.kind == "refit":
                self._refit = event
                continue
            boost_until = event.position + self._settings.boost_records
            self._since = event.details["since"] or self._since
        if events or position != self.frontier.position:
            self.frontier = read_frontier(self._project.ledger, self._loop_id, self._settings, restart, boost_until)
        if self._refit is not None and self._refit is not before:
            details = self._refit.details
            self._use(self._refit, self._learn(self._refit.saw, self._refit.position, details["since"], details["ids"]))

    def _use(self, refit: StreamEvent, learned: Learned) -> None:
        self.learned = learned
        self.round = 0 if learned.model is None else refit.number

    def _learn(self, saw: int, position: int, since: int, label_ids: Sequence[int]) -> Learned:
        text = self._records.text_column()
        return learn(
            self._project,
            self._loop_id,
            self._settings,
            label_ids,
            saw=saw,
            position=position,
            since=since,
            text=text,
        )

    def _look_for_drift(self) -> bool:
        """Look whether answers contradict the model more often than before; put it on record if so."""
        found = rise_of(self._answers)
        if found is None:
            return False
        details = drift_of(*found)
        values = {"kind": "drift", "position": self.frontier.position, "saw": self.seq, "details": details}
        self._project.ledger.streams.add_event(self._loop_id, self.number + 1, {**values, "seconds": 0.0})
        return True

    def _learn_again(self, new: int) -> bool:
        """Train where enough was answered, the classes are others, or what was before a drift is to be forgotten."""
        last = self._refit
        forgets = last is not None and last.details["since"] != self._since
        other = last is not None and tuple(last.details["ids"]) != tuple(self.names)
        if not (forgets or other or new >= gap(self.learned.answers)):
            return False
        started = time.perf_counter()
        saw, position, ids = self.seq, self.frontier.position, tuple(self.names)
        learned = self._learn(saw, position, self._since, ids)
        details = {"ids": list(ids), "answers": learned.answers, "since": self._since}
        values = {"kind": "refit", "position": position, "saw": saw, "details": details}
        streams = self._project.ledger.streams
        number = self.number + 1
        if streams.add_event(self._loop_id, number, {**values, "seconds": time.perf_counter() - started}):
            with self._project.ledger.read() as connection:
                (self._refit,) = (
                    e for e in streams.events(connection, self._loop_id, number - 1) if e.number == number
                )
            self._use(self._refit, learned)
            self.number = number
            self.frontier = replace(self.frontier.restarted())
        return True
