"""Labeling functions that are code: Polars expressions, Python functions, Snorkel's functions.

They come from a script, and only their text and fingerprint are ever stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import polars as pl

from labeling.arrays import NO_VOTE
from labeling.functions.base import ABSTAIN, LabelingFunction, Rule, Spec
from labeling.functions.fingerprint import digest, fingerprint_code, source_of
from labeling.label_names import label_names


@dataclass(frozen=True)
class When(Rule):
    """Votes where a Polars expression is true; made by `when`."""

    expr: pl.Expr = field(compare=False)
    version: str | int | None

    kind: ClassVar[str] = "when"

    @property
    def body(self) -> Spec:
        """Label, and the expression as text to read."""
        return {"label": self.label, "source": str(self.expr), "version": self.version, "covers": self._covers}

    @property
    def fingerprint(self) -> str | None:
        """Hash of the label and the whole expression; with Python code in it, of ``version``, if there is one."""
        return None if self._covers is None else digest(self.kind, self.label, self._covers)

    @property
    def _covers(self) -> str | None:
        if self.version is not None:
            return f"version {self.version}"
        serialized = self.expr.meta.serialize()
        # Pickled Python code differs from process to process.
        return None if b"cloudpickle" in serialized or "python_udf" in str(self.expr) else digest(serialized.hex())

    def needs(self, text: str | None) -> tuple[str, ...]:
        """Columns that the expression names."""
        del text
        return tuple(dict.fromkeys(self.expr.meta.root_names()))

    def condition(self, text: str | None) -> pl.Expr:
        """Return the expression itself."""
        del text
        return self.expr


@dataclass(frozen=True, eq=False)
class PythonFunction(LabelingFunction):
    """Votes by a Python function of one row; made by `labeling_function`."""

    function: Callable[[dict[str, Any]], object]
    version: str | int | None
    declared: tuple[str, ...]

    kind: ClassVar[str] = "python"
    columnar: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "declared", label_names(self.declared))

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names it was declared with, else ()."""
        return self.declared

    @property
    def body(self) -> Spec:
        """Source text, and what the fingerprint covers."""
        return {
            "labels": list(self.declared),
            "source": source_of(self.function),
            "version": self.version,
            "covers": self.fingerprint,
        }

    @property
    def fingerprint(self) -> str | None:
        """Hash of ``version`` where there is one, else of the code and all that it refers to, else None."""
        if self.version is not None:
            return digest(self.kind, *self.declared, f"version {self.version}")
        code = fingerprint_code(self.function)
        return None if code is None else digest(self.kind, *self.declared, code)

    def call(self, row: Mapping[str, Any], labels: Sequence[str]) -> object:
        """Return what the function returns for one row."""
        del labels
        return self.function(row)  # type: ignore[arg-type]

    def __call__(self, row: dict[str, Any]) -> object:
        """Call the function as it was written."""
        return self.function(row)


class Record(SimpleNamespace):
    """A row as Snorkel's functions expect it: columns are attributes, and items."""

    def __getitem__(self, column: str) -> Any:
        return getattr(self, column)


@dataclass(frozen=True, eq=False)
class SnorkelFunction(LabelingFunction):
    """Votes by a Snorkel ``LabelingFunction``; made by `as_function`."""

    function: Any
    version: str | int | None
    declared: tuple[str, ...]

    kind: ClassVar[str] = "snorkel"
    columnar: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "declared", label_names(self.declared))

    @property
    def labels(self) -> tuple[str, ...]:
        """Nothing is known before a run: the names given stand for all of Snorkel's integers."""
        return ()

    @property
    def body(self) -> Spec:
        """Source text, and what the fingerprint covers."""
        return {
            "labels": list(self.declared),
            "source": source_of(self.function._f),
            "version": self.version,
            "covers": self.fingerprint,
        }

    @property
    def fingerprint(self) -> str | None:
        """Hash of the version, else of the wrapped code and its resources; None with preprocessors."""
        if self.version is not None:
            return digest(self.kind, *self.declared, f"version {self.version}")
        resources = dict(self.function._resources)

        def resource_values() -> object:
            return resources

        code, values = fingerprint_code(self.function._f), fingerprint_code(resource_values)
        if self.function._pre or code is None or values is None:
            return None
        return digest(self.kind, *self.declared, code, values)

    def call(self, row: Mapping[str, Any], labels: Sequence[str]) -> object:
        """Name of the class at the position that Snorkel's function returns."""
        position = self.function(Record(**row))
        if position == NO_VOTE:
            return ABSTAIN
        names = self.declared or labels
        if not 0 <= position < len(names):
            raise ValueError(f"position {position!r} is outside 0..{len(names) - 1}")
        return names[position]
