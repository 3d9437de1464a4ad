"""Bringing rows into the ledger: duplicates found in Polars, written in chunks, visible all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.formats.columns.supported import large_numbers
from labeling.formats.columns.types import dtype_name
from labeling.formats.mapping import Mapping as ColumnMapping
from labeling.formats.mapping import prepare_items
from labeling.formats.reading.delimited import Rejected
from labeling.formats.reading.source_keys import source_keys
from labeling.formats.reading.tables import Table
from labeling.library_errors import in_plain_words
from labeling.store.content import content_hash, encoded
from labeling.store.imports.answer_columns import looks_like_answer
from labeling.store.imports.matching import plan_rows, repeated_ids
from labeling.store.imports.reports import ImportReport
from labeling.store.items import Columns, becomes_text
from labeling.store.label_set import LabelSet
from storage.records import ItemRows

if TYPE_CHECKING:
    from storage.ledger import Ledger

CHUNK = 20_000

NO_GOLD = "There is no gold to hold out. Import items with a column of known labels (gold)."
"""What is said where a hold-out is wanted and no answer is known."""

BAR_DELAY = 1.0
"""Seconds that a call takes before a bar shows: short calls show none."""

Progress = bool | Callable[[int, int], None] | None


@in_plain_words("Importing the rows")
def import_table(
    ledger: Ledger,
    labels: LabelSet,
    table: Table,
    mapping: ColumnMapping,
    *,
    progress: Progress = False,
    added_labels: Mapping[str, Any] | None = None,
    hidden: Sequence[str] | None = None,
    needs_gold: bool = False,
) -> ImportReport:
    """Write the rows of `table` as items; return what became of each.

    Nothing is visible before everything is written; on an error nothing stays. `added_labels` is the version of
    the classes, `labels`, that comes with the import; `hidden` columns are not shown to annotators, None for those
    that look like the answer; with `needs_gold` rows without any known answer are refused where the project has none.

    Raises
    ------
    ValueError
        A gold value is no label of the project.
    storage.StorageError
        Another import is under way, or the database cannot be written.
    """
    started = time.perf_counter()
    # What is there already is looked up while no other import can add to it.
    import_id = ledger.imports.begin(table.name)
    try:
        known = Columns.of(ledger.imports.all())
        prepared, notes = _prepare(table, mapping, labels, known)
        away, hiding = _hidden(table, mapping, labels, known, hidden)
        plan = plan_rows(prepared.rows, ledger)
        columns = [
            {"name": n, "dtype": dtype_name(t), "role": r} | ({"large": True} if n in prepared.large else {})
            for n, (t, r) in prepared.columns.items()
        ]
        rejected = (*prepared.rejected, *repeated_ids(plan))
        status = plan["status"]
        added = plan.filter(status == "new")
        gold, gold_notes = _gold(plan, ledger, keep=table.is_export)
        if needs_gold and not gold.height and not ledger.items.counts()[1]:
            raise ValueError(NO_GOLD)
        counts = dict(status.value_counts().iter_rows())
        first = ledger.imports.reserve(added.height)
        new_ids = dict(zip(added["row"].to_list(), range(first, first + added.height), strict=True))
        _write(ledger, import_id, prepared, added, first, progress)
        as_item = pl.col("same_as").replace_strict(new_ids, default=None, return_dtype=pl.Int64)
        target = plan.with_columns(pl.coalesce("item_id", as_item).alias("item_id"))
        more = target.filter(pl.col("status").is_in(["duplicate", "returned", "known", "changed"]))
        again = pl.when(pl.col("status") != "duplicate").then(True)
        # A row that the ledger holds another content of under its id is not that item's row.
        key = pl.when(pl.col("status") != "changed").then(pl.col("source_key"))
        for part in more.select("line", "item_id", "external_id", key, again.alias("again")).iter_slices(CHUNK):
            ledger.imports.add_source_rows(import_id, list(part.iter_rows()))
        truths = gold.select(pl.coalesce("item_id", as_item).alias("item_id"), "gold")
        for part in truths.iter_slices(CHUNK):
            ledger.imports.add_gold(import_id, list(part.iter_rows()))
        report = ImportReport(
            rows=table.frame.height + len(table.rejected),
            added=added.height,
            duplicates=counts.get("duplicate", 0),
            known=counts.get("known", 0) + counts.get("changed", 0),
            changed=counts.get("changed", 0),
            returned=counts.get("returned", 0),
            remapped=int(plan["remapped"].sum()),
            import_id=import_id,
            gold=truths.height,
            rejected=rejected,
            renamed=dict(table.renamed),
            notes=(*table.notes, *notes, *gold_notes, *hiding, *_mapping_notes(plan, mapping, ledger)),
            seconds=time.perf_counter() - started,
        )
        settings = mapping.to_json() | {"hidden": away}
        ledger.imports.complete(import_id, settings, columns, _summary(report), label_set=added_labels)
    except BaseException:
        ledger.imports.abandon(import_id)
        raise
    return report


def _summary(report: ImportReport) -> dict[str, Any]:
    counts = ("rows", "added", "duplicates", "known", "changed", "returned", "remapped", "gold", "seconds")
    rejected = [{"line": r.line, "reason": r.reason} for r in report.rejected[:1000]]
    more = {"rejected": len(report.rejected), "rejected_rows": rejected, "renamed": dict(report.renamed)}
    return {name: getattr(report, name) for name in counts} | more | {"notes": list(report.notes)}


class _Prepared:
    """Rows ready to be compared and written."""

    def __init__(
        self,
        rows: pl.DataFrame,
        columns: dict[str, tuple[pl.DataType, str]],
        images: list[bytes | None] | None,
        rejected: list[Rejected],
        large: frozenset[str],
    ) -> None:
        self.rows = rows
        self.columns = columns
        self.large = large
        self.images = images
        self.rejected = rejected


def _prepare(table: Table, mapping: ColumnMapping, labels: LabelSet, known: Columns) -> tuple[_Prepared, list[str]]:
    """Give columns their roles and names; encode what each row holds, and hash it."""
    keys, ready = source_keys(table), prepare_items(table, mapping)
    data = ready.frame
    special = {mapping.text: "text", mapping.group: "group", mapping.image: "image"}
    roles = {name: special.get(name, "data") for name in data.columns}
    roles |= dict.fromkeys((name for name in mapping.private if name in roles), "private")
    if mapping.id is not None:
        roles = {mapping.id: "id"} | roles
    renames = _renames(roles, known)
    notes = ready.notes + [
        f"The column {old!r} became {new!r}, which holds the {roles[old]} in this project."
        for old, new in renames.items()
    ]
    if mapping.id is not None and ready.id is not None:
        data = data.with_columns(ready.id.alias(mapping.id))
    schema = data.schema  # made anew each time that it is asked for
    columns = {renames.get(name, name): (schema[name], role) for name, role in roles.items()}
    data = data.rename({old: new for old, new in renames.items() if old in data.columns})
    image = next((name for name, (_, role) in columns.items() if role == "image"), None)
    images = None if image is None else data[image].to_list()
    public = sorted(n for n, (_, r) in columns.items() if r in ("text", "data"))
    private = sorted(n for n, (_, r) in columns.items() if r == "private")
    # A row of its own keeps the height where nothing but pictures is there to encode.
    kept = data.select(
        pl.int_range(pl.len()).alias("row"),
        encoded(public).alias("data"),
        (encoded(private) if private else pl.lit(None, pl.String)).alias("private"),
    )
    by_role = {role: next((n for n, (_, r) in columns.items() if r == role), None) for role in ("id", "group")}
    rows = kept.insert_column(1, pl.Series("line", ready.lines))
    rows = rows.with_columns(
        _column(data, by_role["id"]).alias("external_id"),
        _column(data, by_role["group"]).alias("group"),
        _gold_ids(ready.gold, data.height, mapping.gold, labels).alias("gold"),
        pl.Series("hash", list(_hashes(rows, images)), dtype=pl.Binary()),
        keys.filter(pl.Series(table.lines).is_in(ready.lines.implode())),
    )
    large = large_numbers(data)
    notes += [
        f"The column {name!r} has whole numbers beyond 2**53 in one import and decimals in another: it is text now, so "
        "that they stay exact."
        for name, (dtype, _) in columns.items()
        if becomes_text(known, name, dtype, large=name in large)
    ]
    return _Prepared(rows, columns, images, ready.rejected, large), notes


def _renames(roles: Mapping[str, str], known: Columns) -> dict[str, str]:
    """Return which columns take the name that their role has in the project already."""
    renames: dict[str, str] = {}
    for name, role in roles.items():
        canonical = known.named(role) if role in ("text", "id", "group", "image") else None
        if canonical is not None and name != canonical:
            if canonical in roles:
                raise ValueError(
                    f"The column {canonical!r} holds the {role} in this project, and the source has another "
                    f"{canonical!r} beside {name!r}. Map {role} to {canonical!r}, or rename one of them."
                )
            renames[name] = canonical
    for name, role in roles.items():
        before = known.roles.get(renames.get(name, name))
        if before is not None and before != role and "private" in (before, role):
            raise ValueError(f"The column {name!r} is {before} in this project. Map it the same way.")
    return renames


def _column(data: pl.DataFrame, name: str | None) -> pl.Series:
    if name is None:
        return pl.Series([None] * data.height, dtype=pl.String())
    # PostgreSQL's text holds no NUL.
    values = data[name].str.replace_all("\x00", "\ufffd", literal=True)
    return values.set(values == "", None)


def _hashes(rows: pl.DataFrame, images: list[bytes | None] | None) -> Iterator[bytes]:
    for position, (data, private) in enumerate(rows.select("data", "private").iter_rows()):
        yield content_hash(data, private, None if images is None else images[position])


def _gold_ids(gold: pl.Series | None, n: int, column: str | None, labels: LabelSet) -> pl.Series:
    """Return the class id of each row's known truth, null where there is none."""
    if gold is None:
        return pl.Series([None] * n, dtype=pl.Int64())
    values = gold.str.strip_chars()
    values = values.set(values == "", None)
    ids: dict[str, int] = {}
    unknown: list[str] = []
    for value in values.drop_nulls().unique(maintain_order=True).to_list():
        try:
            ids[value] = labels.named(value).id
        except ValueError:
            unknown.append(value)
    if unknown:
        shown = ", ".join(map(repr, unknown[:5])) + (" …" if len(unknown) > 5 else "")
        raise ValueError(
            f"The gold column {column!r} holds {shown}, not among the labels {', '.join(map(repr, labels.names))}. "
            "Rename the values, add the labels, or map another column."
        )
    return values.replace_strict(ids, default=None, return_dtype=pl.Int64)


