"""Labels taken from a column of a file, where nobody wants to type them."""

from __future__ import annotations

from typing import Any

import polars as pl

from labeling.formats.reading.tables import Table, read_source
from labeling.label_names import label_name
from labeling.store.label_set import LabelSet

MOST_LABELS = 200
"""So many different values a column of labels may hold, unless more are asked for."""

_FEW = 20


def labels_of(
    source: object,
    column: str,
    *,
    most: int = MOST_LABELS,
    encoding: str | None = None,
    delimiter: str | None = None,
    name: str | None = None,
) -> list[str]:
    r"""Return the different values of a column, sorted, as labels for `Project.create`.

    Parameters
    ----------
    source
        A file, bytes, or a polars or pandas frame, as `Project.add_items` takes it.
    column
        The column that holds a label, or nothing, in each row.
    most
        How many labels there may be.
    encoding, delimiter, name
        As for `Project.add_items`.

    Raises
    ------
    ValueError
        There is no such column, it is empty, or it looks like text: more than `most` values, or one of its own in
        most rows.

    Examples
    --------
    >>> labels_of(b"text,label\nhi,ok\ngo away,offensive\nhello,ok\n", "label", name="posts.csv")
    ['offensive', 'ok']
    >>> labels_of(pl.DataFrame({"stars": [10, 2, None, 10]}), "stars")
    ['2', '10']
    """
    return column_labels(read_source(source, encoding=encoding, delimiter=delimiter, name=name), column, most)


def column_labels(table: Table, column: str, most: int = MOST_LABELS) -> list[str]:
    """Return the different values of a column of a table that was read; see `labels_of`."""
    column = table.renamed.get(column, column)
    if column not in table.frame.columns:
        raise ValueError(
            f"There is no column {column!r} to take labels from. The columns are: {', '.join(table.frame.columns)}."
        )
    if table.frame.schema[column].is_nested() or table.frame.schema[column] == pl.Binary:
        raise ValueError(f"Column {column!r} holds {table.frame.schema[column]}; labels are texts or numbers.")
    values = table.text_of(column).str.strip_chars().drop_nulls()
    values = values.filter(values != "")
    different = values.unique(maintain_order=True)
    # Names as they are kept: two ways to write one letter make one label.
    different = pl.Series(map(label_name, different), dtype=pl.String).unique(maintain_order=True)
    if not len(different):
        raise ValueError(f"Column {column!r} is empty: there are no labels to take from it.")
    if len(different) > most or (len(different) > _FEW and len(different) > len(values) / 2):
        raise ValueError(
            f"Column {column!r} holds {len(different):,} different values in {len(values):,} rows, such as "
            f"{_short(different[0])!r}: that looks like text, not like labels (at most {most:,}). "
            "Name the column that holds the labels."
        )
    return _sorted(different)


def with_labels(labels: LabelSet, names: list[str]) -> tuple[LabelSet, dict[str, Any] | None]:
    """Return the classes with those that are missing, as one version more, and how the ledger is told of it.

    Examples
    --------
    >>> grown, told = with_labels(LabelSet.of(["ok", "bad"]), ["bad", "worse"])
    >>> grown.names, grown.version, told["change"]
    (('ok', 'bad', 'worse'), 2, {'kind': 'add', 'names': ['worse']})
    """
    grown, added = labels, []
    for name in names:
        try:
            grown.named(name)
        except ValueError:
            grown = grown.add(name)
            added.append(name)
    if not added:
        return labels, None
    grown = LabelSet(grown.classes, labels.version + 1)
    change = {"kind": "add", "names": added}
    return grown, {"after": labels.version, "change": change, "classes": grown.dump()}


def _sorted(values: pl.Series) -> list[str]:
    """Numbers by their size, texts by their letters."""
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0 and numbers.is_finite().all():
        frame = pl.DataFrame({"text": values, "number": numbers})
        return frame.sort("number", "text")["text"].to_list()
    return sorted(values.to_list())


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
