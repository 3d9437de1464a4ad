"""What every labeling function is: a name, whose it is, and votes for classes."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeAlias

import polars as pl

from labeling.arrays import NO_VOTE, vote_dtype
from labeling.functions.fingerprint import digest
from labeling.label_names import label_name, label_position

Spec: TypeAlias = dict[str, Any]


def listed(names: Iterable[object]) -> str:
    """Names for a message, as in ``ok, offensive``."""
    return ", ".join(map(str, names))


class Vote(Enum):
    """What a Python labeling function may return besides the name of a class."""

    ABSTAIN = NO_VOTE

    def __repr__(self) -> str:
        return self.name


ABSTAIN = Vote.ABSTAIN


@dataclass(frozen=True)
class LabelingFunction(ABC):
    """A named source of votes.

    Attributes
    ----------
    name
        Unique among the functions that are used together.
    expert
        Whose rule it is; the functions of one expert are a rule set.
    kind
        ``"keyword"``, ``"regex"``, ``"comparison"``, ``"when"``, ``"python"``, ``"snorkel"``, …
    columnar
        Whether it is one Polars expression over all rows, and not Python, row by row.
    """

    name: str
    expert: str | None

    kind: ClassVar[str]
    columnar: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f"A labeling function needs a name, got {self.name!r}.")

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Class names that it can vote for; () where that is known only after a run."""

    @property
    @abstractmethod
    def body(self) -> Spec:
        """What decides its votes, JSON-able; for code, its text."""

    @property
    def spec(self) -> Spec:
        """Everything to store: kind, name, expert and body."""
        return {"kind": self.kind, "name": self.name, "expert": self.expert, **self.body}

    @property
    def fingerprint(self) -> str | None:
        """Changes when its votes may change; None: its votes must not be kept."""
        return digest(self.kind, json.dumps(self.body, sort_keys=True))

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Votes as a Polars expression: positions in ``labels`` as int8, -1 abstains."""
        del text, labels
        raise TypeError(f"{self.name!r} is not an expression: it runs row by row.")

    def call(self, row: Mapping[str, Any], labels: Sequence[str]) -> object:
        """Ask a function that is not columnar about one row: a class name, or an abstain."""
        del row, labels
        raise TypeError(f"{self.name!r} does not run row by row: it is an expression over columns.")

    def needs(self, text: str | None) -> tuple[str, ...]:
        """Columns without which it cannot run, as far as that is known before."""
        del text
        return ()


@dataclass(frozen=True)
class Rule(LabelingFunction):
    """A columnar function that votes for one class where a condition holds."""

    label: str

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "label", label_name(self.label))

    @abstractmethod
    def condition(self, text: str | None) -> pl.Expr:
        """Where it votes, as a boolean expression; null counts as no."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The one class that it votes for."""
        return (self.label,)

    def expression(self, text: str | None, labels: Sequence[str]) -> pl.Expr:
        """Votes as a Polars expression: positions in ``labels``, -1 abstains."""
        dtype = pl.Int8 if vote_dtype(len(labels)).__name__ == "int8" else pl.Int16
        position = pl.lit(label_position(self.label, labels), dtype)
        return pl.when(self.condition(text).cast(pl.Boolean)).then(position).otherwise(pl.lit(NO_VOTE, dtype))