def _hidden(
    table: Table, mapping: ColumnMapping, labels: LabelSet, known: Columns, given: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the columns that this import hides from annotators, and a note where nobody chose them."""
    if given is not None:
        if unknown := [name for name in given if name not in table.frame.columns]:
            raise ValueError(
                f"There is no column {unknown[0]!r} to hide. The columns are: {', '.join(table.frame.columns)}."
            )
        return list(given), []
    # What was decided about a column that is there already stays.
    found = [name for name in looks_like_answer(table, mapping, labels.names) if name not in known.dtypes]
    if not found:
        return [], []
    named = ", ".join(map(repr, found))
    return found, [f"Not shown to annotators, as it looks like the answer: {named}."]


def _mapping_notes(plan: pl.DataFrame, mapping: ColumnMapping, ledger: Ledger) -> list[str]:
    """Tell what the columns' parts had to do with which rows were known."""
    notes = []
    remapped = int(plan["remapped"].sum())
    if remapped:
        notes.append(
            f"{remapped:,} rows are here already, from an import with another mapping: what is stored of them stays as "
            "it was, and only known answers and ids are taken."
        )
    before = [mapping_from_json(record.mapping) for record in ledger.imports.all() if record.kind == "items"]
    other = before and mapping not in before and (plan["status"] == "new").any()
    if other and (old := ledger.items.without_key()):
        notes.append(
            f"{old:,} items come from an earlier version, which kept no key of whole rows: rows of this source were "
            "matched with them by id or content. Under another mapping the same rows would be added again."
        )
    return notes


def _gold(plan: pl.DataFrame, ledger: Ledger, *, keep: bool) -> tuple[pl.DataFrame, list[str]]:
    """Return one known truth an item of this source, where the ledger does not hold the same already.

    Of truths that contradict each other the first row's is taken; an earlier import's gives way, unless `keep` holds
    on to it. What was known before and was corrected since is no newer truth. The notes tell how often.
    """
    known, pair = ledger.items.gold(withdrawn=True), {"item_id": pl.Int64(), "gold": pl.Int64()}
    there = pl.DataFrame(known, schema=pair, orient="row").rename({"gold": "gold_there"})
    usable = plan.filter(pl.col("gold").is_not_null() & ~pl.col("status").is_in(["repeated_id", "changed"]))
    item = ["item_id", "same_as"]
    torn = usable.group_by(item).agg(pl.col("gold").n_unique()).filter(pl.col("gold") > 1).height
    new = (
        usable.unique(item, keep="first", maintain_order=True)
        .join(there, on="item_id", how="left", maintain_order="left")
        .filter(pl.col("gold_there").is_null() | (pl.col("gold_there") != pl.col("gold")))
    )
    if keep:
        # The labels of an export are resolved ones: they are no better truth than what is there.
        new = new.filter(pl.col("gold_there").is_null())
    corrected = new.filter(pl.col("gold_there").is_not_null())
    if corrected.height:
        said = pl.DataFrame(ledger.items.gold_said(), schema=pair, orient="row")
        corrected = corrected.join(said, on=["item_id", "gold"], how="semi")
        new = new.join(corrected, on="item_id", how="anti", maintain_order="left")
    replaced = new.height - new["gold_there"].null_count()
    notes = []
    if corrected.height:
        notes.append(
            f"{corrected.height:,} known answers of this source were corrected since it was imported before, and stay "
            "as they were corrected. set_gold() changes them."
        )
    if torn:
        notes.append(f"{torn:,} items have rows with different gold; the first row's was taken.")
    if replaced:
        notes.append(f"{replaced:,} items had other gold before; this source's was taken.")
    return new.select(*item, "gold"), notes


def _write(
    ledger: Ledger, import_id: int, prepared: _Prepared, added: pl.DataFrame, first: int, progress: Progress
) -> None:
    rows = prepared.rows.join(added.select("row"), on="row", how="semi", maintain_order="left")
    with _reporter(progress, rows.height) as advance:
        for start in range(0, rows.height, CHUNK):
            part = rows.slice(start, CHUNK)
            positions = part["row"].to_list()
            images = prepared.images
            ledger.imports.add(
                import_id,
                ItemRows(
                    item_ids=range(first + start, first + start + part.height),
                    rows=part["line"].to_list(),
                    external_ids=part["external_id"].to_list(),
                    groups=part["group"].to_list(),
                    hashes=part["hash"].to_list(),
                    data=part["data"].to_list(),
                    private=part["private"].to_list(),
                    images=[None] * part.height if images is None else [images[p] for p in positions],
                    keys=part["source_key"].to_list(),
                ),
            )
            advance(part.height)


@contextmanager
def _reporter(progress: Progress, total: int) -> Iterator[Callable[[int], None]]:
    """Report rows written: to a callable (done, total), as a bar, or not at all."""
    if callable(progress):
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total)

        yield advance
        return
    from tqdm.auto import tqdm

    delay = 0.0 if progress else BAR_DELAY
    with tqdm(total=total, desc="import", unit=" rows", disable=progress is False, leave=False, delay=delay) as bar:

        def update(count: int) -> None:
            bar.update(count)

        yield update


def mapping_from_json(values: Mapping[str, Any]) -> ColumnMapping:
    """Rebuild a mapping that the ledger remembers."""
    named = {field.name: values[field.name] for field in fields(ColumnMapping) if field.name in values}
    return ColumnMapping(**named)
