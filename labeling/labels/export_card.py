"""The card of an exported data set: what it holds, where its labels come from, how to load it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.loops.pool.opening import loop_info
from labeling.weak_labels.run import newest_run

if TYPE_CHECKING:
    from labeling.store.project_store import ProjectStore

_SOURCES = {"human": "people", "weak": "rules", "model": "a trained model"}

_LOADING = """\
## How to load it

```python
import datasets

data = datasets.load_from_disk("path/of/this/folder")
data["train"].features["label"].names  # the classes, in the order of the numbers in `label`
```

`label` is a ClassLabel, empty where an item has none; `source` says where it comes from and `confidence` how sure it
is. `probabilities` holds one number a class, in the order of the classes. The checksum on record is that of the list of
files:

```
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
```
"""


def card(store: ProjectStore, counts: pl.DataFrame, options: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    store
        Whose data set it is.
    counts
        label, source, split and rows, as `ExportPreview.counts`.
    options
        What was chosen, as it is put on record.
    """
    parts = [
        f"# {_plain(store.name)}",
        _plain(store.description),
        _rows(counts, store.label_names),
        _rules(store),
        _label_model(store),
        _loops(store),
        _people(store),
        f"## Version\n\nMade with Tally at version {store.ledger.version()} of the project, which counts its writes.",
        _code("## Settings of the export", options),
        _LOADING,
    ]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def _rows(counts: pl.DataFrame, names: Sequence[str]) -> str:
    """Rows by source and label, and by split."""
    by = {(label, source): rows for label, source, rows in _summed(counts, "label", "source")}
    sources = [source for source in (*_SOURCES, None) if any(key[1] == source for key in by)]
    table = [
        (
            f"{source} ({_SOURCES[source]})" if source else "no label",
            *(by.get((name, source), 0) for name in names),
            sum(rows for (_, whose), rows in by.items() if whose == source),
        )
        for source in sources
    ]
    splits = ", ".join(f"{rows:,} in {split}" for split, rows in _summed(counts, "split"))
    total = int(counts["rows"].sum())
    said = f"{total:,} rows" + (f": {splits}." if splits else ".")
    return f"## Rows\n\n{said}\n\n" + _table(("source of the label", *names, "all"), table)


def _summed(counts: pl.DataFrame, *by: str) -> Iterable[tuple[Any, ...]]:
    return counts.group_by(by, maintain_order=True).agg(pl.col("rows").sum()).iter_rows()


def _rules(store: ProjectStore) -> str:
    rows = [
        (rule.name, rule.version, rule.kind, rule.label or "", rule.expert or "")
        for rule in store.functions.infos(store.label_set)
    ]
    if not rows:
        return "## Rules\n\nNone."
    return "## Rules\n\n" + _table(("rule", "version", "kind", "label", "expert"), rows)


def _label_model(store: ProjectStore) -> str:
    run = newest_run(store)
    if run is None:
        return ""
    functions = ", ".join(map(_plain, run.functions)) or "no rule"
    made = f"{run.created_at:%Y-%m-%d %H:%M} UTC"
    return f"## Label model\n\nRun {run.number}, {_plain(run.model)}, made {made} from the votes of {functions}."


def _loops(store: ProjectStore) -> str:
    parts = [
        f"### {_plain(info.name)}\n\nA {info.kind} loop by {_plain(info.strategy)}, {info.answered:,} answers.\n\n"
        + _code("", record.settings)
        for info, record in ((loop_info(store, record), record) for record in store.ledger.loops.all())
    ]
    return "\n\n".join(["## Loops", *parts]) if parts else ""


def _people(store: ProjectStore) -> str:
    """How many people answered, and the names of those whose names are kept."""
    given = [record for record in store.ledger.annotations.current() if record.kind == "answer"]
    if not given:
        return "## People\n\nNobody has answered yet."
    names = sorted({record.annotator for record in given if record.annotator})
    erased = any(not record.annotator for record in given)
    named = ", ".join(map(_plain, names))
    said = f"{len(given):,} answers by {len(names):,} {'person' if len(names) == 1 else 'people'}"
    said += f" ({named})" if names else ""
    return f"## People\n\n{said}{', and by some whose names were erased' if erased else ''}."


def _table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _plain(str(value))


def _code(title: str, value: Mapping[str, Any]) -> str:
    # Dashes in place of backticks: a name that holds some would end the block.
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str).replace("```", "---")
    return f"{title}\n\n```json\n{text}\n```".lstrip()


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is: on one line, no tag, no cell of a table."""
    flat = " ".join(text.split()).replace("\\", "\\\\").replace("<", "&lt;")
    for mark in "|`[*#":
        flat = flat.replace(mark, f"\\{mark}")
    return flat
