"""Follows a stream in the ledger: learns when enough was answered, notices drift, knows where it stands."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arrays import FloatArray
from labeling.loops.drift.detectors import WINDOW
from labeling.loops.rounds.item_features import content
from labeling.loops.stream.decide import Frontier, Plan, StreamSettings, drift_details
from labeling.loops.stream.frontier import read_frontier
from labeling.loops.stream.learning import Anchor, Learned, Lesson, Online, judged
from labeling.loops.stream.recall import Recall
from labeling.loops.stream.records import Records
from labeling.loops.stream.rule_posterior import Rules
from labeling.loops.stream.training import learn
from labeling.store.items import Columns

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.records import StreamAnswer, StreamEvent


COMPARED = 1000
"""At most so many of the newest answers are looked at for errors, and so many events are read on opening."""


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

    def __init__(self, store: ProjectStore, loop_id: int, settings: StreamSettings, records: Records) -> None:
        self._store = store
        self._loop_id = loop_id
        self._settings = settings
        self._records = records
        self._refit: StreamEvent | None = None
        self._since = 0
        self._answers: tuple[StreamAnswer, ...] = ()
        self._wrong: dict[int, bool] = {}
        self._people: Mapping[int, int] = {}
        self._rules = Rules(store)
        self._recall = Recall(store)
        self.stale = True
        self.seq = -1
        self.number = 0
        self.round = 0
        self.learned = Learned(None, (), store.label_set.ids, 0)
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

    def rows(self, frame: pl.DataFrame, columns: Columns) -> list[dict[str, Any]]:
        """Return what records hold, for detectors that look at it; nothing where none does."""
        if not self._settings.memory_of("features"):
            return []
        return content(frame, columns).to_dicts()

    def predict(self, frame: pl.DataFrame, text: str | None) -> FloatArray:
        """(n, k) probabilities: of the model, before the first answer of the rules, else uniform."""
        if not self.learned.models:
            weak = self._rules.posterior(frame, text)
            if weak is not None:
                return weak
        return self.learned.predict(frame)

    def _rows_of(self, items: Sequence[int]) -> list[dict[str, Any]]:
        frame = self._store.items.some(items)
        rows = dict(zip(frame["item_id"].to_list(), self.rows(frame, self.columns), strict=True))
        return [rows[item] for item in items]

    def _read(self) -> int:
        """Read the ledger, and return how many answers came since the newest refit."""
        with self._store.ledger.view():
            before, people, new = self._refit, self._people, self._read_on()
        # Two who are one now, or two again, have another say in what was learned.
        if self._refit is not None and (self._refit is not before or self._people != people):
            self._use(self._refit, self._learn(Lesson.of(self._refit)))
        return new

    def _read_on(self) -> int:
        """Read what is new, and return how many answers came since the newest refit."""
        store, loop_id = self._store, self._loop_id
        labels = store.label_set
        self.names = labels.names_by_id()
        self.columns = store.items.columns()
        if not self.learned.models:
            self.learned = Learned(None, (), labels.ids, 0)
        streams = store.ledger.streams
        with store.ledger.read() as connection:
            self.seq = streams.version(connection)
            self._people = store.ledger.persons.merged(connection).leads
            events = streams.events(connection, loop_id, self.number, last=COMPARED)
            if self.number == 0:
                drifts = streams.events(connection, loop_id, kind="drift", last=1)
                events = [event for event in drifts if event.number < events[0].number] + events
            self._follow(events, streams.offered(connection, loop_id))
            window = self._answers[0].annotation_id if len(self._answers) == COMPARED else 0
            found = streams.answers(connection, loop_id, max(self._since, window), COMPARED)
            self._answers = tuple(found)
            self._wrong = {
                a.annotation_id: self._wrong[a.annotation_id] for a in found if a.annotation_id in self._wrong
            }
            return streams.new_answers(connection, 0 if self._refit is None else self._refit.saw)

    def _follow(self, events: Sequence[StreamEvent], position: int) -> None:
        """Take in the events and decisions that are new."""
        compared, shifted = self.frontier.confidences.start, self.frontier.records.start
        boost_until = self.frontier.boost_until
        for event in events:
            self.number = event.number
            if event.kind == "refit":
                self._refit = event
                compared = event.details.get("compared", event.position)
                self._wrong |= {annotation: bool(wrong) for annotation, wrong in event.details.get("judged", ())}
                continue
            compared = shifted = event.position
            boost_until = event.position + self._settings.boost_records
            self._since = event.details["since"] or self._since
        if events or position != self.frontier.position:
            self.frontier = read_frontier(
                self._store.ledger,
                self._loop_id,
                self._settings,
                self._rows_of,
                compared=compared,
                shifted=shifted,
                boost_until=boost_until,
            )

    def _use(self, refit: StreamEvent, learned: Learned) -> None:
        self.learned = learned
        self.round = refit.number if learned.models else 0

    def _learn(self, lesson: Lesson) -> Learned:
        text = self._records.text_column()
        return learn(self._store, self._loop_id, self._settings, lesson, text, self.learned, self._recall)

    def _look_for_drift(self) -> bool:
        """Look whether answers contradict the model more often than before; put it on record if so."""
        known = [answer.annotation_id for answer in self._answers if answer.annotation_id in self._wrong]
        for detector in self._settings.watching("error"):
            latest = known[-detector.memory :]
            wrong = [float(self._wrong[annotation]) for annotation in latest]
            found = detector.look([float(self._wrong[annotation]) for annotation in known[:WINDOW]], wrong)
            if found is not None:
                details = drift_details(detector, found, latest[found.start])
                values = {"kind": "drift", "position": self.frontier.position, "saw": self.seq, "details": details}
                self._store.ledger.streams.add_event(self._loop_id, self.number + 1, {**values, "seconds": 0.0})
                return True
        return False

    def _learn_again(self, new: int) -> bool:
        """Train where enough was answered, the classes are others, or what was before a drift is to be forgotten.

        Tells whether the ledger has to be read again.
        """
        last = self._refit
        ids = tuple(self.names)
        forgets = last is not None and last.details["since"] != self._since
        other = last is not None and tuple(last.details["ids"]) != ids
        if not (forgets or other or (new and new >= self._settings.learning.gap(self.learned.answers))):
            return False
        started = time.perf_counter()
        verdicts, losses = self._judge()
        fresh = forgets or other
        lesson = Lesson(
            self.seq, self.frontier.position, self._since, ids, () if fresh else losses, self._anchor(fresh=fresh)
        )
        learned = self._learn(lesson)
        compared_at = 0 if last is None else int(last.details.get("compared_at", 0))
        # A model that learned from few more answers is still the same one to compare confidences of.
        restarts = fresh or learned.answers > compared_at + compared_at // 8
        details = {
            **lesson.to_dict(),
            "answers": learned.answers,
            "upto": max((annotation for annotation, _, _ in learned.given), default=0),
            "judged": verdicts,
            "compared": self.frontier.position if restarts else self.frontier.confidences.start,
            "compared_at": learned.answers if restarts else compared_at,
        }
        if learned.note is not None:
            details["note"] = learned.note
        values = {"kind": "refit", "position": lesson.position, "saw": lesson.saw, "details": details}
        streams = self._store.ledger.streams
        number = self.number + 1
        added = streams.add_event(self._loop_id, number, {**values, "seconds": time.perf_counter() - started})
        if added is None:
            return True
        seq, self._refit = added
        self._wrong |= {annotation: bool(wrong) for annotation, wrong in verdicts}
        self._use(self._refit, learned)
        self.number = number
        if restarts:
            self.frontier = replace(self.frontier, confidences=self.frontier.confidences.restarted())
        if seq != self.seq + 1:
            return True
        # Nobody wrote in between: all that is new was written here.
        self.seq = seq
        return self._look_for_drift()

    def _judge(self) -> tuple[list[tuple[int, bool]], tuple[float, ...]]:
        """Judge the models by answers they have not learned from, before they do.

        Returns
        -------
        tuple
            (annotation, whether the model that remembers longest was wrong) of the answers to this stream's
            questions; the losses of the models.
        """
        learned, store = self.learned, self._store
        if self._refit is None or not learned.models:
            return [], learned.losses
        after = int(self._refit.details.get("upto", 0))
        place = {label: k for k, label in enumerate(learned.label_ids)}
        with store.ledger.view(), store.ledger.read() as connection:
            new = store.ledger.streams.training(
                connection, self.seq, max(self._since, after + 1), self._settings.memory
            )
            frame = self._recall.few({item for _, item, label in new if label in place})
        rows = {item: row for row, item in enumerate(frame["item_id"].to_list())}
        proba = learned.apart(content(frame, self.columns)) if rows else np.zeros((0, 0, 0))
        own = {answer.annotation_id for answer in self._answers}
        losses, verdicts = learned.losses, []
        for annotation, item, label in new:
            if label in place and item in rows:
                said = proba[:, rows[item]]
                losses = judged(losses, said[:, place[label]])
                if annotation in own:
                    verdicts.append((annotation, bool(said[-1].argmax() != place[label])))
        return verdicts, losses

    def _anchor(self, *, fresh: bool) -> Anchor | None:
        """Return where online learning begins again from the next refit on."""
        learning, learned, position = self._settings.learning, self.learned, self.frontier.position
        if not isinstance(learning, Online):
            return None
        anchor, answers = learned.anchor, len(learned.given)
        replay = min(learning.replay, max(1, self._settings.memory // 2))
        if fresh or anchor is None:
            return Anchor(position, 0, answers)
        if answers >= 2 * replay:
            return Anchor(position, learned.given[-replay][0], replay)
        if answers < replay and answers >= 2 * max(1, anchor.answers):
            return Anchor(position, anchor.annotation, answers)
        return anchor
