"""Labeling functions that look things up: in a list, in another column, in a model, among examples.

For what no word can say: the cat in a picture is near other cats in an
embedding, and a classifier trained elsewhere votes where it is sure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, FloatArray, vote_dtype
from labeling.functions.base import LabelingFunction, Spec, listed
from labeling.functions.distributions import likeliest
from labeling.functions.fingerprint import digest
from labeling.label_names import label_name, label_names, label_position
from labeling.library_errors import without_values


def _dtype(labels: Sequence[str]) -> type[pl.DataType]:
    return pl.Int8 if vote_dtype(len(labels)) is np.int8 else pl.Int16


@dataclass(frozen=True)
class Lookup(LabelingFunction):
    """Votes by a table of values; made by `lookup`."""

    table: tuple[tuple[str, str], ...]
    column: str | None
    case_sensitive: bool

    kind: ClassVar[str] = "lookup"

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the table."""
        return tuple(dict.fromkeys(label_name(label) for _, label in self.table))

    @property
    def body(self) -> Spec:
        """Table, column and how values are compared."""
        return {
            "table": [list(row) for row in self.table],
            "column": self.column,
            "case_sensitive": self.case_sensitive,
        }

    def needs(self, text: str | None) -> tuple[str, ...]:
        """The column that it reads."""
        return _column(self.name, self.column, text)

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Position of the class beside the value, -1 where the value is not in the table."""
        column = pl.col(self.needs(text)[0]).cast(pl.String).str.strip_chars()
        values = pl.Series([value.strip() for value, _ in self.table], dtype=pl.String)
        if not self.case_sensitive:
            column, values = column.str.to_lowercase(), values.str.to_lowercase()
        codes = dict(zip(values, (label_position(label, labels) for _, label in self.table), strict=True))
        return column.replace_strict(list(codes), list(codes.values()), default=NO_VOTE, return_dtype=_dtype(labels))


def lookup(
    name: str,
    table: Mapping[str, str] | Iterable[str] | pl.DataFrame | str | Path,
    label: str | None = None,
    *,
    column: str | None = None,
    expert: str | None = None,
    case_sensitive: bool = False,
) -> Lookup:
    """Vote where a whole cell is in a list: known senders, blocked domains.

    Parameters
    ----------
    name
        Unique name.
    table
        Values: a list, a file with one a line, a frame with one column, all with ``label``; or values and their
        classes: a mapping, a frame or a CSV or Parquet file with two columns.
    label
        Class to vote for; None: the second column says it.
    column
        Column to look up; None: the text.
    expert
        Whose rule it is.
    case_sensitive
        True compares letters as written.

    Examples
    --------
    >>> from labeling.votes.running import run_functions
    >>> frame = pl.DataFrame({"sender": ["ANN", "bob", "eve"]})
    >>> known = lookup("senders", {"ann": "ok", "eve": "offensive"}, column="sender")
    >>> run_functions([known], frame, ["ok", "offensive"]).values.ravel()
    array([ 0, -1,  1], dtype=int8)
    """
    rows = _table(table)
    if label is not None:
        pairs = [(row[0], label) for row in rows]
    elif rows and len(rows[0]) > 1:
        pairs = [(row[0], row[1]) for row in rows]
    else:
        raise ValueError(f"lookup {name!r} has values without classes. Give label=, or a table of two columns.")
    if not pairs:
        raise ValueError(f"lookup {name!r} has no values.")
    return Lookup(name, expert, tuple(pairs), column, case_sensitive)


def _table(table: Any) -> list[tuple[str, ...]]:
    if isinstance(table, (str, Path)):
        path = Path(table)
        if path.suffix == ".parquet":
            table = pl.read_parquet(path)
        elif path.suffix == ".csv":
            table = pl.read_csv(path, infer_schema=False)
        else:
            table = path.read_text(encoding="utf-8").splitlines()
    if isinstance(table, pl.DataFrame):
        return [row[:2] for row in table.cast(pl.String).drop_nulls().iter_rows()]
    if isinstance(table, Mapping):
        return [(str(value), str(label)) for value, label in table.items()]
    return [(str(value),) for value in table if str(value).strip()]


@dataclass(frozen=True)
class VotesColumn(LabelingFunction):
    """Votes that stand in a column; made by `votes_column`."""

    column: str
    above: float | None = None

    kind: ClassVar[str] = "votes"

    @property
    def labels(self) -> tuple[str, ...]:
        """Known only from the column."""
        return ()

    @property
    def body(self) -> Spec:
        """The column, and how sure a distribution must be."""
        return {"column": self.column} | ({} if self.above is None else {"above": self.above})

    def needs(self, text: str | None) -> tuple[str, ...]:
        """The column."""
        return _column(self.name, self.column, text)

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Position of the class that the column names or finds likeliest, -1 where there is none."""

        def votes(rows: pl.Series) -> pl.Series:
            return likeliest(rows.struct.unnest().to_series(), labels, self.above).cast(_dtype(labels))

        return _by_batch(self.name, self.needs(text), votes, labels)


