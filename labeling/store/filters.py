"""Saved filters, and the items that a rule or an expression picks out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, BoolArray
from labeling.functions.base import Rule, listed
from labeling.functions.rules import KINDS, from_spec
from labeling.votes.running import run_functions

if TYPE_CHECKING:
    from labeling.store.items import Items
    from labeling.store.project_store import ProjectStore


@dataclass(frozen=True)
class FilterInfo:
    """A saved filter: the rule that it is, as data."""

    name: str
    kind: str
    spec: Mapping[str, Any]
    created_at: datetime


class Filters:
    """Saved filters: rules that pick items out, and label nothing.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store

    def save(self, name: str, rule: object) -> None:
        """Keep a rule as a filter; see `Project.save_filter`."""
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"A filter needs a name, got {name!r}.")
        if isinstance(rule, pl.Expr):
            raise TypeError(
                f"A Polars expression is code, and never stored. Pass it with the loop: pool_loop(…, "
                f"regions={{{name!r}: …}}), or save a rule made by keyword(), regex() or comparison()."
            )
        if not isinstance(rule, Rule) or rule.kind not in KINDS:
            raise TypeError(
                f"A filter is a rule made by keyword(), regex() or comparison(), got {rule!r}. "
                f"Kinds that can be kept are: {listed(KINDS)}."
            )
        taken = {info.name for info in self._store.functions.infos(self._store.label_set)} | set(
            self._store.items.columns().dtypes
        )
        if name in taken:
            raise ValueError(f"{name!r} is the name of a labeling function or a column. Choose another one.")
        columns = self._store.items.columns()
        missing = [column for column in rule.needs(columns.named("text")) if column not in columns.dtypes]
        if missing and columns.dtypes:
            raise ValueError(f"There is no column {missing[0]!r}. The columns are: {', '.join(columns.dtypes)}.")
        self._store.ledger.functions.save_filter(name, rule.spec, active=True)

    def all(self) -> list[FilterInfo]:
        """Return the saved filters by name."""
        return [
            FilterInfo(record.name, str(record.spec["kind"]), record.spec, record.created_at)
            for record in self._store.ledger.functions.filters()
        ]

    def remove(self, name: str) -> None:
        """Drop a saved filter; its history stays. A loop that asks in it must not be refitted afterwards."""
        record = self.named(name)
        self._store.ledger.functions.save_filter(record.name, record.spec, active=False)

    def items(self, name: str) -> pl.DataFrame:
        """Return the items that a saved filter picks out."""
        mask = _mask_of(self._store.items, self.named(name).spec)
        return self._store.items.frame().filter(pl.Series(mask()))

    def named(self, name: str) -> FilterInfo:
        """Return a saved filter; raise LookupError where there is none of that name."""
        known = {info.name: info for info in self.all()}
        if name not in known:
            raise LookupError(f"There is no filter {name!r}; there are: {', '.join(map(repr, known)) or 'none yet'}.")
        return known[name]


def _mask_of(items: Items, spec: Mapping[str, Any]) -> Callable[[], BoolArray]:
    rule = from_spec(spec)
    text = items.columns().named("text")
    return lambda: np.asarray(run_functions([rule], items.frame(), rule.labels, text=text).values[:, 0] != NO_VOTE)


def _evaluated(items: Items, name: str, expression: pl.Expr) -> Callable[[], BoolArray]:
    def mask() -> BoolArray:
        frame = items.frame()
        found = frame.select(pl.lit(value=True).alias("there"), expression.alias("mask"))["mask"]
        if found.dtype != pl.Boolean or len(found) != frame.height:
            raise ValueError(f"The region {name!r} must give true or false for each item, got {found.dtype}.")
        return found.fill_null(value=False).to_numpy().astype(bool)

    return mask


def picked(store: ProjectStore, where: object) -> pl.Series:
    """Return the ids of the items that a filter picks out: one that is saved, a rule, or a Polars expression.

    Raises
    ------
    LookupError
        There is no filter of that name.
    TypeError, ValueError
        It is none of the three, or names a column that the items do not have.
    """
    items = store.items
    if isinstance(where, str):
        spec = Filters(store).named(where).spec
    elif isinstance(where, Rule) and where.kind in KINDS:
        spec = where.spec
    elif isinstance(where, pl.Expr):
        try:
            return items.frame()["item_id"].filter(pl.Series(_evaluated(items, str(where), where)()))
        except pl.exceptions.ColumnNotFoundError as error:
            known = ", ".join(name for name in items.frame().columns)
            raise ValueError(
                f"The filter names a column that items do not have: {error}. There are: {known}."
            ) from error
    else:
        raise TypeError(
            "A filter is the name of a saved one, a rule made by keyword(), regex() or comparison(), or a Polars "
            f"expression; got {where!r}."
        )
    return items.frame()["item_id"].filter(pl.Series(_mask_of(items, spec)()))
