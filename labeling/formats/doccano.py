"""doccano's JSON Lines for text classification: a text and the list of its labels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import polars as pl

from labeling.formats.exchange import (
    OWN,
    GivenAnswer,
    OtherTask,
    Task,
    ToolReader,
    exported,
    kept_text,
    one_label,
    set_free,
    text_back,
    text_of,
    write_tasks,
)
from labeling.formats.export_format import About, ExportFormat

_FIELDS = ("text", "label", "labels", "Comments", "comments", OWN)


class DoccanoReader(ToolReader):
    """Reads texts with at most one label each."""

    name: ClassVar[str] = "doccano"
    title: ClassVar[str] = "doccano"

    @classmethod
    def knows(cls, tasks: list[Task]) -> bool:
        """Tasks have a text, a list of labels, and a list of comments or nothing but a number."""
        return all(
            isinstance(task.get("text"), str)
            and ("entities" in task or isinstance(task.get("label", task.get("labels")), list))
            and (isinstance(task.get("Comments"), list) or "entities" in task or OWN in task or _bare(task))
            for task in tasks
        )

    def row(self, task: Task) -> tuple[Task, list[GivenAnswer]]:
        """Return the text and all other fields of a task, with its label.

        A label that we wrote there is nobody's answer: doccano does not tell one that was confirmed from one that
        nobody looked at.
        """
        labels = task.get("label", task.get("labels")) or []
        if "entities" in task or (isinstance(labels, list) and any(isinstance(label, list) for label in labels)):
            raise OtherTask("sequence labeling (spans)")
        label = one_label(labels if isinstance(labels, list) else [labels], "text classification")
        answers = [GivenAnswer(label)] if label is not None else []
        others = {name: value for name, value in task.items() if name not in _FIELDS}
        if isinstance(own := task.get(OWN), dict):
            others = {name: value for name, value in others.items() if name != "id"}
            content = text_back(own, task.get("text")) | others | (own.get("columns") or {})
            return exported(own, content, label, answers if label != own.get("label") else [])
        row = {"text": task.get("text")} | others
        set_free(row, "label", label)
        return row, answers


def _bare(task: Task) -> bool:
    labels = task.get("label", task.get("labels"))
    few = isinstance(labels, list) and len(labels) < 2 and not any(isinstance(label, int) for label in labels)
    return task.keys() <= {"id", "text", "label", "labels"} and few


def _task(content: Task, own: Task, text: str) -> Task:
    """Return a row as an example with one label or none; columns whose names doccano has are kept apart."""
    others = {name: value for name, value in content.items() if name != text}
    taken = {name: value for name, value in others.items() if name in (*_FIELDS, "entities", "id")}
    text_shown, kept = kept_text(content, text)
    own = own | kept | {"columns": taken}
    labels = [] if own.get("label") is None else [own["label"]]
    shown = {name: value for name, value in others.items() if name not in taken}
    return {"id": own.get("item_id"), "text": text_shown, "label": labels, "Comments": [], **shown, OWN: own}


def _write(path: Path, batches: Iterator[pl.DataFrame], about: About) -> int:
    return write_tasks(path, batches, partial(_task, text=text_of(about, "doccano")), lines=True)


DOCCANO = ExportFormat("doccano", "doccano, texts as JSON Lines", "application/x-ndjson", ".jsonl", _write)
