"""Label Studio's JSON: tasks with the annotations of people and the predictions of models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from xml.sax.saxutils import quoteattr

import polars as pl

from labeling.formats.exchange import (
    OWN,
    GivenAnswer,
    OtherTask,
    Task,
    ToolReader,
    agreed,
    exported,
    number,
    one_label,
    set_free,
    write_tasks,
)
from labeling.formats.export_format import About, ExportFormat

_KINDS = {
    kind.lower(): kind
    for kind in (
        *("RectangleLabels", "PolygonLabels", "EllipseLabels", "KeypointLabels", "BrushLabels", "HyperTextLabels"),
        *(
            "ParagraphLabels",
            "TimeSeriesLabels",
            "VideoRectangle",
            "Labels",
            "TextArea",
            "Taxonomy",
            "Rating",
            "Ranker",
        ),
        *("Pairwise", "Relation", "Number", "DateTime", "BitmaskLabels"),
    )
}


class LabelStudioReader(ToolReader):
    """Reads tasks whose annotations choose one label."""

    name: ClassVar[str] = "label_studio"
    title: ClassVar[str] = "Label Studio"

    @classmethod
    def knows(cls, tasks: list[Task]) -> bool:
        """Tasks have ``data``, and beside it annotations, predictions or nothing but a number."""
        return all(
            isinstance(task.get("data"), dict)
            and (
                any(isinstance(task.get(key), list) for key in ("annotations", "predictions", "completions"))
                or task.keys() <= {"id", "data", "meta"}
            )
            for task in tasks
        )

    def row(self, task: Task) -> tuple[Task, list[GivenAnswer]]:
        """Return the data of a task with its agreed label and a column for each model's predictions."""
        data = task.get("data")
        if not isinstance(data, dict):
            raise OtherTask("no data")
        given = [self._answer(each) for each in task.get("annotations") or task.get("completions") or []]
        answers = [answer for answer, _ in given if answer]
        truths = [answer for answer, is_truth in given if answer and is_truth]
        predictions = [found for each in task.get("predictions") or [] if (found := _prediction(each))]
        meta = task.get("meta") or {}
        label = agreed(truths or answers)
        if isinstance(meta, dict) and isinstance(own := meta.get(OWN), dict):
            by_us = [shares for version, shares in predictions if version.startswith(OWN)]
            if not given and by_us:
                label = next(iter(by_us[0]))
            return exported(own, dict(data), label, answers)
        row = dict(data)
        if "id" in task:
            row.setdefault("id", task["id"])
        if meta:
            set_free(row, "meta", meta)
        set_free(row, "label", label)
        for version, shares in predictions:
            set_free(
                row, f"prediction ({version})" if version else "prediction", json.dumps(shares, ensure_ascii=False)
            )
        return row, answers

    def _answer(self, annotation: Any) -> tuple[GivenAnswer | None, bool]:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            return None, False
        label = _choice(annotation.get("result") or [])
        if label is None:
            return None, False
        by = annotation.get("completed_by")
        person = by.get("email") or by.get("id") if isinstance(by, dict) else by
        answer = GivenAnswer(
            label,
            None if person is None else str(person),
            self.time(annotation, "created_at"),
            number(annotation.get("lead_time")),
        )
        return answer, bool(annotation.get("ground_truth"))


def _choice(results: list[Any]) -> str | None:
    """Return the label that the results of one annotation choose; None where they choose none."""
    results = [result for result in results if isinstance(result, dict)]
    for result in results:
        if result.get("type") != "choices":
            kind = str(result.get("type"))
            raise OtherTask(_KINDS.get(kind, kind))
    questions = list(dict.fromkeys(str(result.get("from_name")) for result in results))
    if len(questions) > 1:
        raise OtherTask(f"Choices with several questions ({', '.join(questions[:3])})")
    chosen = [label for result in results for label in (result.get("value") or {}).get("choices") or []]
    return one_label(list(dict.fromkeys(map(_hashable, chosen))), "Choices")


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _prediction(prediction: Any) -> tuple[str, dict[str, float]] | None:
    """Return the version of the model and the label with its score, 1 where it has none."""
    if not isinstance(prediction, dict) or (label := _choice(prediction.get("result") or [])) is None:
        return None
    score = number(prediction.get("score"))
    return str(prediction.get("model_version") or ""), {label: 1.0 if score is None else score}


def labeling_config(labels: Sequence[str], *, text: str = "text") -> str:
    """Return the labeling interface that a Label Studio project needs for exported tasks.

    Examples
    --------
    >>> print(labeling_config(["ok", "offensive"], text="tweet"))
    <View>
      <Text name="text" value="$tweet"/>
      <Choices name="label" toName="text" choice="single">
        <Choice value="ok"/>
        <Choice value="offensive"/>
      </Choices>
    </View>
    """
    choices = "\n".join(f"    <Choice value={quoteattr(label)}/>" for label in labels)
    return (
        f'<View>\n  <Text name="text" value={quoteattr("$" + text)}/>\n'
        f'  <Choices name="label" toName="text" choice="single">\n{choices}\n  </Choices>\n</View>'
    )


def _task(content: Task, own: Task) -> Task:
    """Return a row as a task: a person's label as an annotation, any other as a prediction."""
    annotations, predictions = [], []
    if own.get("label") is not None:
        chosen = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [own["label"]]}}
        if own.get("source") in ("weak", "model"):
            version = {"weak": f"{OWN} weak labels", "model": f"{OWN} model"}[own["source"]]
            predictions.append({"model_version": version, "score": own.get("confidence"), "result": [chosen]})
        else:
            annotations.append({"result": [chosen], "was_cancelled": False, "ground_truth": False})
    return {"data": content, "annotations": annotations, "predictions": predictions, "meta": {OWN: own}}


def _write(path: Path, batches: Iterator[pl.DataFrame], _about: About) -> int:
    return write_tasks(path, batches, _task, lines=False)


LABEL_STUDIO = ExportFormat("label_studio", "Label Studio, tasks as JSON", "application/json", ".json", _write)
