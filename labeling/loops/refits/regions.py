"""Where better performance is wanted: saved filters, expressions, rules and columns, as masks over the items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from labeling import serialization
from labeling.arrays import BoolArray
from labeling.store.filters import _evaluated, _mask_of
from strategies import Region, Strategy

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore


def check_expressions(regions: object) -> dict[str, pl.Expr]:
    """Return expressions by name; raise for what is none."""
    if not isinstance(regions, Mapping):
        raise TypeError(f'regions= takes names and expressions, as {{"long": pl.col("x") > 5}}, got {regions!r}.')
    for name, expression in regions.items():
        if not isinstance(expression, pl.Expr):
            raise TypeError(
                f"regions[{name!r}] must be a Polars expression, got {expression!r}. "
                "Keep a rule with save_filter() instead."
            )
    return dict(regions)


def texts_of(regions: Mapping[str, pl.Expr]) -> dict[str, str]:
    """Return expressions as texts: what is stored of them, to be compared and never run."""
    return {name: str(expression) for name, expression in sorted(regions.items())}


def given_again(loop: str, stored: Mapping[str, str], given: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Return the expressions of a loop; raise where one was not passed again.

    Raises
    ------
    labeling.serialization.UnknownClass
        The loop was made with an expression that is missing.
    """
    missing = sorted(stored.keys() - given.keys())
    if missing:
        raise serialization.UnknownClass(
            f"The region {missing[0]!r} of the loop {loop!r} is a Polars expression ({stored[missing[0]]}). Code is "
            f"never loaded from a database: pass it again, as regions={{{missing[0]!r}: …}}."
        )
    return dict(given)


def masks(store: ProjectStore, expressions: Mapping[str, pl.Expr]) -> dict[str, Callable[[], BoolArray]]:
    """Return how to get (n,) the mask of each saved filter and expression, in item order."""
    items = store.items
    found = {record.name: _mask_of(items, record.spec) for record in store.ledger.functions.filters()}
    return found | {name: _evaluated(items, name, expression) for name, expression in expressions.items()}


def check_regions(store: ProjectStore, strategy: Strategy, expressions: Mapping[str, pl.Expr]) -> None:
    """Raise where a strategy looks at a region that the project does not have."""
    for part in strategy.parts():
        check_regions(store, part, expressions)
    if not isinstance(strategy, Region):
        return
    columns = store.items.columns().dtypes
    known = [record.name for record in store.ledger.functions.filters()]
    known += [info.name for info in store.functions.infos(store.label_set)]
    known += [name for name, dtype in columns.items() if dtype == pl.Boolean()]
    if strategy.where not in (*expressions, *known):
        raise ValueError(
            f"There is no region {strategy.where!r}. Name a saved filter, a labeling function (the items it votes on) "
            f"or a column of truth values: {', '.join(map(repr, known)) or 'there is none yet'}; "
            "or pass regions= with a Polars expression of that name."
        )
