"""Days and hours as the reader's clock has them, and work with an end; the database knows moments in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from ui.parts.markup import count, counted

LAST = time(23, 59, 59)
"""The last second of a day: until a day is until its end."""


def readers_zone() -> tzinfo:
    """The time zone of the browser, UTC where it names none that this server knows."""
    return zone_of(st.context.timezone)


def zone_of(name: str | None) -> tzinfo:
    """The time zone of a name, UTC where that is none.

    Examples
    --------
    >>> zone_of("Europe/Berlin"), zone_of("../passwd"), zone_of(None)
    (zoneinfo.ZoneInfo(key='Europe/Berlin'), datetime.timezone.utc, datetime.timezone.utc)
    """
    try:
        return ZoneInfo(name) if name else UTC
    except (LookupError, ValueError, OSError):
        return UTC


def end_of(day: date, zone: tzinfo) -> datetime:
    """The end of a day.

    Examples
    --------
    >>> end_of(date(2031, 12, 3), UTC).isoformat()
    '2031-12-03T23:59:59+00:00'
    """
    return datetime.combine(day, LAST, zone)


def moment(at: datetime, zone: tzinfo) -> str:
    """A moment as people say it: the day, the hour unless it is the day's end, the year unless it is this one.

    Examples
    --------
    >>> moment(datetime(2031, 12, 3, 23, 59, 59, tzinfo=UTC), UTC)
    '3 December 2031'
    >>> moment(datetime(2031, 12, 3, 17, 30, tzinfo=UTC), zone_of("Europe/Berlin"))
    '3 December 2031, 18:30'
    """
    there = at.astimezone(zone)
    year = "" if there.year == datetime.now(zone).year else f" {there.year}"
    hour = "" if there.time().replace(microsecond=0) == LAST else f", {there:%H:%M}"
    return f"{there.day} {there:%B}{year}{hour}"


def work(answered: int, items: int | None, until: datetime | None, zone: tzinfo, whose: str = "") -> str:
    """How much of an assignment is done, and until when it is to be.

    Examples
    --------
    >>> work(12, 50, datetime(2031, 12, 3, 23, 59, 59, tzinfo=UTC), UTC, "your assignment")
    '12 of 50 of your assignment, until 3 December 2031'
    >>> work(1, None, None, UTC)
    '1 answer'
    """
    done = counted(answered, "answer") if items is None else f"{count(answered)} of {count(items)}"
    end = "" if until is None else f", until {moment(until, zone)}"
    return f"{done}{f' of {whose}' if whose else ''}{end}"
