"""Which columns give the answer away, and are not shown to those who are asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labeling.formats.mapping import named_like_answer
from labeling.label_names import find_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labeling.formats.mapping import Mapping
    from labeling.formats.reading.tables import Table
    from storage.ledger import Ledger

FEW_ROWS = 20
"""Fewer rows than that tell nothing of whether a column goes with the known answer."""

LOOKED_AT = 1000
"""Rows that are looked at first."""


def looks_like_answer(table: Table, mapping: Mapping, labels: Sequence[str]) -> list[str]:
    r"""Return the columns of content that look like the answer.

    Such are columns called like one ("label", "class", "truth"), columns whose values are all names of labels, and
    columns of few values each of which goes with one known answer alone.

    Examples
    --------
    >>> from labeling.formats.mapping import Mapping
    >>> from labeling.formats.reading.tables import read_source
    >>> table = read_source(b"text,verdict,likes\na,ok,3\nb,bad,3\n", name="posts.csv")
    >>> looks_like_answer(table, Mapping(text="text"), ["ok", "bad"])
    ['verdict']
    """
    parts = {*mapping.roles().values(), *mapping.private}
    gold = None if mapping.gold is None or not _plain(table.frame[mapping.gold]) else table.text_of(mapping.gold)
    return [
        series.name
        for series in table.frame.get_columns()
        if series.name not in parts
        and (
            (named_like_answer(series.name) and not series.dtype.is_float())
            or _names_labels(table, series, labels)
            or (gold is not None and _goes_with(table, series, gold, len(labels)))
        )
    ]


def _plain(series: pl.Series) -> bool:
    return not series.dtype.is_nested() and series.dtype != pl.Binary


def _names_labels(table: Table, series: pl.Series, labels: Sequence[str]) -> bool:
    # The first values rule out most columns; the text of a whole column is costly.
    if not _plain(series) or series.head(LOOKED_AT).n_unique() > len(labels) + 2:
        return False
    values = table.text_of(series.name).drop_nulls().unique()
    if not 1 <= len(values) <= len(labels) + 1:
        return False
    stated = [value for value in values.to_list() if value.strip()]
    return bool(stated) and all(find_label(value, labels) is not None for value in stated)


def _goes_with(table: Table, series: pl.Series, gold: pl.Series, k: int) -> bool:
    """Tell whether each value of a column of few values goes with one known answer alone, and answers differ."""
    if not _plain(series):
        return False
    pairs = pl.DataFrame({"value": table.text_of(series.name), "gold": gold}).drop_nulls()
    if pairs.height < FEW_ROWS or pairs["gold"].n_unique() < 2:
        return False
    answers = pairs.group_by("value").agg(pl.col("gold").n_unique())
    return 2 <= answers.height <= 2 * k and bool((answers["gold"] == 1).all())


def hidden_columns(ledger: Ledger) -> tuple[str, ...]:
    """Return the columns that annotators are not shown, sorted: as imports left them, then as somebody chose."""
    events: list[tuple[int, str, list[str]]] = [
        (record.seq, "import", list(record.mapping.get("hidden", ()))) for record in ledger.imports.all()
    ]
    events += [(seq, "chosen", list(details["columns"])) for seq, details in ledger.changes("hidden columns")]
    hidden: set[str] = set()
    for _, kind, columns in sorted(events):
        hidden = hidden | set(columns) if kind == "import" else set(columns)
    return tuple(sorted(hidden))
