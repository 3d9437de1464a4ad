"""What became of a stream, as rows: each refit and drift, and how it stands now."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from storage import Ledger
    from storage.records import StreamAnswer, StreamEvent

_SAID = {
    "ErrorRise": "likelihood ratio",
    "KolmogorovSmirnov": "Kolmogorov-Smirnov",
    "ChiSquare": "chi-square",
    "PageHinkley": "Page-Hinkley",
}

JUDGED = 100
"""Accuracy is that over so many of the newest answers."""

SCHEMA: dict[str, Any] = {
    "event": pl.String(),
    "round": pl.Int64(),
    "offered": pl.Int64(),
    "asked": pl.Int64(),
    "share": pl.Float64(),
    "threshold": pl.Float64(),
    "answered": pl.Int64(),
    "accuracy": pl.Float64(),
    "judged": pl.Int64(),
    "boost": pl.Float64(),
    "notes": pl.List(pl.String()),
    "seconds": pl.Float64(),
    "at": pl.Datetime("us", "UTC"),
}


def history_frame(ledger: Ledger, loop_id: int) -> pl.DataFrame:
    """Return a row an event, oldest first, and one for now."""
    streams = ledger.streams
    with ledger.read() as connection:
        events = streams.events(connection, loop_id)
        offered = streams.offered(connection, loop_id)
        asked = streams.asked_positions(connection, loop_id)
        last = streams.last_decisions(connection, loop_id, sorted({event.position for event in events} | {offered}))
        answers = sorted(streams.answers(connection, loop_id), key=lambda answer: answer.annotation_id)
    rows, round_ = [], 0
    for event in events:
        round_ = event.number if event.kind == "refit" else round_
        known = [answer for answer in answers if answer.position < event.position]
        rows.append(
            _row(event.kind, round_, event.position, asked, known, last.get(event.position - 1))
            | {"notes": _said(event), "seconds": event.seconds, "at": event.created_at}
        )
    now = _row("now", round_, offered, asked, answers, last.get(offered - 1))
    rows.append(now | {"notes": [], "seconds": 0.0, "at": datetime.now(UTC)})
    return pl.DataFrame(rows, schema=SCHEMA)


def notes(frame: pl.DataFrame, warning: str | None) -> pl.DataFrame:
    """Return a history whose newest row says what the budget warns of."""
    if warning is None:
        return frame
    newest = pl.int_range(pl.len()) == pl.len() - 1
    said = pl.col("notes").list.concat(pl.lit([warning], dtype=pl.List(pl.String())))
    return frame.with_columns(pl.when(newest).then(said).otherwise(pl.col("notes")).alias("notes"))


def _row(
    event: str,
    round_: int,
    position: int,
    asked: list[int],
    answers: list[StreamAnswer],
    last: tuple[float, float] | None,
) -> dict[str, Any]:
    count = bisect_left(asked, position)
    judged = [answer for answer in answers if answer.predicted is not None][-JUDGED:]
    right = sum(answer.predicted == answer.label_id for answer in judged)
    return {
        "event": event,
        "round": round_,
        "offered": position,
        "asked": count,
        "share": count / position if position else 0.0,
        "threshold": None if last is None else last[0],
        "answered": len(answers),
        "accuracy": right / len(judged) if judged else None,
        "judged": len(judged),
        "boost": 1.0 if last is None else last[1],
    }


def _said(event: StreamEvent) -> list[str]:
    details = event.details
    if "note" in details:
        return [str(details["note"])]
    if event.kind != "drift":
        return [f"learned from {details['answers']:,} answers"]
    before, after, by = (
        details["before"],
        details["after"],
        _SAID.get(str(details.get("detector")), details.get("detector")),
    )
    test = "" if by is None and details.get("p") is None else f" ({by or 'Kolmogorov-Smirnov'}"
    test += "" if not test else ")" if details.get("p") is None else f", p = {details['p']:.1g})"
    if details["on"] == "error":
        return [f"drift: the model was wrong on {after:.0%} of the newest answers, before on {before:.0%}{test}"]
    if details["on"] == "features":
        return [f"drift: {details['column']} is {after:.3g} on the mean, before {before:.3g}{test}"]
    return [f"drift: mean confidence {after:.2f}, before {before:.2f}{test}"]