def votes_column(name: str, column: str, *, above: float | None = None, expert: str | None = None) -> VotesColumn:
    """Take votes made elsewhere: a column of class names or of distributions, where anything else is an abstain.

    Parameters
    ----------
    name
        Unique name.
    column
        Class names, or predictions: a structure or JSON of shares by class, a list of labels with scores, a list of
        numbers in the order of the classes. The likeliest class is voted for; the shares stay in the column.
    above
        Share from which on a distribution votes; None: any. A tie abstains.
    expert
        Whose votes they are.

    Examples
    --------
    >>> from labeling.votes.running import run_functions
    >>> frame = pl.DataFrame({"other tool": ["ok", None, "?", '{"ok": 0.3, "offensive": 0.7}']})
    >>> run_functions([votes_column("theirs", "other tool")], frame, ["ok", "offensive"]).values.ravel()
    array([ 0, -1, -1,  1], dtype=int8)
    """
    if above is not None and not 0 <= above <= 1:
        raise ValueError(f"votes_column {name!r}: above is a share in [0, 1], got {above}.")
    return VotesColumn(name, expert, column, above)


@dataclass(frozen=True, eq=False)
class Model(LabelingFunction):
    """Votes of a fitted classifier where it is sure; made by `model`."""

    classifier: Any = field(repr=False)
    names: tuple[str, ...]
    columns: tuple[str, ...]
    above: float
    version: str | int | None

    kind: ClassVar[str] = "model"

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names that the classifier knows."""
        return self.names

    @property
    def body(self) -> Spec:
        """What it is, what it reads and when it votes."""
        told = {"classifier": type(self.classifier).__name__, "labels": list(self.names), "version": self.version}
        return {**told, "columns": list(self.columns), "above": self.above}

    @property
    def fingerprint(self) -> str | None:
        """Hash of the version and of what it reads; None without a version, as fitted models are not compared."""
        return None if self.version is None else super().fingerprint

    def needs(self, text: str | None) -> tuple[str, ...]:
        """Columns that it reads."""
        return self.columns or _column(self.name, None, text)

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Position of the likeliest class where its probability is high enough, else -1."""
        codes = np.array([label_position(name, labels) for name in self.names])

        def votes(rows: pl.Series) -> pl.Series:
            proba = np.asarray(self.classifier.predict_proba(self._input(rows)))
            sure = np.where(proba.max(axis=1) >= self.above, codes[proba.argmax(axis=1)], NO_VOTE)
            return pl.Series(rows.name, sure, dtype=_dtype(labels))

        return _by_batch(self.name, self.needs(text), votes, labels)

    def _input(self, rows: pl.Series) -> Any:
        columns = rows.struct.unnest()
        return columns.to_numpy() if self.columns else columns.to_series().cast(pl.String).fill_null("").to_list()


def model(
    name: str,
    classifier: Any,
    *,
    above: float = 0.9,
    columns: Sequence[str] = (),
    labels: Sequence[str] | None = None,
    version: str | int | None = None,
    expert: str | None = None,
) -> Model:
    """Vote as a fitted classifier does, where its probability is high enough.

    For a column of probabilities, ``comparison(name, column, ">=", 0.9, label)`` does it.

    Parameters
    ----------
    name
        Unique name.
    classifier
        Anything with ``predict_proba``, such as a scikit-learn pipeline on text.
    above
        Probability from which on it votes.
    columns
        Columns that it takes as an array; (): the text, as a list.
    labels
        Class names in the order of its probabilities; None: its ``classes_``.
    version
        Names the state of the classifier; without it, votes are computed anew in each process.
    expert
        Whose it is.
    """
    names = getattr(classifier, "classes_", None) if labels is None else labels
    if not hasattr(classifier, "predict_proba") or names is None:
        raise TypeError(
            f"model {name!r} needs a fitted classifier with predict_proba and classes_, got {classifier!r}."
        )
    if not 0 <= above <= 1:
        raise ValueError(f"model {name!r}: above is a probability in [0, 1], got {above}.")
    return Model(name, expert, classifier, label_names(map(str, names)), tuple(columns), above, version)


