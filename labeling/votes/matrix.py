"""The label matrix: what every source said about every item.

Examples
--------
>>> matrix = LabelMatrix.from_votes([[0, -1], [1, 0], [-1, -1]], labels=["ham", "spam"], gold=[0, 1, 1])
>>> matrix.summary().select("function", "coverage", "conflicts", "accuracy")
shape: (2, 4)
┌────────────┬──────────┬───────────┬──────────┐
│ function   ┆ coverage ┆ conflicts ┆ accuracy │
│ ---        ┆ ---      ┆ ---       ┆ ---      │
│ str        ┆ f64      ┆ f64       ┆ f64      │
╞════════════╪══════════╪═══════════╪══════════╡
│ function_1 ┆ 0.666667 ┆ 0.333333  ┆ 1.0      │
│ function_2 ┆ 0.333333 ┆ 0.333333  ┆ 0.0      │
└────────────┴──────────┴───────────┴──────────┘
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from labeling.arrays import NO_VOTE, BoolArray, IntArray, VoteArray, vote_dtype
from labeling.functions.base import LabelingFunction
from labeling.label_names import label_name, label_names
from labeling.votes.patterns import Patterns
from labeling.votes.running import Faults, Votes


@dataclass(frozen=True)
class Source:
    """Who cast a column of votes: a labeling function, a person or a model.

    Attributes
    ----------
    name
        Unique in the matrix.
    expert
        Rule set that it belongs to.
    kind
        Kind of function; ``"votes"`` for votes made elsewhere, ``"person"`` for people.
    version
        Version of the function in its project.
    faults
        Exceptions, None without any.
    seconds
        What the votes took to compute, None where that is not known.
    loaded
        False where the code of the function is not at hand, so that new items have no votes from it.
    """

    name: str
    expert: str | None = None
    kind: str = "votes"
    version: int | None = None
    faults: Faults | None = None
    seconds: float | None = None
    loaded: bool = True


@dataclass(frozen=True, eq=False)
class LabelMatrix:
    """Votes of m sources on n items.

    Attributes
    ----------
    values
        Class positions, shape (n, m), int8 (int16 beyond 127 classes); -1 abstains.
    labels
        Class names; their order gives the positions.
    sources
        Who cast each column, length m.
    item_ids
        Ids of the rows, shape (n,): integers or text.
    gold
        Known class positions, shape (n,), -1 unknown; never those of hold-out items. None: no gold.
    """

    values: VoteArray
    labels: tuple[str, ...]
    sources: tuple[Source, ...]
    item_ids: np.ndarray[Any, Any]
    gold: IntArray | None = None

    def __post_init__(self) -> None:
        values = _positions(self.values, len(self.labels), "votes")
        if values.ndim != 2:
            raise ValueError(f"Votes have the shape (items, sources), got {values.shape}.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "labels", label_names(self.labels))
        object.__setattr__(self, "sources", tuple(self.sources))
        object.__setattr__(self, "item_ids", np.asarray(self.item_ids))
        for name, found, expected in (
            ("sources", len(self.sources), values.shape[1]),
            ("item_ids", len(self.item_ids), len(values)),
            ("gold", len(values) if self.gold is None else len(self.gold), len(values)),
        ):
            if found != expected:
                raise ValueError(f"{name} has {found} entries, but the votes have the shape {values.shape}.")
        if self.gold is not None:
            object.__setattr__(self, "gold", _positions(self.gold, len(self.labels), "gold").astype(np.int64))

    @staticmethod
    def from_votes(
        votes: ArrayLike,
        labels: Sequence[str],
        names: Sequence[str] | None = None,
        experts: Sequence[str | None] | None = None,
        item_ids: ArrayLike | None = None,
        gold: ArrayLike | None = None,
    ) -> "LabelMatrix":
        """Take votes that were made elsewhere.

        Parameters
        ----------
        votes
            Class positions, shape (n, m), integers; -1 abstains.
        labels
            Class names.
        names
            Source names, length m; None: ``function_1``, ``function_2``, …
        experts
            Rule set of each source, length m.
        item_ids
            Ids of the rows; None: 0..n-1.
        gold
            Known class positions, shape (n,), -1 unknown.
        """
        values = np.asarray(votes)
        m = values.shape[1] if values.ndim == 2 else 0
        names = [f"function_{j + 1}" for j in range(m)] if names is None else list(names)
        experts = [None] * len(names) if experts is None else list(experts)
        if len(experts) != len(names):
            raise ValueError(f"experts has {len(experts)} entries for {len(names)} sources.")
        sources = tuple(Source(name, expert) for name, expert in zip(names, experts, strict=True))
        ids = np.arange(len(values)) if item_ids is None else np.asarray(item_ids)
        return LabelMatrix(values, tuple(labels), sources, ids, None if gold is None else np.asarray(gold))

    @staticmethod
    def from_answers(
        items: Iterable[Any], annotators: Iterable[str], answers: Iterable[str], labels: Sequence[str] | None = None
    ) -> "LabelMatrix":
        """Take what people answered, one triple an answer; of repeated answers the last counts.

        Parameters
        ----------
        items, annotators, answers
            Item id, person and class name, equally long.
        labels
            Class names; None: all that occur, sorted.

        Raises
        ------
        ValueError
            They are not equally long, one is missing, ids are of more than one kind, or an answer is no class.

        Examples
        --------
        >>> LabelMatrix.from_answers([7, 7, 9], ["ann", "bob", "bob"], ["ok", "bad", "ok"]).values
        array([[ 1,  0],
               [-1,  1]], dtype=int8)
        """
        triples = _triples(items, annotators, [label_name(answer) for answer in answers])
        known = sorted(triples["answer"].unique()) if labels is None else list(label_names(labels))
        strange = sorted(set(triples["answer"].unique()) - set(known))
        if strange:
            raise ValueError(f"Answers name {strange[0]!r}, which is not a class. Known: {', '.join(known)}.")
        ids, people = triples["item"].unique().sort(), triples["annotator"].unique().sort()
        values = np.full((len(ids), len(people)), NO_VOTE, vote_dtype(len(known)), order="F")
        row, column = ids.search_sorted(triples["item"]), people.search_sorted(triples["annotator"])
        positions = triples["answer"].replace_strict(known, range(len(known)), return_dtype=pl.Int64)
        values[np.asarray(row), np.asarray(column)] = positions.to_numpy()
        sources = tuple(Source(person, kind="person") for person in people)
        return LabelMatrix(values, tuple(known), sources, ids.to_numpy())

    @staticmethod
    def from_functions(
        votes: Votes,
        functions: Sequence[LabelingFunction],
        labels: Sequence[str],
        item_ids: ArrayLike | None = None,
        gold: ArrayLike | None = None,
    ) -> "LabelMatrix":
        """Take what labeling functions said, with what they cost and where they failed."""
        sources = tuple(
            Source(function.name, function.expert, function.kind, None, fault, spent)
            for function, fault, spent in zip(functions, votes.faults, votes.seconds, strict=True)
        )
        ids = np.arange(len(votes.values)) if item_ids is None else np.asarray(item_ids)
        return LabelMatrix(votes.values, tuple(labels), sources, ids, None if gold is None else np.asarray(gold))

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def votes_per_item(self) -> IntArray:
        """How many sources voted on each item, shape (n,)."""
        count = np.zeros(len(self), dtype=np.int64)
        for column in self.values.T:
            count += column != NO_VOTE
        return count

    @cached_property
    def conflicts(self) -> BoolArray:
        """Where two sources voted for different classes, shape (n,)."""
        if not self.sources:
            return np.zeros(len(self), dtype=bool)
        highest = self.values.max(axis=1)
        # Read without its sign, an abstain is the largest number and never the minimum of the votes.
        unsigned = self.values.view(np.uint8 if self.values.itemsize == 1 else np.uint16)
        return np.asarray((highest != NO_VOTE) & (unsigned.min(axis=1) != highest))

    @cached_property
    def patterns(self) -> Patterns:
        """Unique rows of votes with their counts: what label models are fitted on."""
        return Patterns.of(self.values, self.gold, len(self.labels))

    def take(self, rows: ArrayLike) -> "LabelMatrix":
        """Rows by position or by mask, in the order given."""
        chosen = np.asarray(rows)
        gold = None if self.gold is None else self.gold[chosen]
        return LabelMatrix(self.values[chosen], self.labels, self.sources, self.item_ids[chosen], gold)

    def block(self, start: int, stop: int) -> "LabelMatrix":
        """Rows from start to before stop, without a copy."""
        gold = None if self.gold is None else self.gold[start:stop]
        return LabelMatrix(self.values[start:stop], self.labels, self.sources, self.item_ids[start:stop], gold)

    def with_gold(self, gold: ArrayLike | None) -> "LabelMatrix":
        """Return the same votes with known class positions, shape (n,), -1 unknown."""
        return replace(self, gold=None if gold is None else np.asarray(gold))

    def summary(self) -> pl.DataFrame:
        """Say what each source does, in one row a source.

        Returns
        -------
        polars.DataFrame
            ``function, expert, kind, polarity`` (classes it voted for), ``coverage, overlaps, conflicts`` (shares of
            all items), ``correct, incorrect, accuracy`` (on items with gold that it voted on; null without any),
            ``faults, first_fault, seconds``. Equal to Snorkel's ``LFAnalysis``.
        """
        n, overlap, conflict = max(len(self), 1), self.votes_per_item > 1, self.conflicts
        rows = []
        for source, column in zip(self.sources, self.values.T, strict=True):
            voted = column != NO_VOTE
            rows.append(
                {
                    "function": source.name,
                    "expert": source.expert,
                    "kind": source.kind,
                    "polarity": [self.labels[position] for position in np.unique(column[voted])],
                    "coverage": np.count_nonzero(voted) / n,
                    "overlaps": np.count_nonzero(voted & overlap) / n,
                    "conflicts": np.count_nonzero(voted & conflict) / n,
                    **self._judged(column, voted),
                    "faults": source.faults.count if source.faults else 0,
                    "first_fault": self._first_fault(source),
                    "seconds": source.seconds,
                }
            )
        return pl.DataFrame(rows, schema=_SUMMARY)

    def _judged(self, column: VoteArray, voted: BoolArray) -> dict[str, Any]:
        known = voted & (self.gold != NO_VOTE) if self.gold is not None else np.zeros(len(self), dtype=bool)
        total = np.count_nonzero(known)
        if self.gold is None or not total:
            return {"correct": None, "incorrect": None, "accuracy": None}
        correct = int(np.count_nonzero(known & (column == self.gold)))
        return {"correct": correct, "incorrect": total - correct, "accuracy": correct / total}

    def _first_fault(self, source: Source) -> str | None:
        if source.faults is None:
            return None
        row = source.faults.first_row
        return f"item {self.item_ids[row] if row < len(self) else row}: {source.faults.error}"

    def frame(self) -> pl.DataFrame:
        """Votes as class names: ``item_id`` and one column a source, null where it abstains."""
        names = pl.Series(self.labels, dtype=pl.String)
        columns = {
            source.name: names.gather(pl.Series(column, dtype=pl.Int64).replace(NO_VOTE, None))
            for source, column in zip(self.sources, self.values.T, strict=True)
        }
        return pl.DataFrame({"item_id": self.item_ids, **columns})

    def __repr__(self) -> str:
        share = np.count_nonzero(self.votes_per_item) / max(len(self), 1)
        return (
            f"LabelMatrix({len(self):,} items x {len(self.sources)} sources, classes {', '.join(self.labels)}; "
            f"{share:.1%} of the items have a vote, {self.conflicts.mean() if len(self) else 0:.1%} a conflict)"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>{self.summary()._repr_html_()}"


_SUMMARY: dict[str, Any] = {
    "function": pl.String,
    "expert": pl.String,
    "kind": pl.String,
    "polarity": pl.List(pl.String),
    "coverage": pl.Float64,
    "overlaps": pl.Float64,
    "conflicts": pl.Float64,
    "correct": pl.Int64,
    "incorrect": pl.Int64,
    "accuracy": pl.Float64,
    "faults": pl.Int64,
    "first_fault": pl.String,
    "seconds": pl.Float64,
}


def _positions(values: ArrayLike, k: int, what: str) -> VoteArray:
    """Check class positions, -1..k-1, and hold them in the smallest type."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and array.size and np.array_equal(array, np.trunc(array)):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub" and array.size:
        raise ValueError(f"{what} are class positions, integers from -1 (abstains) to {k - 1}, got {array.dtype}.")
    if array.size and (array.min() < NO_VOTE or array.max() >= k):
        strange = array.min() if array.min() < NO_VOTE else array.max()
        raise ValueError(f"{what} hold {strange}, but there are {k} classes: positions are -1 (abstains) to {k - 1}.")
    return array.astype(vote_dtype(k), copy=False)


def _triples(items: Iterable[Any], annotators: Iterable[str], answers: list[str]) -> pl.DataFrame:
    """Return a row an answer: item, annotator, answer; raise where one cannot be compared with the others."""
    columns = {"item": list(items), "annotator": list(annotators), "answer": answers}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Each answer has an item and an annotator, got {lengths}. Pass three lists of one length.")
    for name, values in columns.items():
        missing = next((place for place, value in enumerate(values) if value is None or value != value), None)
        if missing is not None:
            raise ValueError(f"Answer {missing} has no {name}: {values[missing]!r}. Leave out what nobody answered.")
        odd = next((value for value in values if name != "item" and not isinstance(value, str)), None)
        if odd is not None:
            raise ValueError(f"{name.capitalize()}s are named by texts, got {odd!r}. Pass {str(odd)!r}.")
    try:
        return pl.DataFrame(columns)
    except (TypeError, pl.exceptions.PolarsError) as error:
        kinds = ", ".join(sorted({type(value).__name__ for value in columns["item"]}))
        raise ValueError(f"Item ids are all of one kind, got {kinds}. Pass numbers only, or texts only.") from error
