"""Answers that people gave elsewhere, brought in as what they are: annotations of the project."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.formats.exchange import moment, unread_times
from labeling.formats.reading.delimited import Rejected
from labeling.formats.reading.tables import Table, read_source
from labeling.people.answers import check_same
from labeling.store.holdout import holdout_ids
from labeling.store.label_set import LabelSet
from labeling.tasks import single
from storage import ANSWERS

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore
    from storage.ledger import Ledger
    from storage.records import AnnotationRecord

ORIGIN = "import"
"""What an annotation says of where it came from, when a file brought it."""

_EXAMPLES = 10
_NOBODY = "unnamed"
_PEOPLE = ("annotator", "annotators", "annotated_by", "rater", "user", "worker", "worker_id")
_TIMES = ("at", "labeled_at", "annotated_at", "created_at", "timestamp", "time")


@dataclass(frozen=True)
class AnswersReport:
    """What became of answers that were given elsewhere.

    Of the answers in the `rows` read, `added` are on record now, `known` were, `older` were put aside for what the
    same person answered later, `unknown` are of items that are not in the project (some of their ids in
    `unknown_ids`), `held_out` of items that are held out (some in `held_out_ids`) and were not taken, since they
    measure what is learned; `refused` counts labels that the project has not. `rejected` could not be read.
    """

    rows: int
    added: int
    known: int
    older: int
    unknown: int
    unknown_ids: tuple[str, ...]
    refused: Mapping[str, int]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]
    held_out: int = 0
    held_out_ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows: {self.added:,} answers added"]
        if self.known:
            parts.append(f"{self.known:,} known already")
        if self.older:
            parts.append(f"{self.older:,} older than what the same person answered and put aside")
        if self.unknown:
            parts.append(f"{self.unknown:,} of items that are not here ({', '.join(self.unknown_ids)}, …)")
        if self.held_out:
            parts.append(
                f"{self.held_out:,} of held-out items and not taken ({', '.join(map(str, self.held_out_ids))}, …)"
            )
        if self.refused:
            named = ", ".join(f"{label!r} ({count:,})" for label, count in list(self.refused.items())[:_EXAMPLES])
            parts.append(f"{sum(self.refused.values()):,} with a value that is no label: {named}")
        if self.rejected:
            parts.append(f"{len(self.rejected):,} rejected")
        return ", ".join(parts)


_NAMED = ("project_id", "item_id", "annotator", "label_ids")


class Given:
    """An answer of somebody about an item, given elsewhere; without a UUID one is derived from what it says."""

    def __init__(
        self, ledger: Ledger, item: int, person: str, label: int, at: datetime | None, uuid: str | None
    ) -> None:
        self.item, self.person, self.label, self.at = item, person, label, at
        said = "\0".join(map(str, (item, person, label, "" if at is None else at.isoformat())))
        self.uuid = uuid or str(uuids.uuid5(uuids.UUID(ledger.project.uuid), said))


def add_annotations(
    store: ProjectStore, source: object, columns: Mapping[str, str | None], reading: Mapping[str, Any]
) -> AnswersReport:
    """Record answers that people gave elsewhere; see `Project.add_annotations`.

    Parameters
    ----------
    store
        The project's ledger, items, functions and classes.
    source
        A path, an open file or a frame.
    columns
        The columns that were named: id, item_id, annotator, label, at, uuid.
    reading
        How to read the source.
    """
    if not len(store.items.ids()):
        raise ValueError("There are no items that answers could be of. Import some with add_items().")
    table = read_source(source, **reading)
    own = store.items.columns()
    given = _given(table, columns, own.named("id"), own.named("text"))
    known = store.items.frame().select("item_id", pl.col(own.named("text") or "item_id").cast(pl.String).alias("text"))
    return _record(store.ledger, store.label_set, table, _found(store.ledger, known, given))


def _given(table: Table, columns: Mapping[str, str | None], own_id: str | None, text: str | None) -> pl.DataFrame:
    """Return (key, by, annotator, label, at, uuid, seconds): an answer a row; `by` says what the key is."""
    key, by = _keys(table, columns, own_id, text)
    if table.answers is not None and columns["label"] is None:
        keys = pl.DataFrame({"row": range(len(key)), "key": key}, schema={"row": pl.Int64(), "key": pl.String()})
        answers = table.answers.join(keys, on="row", how="left", maintain_order="left")
        return answers.with_columns(pl.lit(by).alias("by"), pl.lit(None, pl.String).alias("uuid"))
    names = table.frame.columns
    label = _column(table, columns["label"] or _named(names, ("label", "answer")), "label")
    if table.evidence is not None:
        return _of_export(table, table.evidence, key, by, label)
    person = columns["annotator"] or _named(names, _PEOPLE)
    time = columns["at"] or _named(names, _TIMES)
    own = columns["uuid"] or _named(names, ("uuid",))
    nothing = pl.Series([None] * len(key), dtype=pl.String)
    return pl.DataFrame(
        {
            "key": key,
            "annotator": nothing if person is None else _column(table, person, "annotator"),
            "label": label,
            "at": _times(table, nothing if time is None else table.frame[_there(table, time, "at")]),
            "uuid": nothing if own is None else _column(table, own, "uuid"),
            "by": [by] * len(key),
        }
    ).with_columns(pl.lit(None, pl.Float64).alias("seconds"))


def _of_export(table: Table, evidence: pl.DataFrame, key: pl.Series, by: str, label: pl.Series) -> pl.DataFrame:
    """Return the answers in an export: the labels that one person gave, as it does not part several people's."""
    people = [list(names or []) if isinstance(names, list) else [] for names in evidence["annotators"].to_list()]
    own = [
        source == "human" and len(names) == 1
        for source, names in zip(evidence["source"].to_list(), people, strict=True)
    ]
    times = evidence["labeled_at"] if "labeled_at" in evidence.columns else pl.Series([None] * len(key))
    return pl.DataFrame(
        {
            "key": key,
            "annotator": [names[0] if len(names) == 1 else None for names in people],
            "label": label.set(~pl.Series(own, dtype=pl.Boolean), None),
            "at": _times(table, times),
            "by": [by] * len(key),
        },
        schema_overrides={"annotator": pl.String()},
    ).with_columns(pl.lit(None, pl.Float64).alias("seconds"), pl.lit(None, pl.String).alias("uuid"))


