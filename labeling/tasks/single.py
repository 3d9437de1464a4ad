"""One label an item: how such an answer is kept, and read.

The ledger keeps an answer as class ids, so that other kinds of task have room; here there is one, and none where a
person could not decide or the item does not belong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from labeling.arrays import FloatArray


class Answered(Protocol):
    """An annotation as far as a task reads it."""

    @property
    def kind(self) -> str:
        """Answer, unsure, skip, discard, welcome or undo."""

    @property
    def label_ids(self) -> Sequence[int]:
        """The ids of the classes that were said."""


def stored(class_id: int) -> tuple[int, ...]:
    """Return a label as the ledger keeps it.

    Examples
    --------
    >>> stored(4)
    (4,)
    """
    return (class_id,)


def class_of(answer: Answered) -> int | None:
    """Return the id of the class that somebody said; None for what names none."""
    return answer.label_ids[0] if answer.label_ids else None


def name_of(answer: Answered, names: Mapping[int, str]) -> str | None:
    """Return the name of the class that somebody said, by class id; None for what names none of them."""
    return names.get(answer.label_ids[0]) if answer.label_ids else None


def added(probabilities: Mapping[str, float], names: Mapping[int, str]) -> dict[str, float]:
    """Return probabilities by the present names of classes, from those by class id; merged classes count together.

    Examples
    --------
    >>> added({"3": 0.5, "4": 0.25, "9": 0.25}, {3: "insult", 4: "insult"})
    {'insult': 0.75}
    """
    found: dict[str, float] = {}
    for id_, p in probabilities.items():
        if (name := names.get(int(id_))) is not None:
            found[name] = found.get(name, 0.0) + p
    return found


def position(answer: Answered, positions: Mapping[int, int]) -> int | None:
    """Return the position of the class that an annotation answers with; None where it answers with none of these."""
    return positions.get(answer.label_ids[0]) if answer.kind == "answer" and answer.label_ids else None


def merged(answers: Sequence[Answered], positions: Mapping[int, int]) -> FloatArray:
    """(k,) how often each class was said, by its position among `positions`, which are those of class ids."""
    counts = np.zeros(1 + max(positions.values()))
    for answer in answers:
        place = position(answer, positions)
        if place is not None:
            counts[place] += 1
    return counts
