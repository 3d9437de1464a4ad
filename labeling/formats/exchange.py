"""What the files of other labeling tools share: tasks taken apart into rows, rows put together as tasks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from labeling.formats.columns.names import EXPORT_COLUMNS, EXPORT_MARKS
from labeling.formats.columns.plain import plain
from labeling.formats.export_format import About

OWN = "tally"
"""Where a task keeps what an export says of an item and the other tool has no field for."""

ANSWERS = {
    "row": pl.Int64(),
    "annotator": pl.String(),
    "label": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "seconds": pl.Float64(),
}
"""The columns of answers: the position of the row that each is of, who gave it, the label, when, after how long."""

PLAIN = "plain"
"""What ``format=`` calls a file that is to be read as it is, whichever tool it looks like."""

Task = dict[str, Any]

_MILLISECONDS = 1e11
"""From here on a number is milliseconds since 1970: as seconds it would be a time after the year 5000."""


@dataclass(frozen=True)
class GivenAnswer:
    """One person's answer in a file of another tool."""

    label: str
    annotator: str | None = None
    at: datetime | None = None
    seconds: float | None = None


@dataclass
class ToolReader:
    """Reads the tasks of one tool as rows; a member for each tool says how.

    Each row has the item's columns, and ``label`` where all who answered agree. What each of them said is kept in
    ``answers``, by the place of the task in the file.
    """

    file: str
    answers: list[tuple[int, GivenAnswer]] = field(default_factory=list)
    dropped: int = 0
    unread: dict[str, list[Any]] = field(default_factory=dict)

    name: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    def knows(cls, tasks: list[Task]) -> bool:
        """Say whether these first tasks of a file are this tool's."""
        raise NotImplementedError

    def row(self, task: Task) -> tuple[Task, list[GivenAnswer]]:
        """Return a task as a row, and the answers in it."""
        raise NotImplementedError

    def rows(self, records: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Turn tasks into rows, and leave alone what is none: reading says what is wrong with it."""
        for number, record in records:
            if not isinstance(record, dict):
                yield number, record
                continue
            try:
                row, answers = self.row(record)
            except OtherTask as error:
                raise ValueError(
                    f"{self.file} is not of one label an item: task {number:,} is a {self.title} task of kind "
                    f"{error}. Give format='{PLAIN}' to read the file as it is."
                ) from None
            self.answers += [(number, answer) for answer in answers]
            yield number, row

    def notes(self) -> list[str]:
        """Return what is to be said of the file."""
        rejected = f"{self.dropped:,} tasks reject a label without naming another: they come without one."
        unread = [note for name, values in self.unread.items() if (note := unread_times(name, values))]
        return [f"Read as tasks of {self.title}.", *([rejected] if self.dropped else []), *unread]

    def time(self, task: Task, name: str) -> datetime | None:
        """Return the time in a field of a task, and remember it for the notes where it cannot be read."""
        value = task.get(name)
        if (found := moment(value)) is None and value:
            self.unread.setdefault(name, []).append(value)
        return found

    def answer_frame(self, lines: list[int]) -> pl.DataFrame:
        """Return the answers by the position of their row, given the places of the rows that were kept."""
        position = {line: row for row, line in enumerate(lines)}
        kept = [
            (position[line], answer.annotator, answer.label, answer.at, answer.seconds)
            for line, answer in self.answers
            if line in position
        ]
        return pl.DataFrame(kept, schema=ANSWERS, orient="row")


class OtherTask(ValueError):
    """A task that has no single label; the message is the name of its kind."""


def agreed(answers: list[GivenAnswer]) -> str | None:
    """Return the label that all answers give; None where there are none or they differ.

    Examples
    --------
    >>> agreed([GivenAnswer("ok"), GivenAnswer("ok")]), agreed([GivenAnswer("ok"), GivenAnswer("bad")])
    ('ok', None)
    """
    labels = {answer.label for answer in answers}
    return labels.pop() if len(labels) == 1 else None


def one_label(labels: list[Any], kind: str) -> str | None:
    """Return the one label of a list, None of an empty one; refuse several, and what is no text."""
    if len(labels) > 1:
        raise OtherTask(f"{kind} with several labels ({', '.join(map(repr, labels[:3]))})")
    if labels and not isinstance(labels[0], str | int):
        raise OtherTask(f"{kind} with {labels[0]!r} for a label")
    return str(labels[0]) if labels else None


def moment(value: Any) -> datetime | None:
    """Return a time written as ISO 8601, or as seconds or milliseconds since 1970; None for anything else.

    One without a zone is taken for UTC.

    Examples
    --------
    >>> print(moment("2024-05-06T07:08"), moment(1714979280), moment(1714979280000), moment("06.05.2024"))
    2024-05-06 07:08:00+00:00 2024-05-06 07:08:00+00:00 2024-05-06 07:08:00+00:00 None
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(found, datetime):
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if not isinstance(found, int | float) or isinstance(found, bool) or not found:
            return None
        return datetime.fromtimestamp(found / 1000 if found >= _MILLISECONDS else found, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def unread_times(name: str, values: Iterable[Any]) -> str | None:
    """Return a note on the values of a column that are there and that `moment` cannot read; None without any.

    Examples
    --------
    >>> unread_times("at", ["06.05.2024", "", None, "2024-05-06"])
    "1 values of 'at' cannot be read as times, first '06.05.2024': such answers count as given when they are recorded. \
Times are written as 2024-05-06T07:08:09Z or as seconds since 1970."
    """
    there = (value for value in values if value and value == value and not (isinstance(value, str) and value.isspace()))
    unread = [value for value in there if moment(value) is None]
    if not unread:
        return None
    return (
        f"{len(unread):,} values of {name!r} cannot be read as times, first {str(unread[0])[:40]!r}: such answers "
        "count as given when they are recorded. Times are written as 2024-05-06T07:08:09Z or as seconds since 1970."
    )


def number(value: Any) -> float | None:
    """Return a number as a decimal; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def set_free(row: Task, name: str, value: Any) -> None:
    """Set a column, under another name where the task has one of that name itself."""
    while name in row:
        name = f"{name}_2"
    row[name] = value


def exported(own: Task, content: Task, label: str | None, answers: list[GivenAnswer]) -> tuple[Task, list[GivenAnswer]]:
    """Return the row of an export of ours that a task was made from, and what was answered since.

    What the export said of the label is left out where the other tool's people answered since. Where they say the
    same as a person did before, it is no answer of theirs; where they say the same as functions or a model, it is,
    since none is written for those.
    """
    row = content | {name: own.get(name) for name in EXPORT_COLUMNS if name in own or name in EXPORT_MARKS}
    confirmed = answers and row["source"] in ("weak", "model")
    if label == row["label"] and not confirmed:
        return row, []
    kept = ("item_id", "id", "gold", "split")
    row |= dict.fromkeys((name for name in row if name in EXPORT_COLUMNS and name not in kept), None)
    people = sorted({answer.annotator for answer in answers if answer.annotator})
    return row | {"label": label, "source": "human" if answers else None, "annotators": people}, answers


def write_tasks(path: Path, batches: Iterator[pl.DataFrame], make: Callable[[Task, Task], Task], *, lines: bool) -> int:
    """Write a task a row, made from the item's columns and from what the export says of it."""
    rows = 0
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write("" if lines else "[")
        for frame in batches:
            buffer = io.BytesIO()
            plain(frame).write_ndjson(buffer)
            for line in buffer.getvalue().splitlines():
                row = json.loads(line)
                own = {name: value for name, value in row.items() if name in EXPORT_COLUMNS}
                content = {name: value for name, value in row.items() if name not in EXPORT_COLUMNS}
                task = json.dumps(make(content, own), ensure_ascii=False)
                file.write(f"{task}\n" if lines else f"{',' if rows else ''}\n{task}")
                rows += 1
        file.write("" if lines else "\n]\n")
    return rows


def kept_text(content: Task, text: str) -> tuple[str, Task]:
    """Return the text of a row, never null as tools want it, and what it takes to turn it back."""
    value = content.get(text)
    return value or "", {"text": text, **({"no_text": True} if value is None else {})}


def text_back(own: Task, text: Any) -> Task:
    """Return the column of the text as it was before `kept_text`."""
    return {own.get("text", "text"): None if own.get("no_text") and not text else text}


def text_of(about: About, title: str) -> str:
    """Return the name of the text column, which formats for texts need."""
    if about.text is None:
        raise ValueError(f"{title} holds texts, and no column of this project is the text. Export it as JSON Lines.")
    return about.text