def _keys(
    table: Table, columns: Mapping[str, str | None], own_id: str | None, text: str | None
) -> tuple[pl.Series, str]:
    """Return what names the item of each row, and whether that is an item number, an id or the text."""
    if columns["id"] and columns["item_id"]:
        raise ValueError("Give the column of your own ids (id=) or that of Tally's item numbers (item_id=), not both.")
    if table.evidence is not None and columns["id"] is None:
        return table.evidence["item_id"].cast(pl.String), "item_id"
    if columns["item_id"]:
        return _column(table, columns["item_id"], "item_id"), "item_id"
    there = {table.renamed.get("item_id"): "item_id", own_id: "id"}
    found = columns["id"] or next((name for name in there if name in table.frame.columns), None)
    if found is not None:
        return _column(table, found, "id"), "id" if columns["id"] else there[found]
    if text in table.frame.columns:
        return _column(table, text, "text"), "text"
    raise ValueError(
        "Which column names the items? Give id= with your own ids, or item_id= with Tally's numbers. "
        f"The columns are: {', '.join(table.frame.columns)}."
    )


def _named(columns: list[str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in columns), None)


def _there(table: Table, column: str | None, role: str) -> str:
    name = table.renamed.get(column or "", column)
    if name is None or name not in table.frame.columns:
        what = f"There is no column {column!r} for {role}=." if column else f"Which column is the {role}? Give {role}=."
        raise ValueError(f"{what} The columns are: {', '.join(table.frame.columns)}.")
    return name


def _column(table: Table, column: str | None, role: str) -> pl.Series:
    name = _there(table, column, role)
    if table.frame.schema[name].is_nested() or table.frame.schema[name] == pl.Binary:
        raise ValueError(f"Column {name!r} holds {table.frame.schema[name]}; {role}= needs texts or numbers.")
    texts = table.text_of(name)
    return texts.set(texts.str.strip_chars() == "", None)


def _times(table: Table, series: pl.Series) -> pl.Series:
    """Return times as the ledger keeps them, and note what cannot be read as one."""
    values = (series.cast(pl.String) if series.dtype == pl.Date else series).to_list()
    if note := unread_times(series.name, values):
        table.notes.append(note)
    return pl.Series([moment(value) for value in values], dtype=pl.Datetime("us", "UTC"))


