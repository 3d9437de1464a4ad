"""The questions of a stream at the annotator's desk: what is waiting, one person an item."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from labeling import Annotation, Project, Query, QueueEmpty, StreamLoop
from labeling.people.annotations import Answer
from ui.parts.markup import bar, count, escape
from ui.session import open_project, storage

HOLD_SECONDS = 300.0
"""So long an item stays with the person who has it on the screen."""

FRESH_SECONDS = 15.0
"""After so long it is looked up again what is waiting."""

_QUEUES = "stream_queues"
_SKIPS = "stream_skips"


@dataclass
class Held:
    """Who has which item of a stream on the screen, and what was answered just now; shared by a server's sessions."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    items: dict[int, tuple[str, float]] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)

    def take(self, queries: list[Query], who: str, now: float) -> Query | None:
        """The first question that nobody else has; it is this person's for a while.

        What the person had before and does not take again is free.
        """
        with self.lock:
            for item_id, (name, since) in list(self.items.items()):
                if name == who or now - since > HOLD_SECONDS:
                    del self.items[item_id]
            free = next((query for query in queries if query.item_id not in self.items), None)
            if free is not None:
                self.items[free.item_id] = (who, now)
            return free

    def give(self, item_id: int, now: float) -> None:
        """Note an answer: other sessions may still count the item among those that are waiting."""
        with self.lock:
            self.answered = {item: at for item, at in self.answered.items() if now - at < HOLD_SECONDS}
            self.answered[item_id] = now

    def take_back(self, item_id: int) -> None:
        """The item is waiting again."""
        with self.lock:
            self.answered.pop(item_id, None)


@dataclass
class _Queue:
    """What was waiting when it was looked up last, in this session."""

    queries: list[Query]
    at: float
    answered: int = 0


@dataclass(frozen=True)
class StreamDesk:
    """A stream as the Annotate page uses a loop."""

    stream: StreamLoop
    held: Held
    key: tuple[str, str, str]

    blind = False
    round_complete = False
    refitter = None
    done = False

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.stream.name

    def ask(self, who: str) -> list[Query]:
        """The question for this person, the oldest first, and the one after it.

        Raises
        ------
        QueueEmpty
            Nothing is waiting, or others have what is.
        """
        queue = self._queue(stale=FRESH_SECONDS)
        skipped = self._skipped()
        queries = sorted(queue.queries, key=lambda query: skipped.get(query.item_id, 0.0))
        first = self.held.take(queries, who, time.monotonic())
        if first is None:
            raise QueueEmpty(
                "Others have the questions that are waiting. Look again in a moment."
                if queries
                else "No question is waiting. New ones come as records are offered to the stream."
            )
        place = queries.index(first)
        return [first, *queries[place + 1 : place + 2]]

    def query(self, query_id: int) -> Query:
        """A question of the stream."""
        return self.stream.query(query_id)

    def tell(self, query: Query, label: str | Answer, **about: Any) -> Annotation:
        """Record an answer."""
        return self._gone(query, self.stream.tell(query, label, **about))

    def discard(self, query: Query, *, annotator: str, uuid: str | None = None) -> Annotation:
        """Say that a record does not belong."""
        return self._gone(query, self.stream.discard(query, annotator=annotator, uuid=uuid))

    def skip(self, query: Query) -> None:
        """Put a question last, in this session."""
        self._skipped()[query.item_id] = time.monotonic()

    def undo(self, who: str) -> Annotation | None:
        """Take the newest answer back; its question comes first again."""
        undone = self.stream.undo(who)
        st.session_state.setdefault(_QUEUES, {}).pop(self.key, None)
        if undone is not None:
            self.held.take_back(undone.item_id)
            self._skipped()[undone.item_id] = -time.monotonic()
        return undone

    def status_html(self, query: Query | None) -> str:
        """The slim line over the card: how many questions are waiting, how many were answered here."""
        queue = self._queue()
        waiting = len(queue.queries)
        said = f"<b>{count(waiting)}</b> {'question' if waiting == 1 else 'questions'} waiting"
        if queue.answered:
            said += f" · {count(queue.answered)} answered since you came"
        share = queue.answered / (queue.answered + waiting) if queue.answered + waiting else 0.0
        where = f"{escape(query.strategy)} · stream" if query else "stream"
        return (
            f'<div class="tally-status"><span>{said}</span><span class="right">{where}</span></div>'
            f"{bar(share, text='questions answered')}"
        )

    def _gone(self, query: Query, annotation: Annotation) -> Annotation:
        self.held.give(query.item_id, time.monotonic())
        self._queue().answered += 1
        return annotation

    def _queue(self, stale: float | None = None) -> _Queue:
        queues: dict[tuple[str, str, str], _Queue] = st.session_state.setdefault(_QUEUES, {})
        queue, now = queues.get(self.key), time.monotonic()
        if queue is None or (stale is not None and (not queue.queries or now - queue.at > stale)):
            answered = queue.answered if queue else 0
            queue = queues[self.key] = _Queue(self.stream.waiting(), now, answered)
        gone = self.held.answered
        queue.queries = [query for query in queue.queries if query.item_id not in gone]
        return queue

    def _skipped(self) -> dict[int, float]:
        skips: dict[tuple[str, str, str], dict[int, float]] = st.session_state.setdefault(_SKIPS, {})
        return skips.setdefault(self.key, {})


@st.cache_resource(show_spinner=False, max_entries=64)
def _stream(storage: str, project: str, name: str) -> tuple[StreamLoop, Held]:
    return open_project(storage, project).stream_loop(name), Held()


def open_stream(project: Project, name: str) -> StreamLoop:
    """A stream of a project; the object is shared, what it knows is in the database."""
    return _stream(storage(), project.name, name)[0]


def stream_desk(project: Project, name: str) -> StreamDesk:
    """The desk at which the questions of a stream are answered."""
    key = (storage(), project.name, name)
    return StreamDesk(*_stream(*key), key)
