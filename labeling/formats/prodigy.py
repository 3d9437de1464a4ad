"""Prodigy's JSON Lines: texts with options of which one is accepted, or with a label to accept or reject."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from labeling.formats.exchange import (
    OWN,
    GivenAnswer,
    OtherTask,
    Task,
    ToolReader,
    agreed,
    exported,
    kept_text,
    number,
    one_label,
    set_free,
    text_back,
    text_of,
    write_tasks,
)
from labeling.formats.export_format import About, ExportFormat

_OTHER = {
    "spans": "spans (named entities)",
    "relations": "relations",
    "image": "image",
    "audio": "audio",
    "video": "video",
    "arcs": "dependencies",
}
_FIELDS = frozenset(
    [
        *(
            "text",
            "label",
            "answer",
            "meta",
            "options",
            "accept",
            "config",
            "tokens",
            "score",
            "priority",
            "spans",
            "html",
        ),
        *("_input_hash", "_task_hash", "_session_id", "_annotator_id", "_timestamp", "_view_id", "_is_binary", OWN),
    ]
)


class ProdigyReader(ToolReader):
    """Reads tasks of text classification."""

    name: ClassVar[str] = "prodigy"
    title: ClassVar[str] = "Prodigy"

    @classmethod
    def knows(cls, tasks: list[Task]) -> bool:
        """Tasks carry Prodigy's hashes, interface or answers, or options with what is accepted of them."""
        return all(
            "_task_hash" in task
            or "_input_hash" in task
            or task.get("_view_id") in ("choice", "classification")
            or (task.get("answer") in ("accept", "reject", "ignore") and ("label" in task or "options" in task))
            or (isinstance(task.get("options"), list) and isinstance(task.get("accept"), list))
            for task in tasks
        )

    def row(self, task: Task) -> tuple[Task, list[GivenAnswer]]:
        """Return text, meta and own fields of a task, with the label that was accepted."""
        for key, kind in _OTHER.items():
            if task.get(key):
                raise OtherTask(kind)
        label = self._label(task)
        decided = "answer" in task
        answers = [self._given(task, label)] if label is not None and decided else []
        meta = task.get("meta") if isinstance(task.get("meta"), dict) else {}
        if isinstance(own := task.get(OWN), dict):
            content = text_back(own, task.get("text")) | dict(meta or {})
            return exported(own, content, label, answers)
        row: Task = {"text": task.get("text")}
        for name, value in [*(meta or {}).items(), *((k, v) for k, v in task.items() if k not in _FIELDS)]:
            set_free(row, name, value)
        set_free(row, "label", agreed(answers))
        if not decided and label is not None:
            score = number(task.get("score"))
            set_free(row, "prediction", json.dumps({label: 1.0 if score is None else score}, ensure_ascii=False))
        return row, answers

    def _label(self, task: Task) -> str | None:
        answer = task.get("answer", "accept")
        if isinstance(options := task.get("options"), list):
            if answer != "accept":
                return None
            accepted = task.get("accept")
            chosen = accepted if isinstance(accepted, list) else [] if accepted is None else [accepted]
            names = {json.dumps(option.get("id")): option for option in options if isinstance(option, dict)}
            return one_label([_name_of(names.get(json.dumps(each)), each) for each in chosen], "choice")
        label = task.get("label")
        if answer == "reject" and label is not None:
            self.dropped += 1
        return one_label([label], "label") if label is not None and answer == "accept" else None

    def _given(self, task: Task, label: str) -> GivenAnswer:
        person = task.get("_annotator_id") or task.get("_session_id")
        return GivenAnswer(label, None if person is None else str(person), self.time(task, "_timestamp"))


def _name_of(option: Task | None, chosen: Any) -> Any:
    """Return the label that an option stands for: its id, or its text where ids are mere numbers."""
    return option["text"] if option and isinstance(chosen, int) and isinstance(option.get("text"), str) else chosen


def _task(content: Task, own: Task, about: About, text: str) -> Task:
    """Return a row as a choice among the labels: answered by a person, else with the label chosen beforehand."""
    meta = {name: value for name, value in content.items() if name != text}
    shown, kept = kept_text(content, text)
    task: Task = {"text": shown, "meta": meta, "options": [{"id": name, "text": name} for name in about.labels]}
    task |= {"config": {"choice_style": "single"}, "_view_id": "choice", OWN: own | kept}
    if (label := own.get("label")) is not None:
        task["accept"] = [label]
        if own.get("source") not in ("weak", "model"):
            task["answer"] = "accept"
            people = own.get("annotators") or []
            if len(people) == 1:
                task["_annotator_id"] = people[0]
    return task


def _write(path: Path, batches: Iterator[pl.DataFrame], about: About) -> int:
    make = partial(_task, about=about, text=text_of(about, "Prodigy"))
    return write_tasks(path, batches, make, lines=True)


PRODIGY = ExportFormat("prodigy", "Prodigy, choices as JSON Lines", "application/x-ndjson", ".jsonl", _write)
