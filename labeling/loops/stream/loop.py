"""The stream loop: records arrive one by one, and whether to ask is decided on the spot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any
from uuid import UUID

import polars as pl

from labeling.loops.records import Query
from labeling.loops.stream.consumer import Consumer
from labeling.loops.stream.decide import Plan, StreamSettings, decide
from labeling.loops.stream.decisions import Decision, decision_of, query_of
from labeling.loops.stream.history import history_frame, notes
from labeling.loops.stream.records import Record, Records, Shape
from labeling.people.annotations import Annotation, Answer
from labeling.people.answers import Answers, Said, annotator_name
from labeling.votes.applying import is_table, table_of

if TYPE_CHECKING:
    import pandas as pd

    from labeling.store.project_store import ProjectStore
    from storage.records import DecisionRecord, LoopRecord

UNDOABLE = ("answer", "unsure", "discard")
SLICE = 5000
ATTEMPTS = 20
WARN_AT = (100, 1000, 10_000)

log = logging.getLogger("labeling.stream")


class _Moved(Exception):
    """Somebody else wrote in between: another consumer, or a person who answered."""


class StreamLoop:
    """Decides about each arriving record whether to ask, within a budget, and learns from the answers.

    Made by `Project.stream_loop`. Every record is an item and every decision a
    fact in the database: a consumer that is killed goes on where it was.
    """

    def __init__(self, store: ProjectStore, record: LoopRecord, settings: StreamSettings) -> None:
        self._store = store
        self._ledger = store.ledger
        self._record = record
        self._settings = settings
        self._records = Records(store, record.name, settings.text)
        self._consumer = Consumer(store, record.id, settings, self._records)
        self._answers = Answers(store, record.id, record.name)
        self._lock = threading.RLock()
        self.name = record.name

    @property
    def strategy(self) -> str:
        """The strategy and the budget with their parameters, for people."""
        return str(self._record.settings["strategy_text"])

    @property
    def offered(self) -> int:
        """How many records were offered so far."""
        with self._ledger.read() as connection:
            return self._ledger.streams.offered(connection, self._record.id)

    def offer(self, record: Record, key: str | int | UUID | None = None) -> Decision:
        """Take in one record and decide whether to ask about it.

        Parameters
        ----------
        record
            Column names and values, such as {"text": "…"}. A value of a type that items do not keep (an UUID, an exact
            decimal of many digits, a span of time, a structure) becomes text, as it does in an import.
        key
            Your own name of this arrival. Offered again, the record is not taken in
            twice: the decision is the one that was made. Without a key every offer is
            a new arrival, whatever it holds.

        Raises
        ------
        TypeError, ValueError
            The record cannot be kept.
        """
        return self.offer_many([record], None if key is None else [key])[0]

    def offer_many(
        self,
        records: pl.DataFrame | pd.DataFrame | Iterable[Record],
        keys: Sequence[str | int | UUID | None] | None = None,
    ) -> list[Decision]:
        """Take in many records at once, of a frame or one by one: the same decisions, at a fraction of the cost.

        Nothing is learned on the way. Records are committed in slices of 5,000;
        nothing is written if one of them cannot be kept.
        """
        if not isinstance(records, pl.DataFrame | list) and is_table(records):
            records = table_of(records)
        rows: list[Any] = list(records.iter_rows(named=True) if isinstance(records, pl.DataFrame) else records)
        named = [None] * len(rows) if keys is None else [_key(key) for key in keys]
        if len(named) != len(rows):
            raise ValueError(f"There are {len(named)} keys for {len(rows)} records. Pass a key or None for each.")
        if not rows:
            return []
        with self._lock:
            shape, values = self._records.read(rows)
            made: list[Decision] = []
            for start in range(0, len(values), SLICE):
                shape, part = self._take(shape, values[start : start + SLICE], named[start : start + SLICE])
                made += part
            return made

    def _take(
        self, shape: Shape, records: Sequence[Record], keys: Sequence[str | None]
    ) -> tuple[Shape, list[Decision]]:
        """Decide about records and commit; begin again where another consumer came in between."""
        for attempt in range(ATTEMPTS):
            self._consumer.catch_up()
            known = self._known([key for key in keys if key is not None])
            first: dict[str, int] = {}
            fresh = [
                row
                for row, key in enumerate(keys)
                if key is None or (key not in known and first.setdefault(key, row) == row)
            ]
            try:
                part = [records[row] for row in fresh], [keys[row] for row in fresh]
                shape, new = self._commit(shape, *part, only_if_current=attempt == 0)
            except _Moved:
                self._consumer.stale = True
                continue
            made: dict[int, Decision] = dict(zip(fresh, new, strict=True))
            return shape, [
                made[row] if row in made else known[str(key)] if key in known else made[first[str(key)]]
                for row, key in enumerate(keys)
            ]
        raise RuntimeError(
            f"Other consumers of the stream {self.name!r} came in between {ATTEMPTS} times. Offer records in batches."
        )

    def _commit(
        self, shape: Shape, records: Sequence[Record], keys: Sequence[str | None], *, only_if_current: bool
    ) -> tuple[Shape, list[Decision]]:
        """Write records and decisions; `only_if_current` begins again for answers too, which may teach something."""
        if not records:
            return shape, []
        consumer, streams, loop_id = self._consumer, self._ledger.streams, self._record.id
        frame = self._records.frame(shape, records, consumer.columns)
        proba = consumer.predict(frame, shape.named("text") or self._records.text_column())
        plan = decide(
            self._settings,
            consumer.frontier,
            proba,
            consumer.learned.label_ids,
            consumer.round,
            keys,
            consumer.seq,
            consumer.rows(frame, shape.within(consumer.columns)),
        )
        start = consumer.frontier.position
        items = self._records.rows(shape, records, start)
        with self._ledger.write() as write:
            if only_if_current and write.seq != consumer.seq + 1:
                raise _Moved
            if streams.offered(write.connection, loop_id) != start:
                raise _Moved
            if plan.events and streams.last_event(write.connection, loop_id) != consumer.number:
                raise _Moved
            import_id = self._records.source(write, shape)
            first = streams.add(write, loop_id, import_id, items, plan.decisions)
            for place, event in enumerate(plan.events, start=1):
                streams.note(write, loop_id, consumer.number + place, event)
        consumer.committed(plan, write.seq)
        self._warn(start, plan)
        return self._records.keep(shape, import_id), self._decisions(plan, first, shape, records)

    def _warn(self, start: int, plan: Plan) -> None:
        if any(start < mark <= plan.frontier.position for mark in WARN_AT):
            warning = self._settings.budget.warning(plan.frontier.budget)
            if warning is not None:
                log.warning("The stream %r: %s", self.name, warning)

    def _decisions(self, plan: Plan, first: int, shape: Shape, records: Sequence[Record]) -> list[Decision]:
        names = self._consumer.names
        public = [name for name, role in shape.roles.items() if role != "private"]
        made = []
        for row, values in enumerate(plan.decisions):
            query = None
            if values["asked"]:
                item = {name: records[row].get(name) for name in public}
                query = self._query({**values, "item_id": first + row}, item, names)
            made.append(decision_of({**values, "item_id": first + row}, names, query))
        return made

    def _known(self, keys: Sequence[str]) -> dict[str, Decision]:
        """Return the decisions that were made about these keys before."""
        if not keys:
            return {}
        with self._ledger.read() as connection:
            found = self._ledger.streams.by_key(connection, self._record.id, keys)
        records = list(found.values())
        return {str(decision.key): decision for decision in self._rebuilt(records)}

    def _rebuilt(self, records: Sequence[DecisionRecord]) -> list[Decision]:
        """Return decisions as they were made, from the ledger."""
        labels = self._store.label_set
        names = labels.names_by_id()
        asked = [record.item_id for record in records if record.asked]
        frame = self._store.items.some(asked, image=True) if asked else pl.DataFrame({"item_id": []})
        items = {row.pop("item_id"): row for row in frame.iter_rows(named=True)}
        made = []
        for record in records:
            values = vars(record)
            query = self._query(values, items.get(record.item_id, {}), names) if record.asked else None
            made.append(decision_of(values, names, query))
        return made

    def _query(self, values: Mapping[str, Any], item: Mapping[str, Any], names: Mapping[int, str]) -> Query:
        return query_of(values, item, names, self.name, self.strategy)

    def query(self, item_id: int) -> Query:
        """Return the question about an item.

        Raises
        ------
        LookupError
            The item came with another loop, or was not asked about.
        """
        with self._ledger.read() as connection:
            record = self._ledger.streams.of_item(connection, self._record.id, item_id)
        query = None if record is None else self._rebuilt([record])[0].query
        if query is None:
            raise LookupError(f"The stream {self.name!r} did not ask about an item {item_id!r}.")
        return query

    def waiting(self) -> list[Query]:
        """Return the questions that nobody has answered, oldest first."""
        with self._ledger.read() as connection:
            records = self._ledger.streams.asked(connection, self._record.id)
        answered = self._ledger.annotations.answered()
        left = self._rebuilt([record for record in records if record.item_id not in answered])
        return [decision.query for decision in left if decision.query is not None]

    def tell(
        self,
        query: Query,
        label: str | Answer,
        *,
        annotator: str | None = None,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
        corrects: str | None = None,
    ) -> Annotation:
        """Record an answer: a class name, or `UNSURE`. It may come late; what is offered next learns from it.

        A second answer of the same person corrects the first. With a `uuid`, an
        answer that is sent twice is stored once.

        Parameters
        ----------
        query
            What was asked: `Decision.query`.
        label
            A class name, or UNSURE.
        annotator
            Who answers.
        seconds
            How long the person took.
        uuid
            The sender's own id of this answer.
        suggestion_shown
            Whether the prediction was visible.
        corrects
            The UUID of the answer that this one corrects; None: whatever this person answered before.

        Raises
        ------
        ValueError
            There is no such label, this stream never asked that, the item was erased, the UUID names something else
            that was said, or another answer of this person stands than the one to correct.
        """
        return self._record_answer(
            query,
            lambda: self._answers.said(label),
            annotator,
            seconds=seconds,
            uuid=uuid,
            suggestion_shown=suggestion_shown,
            corrects=corrects,
        )

    def discard(
        self, query: Query, *, annotator: str, uuid: str | None = None, corrects: str | None = None
    ) -> Annotation:
        """Say that a record does not belong here. `corrects` as for `tell`."""
        return self._record_answer(query, ("discard", ()), annotator, uuid=uuid, corrects=corrects)

    def _record_answer(
        self,
        query: Query,
        said: Said | Callable[[], Said],
        annotator: str | None,
        **sent: Any,
    ) -> Annotation:
        if not isinstance(query, Query):
            raise TypeError(f"Pass the query of a decision that asked (decision.query), got {query!r}.")
        made = self._answers.record(query, said, _person(annotator), **sent)
        self._consumer.stale = True
        return made

    def undo(self, annotator: str, *, uuid: str | None = None) -> Annotation | None:
        """Take back the annotator's newest answer or discard in this stream; None if there is nothing left.

        With a `uuid`, the sender's own id of this step back, what is sent twice is taken back once.
        """
        undone = self._answers.undo(_person(annotator), UNDOABLE, uuid=uuid)
        self._consumer.stale = True
        return undone

    def warning(self, records: int | None = None) -> str | None:
        """Say what the budget will cost where nothing holds it, for `records` to come; None where it is held."""
        with self._lock:
            self._consumer.catch_up()
            return self._settings.budget.warning(self._consumer.frontier.budget, records)

    def history(self) -> pl.DataFrame:
        """Return a row for each refit and drift, oldest first, and one for now.

        Columns: event (refit, drift, now), round, offered and asked so far, share,
        threshold of the last decision, answered so far, accuracy of what the model
        had said before it learned, over the 100 newest answers by then (null before
        there are any; what is asked is harder than the stream), judged, boost,
        notes (drifts, warnings of the budget), seconds, at.
        """
        with self._lock:
            self._consumer.catch_up()
            frame = history_frame(self._ledger, self._record.id)
            warning = self._settings.budget.warning(self._consumer.frontier.budget)
        return notes(frame, warning)

    def __repr__(self) -> str:
        return f"StreamLoop({self.name!r}, {self.strategy})"


def _key(key: object) -> str | None:
    """Return a key as text; whole numbers and UUIDs are exact as theirs, decimals are not."""
    if type(key) is not bool and isinstance(key, Integral | UUID):
        return str(key)
    if key is not None and (not isinstance(key, str) or not key or "\x00" in key):
        raise ValueError(f"A key is a text of at least one character without NUL, got {key!r}.")
    return key


def _person(annotator: str | None) -> str:
    if not isinstance(annotator, str) or not annotator.strip():
        raise ValueError(f"Say who answers: annotator= takes a name, got {annotator!r}.")
    return annotator_name(annotator)
