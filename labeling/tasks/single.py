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


def position(answer: Answered, positions: Mapping[int, int]) -> int | None:
    """Return the position of the class that an annotation answers with; None where it answers with none of these."""
    return positions.get(answer.label_ids[0]) if answer.kind == "answer" and answer.label_ids else None


def merged(answers: Sequence[Answered], positions: Mapping[int, int]) -> FloatArray:
    """(k,) how often each class was said, by its position among `positions`, which are those of class ids."""
    counts = np.zeros(len(positions))
    for answer in answers:
        place = position(answer, positions)
        if place is not None:
            counts[place] += 1
    return counts
