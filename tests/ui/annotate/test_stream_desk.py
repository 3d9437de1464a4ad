"""Who has which question of a stream on the screen."""

from __future__ import annotations

from labeling.loops.records import Query
from ui.annotate.stream_desk import HOLD_SECONDS, Held


def question(item_id: int) -> Query:
    return Query(item_id, "u", "live", "", item_id, {}, 0.5, {}, "Entropy", 0, 0, None, {})


QUERIES = [question(1), question(2)]


def taken(held: Held, who: str, now: float) -> int | None:
    query = held.take(QUERIES, who, now)
    return None if query is None else query.item_id


def test_nobody_is_given_what_another_has() -> None:
    held = Held()
    assert taken(held, "ann", 0.0) == 1
    assert taken(held, "bob", 1.0) == 2
    assert taken(held, "eve", 2.0) is None
    assert taken(held, "ann", 3.0) == 1


def test_what_somebody_left_is_free_after_a_while() -> None:
    held = Held()
    assert taken(held, "ann", 0.0) == 1
    assert taken(held, "bob", HOLD_SECONDS) == 2
    assert taken(held, "bob", HOLD_SECONDS + 1) == 1


def test_what_was_answered_is_noted_until_it_is_taken_back() -> None:
    held = Held()
    held.give(1, 0.0)
    held.give(2, 1.0)
    held.take_back(2)
    assert set(held.answered) == {1}
    held.give(3, HOLD_SECONDS + 2)
    assert set(held.answered) == {3}