def _found(ledger: Ledger, known: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Add the item of each answer, null where it is not in the project."""
    by = given["by"][0] if given.height else "id"
    if by == "item_id":
        pairs = known.select(pl.col("item_id").cast(pl.String).alias("key"), "item_id")
    elif by == "id":
        rows = [(external, item) for item, _, _, external in (*ledger.items.index(), *ledger.items.duplicates())]
        pairs = pl.DataFrame(rows, schema={"key": pl.String(), "item_id": pl.Int64()}, orient="row").drop_nulls()
        pairs = pairs.join(known, on="item_id", how="semi", maintain_order="left")
    else:
        pairs = known.select(pl.col("text").alias("key"), "item_id").unique("key", keep="none")
    pairs = pairs.unique("key", keep="first", maintain_order=True)
    return given.join(pairs, on="key", how="left", maintain_order="left")


def _record(ledger: Ledger, labels: LabelSet, table: Table, answers: pl.DataFrame) -> AnswersReport:
    answers = answers.drop_nulls("label").with_columns(
        pl.col("annotator").str.strip_chars().str.normalize("NFC").fill_null(_NOBODY)
    )
    ids = {name: _label_id(labels, name) for name in answers["label"].unique(maintain_order=True)}
    answers = answers.with_columns(
        pl.col("label").replace_strict(ids, default=None, return_dtype=pl.Int64).alias("label_id")
    )
    refused = answers.filter(pl.col("label_id").is_null())["label"].value_counts(sort=True)
    unknown = answers.filter(pl.col("item_id").is_null())["key"]
    usable = answers.drop_nulls(["item_id", "label_id"]).sort("at", nulls_last=False, maintain_order=True)
    with ledger.read() as connection:
        called = ledger.persons.merged(connection).called
    usable = usable.with_columns(pl.col("annotator").replace(dict(called)).alias("who"))
    usable = usable.unique(["item_id", "who"], keep="last", maintain_order=True)
    held = holdout_ids(ledger)
    kept_apart = usable.filter(pl.col("item_id").is_in(list(held)))["item_id"]
    usable = usable.filter(~pl.col("item_id").is_in(list(held)))
    standing = {
        (record.item_id, record.annotator): record for record in ledger.annotations.current() if record.kind in ANSWERS
    }
    fates: dict[str, list[Given]] = {"added": [], "known": [], "older": []}
    rows = [Given(ledger, *row) for row in usable.select("item_id", "annotator", "label_id", "at", "uuid").iter_rows()]
    before = ledger.annotations.by_uuids([row.uuid for row in rows])
    for row in rows:
        same, who = before.get(row.uuid), called.get(row.person, row.person)
        if same is not None:
            check_same(same, (ledger.project.id, row.item, who, single.stored(row.label)), _NAMED)
        fate = _fate(standing.get((row.item, who)), row.label, row.at)
        # What is on record and was corrected since is not said anew by the same file.
        fates["known" if fate == "added" and same is not None else fate].append(row)
    _write(ledger, fates["added"])
    return AnswersReport(
        rows=table.frame.height + len(table.rejected),
        added=len(fates["added"]),
        known=len(fates["known"]),
        older=len(fates["older"]),
        unknown=len(unknown),
        unknown_ids=tuple(str(key) for key in unknown.unique(maintain_order=True).head(_EXAMPLES)),
        refused=dict(refused.iter_rows()),
        rejected=tuple(table.rejected),
        notes=tuple(table.notes),
        held_out=len(kept_apart),
        held_out_ids=tuple(kept_apart.unique(maintain_order=True).head(_EXAMPLES)),
    )


def _fate(stands: AnnotationRecord | None, label: int, at: datetime | None) -> str:
    """Say what becomes of an answer, given what stands of its person: it is "added", "known" or "older"."""
    if stands is None or (at is not None and at > stands.created_at):
        return "added"
    if single.class_of(stands) == label:
        return "known"
    return "older" if at is not None and at < stands.created_at else "added"


def _write(ledger: Ledger, answers: list[Given]) -> None:
    """Write answers as one fact: those of a person with the same label together."""
    if not answers:
        return
    together: dict[tuple[str, int], list[Given]] = {}
    for answer in answers:
        together.setdefault((answer.person, answer.label), []).append(answer)
    with ledger.write() as write:
        for (person, label), rows in together.items():
            rows.sort(key=lambda row: row.item)
            ledger.annotations.add_many(
                write,
                [row.item for row in rows],
                annotator_id=ledger.annotations.annotator(write.connection, person),
                kind="answer",
                step=str(uuids.uuid4()),
                origin=ORIGIN,
                label_ids=single.stored(label),
                at=[row.at for row in rows],
                own=[row.uuid for row in rows],
            )


def _label_id(labels: LabelSet, name: str) -> int | None:
    try:
        return labels.named(name).id
    except ValueError:
        return None