@dataclass(frozen=True, eq=False)
class Nearest(LabelingFunction):
    """Votes where an embedding is near examples; made by `nearest`."""

    examples: FloatArray = field(repr=False)
    label: str
    column: str
    above: float

    kind: ClassVar[str] = "nearest"

    @property
    def labels(self) -> tuple[str, ...]:
        """The one class that it votes for."""
        return (label_name(self.label),)

    @property
    def body(self) -> Spec:
        """Label, column, similarity, and a hash of the examples."""
        content = sha256(self.examples.tobytes()).hexdigest()
        return {"label": self.label, "column": self.column, "above": self.above, "examples": digest(content)}

    def needs(self, text: str | None) -> tuple[str, ...]:
        """The column of embeddings."""
        return _column(self.name, self.column, text)

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Position of the class where the nearest example is near enough, else -1."""
        position = label_position(self.label, labels)

        def votes(rows: pl.Series) -> pl.Series:
            column = rows.struct.unnest().to_series()
            near = np.zeros(len(column), dtype=bool)
            given = column.is_not_null().to_numpy()
            if given.any():
                vectors = np.stack(column.drop_nulls().to_list()).astype(np.float64)
                near[given] = (_unit(vectors) @ self.examples.T).max(axis=1) >= self.above
            return pl.Series(rows.name, np.where(near, position, NO_VOTE), dtype=_dtype(labels))

        return _by_batch(self.name, self.needs(text), votes, labels)


def nearest(
    name: str,
    examples: Any,
    label: str,
    *,
    column: str,
    above: float = 0.8,
    to: Literal["examples", "prototype"] = "examples",
    expert: str | None = None,
) -> Nearest:
    """Vote where an item's embedding is similar to that of examples.

    Parameters
    ----------
    name
        Unique name.
    examples
        Embeddings of items of the class, shape (e, d).
    label
        Class to vote for.
    column
        Column of embeddings: lists or arrays of d numbers; null abstains.
    above
        Cosine similarity from which on it votes.
    to
        The nearest of the ``"examples"``, or their mean, the ``"prototype"`` of the class.
    expert
        Whose rule it is.

    Examples
    --------
    >>> from labeling.votes.running import run_functions
    >>> frame = pl.DataFrame({"image": [[1.0, 0.1], [0.0, 1.0], None]})
    >>> cats = nearest("cats", [[1.0, 0.0], [0.9, 0.2]], "cat", column="image")
    >>> run_functions([cats], frame, ["cat", "dog"], text=None).values.ravel()
    array([ 0, -1, -1], dtype=int8)
    """
    vectors = np.atleast_2d(np.asarray(examples, dtype=np.float64))
    if not vectors.size or vectors.ndim != 2:
        raise ValueError(f"nearest {name!r} needs examples of the shape (examples, dimensions), got {vectors.shape}.")
    units = _unit(vectors)
    return Nearest(
        name, expert, _unit(units.mean(axis=0)[None, :]) if to == "prototype" else units, label, column, above
    )


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))


def _column(name: str, column: str | None, text: str | None) -> tuple[str, ...]:
    chosen = column or text
    if chosen is None:
        raise ValueError(f"Labeling function {name!r} reads the text, but no column is the text. Set column=.")
    return (chosen,)


def _by_batch(
    name: str, columns: Sequence[str], votes: Callable[[pl.Series], pl.Series], labels: Sequence[str]
) -> pl.Expr:
    """Make an expression of a function over whole columns; say whose it is where it fails."""

    def guarded(rows: pl.Series) -> pl.Series:
        try:
            return votes(rows)
        except Exception as error:  # noqa: BLE001 - said again below
            raise ValueError(
                f"Labeling function {name!r} over columns {listed(columns)} fails: {type(error).__name__}: "
                f"{without_values(error)}."
            ) from None

    return pl.struct(columns).map_batches(guarded, return_dtype=_dtype(labels))
