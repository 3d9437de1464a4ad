"""What an import did, would do, and what taking it back does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labeling.formats.mapping import Mapping as ColumnMapping
    from labeling.formats.reading.delimited import Rejected
    from labeling.formats.reading.offers import Offer
    from labeling.formats.reading.tables import Table


@dataclass(frozen=True)
class ImportPreview:
    """What an import would read: the table, how its columns map, the first 20 rows.

    `rejected` is what of the first `looked_at` rows would be left out, and why. `offers` are ways to read columns
    that are taken only where `add_items` is told to.
    """

    table: Table
    mapping: ColumnMapping
    rows: pl.DataFrame
    rejected: tuple[Rejected, ...] = ()
    looked_at: int = 0
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    `rows` were read: `added` became items, `duplicates` are exact copies kept as
    source rows of one item, `known` were in the project already (by id or by
    content), `rejected` could not be read. `changed` of the known rows have an id
    that is stored with another content; what is stored was kept. `remapped` of them were
    known under another mapping. `returned` brought back items that had gone with an import
    that was taken back. `import_id` is what `Project.undo_import` takes.
    """

    rows: int
    added: int
    duplicates: int
    known: int
    changed: int
    gold: int
    rejected: tuple[Rejected, ...]
    renamed: Mapping[str, str]
    notes: tuple[str, ...]
    seconds: float
    returned: int = 0
    remapped: int = 0
    import_id: int = 0

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows: {self.added:,} added"]
        if self.returned:
            parts.append(f"{self.returned:,} brought back")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} exact duplicates")
        if self.known:
            parts.append(f"{self.known:,} known already")
        if self.changed:
            parts.append(f"{self.changed:,} with a known id but other content, not taken")
        if self.gold:
            parts.append(f"{self.gold:,} with gold")
        if self.rejected:
            parts.append(f"{len(self.rejected):,} rejected")
        return ", ".join(parts) + f" ({self.seconds:.1f} s)"

    def _repr_html_(self) -> str:
        import html

        rejected = "".join(f"<li>line {r.line}: {html.escape(r.reason)}</li>" for r in self.rejected[:10])
        return f"<p>{html.escape(str(self))}</p>" + (f"<ul>{rejected}</ul>" if rejected else "")


@dataclass(frozen=True)
class UndoneImport:
    """What went with an import that was taken back, or would go.

    `items` are there no longer, with `answers` of people on them; `kept` of those that it brought are in another
    import too; `gold` known answers came with it.
    """

    import_id: int
    name: str
    items: int
    kept: int
    answers: int
    gold: int

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.items:,} items"]
        if self.answers:
            parts.append(f"{self.answers:,} answers on them, which stay on record")
        if self.gold:
            parts.append(f"{self.gold:,} known answers")
        if self.kept:
            parts.append(f"{self.kept:,} items stay, as another import has them too")
        return ", ".join(parts)
