"""What an export holds comes back as it was, in every format, whatever people wrote."""

import contextlib
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labeling.formats.columns.names import EXPORT_COLUMNS, export_name
from labeling.formats.mapping import guess_mapping, prepare_items
from labeling.formats.reading.tables import read_source
from labeling.formats.writing.tables import write_table

FORMATS = ["csv", "jsonl", "parquet"]
HOSTILE = [
    "=",
    "+",
    "-",
    "@",
    "'",
    '"',
    "\t",
    "\r",
    "\n",
    "\0",
    ",",
    ";",
    "\\",
    "\u202e",
    "😀",
    "＝",
    "\ufeff",
    "\x1f",
    "א",
    " ",
]
texts = st.one_of(st.none(), st.text(), st.lists(st.sampled_from(HOSTILE), max_size=6).map("".join))
rows = st.lists(st.tuples(texts, texts, st.sampled_from([None, "ok", "=bad"])), min_size=1, max_size=8)


def export_of(cells):
    """Return an export of items with these texts, notes (a column whose name an export needs itself) and labels."""
    size = len(cells)
    return pl.DataFrame(
        {
            "item_id": range(1, size + 1),
            "id": [f"00{n}" for n in range(size)],
            "text": [text for text, _, _ in cells],
            export_name("source"): [note for _, note, _ in cells],
            "label": [label for _, _, label in cells],
            "source": [label and "human" for _, _, label in cells],
            "confidence": [label and 1.0 for _, _, label in cells],
            "annotators": [["ann", 'b"o,b'] if label else [] for _, _, label in cells],
            "votes": [[{"function": "rude", "label": label}] for _, _, label in cells],
        },
        schema_overrides={"text": pl.String, "item:source": pl.String, "label": pl.String, "source": pl.String}
        | {"votes": pl.List(pl.Struct({"function": pl.String, "label": pl.String}))}
        | {"confidence": pl.Float64, "annotators": pl.List(pl.String)},
    )


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("escape", [True, False])
@given(cells=rows)
@settings(max_examples=150, deadline=None)
@example(cells=[("'=1", "=1", "ok"), ("''", "'", None), ("", None, "=bad")])
@example(cells=[("\r", "\n", None), ("a\r\nb", "\r\n", "ok"), ('"', '""', "ok")])
@example(cells=[("\ufefftext", "\ufeff", "ok"), ("\0", "a\0b", "ok"), ("\x1f", "sep=;", "ok")])
def test_an_export_comes_back_with_the_same_rows_and_labels(kind, escape, cells):
    frame = export_of(cells)
    with tempfile.TemporaryDirectory() as folder:
        path = write_table(Path(folder) / f"out.{kind}", [frame[:3], frame[3:]], escape_formulas=escape).path
        table = read_source(path)
    assert (table.is_export, table.rejected, table.renamed, table.notes) == (True, [], {}, [])
    back = prepare_items(table, guess_mapping(table.frame))
    assert table.text_of("text").to_list() == [text for text, _, _ in cells]
    assert table.text_of("source").to_list() == [note for _, note, _ in cells]
    assert back.id.to_list() == frame["id"].to_list()
    assert back.gold is None or back.gold.to_list() == frame["label"].to_list()
    assert table.frame["label"].to_list() == frame["label"].to_list()
    evidence = frame.select("item_id", "id", "label", "source", "confidence", "annotators")
    assert table.evidence.drop("votes").equals(evidence)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_column_that_items_have_comes_back_under_its_name(kind, tmp_path):
    own = {name: ["x y"] for name in EXPORT_COLUMNS if name not in ("id", "label", "item_id")}
    frame = export_of([("hello", "x y", "ok")]).drop("item:source")
    frame = frame.with_columns(pl.Series(export_name(name), values) for name, values in own.items())
    table = read_source(write_table(tmp_path / f"out.{kind}", [frame]).path)
    assert {name: table.frame[name].to_list() for name in own} == own


@pytest.mark.parametrize("kind", FORMATS)
def test_numbers_truth_values_and_bytes_come_back(kind, tmp_path):
    own = pl.DataFrame(
        {
            "whole": [-5, None, 10**15 - 1],
            "decimal": [0.1 + 0.2, -1e-9, None],
            "flag": [True, False, None],
            "picture": [b"\x00\xff", None, b"x"],
        }
    )
    frame = export_of([("a", None, "ok"), ("b", None, None), ("c", None, "ok")]).hstack(own)
    table = read_source(write_table(tmp_path / f"out.{kind}", [frame]).path)
    assert table.frame.select(own.columns).equals(own)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_come_back(kind, tmp_path):
    own = pl.DataFrame({"vector": [[0.5, 1.0], None], "words": [["a", "b,c"], []]})
    frame = export_of([("a", None, "ok"), ("b", None, None)]).hstack(own)
    table = read_source(write_table(tmp_path / f"out.{kind}", [frame]).path)
    assert table.frame.select(own.columns).equals(own)


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_value_error(fields):
    raw = "\n".join(",".join(row) for row in fields).encode("utf-8", "surrogatepass")
    with contextlib.suppress(ValueError):
        table = read_source(raw, name="posts.csv")
        assert table.frame.height == len(table.lines)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_junk_is_read_or_refused_with_a_value_error(raw):
    for name in ("a.csv", "a.jsonl", "a.json", "a.parquet", "a"):
        with contextlib.suppress(ValueError):
            table = read_source(raw, name=name)
            assert table.frame.height == len(table.lines)
