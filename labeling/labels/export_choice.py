"""What of a data set is exported: which labels, rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

from labeling.functions.base import Rule
from labeling.store.items import Columns

if TYPE_CHECKING:
    from labeling.labels.records import LabelSource
    from labeling.store.project_store import ProjectStore

SOURCES = ("human", "weak", "model")
SPLITS = ("train", "test")


class NothingLeft(ValueError):
    """The choices of an export leave no row."""


@dataclass(frozen=True)
class Choice:
    """The choices of one export, checked; `columns` None are all that may leave."""

    source: tuple[str, ...] | None = None
    order: tuple[LabelSource, ...] | None = None
    min_confidence: float | None = None
    split: str | None = None
    columns: tuple[str, ...] | None = None
    where: str | Rule | pl.Expr | None = None
    private: bool = False
    probabilities: tuple[LabelSource, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        source: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        min_confidence: float | None = None,
        split: str | None = None,
        columns: str | Sequence[str] | None = None,
        where: str | Rule | pl.Expr | None = None,
        private: bool = False,
        probabilities: str | Sequence[str] = (),
    ) -> Choice:
        """Check what needs no project; what does is checked where it is used.

        Raises
        ------
        ValueError, TypeError
            A value is none that there is.
        """
        if split is not None and split not in SPLITS:
            raise ValueError(f"There is no split {split!r}. Splits are: {', '.join(SPLITS)}.")
        return cls(
            _known("source", source, SOURCES),
            cast("tuple[LabelSource, ...] | None", _names("order", order, once=False)),
            None if min_confidence is None else _share(min_confidence),
            split,
            _names("columns", columns),
            where,
            bool(private),
            cast("tuple[LabelSource, ...]", _known("probabilities", probabilities or None, SOURCES[1:]) or ()),
        )

    @property
    def drops(self) -> bool:
        """Whether rows may be left out."""
        return any(choice is not None for choice in (self.source, self.min_confidence, self.split, self.where))

    def shown(self, columns: Columns) -> list[str]:
        """Return the columns of the items that leave, in their order.

        Raises
        ------
        ValueError
            A column is not there, or is private and was not asked for as such.
        """
        known, private = list(columns.dtypes), columns.private()
        for name in self.columns or ():
            if name not in known:
                raise ValueError(f"There is no column {name!r}. The columns are: {', '.join(known) or 'none yet'}.")
            if name in private and not self.private:
                raise ValueError(f"The column {name!r} is private. It leaves only with private=True, on record.")
        wanted = known if self.columns is None else self.columns
        return [name for name in known if name in wanted and (self.private or name not in private)]

    def keep(self, facts: pl.DataFrame, store: ProjectStore) -> pl.DataFrame:
        """Return the items that stay.

        Raises
        ------
        NothingLeft
            None does; the message says which choice left the last one out.
        """
        if self.split == "test" and not (facts["split"] == "test").any():
            raise ValueError(
                "There is no hold-out, so no split 'test'. Draw one with set_holdout(), or leave split out."
            )
        steps: list[tuple[str, Any]] = []
        if self.split is not None:
            steps.append((f"split={self.split!r}", pl.col("split") == self.split))
        if self.where is not None and facts.height:
            from labeling.store.filters import picked

            ids = picked(store, self.where)
            steps.append((f"where={_shown(self.where)}", pl.col("item_id").is_in(ids.implode())))
        if self.source is not None:
            steps.append((f"source={', '.join(self.source)}", pl.col("source").is_in(self.source)))
        if self.min_confidence is not None:
            steps.append((f"min_confidence={self.min_confidence:g}", pl.col("confidence") >= self.min_confidence))
        before = facts.height
        for said, condition in steps:
            left = facts.filter(condition)
            if before and left.is_empty():
                raise NothingLeft(
                    f"No row would be exported: none of the {facts.height:,} items"
                    f"{' that the other choices leave' if facts.height < before else ''} has {said}."
                )
            facts = left
        return facts

    def options(self, columns: Columns) -> dict[str, Any]:
        """Return what is put on record: the choices that were made, and the private columns that left."""
        private = columns.private()
        made = {
            "source": list(self.source) if self.source is not None else None,
            "order": list(self.order) if self.order is not None else None,
            "min_confidence": self.min_confidence,
            "split": self.split,
            "columns": list(self.columns) if self.columns is not None else None,
            "probabilities": list(self.probabilities) or None,
            "where": None if self.where is None else _shown(self.where),
        }
        chosen = {name: value for name, value in made.items() if value is not None}
        return chosen | {"private": [name for name in self.shown(columns) if name in private]}


def _names(what: str, given: str | Sequence[str] | None, *, once: bool = True) -> tuple[str, ...] | None:
    if given is None:
        return None
    names = (given,) if isinstance(given, str) else tuple(given)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"{what}= takes names, got {wrong[0]!r}.")
    return tuple(dict.fromkeys(names)) if once else names


def _known(what: str, given: str | Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...] | None:
    names = _names(what, given)
    if names is None:
        return None
    if not names:
        raise ValueError(f"{what}= names none. Leave it out for all, or name one or several of {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise ValueError(f"There is no {what} {name!r}. Name one or several of {', '.join(known)}.")
    return names


def _share(value: object) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    share = float(cast("float", value)) if number else math.nan
    if not 0 <= share <= 1:
        raise ValueError(f"min_confidence= is a number from 0 to 1, got {value!r}.")
    return share


def _shown(where: str | Rule | pl.Expr) -> str:
    return where if isinstance(where, str) else str(where.spec if isinstance(where, Rule) else where)
